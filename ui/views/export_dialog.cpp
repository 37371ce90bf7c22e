// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/export_dialog.h"

#include "core/emulation/run.h"
#include "ui/appearance.h"
#include "ui/paint/export.h"
#include "ui/text.h"
#include "ui/views/controls.h"
#include "ui/views/export_form.h"
#include "ui/views/export_preview.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>

#include <algorithm>

namespace flashstep::ui {

namespace {

// Of a film, a moment in its middle.
ExportRequest shown(ExportRequest request)
{
    if (!request.at)
        request.at = Position { request.range.from.value + (request.range.to.value - request.range.from.value) / 2 };
    return request;
}

} // namespace

ExportDialog::ExportDialog(
    const ExportContext& context, const ExportOptions& last, const Appearance& appearance, QWidget* parent)
    : QDialog(parent)
    , m_context(context)
    , m_scenario(stateScenario(context))
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("export"));
    setWindowTitle(tr("Export"));
    auto* middle = new QHBoxLayout;
    middle->setSpacing(appearance.px(20));
    middle->addWidget(makeFormats());
    middle->addWidget(makeForm());
    m_preview = new ExportPreview(m_context, m_scenario.name, m_appearance, this);
    connect(m_preview, &ExportPreview::drawn, this, [this] { // which knows how large it is
        if (m_request)
            m_preview->setCaption(exportSize(*m_request, *m_context.run->trace, m_preview->pictureSize()));
    });
    middle->addWidget(m_preview, 1);
    auto* column = new QVBoxLayout(this);
    const int inset = appearance.px(16);
    column->setContentsMargins(inset, inset, inset, appearance.px(12));
    column->setSpacing(appearance.px(12));
    column->addLayout(middle, 1);
    column->addWidget(makeCommand());
    column->addWidget(makeButtons());
    m_form->setChoices(last);
    connect(m_form, &ExportForm::changed, this, &ExportDialog::check);
    connect(m_formats, &QListWidget::currentItemChanged, this, [this](const QListWidgetItem* item) {
        const ExportFormat* format
            = item ? findExportFormat(item->data(Qt::UserRole).toString().toStdString()) : nullptr;
        if (format)
            m_form->setFormat(*format);
    });
    choose(findExportFormat(last.format) ? QString::fromStdString(last.format) : QStringLiteral("svg"));
    fit();
    m_formats->setFocus();
}

QWidget* ExportDialog::makeFormats()
{
    m_formats = new QListWidget(this);
    m_formats->setAccessibleName(tr("Format"));
    m_formats->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_formats->setFixedWidth(m_appearance.px(150));
    for (const ExportGroup& group : exportGroups()) {
        auto* head = new QListWidgetItem(group.title, m_formats);
        head->setFlags(Qt::NoItemFlags);
        head->setFont(m_appearance.uiFont(11));
        head->setForeground(m_appearance.theme().t2);
        head->setSizeHint(QSize(0, m_appearance.px(m_formats->count() == 1 ? 22 : 30)));
        head->setTextAlignment(Qt::AlignLeft | Qt::AlignBottom);
        for (const ExportFormat* format : group.formats) {
            auto* item = new QListWidgetItem(QStringLiteral("   ") + exportTitle(*format), m_formats);
            item->setData(Qt::UserRole, fromView(format->name));
            item->setData(Qt::AccessibleTextRole, exportTitle(*format));
            item->setToolTip(fromView(format->what));
            item->setFont(m_appearance.uiFont(12));
            item->setSizeHint(QSize(0, m_appearance.px(22)));
        }
    }
    return m_formats;
}

QWidget* ExportDialog::makeForm()
{
    auto* side = new QWidget(this);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(m_appearance.px(6));
    m_title = makeLabel({}, "viewtitle", side);
    m_about = makeLabel({}, "info", side);
    m_about->setWordWrap(true);
    m_form = new ExportForm(m_context, m_appearance, side);
    m_verdict = makeLabel({}, "complaint", side);
    m_verdict->setWordWrap(true);
    auto* scroll = new QScrollArea(side); // where large letters leave too little room
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(m_form);
    m_form->setAutoFillBackground(false);
    column->addWidget(m_title);
    column->addWidget(m_about);
    column->addSpacing(m_appearance.px(4));
    column->addWidget(scroll, 1);
    column->addWidget(m_verdict);
    side->setFixedWidth(m_appearance.px(280));
    return side;
}

