// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/attention_errors.h"

#include "core/emulation/run.h"
#include "core/tensor/reference.h"

#include <cmath>
#include <cstddef>
#include <utility>

namespace flashstep {

namespace {

Tensor headOf(const Tensor& all, int batch, int head)
{
    Tensor one(1, 1, all.seqlen, all.dim);
    const auto begin = all.data.begin() + static_cast<std::ptrdiff_t>(all.offset(batch, head, 0));
    one.data.assign(begin, begin + static_cast<std::ptrdiff_t>(one.data.size()));
    return one;
}

std::vector<double> exactAttention(const Problem& p, const Inputs& head)
{
    ReferenceHead reference;
    reference.q = head.q.data.data();
    reference.k = head.k.data.data();
    reference.v = head.v.data.data();
    reference.headDim = p.headDim;
    reference.headDimV = p.headDimV;
    reference.scale = p.softmaxScale();
    reference.visibleKeys = [&p](int row) {
        const Problem::KeyRange keys = p.visibleKeys(row);
        return std::pair(keys.first, keys.last);
    };
    std::vector<double> o(static_cast<std::size_t>(p.seqlenQ) * static_cast<std::size_t>(p.headDimV));
    std::vector<double> lse(static_cast<std::size_t>(p.seqlenQ));
    referenceForward(reference, 0, p.seqlenQ, o.data(), lse.data());
    return o;
}

Scenario ofOneHead(Scenario scenario)
{
    scenario.problem.batch = scenario.problem.heads = scenario.problem.kvHeads = 1;
    return scenario;
}

double squaredError(const Tensor& o, const std::vector<double>& exact)
{
    double sum = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        const double difference = o.data[i] - exact[i];
        sum += difference * difference;
    }
    return sum;
}

} // namespace

std::vector<AttentionWay> attentionWays(const Problem& problem)
{
    using Knobs = std::vector<std::pair<std::string, std::string>>;
    const auto scenario = [&](const char* algorithm, DType dtype, Knobs knobs) {
        Scenario s;
        s.algorithm = algorithm;
        s.gpu = "h100"; // the table's; nothing here depends on it but that it has e4m3
        s.problem = problem;
        s.problem.dtype = dtype;
        s.knobs = std::move(knobs);
        s.record = { Record::Kind::All, 0 };
        if (s.algorithm == "standard")
            s.tile = TileSize { 128, 128 }; // the numbers are the same in any, and this has fewest events
        return s;
    };
    constexpr DType fp16 = DType::Fp16;
    constexpr DType fp8 = DType::E4m3;
    return {
        { "baseline (standard attention)", "fp16", scenario("standard", fp16, {}) },
        { "FA2", "fp16", scenario("fa2", fp16, {}) },
        { "FA3", "fp16", scenario("fa3", fp16, {}) },
        // Standard attention has no factors: e4m3 holds these inputs as they are, see docs/numerics.md.
        { "baseline (per-tensor scaling)", "fp8_e4m3", scenario("standard", fp8, {}) },
        { "FA3", "fp8_e4m3", scenario("fa3", fp8, { { "fp8-scale", "block" }, { "hadamard", "on" } }) },
        { "FA3 without block quantization", "fp8_e4m3",
            scenario("fa3", fp8, { { "fp8-scale", "tensor" }, { "hadamard", "on" } }) },
        { "FA3 without incoherent processing", "fp8_e4m3", scenario("fa3", fp8, { { "fp8-scale", "block" } }) },
    };
}

Result<std::vector<AttentionError>> attentionErrors(const std::vector<AttentionWay>& ways, const Progress& progress)
{
    std::vector<AttentionError> errors(ways.size());
    Problem all;
    std::optional<Error> refused;
    int taken = 0;
    for (std::size_t k = 0; k < ways.size(); ++k) { // before anything is generated
        all = ways[k].scenario.problem;
        if (const Result<Prepared> prepared = prepare(ofOneHead(ways[k].scenario)); !prepared) {
            refused = refused ? refused : prepared.error();
            errors[k].refused = prepared.error().line();
            continue;
        }
        errors[k].rmse = 0;
        ++taken;
    }
    if (taken == 0 && refused)
        return *refused;

    all.dtype = DType::Fp32;
    const Inputs inputs = generateInputs(all);
    const int heads = all.batch * all.heads;
    const double elements = static_cast<double>(heads) * all.seqlenQ * all.headDimV;
    RunOptions options;
    options.discardValues = true;
    options.compare = false;
    options.hazards = false;
    for (int n = 0; n < heads; ++n) { // a head at a time: the scores of standard attention fill memory
        const int b = n / all.heads;
        const int h = n % all.heads;
        const int kv = all.kvHeadOf(h);
        const Inputs head { headOf(inputs.q, b, h), headOf(inputs.k, b, kv), headOf(inputs.v, b, kv) };
        const std::vector<double> exact = exactAttention(all, head);
        int done = 0;
        for (std::size_t k = 0; k < ways.size(); ++k) {
            if (progress.cancelled())
                return Error { "cancelled", "errors of attention", {} };
            if (!errors[k].rmse)
                continue;
            const Result<Run> run = runScenario(ofOneHead(ways[k].scenario), head, { progress.stop, {} }, options);
            if (!run)
                return run.error();
            *errors[k].rmse += squaredError(run->o, exact) / elements;
            progress.at((n + static_cast<double>(++done) / taken) / heads);
        }
    }
    for (AttentionError& error : errors)
        if (error.rmse)
            error.rmse = std::sqrt(*error.rmse);
    return errors;
}

} // namespace flashstep
