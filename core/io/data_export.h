// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/run.h"
#include "core/io/export_request.h"

#include <string>

namespace flashstep {

// Writes a format that is not drawn. The target is the whole new file or, on failure or cancel, what it was before.
[[nodiscard]] Status writeData(
    const Run& run, const ExportRequest& request, const std::string& path, const Progress& progress);

} // namespace flashstep
