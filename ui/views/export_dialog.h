// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/export_choice.h"

#include <QDialog>

#include <optional>

class QLabel;
class QListWidget;
class QPlainTextEdit;
class QPushButton;

namespace flashstep::ui {

class Appearance;
class ExportForm;
class ExportPreview;

// What to write, how it will look, and the command that writes the same bytes.
class ExportDialog : public QDialog {
    Q_OBJECT
public:
    // `last`: where the choices begin; what it leaves open begins as usual.
    ExportDialog(
        const ExportContext& context, const ExportOptions& last, const Appearance& appearance, QWidget* parent);

    void choose(const QString& format);
    [[nodiscard]] const ExportContext& context() const { return m_context; }
    [[nodiscard]] ExportOptions options() const; // as on show, `out` the usual name
    [[nodiscard]] ExportOptions choices() const;
    [[nodiscard]] const std::optional<ExportRequest>& request() const { return m_request; } // nothing: it says why
    [[nodiscard]] const QString& scenarioName() const { return m_scenario.name; }
    [[nodiscard]] QString command() const;
    [[nodiscard]] ExportForm& form() { return *m_form; }
    [[nodiscard]] ExportPreview& preview() { return *m_preview; }
    [[nodiscard]] QString verdict() const; // what stands under the form, an error included

signals:
    void writeAsked();

private:
    QWidget* makeFormats();
    QWidget* makeForm();
    QWidget* makeCommand();
    QWidget* makeButtons();
    [[nodiscard]] Result<ExportRequest> understood(const ExportOptions& options, const ExportFormat& format);
    void check();
    void fit();

    const ExportContext m_context;
    const ScenarioStatement m_scenario;
    const Appearance& m_appearance;
    std::optional<ExportRequest> m_request;
    std::pair<std::string_view, Status> m_here { {}, Nothing {} }; // whether that format can be written here
    QListWidget* m_formats = nullptr;
    ExportForm* m_form = nullptr;
    ExportPreview* m_preview = nullptr;
    QLabel *m_title = nullptr, *m_about = nullptr, *m_verdict = nullptr;
    QPlainTextEdit* m_command = nullptr;
    QPushButton *m_copy = nullptr, *m_write = nullptr;
};

} // namespace flashstep::ui
