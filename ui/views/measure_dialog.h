// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/measure_controller.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;

namespace flashstep::ui {

// Where flashstep-gpu is and how it is reached; a test of that, and the recording itself. What goes wrong is told here
// in the one line that the command line would print. The fields are remembered.
class MeasureDialog : public QDialog {
    Q_OBJECT
public:
    // The kernel and the problem that are recorded; why not, where nothing can be.
    struct Subject {
        const cuda::KernelPlan* kernel = nullptr;
        Problem problem;
        QString words; // "fa2_forward_d64 on 256 queries, 256 keys"
        QString refusal;
    };
    MeasureDialog(MeasureController& controller, Subject subject, bool remembers, QWidget* parent);
    [[nodiscard]] DeviceProgram program() const;

private:
    void restore();
    void remember() const;
    void begin();
    void say(const QString& text, const char* role);
    void refresh();

    MeasureController& m_controller;
    const Subject m_subject;
    const bool m_remembers;
    QLineEdit *m_prefix, *m_program;
    QSpinBox* m_timeout;
    QLabel* m_verdict;
    QProgressBar* m_bar;
    QPushButton *m_test, *m_record, *m_stop;
};

} // namespace flashstep::ui
