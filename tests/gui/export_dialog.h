// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/gui/open_window.h"
#include "ui/views/export_dialog.h"
#include "ui/views/export_form.h"
#include "ui/views/notice_bar.h"

#include <QComboBox>
#include <QFile>
#include <QLineEdit>
#include <QPushButton>
#include <QtTest>

namespace flashstep::test {

inline ui::ExportDialog* openExport(ui::MainWindow& window, const QString& format, const QString& view)
{
    window.showExport(format, view);
    auto* dialog = window.findChild<ui::ExportDialog*>();
    if (!dialog)
        qFatal("no dialog");
    QApplication::processEvents();
    return dialog;
}

inline void setField(ui::ExportDialog& dialog, ui::ExportField field, const QString& value)
{
    QWidget* widget = dialog.form().field(field);
    if (auto* line = qobject_cast<QLineEdit*>(widget))
        return line->setText(value);
    auto* box = qobject_cast<QComboBox*>(widget);
    if (!box || box->findText(value) < 0)
        qFatal("no field that takes %s", qPrintable(value));
    box->setCurrentText(value);
}

inline bool canWrite(const ui::ExportDialog& dialog)
{
    for (const auto* button : dialog.findChildren<QPushButton*>())
        if (button->isDefault())
            return button->isEnabled();
    return false;
}

inline QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// What a person does after choosing: a name, then wait.
inline void writeAndWait(ui::MainWindow& window, const QString& path)
{
    auto* dialog = window.findChild<ui::ExportDialog*>();
    QSignalSpy written(&window.exporter(), &ui::ExportController::written);
    window.writeFrom(*dialog, path);
    QTRY_VERIFY_WITH_TIMEOUT(window.exporter().running() == 0, 120000);
    QVERIFY2(!written.isEmpty(), qPrintable(window.exportNotice().text()));
    QTRY_VERIFY(!window.findChild<ui::ExportDialog*>());
}

} // namespace flashstep::test
