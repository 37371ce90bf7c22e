// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

class QElapsedTimer;

namespace flashstep::ui {

// --bench: frames while panning and zooming, steps and jumps at ten million events, the first frame, a turned knob.
[[nodiscard]] Status bench(const QElapsedTimer& sinceStart, bool json);

} // namespace flashstep::ui
