// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/io/export_request.h"
#include "ui/export_choice.h"

#include <QWidget>

#include <map>
#include <optional>

class QGridLayout;
class QLabel;
class QLineEdit;

namespace flashstep::ui {

class Appearance;
class ComboBox;

// The fields of one export: those that its format takes, each with room for what is wrong with it.
class ExportForm : public QWidget {
    Q_OBJECT
public:
    ExportForm(const ExportContext& context, const Appearance& appearance, QWidget* parent);

    void setFormat(const ExportFormat& format);
    void setChoices(const ExportOptions& options); // the lasting ones
    [[nodiscard]] ExportOptions choices() const; // of all fields, also of those that this format does not take
    [[nodiscard]] ExportOptions options() const; // of this format; what says nothing new is left out
    // Beside its field. False where no field on show is the one.
    bool showError(const Error& error);
    void clearErrors();
    [[nodiscard]] QWidget* field(ExportField field) const; // nullptr where the format does not take it

signals:
    void changed();

private:
    struct Row {
        QLabel *label = nullptr, *error = nullptr;
        QWidget* field = nullptr;
        bool taken = false;
    };
    enum RangeChoice { WholeRun, OnShow, FromTo };
    enum MomentChoice { Now, AtEnd, AtText, AllSteps };

    ComboBox* addChoice(ExportField field, const QString& label, const QStringList& names, const QStringList& values);
    QLineEdit* addText(ExportField field, const QString& label, const QString& placeholder, const QString& help);
    void addRow(ExportField field, const QString& label, QWidget* widget, const QString& help);
    void addLook();
    void addPlaces(const ExportContext& context);
    void arrange();
    [[nodiscard]] std::string text(ExportField field) const;

    const ExportContext m_context;
    const Appearance& m_appearance;
    const ExportFormat* m_format = nullptr;
    std::map<ExportField, Row> m_rows;
    QGridLayout* m_grid;
};

} // namespace flashstep::ui
