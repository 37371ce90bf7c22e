// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_window.h"
#include "ui/main_window.h"
#include "ui/views/notice_bar.h"

namespace flashstep::ui {

void MainWindow::openKernel()
{
    if (m_document.empty())
        return;
    const ScenarioFile& file = m_document.file();
    const Result<const cuda::KernelPlan*> plan = kernelFor(file.scenario);
    if (!plan) {
        m_notice->showError(plan.error());
        return;
    }
    if (!m_kernel)
        m_kernel = std::make_unique<KernelWindow>(m_appearance);
    m_kernel->open({ (*plan)->name, file, {} });
    m_kernel->show();
    m_kernel->raise();
    m_kernel->activateWindow();
}

} // namespace flashstep::ui
