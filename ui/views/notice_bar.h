// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QTimer>

#include <functional>

class QLabel;
class QProgressBar;
class QPushButton;

namespace flashstep {
struct Error;
}

namespace flashstep::ui {

// One line above the stage: work that takes longer than 200 ms with its progress and a way to cancel it, or what went
// wrong, where, and what would help. Nothing is lost meanwhile: what was open stays on show.
class NoticeBar : public QFrame {
    Q_OBJECT
public:
    explicit NoticeBar(QWidget* parent);

    void showRunning(const QString& what); // after 200 ms
    void setProgress(double fraction);
    void showError(const Error& error);
    void showText(const QString& text);
    // With a button that does something about it.
    void showOffer(const QString& text, const QString& button, const std::function<void()>& accept);
    void dismiss();
    [[nodiscard]] QString text() const;
    [[nodiscard]] bool showsError() const { return m_fault; }

signals:
    void cancelRequested();

private:
    void present(bool fault, bool running);

    QLabel* m_text;
    QProgressBar* m_bar;
    QPushButton *m_cancel, *m_close, *m_offer;
    std::function<void()> m_accept;
    QTimer m_delay;
    QString m_running; // shown once the delay is over
    bool m_fault = false;
};

} // namespace flashstep::ui
