// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_runner.h"
#include "ui/kernel/kernel_state.h"

#include <QMainWindow>

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QTabWidget;

namespace flashstep::ui {

class Actions;
class Appearance;
class ComboBox;
class CudaView;
class FindingList;
class InstructionCard;
class KernelTransport;
class MatrixView;
class NoticeBar;
class PtxView;
class RegisterView;
class SharedView;
class StripView;
class WarpList;

// A kernel's own instructions: source and PTX side by side, the warp's registers, shared memory, what waits for what,
// and the faults of the run, all at one position.
class KernelWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit KernelWindow(Appearance& appearance, QWidget* parent = nullptr);
    ~KernelWindow() override;

    void open(const KernelRequest& request);
    void dropLine(std::uint32_t line); // or put back; runs again
    [[nodiscard]] Status showTab(const QString& name); // "registers", "matrix", "shared", "warps", "faults"
    [[nodiscard]] static QStringList tabNames();
    [[nodiscard]] Status goTo(const QString& position);

    [[nodiscard]] KernelState& state() { return m_state; }
    [[nodiscard]] KernelRunner& runner() { return m_runner; }
    [[nodiscard]] Actions& actions() { return *m_actions; }
    [[nodiscard]] CudaView& cuda() { return *m_cuda; }
    [[nodiscard]] PtxView& ptx() { return *m_ptx; }
    [[nodiscard]] RegisterView& registers() { return *m_registers; }
    [[nodiscard]] MatrixView& matrix() { return *m_matrix; }
    [[nodiscard]] SharedView& shared() { return *m_shared; }
    [[nodiscard]] StripView& strip() { return *m_strip; }
    [[nodiscard]] FindingList& findings() { return *m_findings; }
    [[nodiscard]] KernelTransport& transport() { return *m_transport; }
    [[nodiscard]] QString failureText() const;

signals:
    void shown(); // a run is there
    void failed(); // it says why

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void makeParts();
    void makeMenus();
    void arrange();
    void connectRunner();
    void fillBreakMenu(QMenu* menu);
    void showTitle();
    void say(const QString& text);
    void toggleBreakpointHere();
    void showShortcuts();

    Appearance& m_appearance;
    KernelState m_state;
    KernelRequest m_request;
    Actions* m_actions = nullptr;
    ComboBox* m_kernelBox = nullptr;
    QLabel *m_problem = nullptr, *m_busyText = nullptr, *m_status = nullptr, *m_failure = nullptr;
    QLineEdit* m_goTo = nullptr;
    QProgressBar* m_progress = nullptr;
    QWidget *m_busy = nullptr, *m_failed = nullptr;
    KernelTransport* m_transport = nullptr;
    CudaView* m_cuda = nullptr;
    PtxView* m_ptx = nullptr;
    InstructionCard* m_card = nullptr;
    WarpList* m_warps = nullptr;
    FindingList* m_findings = nullptr;
    RegisterView* m_registers = nullptr;
    MatrixView* m_matrix = nullptr;
    SharedView* m_shared = nullptr;
    StripView* m_strip = nullptr;
    QSplitter *m_code = nullptr, *m_lower = nullptr, *m_all = nullptr;
    QTabWidget *m_side = nullptr, *m_left = nullptr, *m_right = nullptr;
    bool m_wide = true, m_arrangedByHand = false;

    KernelRunner m_runner; // last: its worker is joined first
};

} // namespace flashstep::ui
