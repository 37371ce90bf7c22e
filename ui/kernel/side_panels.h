// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"
#include "ui/views/accessible.h"

#include <QListWidget>
#include <QTextBrowser>
#include <QWidget>

class QLabel;
class QTabWidget;

namespace flashstep::ui {

class Appearance;

// The 32 lanes: who does it, who is guarded off, who is elsewhere.
class LaneBoxes : public QWidget, public AccessibleView {
    Q_OBJECT
public:
    LaneBoxes(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    KernelState& m_state;
    Appearance& m_appearance;
};

// The current instruction in words.
class InstructionCard : public QWidget {
    Q_OBJECT
public:
    InstructionCard(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] QString text() const;

private:
    void refresh();
    KernelState& m_state;
    Appearance& m_appearance;
    QTextBrowser* m_text;
};

// Warps with what they wait for, barriers, copies.
class WarpList : public QTextBrowser {
    Q_OBJECT
public:
    WarpList(KernelState& state, Appearance& appearance, QWidget* parent);

private:
    void refresh();
    KernelState& m_state;
    Appearance& m_appearance;
};

// The run's faults, each a way to its step.
class FindingList : public QListWidget {
    Q_OBJECT
public:
    FindingList(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] static QString sentence(const KernelState& state, const ptx::Finding& finding);

signals:
    void counted(int faults);

private:
    void refresh();
    KernelState& m_state;
    Appearance& m_appearance;
};

} // namespace flashstep::ui
