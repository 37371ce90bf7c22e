// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/predict.h"

#include "core/emulation/engines.h"
#include "core/emulation/grid.h"
#include "core/hardware/guesses.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

// Pairs of query and key that the conventional count takes: half of all when causal.
double nominalPairs(const Problem& p)
{
    const double all = static_cast<double>(p.seqlenQ) * p.seqlenK;
    if (p.mask.kind == MaskKind::Causal)
        return all / 2;
    if (p.mask.kind == MaskKind::None)
        return all;
    double visible = 0;
    for (int row = 0; row < p.seqlenQ; ++row) {
        const Problem::KeyRange keys = p.visibleKeys(row);
        visible += keys.empty() ? 0 : keys.last - keys.first;
    }
    return visible;
}

// What a GPU draws beside what its units do, as a share of what they draw at full activity: assumed, from how logs of
// one machine slow down with the activity. [docs/hardware-model.md, clock]
constexpr double idleActivity = 0.2;

// By Newton's steps, of a number from 0.1 to 1: the library's is not the same everywhere.
double cubeRoot(double x)
{
    double root = 1;
    for (int k = 0; k < 12; ++k)
        root = (2 * root + x / (root * root)) / 3;
    return root;
}

// FLOP per clock and SM of the instruction that the version multiplies with.
double tensorRate(const std::string& algorithm, const Problem& p, const GpuSpec& gpu)
{
    const bool bytes = p.dtype == DType::E4m3;
    const double peak = bytes ? gpu.tensorFp8FlopsPerClk : gpu.tensorFlopsPerClk;
    if (algorithm == "fa3" || algorithm == "fa4")
        return peak;
    constexpr double flops = 2.0 * 16 * 8 * 16; // of one m16n8k16, on one of four tensor cores
    return 4 * flops / gpu.mmaSyncCycles * peak / gpu.tensorFlopsPerClk;
}

} // namespace

EngineShares engineShares(const EngineShares& busyCycles, Cycle cycles, double sms)
{
    const double smCycles = static_cast<double>(std::max<Cycle>(1, cycles)) * sms;
    EngineShares shares {};
    for (std::size_t e = 0; e < engineCount; ++e) {
        const auto engine = static_cast<Engine>(e);
        // The register file's bookings are the tensor cores' time that it takes, so they are counted in its quarters.
        const bool quarters = Engines::perQuarter(engine) || engine == Engine::Registers;
        shares[e] = busyCycles[e] / (smCycles * (quarters ? Engines::quarters : 1));
    }
    shares[static_cast<std::size_t>(Engine::Hbm)] *= sms; // one bus for all
    for (double& share : shares)
        share = std::min(share, 1.0); // copies that land in the last cycles are booked past the end
    return shares;
}

Utilisation utilisationOf(const EngineShares& shares)
{
    const auto share = [&](Engine engine) { return shares[static_cast<std::size_t>(engine)]; };
    return { share(Engine::Tensor), share(Engine::Exp), share(Engine::Issue), share(Engine::Smem), share(Engine::L2),
        share(Engine::Hbm) };
}

std::string_view bindingOf(const Utilisation& u)
{
    const std::array<std::pair<std::string_view, double>, 6> all { { { "tensor", u.tensor }, { "exp", u.exp },
        { "issue", u.issue }, { "smem", u.smem }, { "l2", u.l2 }, { "hbm", u.hbm } } };
    return std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
    })->first;
}

double nominalFlops(const Problem& p)
{
    return 2.0 * nominalPairs(p) * (p.headDim + p.headDimV) * p.heads * p.batch;
}

double clockUnder(const GpuSpec& gpu, double tensor, double exp)
{
    const double activity = (tensor + exp) / 2;
    const double cap = gpu.activityAtCap;
    return gpu.clockMhz * (activity > cap ? cubeRoot((idleActivity + cap) / (idleActivity + activity)) : 1.0);
}

Result<Prediction> predict(const Scenario& scenario, const Progress& progress)
{
    const Result<Prepared> prepared = prepare(scenario, true);
    if (!prepared)
        return prepared.error();
    return predictOn(*prepared, prepared->gpu, progress);
}

Result<Prediction> predictOn(const Prepared& prepared, const GpuSpec& gpu, const Progress& progress)
{
    const Program& program = *prepared.program;
    const Choices choices = choicesOf(prepared.scenario);
    EmulationOptions options;
    options.swizzled = choices.swizzled();
    options.jitterSeed = choices.jitterSeed;
    options.assumedRescaleRate = choices.assumedRescaleRate;
    const Result<GridTime> time = timeInTwoSteps(program, gpu, options, progress);
    if (!time)
        return time.error();
    Prediction p;
    p.cycles = time->cycles;
    p.shares = engineShares(time->busy, p.cycles, gpu.sms);
    p.clockMhz = clockUnder(gpu, p.utilisation().tensor, p.utilisation().exp);
    p.microseconds = static_cast<double>(p.cycles) / p.clockMhz
        + gpu.launchMicroseconds * static_cast<double>(program.launches.size());
    p.flops = nominalFlops(program.problem);
    p.guesses = guessesIn(gpu, program);
    p.gpu = gpu;
    return p;
}

double Roofline::microseconds() const
{
    return std::max({ tensor, exp, hbm });
}

Roofline rooflineOf(const Scenario& scenario, const GpuSpec& gpu, double clockMhz)
{
    const Problem& p = scenario.problem;
    const double scores = nominalPairs(p) * p.heads * p.batch;
    double bytes = static_cast<double>(p.batch)
        * (static_cast<double>(p.heads) * p.seqlenQ * (p.headDim * p.operandBytes() + p.headDimV * p.outputBytes() + 4)
            + static_cast<double>(p.kvHeads) * p.seqlenK * (p.headDim + p.headDimV) * p.operandBytes());
    if (scenario.algorithm == "standard") // S and P are written and read, masked or not
        bytes += 4.0 * p.batch * p.heads * static_cast<double>(p.seqlenQ) * p.seqlenK * p.operandBytes();
    Roofline r;
    r.tensor = nominalFlops(p) / (tensorRate(scenario.algorithm, p, gpu) * gpu.sms * clockMhz);
    r.exp = scores / (gpu.mufuPerClk * gpu.sms * clockMhz);
    r.hbm = bytes / (gpu.hbmGBps * 1e3);
    return r;
}

} // namespace flashstep
