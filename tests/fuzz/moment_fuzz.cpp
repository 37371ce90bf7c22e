// SPDX-License-Identifier: Apache-2.0
// Positions and conditions: typed into the search box, and read from scenarios, batches and lessons.
#include "core/emulation/run.h"
#include "core/trace/condition.h"
#include "core/trace/query.h"
#include "tests/fuzz/fuzz.h"

namespace flashstep::fuzz {

namespace {

const flashstep::Run& run()
{
    static const flashstep::Run one = [] {
        Scenario scenario;
        scenario.problem.seqlenQ = scenario.problem.seqlenK = 64;
        scenario.tile = TileSize { 16, 16 };
        return runScenario(scenario, std::nullopt, {}).value();
    }();
    return one;
}

} // namespace

Target target()
{
    (void)run();
    return { "moment",
        { "1204", "end", "1200cy", "3.4us", "first(rescale, i=2, row=5)", "last(mma, role=warp 0)",
            "nth(3, load, j=1, buffer=K)", "block(i=2, n=1, b=0, h=0)", "rescale(decision=skip)", "wait(longer=200)",
            "maximum(row=3)", "phase(barrier=full)", "line(120)" },
        { "(", ")", ",", "=", "nth(", "block(", "99999999999999999999", "-1", "1e309", "us", "cy", "warp0",
            "turn=", "\xc3\xa9", "nan", "0x10", "inf" },
        1U << 20U, 64, 100000 };
}

void tryMoment(std::string_view text)
{
    const Trace& trace = *run().trace;
    if (const Result<Moment> moment = findMoment(trace, text); moment)
        fuzz::require(moment->position <= trace.end(), "a moment lies in the run");
    else
        requireClear(moment.error());
    if (const Result<Condition> condition = Condition::parse(trace, text); !condition)
        requireClear(condition.error());
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    flashstep::fuzz::tryMoment(flashstep::fuzz::textOf(data, size));
    return 0;
}
