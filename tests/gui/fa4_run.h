// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"

#include <cstdio>
#include <cstdlib>

namespace flashstep::test {

// FlashAttention-4 with small tiles, everything recorded.
inline Scenario fa4Scenario(
    int queries, int keys, int headDim, MaskKind mask = MaskKind::None, int heads = 1, int kvHeads = 1)
{
    Scenario scenario;
    scenario.algorithm = "fa4";
    scenario.problem.heads = heads;
    scenario.problem.kvHeads = kvHeads;
    scenario.problem.seqlenQ = queries;
    scenario.problem.seqlenK = keys;
    scenario.problem.headDim = scenario.problem.headDimV = headDim;
    scenario.problem.mask.kind = mask;
    scenario.tile = TileSize { 16, 16 };
    scenario.record.kind = Record::Kind::All;
    return scenario;
}

inline Run fa4Run(const Scenario& scenario)
{
    auto made = runScenario(scenario, {}, Progress {});
    if (!made) {
        std::fprintf(stderr, "%s\n", made.error().line().c_str());
        std::abort();
    }
    return std::move(made).value();
}

} // namespace flashstep::test
