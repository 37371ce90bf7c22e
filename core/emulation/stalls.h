// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

#include <string>
#include <utility>
#include <vector>

namespace flashstep {

// Where the time of a role goes, from the start of its CTA to its end: busy + waits + idle = total.
struct RoleTime {
    CtaId cta;
    RoleId role;
    std::vector<std::pair<OpKind, Cycle>> busy; // in the order of list ops; none of zero
    std::vector<std::pair<std::string, Cycle>> waits; // by name of the wait, or "tensor busy"; in order of appearance
    Cycle idle = 0; // before its first op, after its last, and until the tile scheduler has answered
    Cycle total = 0;
};

// What keeps an engine busy, in cycles of an SM's whole engine: of one that each quarter has, the quarters' mean.
// Without latency, as costOf prices it.
struct EngineTime {
    Engine engine = Engine::Tensor;
    std::vector<std::pair<std::string, double>> busy; // by componentName; in order of appearance
    double total = 0;
};

struct Stalls {
    std::vector<RoleTime> roles;
    std::vector<EngineTime> engines;
};
// Of one CTA; none(): of all of which events were kept.
[[nodiscard]] Stalls stallsOf(const Run& run, CtaId cta);

} // namespace flashstep
