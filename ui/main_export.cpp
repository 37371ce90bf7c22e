// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include "ui/actions.h"
#include "ui/export_choice.h"
#include "ui/text.h"
#include "ui/views/export_dialog.h"
#include "ui/views/notice_bar.h"
#include "ui/views/stage_view.h"
#include "ui/views/tile_canvas.h"
#include "ui/views/timeline_canvas.h"

#include <QApplication>
#include <QDesktopServices>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QSettings>
#include <QUrl>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

void MainWindow::exportMenu(QMenu* menu)
{
    m_actions->add(
        menu, QStringLiteral("export"), tr("&Export …"), { QStringLiteral("Ctrl+E") }, [this] { showExport({}, {}); });
    m_actions->add(menu, QStringLiteral("export.view"), tr("Export this &view …"), { QStringLiteral("Ctrl+Shift+E") },
        [this] { showExport({}, viewInHand()); });
    QMenu* formats = menu->addMenu(tr("Export &as"));
    for (const ExportGroup& group : exportGroups()) {
        if (!formats->isEmpty())
            formats->addSeparator();
        for (const ExportFormat* format : group.formats) {
            const QString name = fromView(format->name);
            m_actions->add(formats, QStringLiteral("export.") + name, tr("Export as %1 …").arg(exportTitle(*format)),
                {}, [this, name] { showExport(name, {}); });
        }
    }
}

void MainWindow::connectExports()
{
    connect(&m_exporter, &ExportController::started, this, &MainWindow::showExports);
    connect(&m_exporter, &ExportController::progressed, m_exportNotice, &NoticeBar::setProgress);
    connect(m_exportNotice, &NoticeBar::cancelRequested, &m_exporter, &ExportController::cancel);
    connect(&m_exporter, &ExportController::written, this, [this](const QString& path, const QStringList& remarks) {
        m_written.append(path);
        m_exportRemarks += remarks;
        showExports();
    });
    connect(&m_exporter, &ExportController::failed, this, [this](const Error& error) {
        m_notWritten.append(QString::fromStdString(error.line()));
        if (m_exporter.running() == 0 && m_written.isEmpty() && m_notWritten.size() == 1) {
            m_notWritten.clear();
            return m_exportNotice->showError(error);
        }
        showExports();
    });
    connect(&m_exporter, &ExportController::cancelled, this, [this](const QString& path) {
        m_notWritten.append(tr("%1: cancelled").arg(QFileInfo(path).fileName()));
        showExports();
    });
    connect(m_timeline, &TimelineCanvas::exportAsked, this, [this] { showExport({}, QStringLiteral("timeline")); });
    connect(m_stage->tiles(), &TileCanvas::exportAsked, this, [this] { showExport({}, QStringLiteral("tiles")); });
}

// Progress while anything is being written, then what became of it all.
void MainWindow::showExports()
{
    if (m_exporter.running() > 0) {
        m_exportNotice->showRunning(
            m_exporter.running() == 1 ? tr("Writing …") : tr("Writing %1 files …").arg(m_exporter.running()));
        return;
    }
    QStringList lines;
    if (!m_written.isEmpty())
        lines.append(tr("Written: %1").arg(m_written.join(QStringLiteral(", "))));
    if (!m_notWritten.isEmpty())
        lines.append(tr("Not written: %1").arg(m_notWritten.join(QStringLiteral("; "))));
    lines += m_exportRemarks;
    m_exportRemarks.clear();
    const QString folder = m_written.isEmpty() ? QString() : QFileInfo(m_written.back()).absolutePath();
    m_written.clear();
    m_notWritten.clear();
    const QString text = lines.join(QStringLiteral(". "));
    if (folder.isEmpty())
        return m_exportNotice->showText(text);
    m_exportNotice->showOffer(
        text, tr("Show its folder"), [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
}

// The one that has the focus, where pictures can show it; else what the stage shows.
QString MainWindow::viewInHand()
{
    const auto drawn = [](const QString& name) {
        const auto views = exportViews();
        return !needsWidgets(name.toStdString())
            && std::find(views.begin(), views.end(), name.toStdString()) != views.end();
    };
    for (const QString& name : viewNames()) {
        const QWidget* pane = view(name);
        if (pane && drawn(name) && (pane->hasFocus() || pane->isAncestorOf(focusWidget())))
            return name;
    }
    const bool memory = m_stage->mode() == StageView::Mode::Memory;
    const bool grid = m_stage->mode() == StageView::Mode::Grid && drawn(QStringLiteral("grid"));
    return memory ? QStringLiteral("memory") : grid ? QStringLiteral("grid") : QStringLiteral("tiles");
}

ExportContext MainWindow::exportContext() const
{
    ExportContext context { m_document.run(), m_document.labels(), m_document.file(), m_document.path(),
        m_playback.position(), m_selection.cta(), {}, {} };
    const paint::TimelineLayout shown = m_timeline->layoutNow();
    const auto end = static_cast<double>(m_document.trace().timeAt(m_document.trace().end()));
    const double from = std::clamp(std::floor(shown.from), 0.0, end), to = std::clamp(std::ceil(shown.to), 0.0, end);
    if (to > from && (from > 0 || to < end)) {
        context.from = QStringLiteral("%1cy").arg(static_cast<qlonglong>(from));
        context.to = QStringLiteral("%1cy").arg(static_cast<qlonglong>(to));
    }
    return context;
}

// Begins with the last choices; with a view that is asked for, as a picture of it.
void MainWindow::showExport(const QString& format, const QString& view)
{
    if (m_document.empty())
        return m_notice->showText(tr("There is nothing to write: no scenario is open."));
    if (findChild<ExportDialog*>() != nullptr)
        return;
    ExportOptions start = m_options.remembers ? rememberedExport(QSettings()) : m_lastExport;
    if (!format.isEmpty())
        start.format = format.toStdString();
    if (!view.isEmpty()) {
        start.view = view.toStdString();
        const ExportFormat* last = findExportFormat(start.format);
        if (!last || !last->hasViews)
            start.format = "svg";
    }
    auto* dialog = new ExportDialog(exportContext(), start, m_appearance, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &ExportDialog::writeAsked, this, [this, dialog] { writeAsAsked(*dialog); });
    dialog->open();
}

void MainWindow::writeAsAsked(ExportDialog& dialog)
{
    if (!dialog.request())
        return;
    const ExportFormat& format = *dialog.request()->format;
    const QString path
        = targetFor(tr("Export as %1").arg(exportTitle(format)), QString::fromStdString(dialog.options().out),
            tr("%1 (*.%2)").arg(exportTitle(format), fromView(format.suffix)));
    if (!path.isEmpty())
        writeFrom(dialog, path);
}

void MainWindow::writeFrom(ExportDialog& dialog, const QString& path)
{
    if (!dialog.request())
        return;
    m_lastExport = dialog.choices();
    if (m_options.remembers) {
        QSettings settings;
        rememberExport(settings, m_lastExport);
    }
    m_exporter.start({ dialog.context().run, dialog.context().labels, dialog.scenarioName(), *dialog.request(), path });
    dialog.accept();
}

} // namespace flashstep::ui
