// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/headless.h"
#include "ui/kernel/kernel_subject.h"

#include <set>

namespace flashstep::ui {

class KernelWindow;

// What the program was asked on its command line about the window of a kernel.
struct KernelShot {
    std::string kernel;
    std::set<std::uint32_t> dropped; // lines of the PTX
    bool anyWarp = false;
    std::uint32_t cta = 0, warp = 0;
};

[[nodiscard]] Result<KernelRequest> kernelRequest(const HeadlessRequest& request, const KernelShot& shot);
// --shot with --kernel: that window as a user sees it.
[[nodiscard]] Status shootKernel(const HeadlessRequest& request, const KernelShot& shot, const QString& target);
// Without: until it is closed.
[[nodiscard]] Result<int> showKernel(const HeadlessRequest& request, const KernelShot& shot);

} // namespace flashstep::ui