QWidget* ExportDialog::makeCommand()
{
    auto* strip = new QWidget(this);
    auto* grid = new QGridLayout(strip);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setVerticalSpacing(m_appearance.px(4));
    m_command = new QPlainTextEdit(strip);
    m_command->setReadOnly(true);
    m_command->setTabChangesFocus(true);
    m_command->setAccessibleName(tr("The same on the command line"));
    m_command->setFont(m_appearance.mono(11));
    m_command->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    m_command->setStyleSheet(
        QStringLiteral("QPlainTextEdit { background: %1; border: 1px solid %2; border-radius: 4px }")
            .arg(m_appearance.theme().alt.name(), m_appearance.theme().line.name()));
    m_command->setFixedHeight(m_appearance.px(56));
    m_copy = new QPushButton(tr("&Copy"), strip);
    m_copy->setAutoDefault(false);
    m_copy->setAccessibleName(tr("Copy the command"));
    connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(command()); });
    grid->addWidget(makeLabel(tr("The same bytes from a shell"), "info", strip), 0, 0);
    grid->addWidget(m_command, 1, 0);
    grid->addWidget(m_copy, 1, 1, Qt::AlignTop);
    grid->setColumnStretch(0, 1);
    return strip;
}

QWidget* ExportDialog::makeButtons()
{
    auto* strip = new QWidget(this);
    auto* row = new QHBoxLayout(strip);
    row->setContentsMargins(0, 0, 0, 0);
    row->addStretch(1);
    auto* close = new QPushButton(tr("Close"), strip);
    close->setAutoDefault(false);
    m_write = new QPushButton(tr("&Write …"), strip);
    m_write->setDefault(true);
    row->addWidget(close);
    row->addWidget(m_write);
    connect(close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_write, &QPushButton::clicked, this, &ExportDialog::writeAsked);
    return strip;
}

// As large as the window it belongs to at most.
void ExportDialog::fit()
{
    const QSize room = parentWidget() ? parentWidget()->window()->size() - QSize(24, 24) : QSize(16384, 16384);
    resize(QSize(m_appearance.px(940), m_appearance.px(580)).boundedTo(room));
}

void ExportDialog::choose(const QString& format)
{
    for (int k = 0; k < m_formats->count(); ++k)
        if (m_formats->item(k)->data(Qt::UserRole).toString() == format)
            m_formats->setCurrentRow(k);
}

ExportOptions ExportDialog::options() const
{
    ExportOptions options = m_form->options();
    options.out = exportFileName(m_context, options).toStdString();
    return options;
}

ExportOptions ExportDialog::choices() const
{
    return m_form->choices();
}

QString ExportDialog::command() const
{
    return exportCommand(m_scenario, options());
}

QString ExportDialog::verdict() const
{
    return m_verdict->isHidden() ? QString() : m_verdict->text();
}

Result<ExportRequest> ExportDialog::understood(const ExportOptions& options, const ExportFormat& format)
{
    if (format.name != m_here.first) // looks for programs on this computer
        m_here = { format.name, paint::checkHere(format) };
    if (!m_here.second)
        return m_here.second.error();
    return understandExport(options, *m_context.run->trace);
}

void ExportDialog::check()
{
    const ExportOptions options = m_form->options();
    const ExportFormat* format = findExportFormat(options.format);
    if (!format)
        return;
    m_title->setText(exportTitle(*format));
    const QString opensIn = exportOpensIn(*format);
    QString about = fromView(format->what);
    about[0] = about[0].toUpper();
    m_about->setText(about + QStringLiteral(".") + (opensIn.isEmpty() ? QString() : tr(" Opens in %1.").arg(opensIn)));
    m_form->clearErrors();
    m_verdict->hide();
    const Result<ExportRequest> request = understood(options, *format);
    m_request = request ? std::optional(*request) : std::nullopt;
    m_write->setEnabled(request.ok());
    m_copy->setEnabled(request.ok());
    m_command->setPlainText(command());
    if (!request) {
        if (!m_form->showError(request.error())) {
            m_verdict->setText(QString::fromStdString(request.error().line()));
            m_verdict->show();
        }
        m_preview->setCaption({});
        return;
    }
    m_preview->setCaption(exportSize(*request, *m_context.run->trace, m_preview->pictureSize()));
    if (format->hasViews)
        m_preview->preview(shown(*request), {});
    else if (takes(*format, {}, ExportField::Table))
        m_preview->preview(*request, exportHolds(*format));
    else
        m_preview->showWords(exportHolds(*format));
}

} // namespace flashstep::ui
