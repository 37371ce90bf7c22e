// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;

namespace flashstep {
class Trace;
}

namespace flashstep::ui {

// A condition as text, with examples made of what this run has, and what is wrong with it while it is being typed.
class ConditionDialog : public QDialog {
    Q_OBJECT
public:
    ConditionDialog(const Trace& trace, const QString& title, const QString& start, int row, QWidget* parent);
    [[nodiscard]] QString text() const;

    // Conditions that can come true in this run; the row is one to speak of.
    [[nodiscard]] static QStringList examples(const Trace& trace, int row);

private:
    void check();

    const Trace& m_trace;
    QLineEdit* m_line;
    QLabel* m_verdict;
    QPushButton* m_accept;
};

} // namespace flashstep::ui
