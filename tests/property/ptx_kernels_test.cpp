// SPDX-License-Identifier: Apache-2.0
// The shipped kernels, run from their PTX: right numbers, no fault in any order, and every barrier and wait needed.
#include "tests/support/kernels.h"

#include <gtest/gtest.h>

#include <cstring>

namespace flashstep::ptx {
namespace {

using tests::errorsOf;
using tests::onA100;
using tests::prepared;

std::string described(const KernelRun& run)
{
    std::string text;
    for (const Finding& f : run.findings)
        text += std::string(name(f.fault)) + " at PTX line "
            + std::to_string(run.codes[f.launch]->statementAt(f.party.pc).line) + ": " + f.text + "\n";
    return text;
}

// 8 bits of mantissa in Q, K, V, P and O; fp16 has three more.
double bound(const std::string& name)
{
    return name.find("fp16") != std::string::npos ? 2.5e-3 : 1.5e-2;
}

class ShippedKernels : public testing::TestWithParam<const char*> { };

Problem problemFor(const std::string& name, int queries, int keys, MaskKind mask)
{
    const cuda::KernelPlan& kernel = tests::shippedKernel(name);
    Problem p;
    p.headDim = p.headDimV = kernel.headDim;
    p.dtype = kernel.dtype == cuda::ElementType::Fp16 ? DType::Fp16 : DType::Bf16;
    p.seqlenQ = queries;
    p.seqlenK = keys;
    p.mask.kind = mask;
    return p;
}

TEST_P(ShippedKernels, GiveWhatTheReferenceGives)
{
    struct Shape {
        int queries, keys, batch, heads, kvHeads;
        MaskKind mask;
        Init init;
    };
    const Shape shapes[] = { { 1, 1, 1, 1, 1, MaskKind::None, Init::Normal },
        { 1, 257, 1, 2, 1, MaskKind::None, Init::Normal }, { 130, 1, 1, 1, 1, MaskKind::None, Init::Normal },
        { 128, 128, 1, 1, 1, MaskKind::Causal, Init::Normal }, { 77, 133, 2, 4, 2, MaskKind::Causal, Init::Normal },
        { 150, 65, 1, 1, 1, MaskKind::Causal, Init::Normal }, { 65, 200, 1, 1, 1, MaskKind::None, Init::Outliers },
        { 90, 190, 1, 1, 1, MaskKind::None, Init::RisingLeft },
        { 90, 190, 1, 1, 1, MaskKind::Causal, Init::RisingRight },
        { 70, 70, 1, 1, 1, MaskKind::None, Init::Constant } };
    for (const Shape& shape : shapes) {
        Problem p = problemFor(GetParam(), shape.queries, shape.keys, shape.mask);
        p.batch = shape.batch;
        p.heads = shape.heads;
        p.kvHeads = shape.kvHeads;
        p.init = shape.init;
        SCOPED_TRACE(std::to_string(shape.queries) + " queries, " + std::to_string(shape.keys) + " keys, init "
            + std::string(name(shape.init)));
        const Inputs inputs = generateInputs(p);
        KernelRun run = prepared(GetParam(), p, inputs);
        runKernel(run, onA100(), {});
        EXPECT_TRUE(run.deadlock.empty());
        EXPECT_TRUE(run.findings.empty()) << described(run);
        const auto errors = errorsOf(run, p, inputs);
        // Large scores cost every version some bits, and standard more: it keeps S in 16 of them.
        const bool large = shape.init != Init::Normal && shape.init != Init::Constant;
        const bool keepsS = std::string(GetParam()).starts_with("standard");
        EXPECT_LE(errors.o, bound(GetParam()) * (large ? (keepsS ? 8 : 4) : 1));
        EXPECT_LE(errors.lse, keepsS ? 6e-2 : 1e-3);
    }
}

TEST_P(ShippedKernels, VeryNegativeScoresLeaveNoNan)
{
    Problem p = problemFor(GetParam(), 40, 100, MaskKind::Causal);
    Inputs inputs = generateInputs(p);
    for (float& x : inputs.q.data)
        x = 30;
    for (float& x : inputs.k.data)
        x = -30;
    KernelRun run = prepared(GetParam(), p, inputs);
    runKernel(run, onA100(), {});
    EXPECT_LE(errorsOf(run, p, inputs).o, bound(GetParam()));
    EXPECT_TRUE(run.findings.empty()) << described(run);
}

TEST_P(ShippedKernels, AreCleanInAHundredOrders)
{
    const Problem p = problemFor(GetParam(), 80, 100, MaskKind::Causal);
    const Inputs inputs = generateInputs(p);
    std::vector<float> first;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        KernelRun run = prepared(GetParam(), p, inputs);
        runKernel(run, onA100(seed), {});
        ASSERT_TRUE(run.findings.empty()) << "seed " << seed << ": " << described(run);
        ASSERT_TRUE(run.deadlock.empty()) << "seed " << seed;
        const std::vector<float> o = readBuffer(run, cuda::BufferRole::O);
        if (seed == 1)
            first = o;
        ASSERT_EQ(std::memcmp(o.data(), first.data(), o.size() * sizeof(float)), 0) << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Ptx, ShippedKernels,
    testing::Values("standard_d64", "fa1_forward_d64", "fa2_forward_d64", "standard_d128", "fa1_forward_d128",
        "fa2_forward_d128", "fa1_forward_d64_fp16", "fa2_forward_d64_fp16", "fa2_forward_d128_fp16"),
    [](const auto& kernel) { return std::string(kernel.param); });

// A barrier or a wait that is taken out is noticed, whichever it is. Exceptions are those that another one implies.
class BrokenKernels : public testing::TestWithParam<const char*> { };

TEST_P(BrokenKernels, AreFoundOut)
{
    const Problem p = problemFor(GetParam(), 130, 200, MaskKind::None);
    const Inputs inputs = generateInputs(p);
    const cuda::KernelPlan& kernel = tests::shippedKernel(GetParam());
    const auto plan = planKernel(kernel, p);
    ASSERT_TRUE(plan.ok());
    for (const cuda::Launch& launch : plan->launches) {
        const std::shared_ptr<Module> module = tests::shippedModule(kernel);
        for (const char* what : { "bar.sync", "cp.async.wait" }) {
            for (const std::size_t statement : tests::statementsOf(*module, launch.entry, what)) {
                const std::uint32_t line = module->find(launch.entry)->statements[statement].line;
                KernelRun run
                    = prepared(GetParam(), p, inputs, [&](Module& m) { tests::drop(m, launch.entry, statement); });
                runKernel(run, onA100(), {});
                EXPECT_FALSE(run.findings.empty() && run.deadlock.empty())
                    << launch.entry << ": without " << what << " at PTX line " << line << " nothing is found";
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Ptx, BrokenKernels,
    testing::Values("standard_d64", "fa1_forward_d64", "fa2_forward_d64", "fa2_forward_d128"),
    [](const auto& kernel) { return std::string(kernel.param); });

} // namespace
} // namespace flashstep::ptx
