// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/io/json.h"

namespace flashstep::cli {

// How fast a kernel's own instructions are executed.
Status benchPtx(Json& out, const Progress& progress);

} // namespace flashstep::cli
