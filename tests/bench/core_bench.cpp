// SPDX-License-Identifier: Apache-2.0
// Figures of the core's inner parts. Timings are looked at, never tested; compare ratios within one run.
#include "core/emulation/run.h"
#include "core/tensor/generator.h"
#include "core/tensor/matmul.h"
#include "core/tensor/real_math.h"
#include "core/trace/state.h"

#include <benchmark/benchmark.h>

namespace {

using namespace flashstep;

Scenario scenarioOf(const char* algorithm, int seqlen, TileSize tile, Record::Kind record)
{
    Scenario s;
    s.algorithm = algorithm;
    s.gpu = "h100";
    s.problem.seqlenQ = s.problem.seqlenK = seqlen;
    s.tile = tile;
    s.costTile = TileSize { 128, 128 };
    s.record = { record, 0 };
    return s;
}

void emulateTimingOnly(benchmark::State& state)
{
    Scenario s = scenarioOf("fa2", 2048, { 128, 128 }, Record::Kind::None);
    s.problem.heads = s.problem.kvHeads = static_cast<int>(state.range(0));
    std::uint64_t events = 0;
    for (auto _ : state)
        events += runScenario(s, std::nullopt, {}, { false, false, false })->report.events;
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
}
BENCHMARK(emulateTimingOnly)->Arg(8)->Arg(16)->Arg(32)->Unit(benchmark::kMillisecond);

void emulateWithValues(benchmark::State& state)
{
    const Scenario s = scenarioOf("fa2", 512, { 16, 16 }, Record::Kind::All);
    const bool discard = state.range(0) != 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(runScenario(s, std::nullopt, {}, { discard, false, false })->report.cycles);
    state.SetLabel(discard ? "computed, thrown away" : "computed and kept");
    state.SetItemsProcessed(state.iterations() * 32 * 32); // tiles
}
BENCHMARK(emulateWithValues)->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond);

void hazardAnalysis(benchmark::State& state)
{
    Scenario s = scenarioOf("fa2", 2048, { 32, 32 }, Record::Kind::None);
    s.problem.mask.kind = MaskKind::Causal;
    const auto run = runScenario(s, std::nullopt, {}, { false, false, false });
    for (auto _ : state)
        benchmark::DoNotOptimize(findHazards(*run->trace).count);
}
BENCHMARK(hazardAnalysis)->Unit(benchmark::kMillisecond);

// What one repaint of the window reads, at positions all over the run.
void readState(benchmark::State& state)
{
    const auto run = runScenario(
        scenarioOf("fa2", 1024, { 16, 16 }, Record::Kind::All), std::nullopt, {}, { false, false, false });
    const Trace& trace = *run->trace;
    std::uint64_t k = 0;
    for (auto _ : state) {
        const Position p { static_cast<std::uint32_t>(
            philox4x32({ static_cast<std::uint32_t>(k++), 0, 0, 0 }, { 1, 0 })[0] % (trace.end().value + 1)) };
        const CtaId cta(k % trace.program().ctaCount());
        benchmark::DoNotOptimize(ledgerAt(trace, cta, p));
        benchmark::DoNotOptimize(buffersAt(trace, cta, p));
        benchmark::DoNotOptimize(trace.value(cta, trace.program().buffer("O", 0), p));
    }
}
BENCHMARK(readState)->Unit(benchmark::kMicrosecond);

void exp2Row(benchmark::State& state)
{
    std::vector<float> x(128, -1.25F);
    std::vector<float> out(128);
    for (auto _ : state) {
        exp2UnitRow(x.data(), out.data(), 128, 0.18F, 0.5F);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * 128);
}
BENCHMARK(exp2Row);

void scores128(benchmark::State& state)
{
    const std::vector<float> a(128 * 64, 0.5F);
    const std::vector<float> b(128 * 64, 0.25F);
    std::vector<float> c(128 * 128);
    for (auto _ : state) {
        multiplyTransposed(a.data(), 64, b.data(), 64, c.data(), 128, 128, 128, 64);
        benchmark::DoNotOptimize(c.data());
    }
    state.SetItemsProcessed(state.iterations() * 2 * 128 * 128 * 64);
}
BENCHMARK(scores128)->Unit(benchmark::kMicrosecond);

} // namespace
