// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/emulation/run.h"
#include "core/io/export_request.h"

#include <string>

namespace flashstep {

// Every tile of recorded CTAs as an array of an .npz archive; where a moment was asked for, what their buffers hold
// then. index.json in it says what each array is.
[[nodiscard]] Status writeNpz(
    const Run& run, const ExportRequest& request, const std::string& path, const Progress& progress);

} // namespace flashstep
