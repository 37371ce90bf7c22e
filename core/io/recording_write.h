// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/io/recording.h"

#include <ostream>
#include <string>

namespace flashstep {

// A recording as Chrome-trace JSON, written as it goes: what `import` makes. Reading it gives an equal recording. Times
// are in microseconds with all their decimals; of a clock of ticks the arguments begin and end hold them exactly, as in
// our recordings; "flashstep_import" in the metadata holds where it came from.
[[nodiscard]] Status writeRecording(const Recording& recording, std::ostream& out, const Progress& progress);

// What there is to say of a recording, a line each: kind, device, clock, lanes, counts, what was left out.
[[nodiscard]] std::string recordingAccount(const Recording& recording);
[[nodiscard]] std::string recordingAccountJson(const Recording& recording);

[[nodiscard]] std::string groupedNumber(std::int64_t value); // "12 345"
// "12 345 ticks = 6.235 µs"; where the clock is not known "12.345 in the file's ts".
[[nodiscard]] std::string recordingTime(const RecordingClock& clock, std::int64_t units);

} // namespace flashstep
