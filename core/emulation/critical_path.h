// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"
#include "core/trace/causes.h"

#include <optional>
#include <string>
#include <vector>

namespace flashstep {

// A stretch of the critical path: an op that something later could not do without.
struct PathSegment {
    enum class Kind : std::uint8_t {
        Op,
        Start, // the CTA starts
        Whole, // a CTA of which no events were kept, from its start to its end
        Memory, // all of the grid waits for HBM
    } kind = Kind::Op;
    CtaId cta;
    InstanceId instance; // Op
    Cycle begin = 0, end = 0;
    std::optional<Engine> engine; // that works on it; empty: latency, or issue without a booking
    bool stuck = false; // a wait that nobody ended: the run stands still
};

// What the end waited for: back from the last op that ended, through what released each wait and who had each engine,
// to the start. Gapless, in order of time, from the CTA's start (grid: 0) to its end.
struct CriticalPath {
    Cycle begin = 0, cycles = 0;
    std::vector<PathSegment> segments;
};
// Of one CTA of which events were kept, or of the grid (none()).
[[nodiscard]] CriticalPath criticalPath(const Run& run, CtaId cta);
// The same from causes that are there already: a matter of the path's length alone.
[[nodiscard]] CriticalPath criticalPath(const Run& run, const Causes& causes, CtaId cta);
// "exp2" as in list ops, or "CTA start", "CTA", "HBM".
[[nodiscard]] std::string opOf(const Trace& trace, const PathSegment& segment);

// What a path is made of, by op and engine; the largest first.
struct PathPart {
    std::string op; // as opOf
    PathSegment::Kind kind = PathSegment::Kind::Op;
    std::optional<Engine> engine;
    Cycle cycles = 0;
};
[[nodiscard]] std::vector<PathPart> partsOf(const Trace& trace, const CriticalPath& path);

} // namespace flashstep
