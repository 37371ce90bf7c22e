// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/ptx/module.h"

#include <memory>

namespace flashstep::ptx {

// The function with the bodies of those it calls in place of the calls: arguments and results become memory of the
// thread, `ret` a branch behind the call. A call of what the module does not define (vprintf) stays. Functions that
// call themselves are an error with its line.
[[nodiscard]] Result<std::shared_ptr<const Function>> inlineCalls(
    const Module& module, const Function& function, const std::string& file);

} // namespace flashstep::ptx
