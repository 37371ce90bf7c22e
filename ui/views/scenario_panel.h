// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/scenario.h"
#include "ui/session.h"

#include <QScrollArea>
#include <QTimer>

class QFormLayout;
class QLabel;
class QVBoxLayout;

namespace flashstep::ui {

// The problem, its tiles and the machine as fields, and the knobs of the version as sliders: a change asks for a new
// run.
class ScenarioPanel : public QScrollArea {
    Q_OBJECT
public:
    ScenarioPanel(const Session& session, QWidget* parent);

signals:
    void requested(const flashstep::ScenarioFile& file);

private:
    void rebuild();
    QVBoxLayout* addSection(const QString& title);
    void addFact(QVBoxLayout* section, const QString& label, const QString& value, const QString& source = {});
    void addText(
        QVBoxLayout* section, const QString& label, const QString& key, const QString& value, const QString& help);
    void addChoice(QVBoxLayout* section, const QString& label, const QString& key, const QStringList& values,
        const QString& value, const QString& help);
    void addKnob(QVBoxLayout* section, const Knob& knob);
    void addRow(QVBoxLayout* section, const QString& label, QWidget* field, const QString& help);
    void change(const QString& key, const QString& value);
    void turn(const QString& knob, const QString& value);
    void complain(const QString& text);
    [[nodiscard]] QString knobValue(std::string_view key) const;

    const Session m_session;
    QLabel* m_complaint = nullptr;
    QTimer m_settle; // a slider being dragged asks once it rests
    ScenarioFile m_wanted;
};

} // namespace flashstep::ui
