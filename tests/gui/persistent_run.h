// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/run.h"

#include <cstdio>
#include <cstdlib>

namespace flashstep::test {

// FlashAttention-3 on three SMs: each CTA does several work tiles, of two heads. Emulated once per program.
inline const Run& persistentRun()
{
    static const Run run = [] {
        Scenario scenario;
        scenario.algorithm = "fa3";
        scenario.problem.heads = scenario.problem.kvHeads = 2;
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 1024;
        scenario.problem.mask.kind = MaskKind::Causal;
        scenario.knobs = { { "scheduler", "persistent" }, { "sms", "3" } };
        scenario.record.kind = Record::Kind::All;
        auto made = runScenario(scenario, {}, Progress {});
        if (!made) {
            std::fprintf(stderr, "%s\n", made.error().line().c_str());
            std::abort();
        }
        return std::move(made).value();
    }();
    return run;
}

} // namespace flashstep::test
