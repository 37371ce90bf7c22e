// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/kernel/kernel_state.h"

#include <QWidget>

class QLabel;
class QSplitter;

namespace flashstep::ui {

class Appearance;
class CodeList;

// "w0, w2–3" for the warps of a set.
[[nodiscard]] QString warpNames(const std::set<std::uint32_t>& warps);

// The kernel's CUDA file with the line of every warp; below it the helper that the instruction was inlined from, with
// its own line.
class CudaView : public QWidget {
    Q_OBJECT
public:
    CudaView(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] CodeList& kernel() { return *m_kernel; }
    [[nodiscard]] CodeList& helper() { return *m_helper; }
    [[nodiscard]] const std::string& helperFile() const { return m_helperFile; }

private:
    void load();
    void showMarks(bool follow);
    void connectList(CodeList* list, bool isHelper);
    [[nodiscard]] std::string fileOf(bool isHelper) const;
    void openHelper(const std::string& file);

    KernelState& m_state;
    QLabel *m_kernelTitle, *m_helperTitle, *m_helperInfo;
    CodeList *m_kernel, *m_helper;
    QSplitter* m_split;
    std::string m_helperFile;
};

// The instructions themselves.
class PtxView : public QWidget {
    Q_OBJECT
public:
    PtxView(KernelState& state, Appearance& appearance, QWidget* parent);
    [[nodiscard]] CodeList& list() { return *m_list; }

signals:
    void dropAsked(int line); // leave it out, or put it back, and run again

private:
    void load();
    void showMarks(bool follow);

    KernelState& m_state;
    QLabel* m_info;
    CodeList* m_list;
    std::uint32_t m_launch = ptx::none;
};

} // namespace flashstep::ui
