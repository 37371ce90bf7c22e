// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/session.h"

#include "core/ptx/parser.h"
#include "resources/embedded/resources.h"

#include <gtest/gtest.h>

#include <set>

namespace flashstep::ptx {
namespace {

KernelRun prepareAgain(const std::string& kernelName, int queries, int keys)
{
    const cuda::KernelPlan* kernel = cuda::findKernelPlan(kernelName);
    const std::string file = std::string(kernel->file);
    const std::string stem = file.substr(file.rfind('/') + 1, file.rfind('.') - file.rfind('/') - 1);
    auto module = std::make_shared<const Module>(*parse(*resource("ptx/" + stem + ".ptx"), stem + ".ptx"));
    Problem problem;
    problem.seqlenQ = queries;
    problem.seqlenK = keys;
    auto prepared = prepareKernel(*kernel, module, stem + ".ptx", problem, generateInputs(problem));
    EXPECT_TRUE(prepared.ok());
    return std::move(prepared).value();
}

std::unique_ptr<KernelSession> sessionOf(const std::string& kernelName, int queries, int keys, std::uint64_t seed)
{
    RunOptions options;
    options.gpu = findGpu("a100");
    options.orderSeed = seed;
    auto session = KernelSession::make(prepareAgain(kernelName, queries, keys), options, {});
    EXPECT_TRUE(session.ok());
    return std::move(session).value();
}

// Everything a learner can look at, as one number.
std::uint64_t fingerprint(const Machine& machine)
{
    std::uint64_t hash = 1469598103934665603U;
    const auto add = [&](std::uint64_t x) { hash = (hash ^ x) * 1099511628211U; };
    for (std::uint32_t c = 0; c < machine.ctaCount(); ++c) {
        const Cta* cta = machine.resident(c);
        if (cta == nullptr)
            continue;
        add(c);
        for (const std::byte b : cta->shared)
            add(static_cast<std::uint64_t>(b));
        for (const Warp& warp : cta->warps) {
            for (const std::uint32_t cell : warp.cells)
                add(cell);
            for (const Split& split : warp.splits)
                add(split.pc * 64ULL + static_cast<std::uint64_t>(split.ready));
        }
    }
    for (std::size_t k = 0; k < machine.memory().count(); ++k) {
        for (const std::byte b : machine.memory().allocation(k).bytes)
            add(static_cast<std::uint64_t>(b));
    }
    return hash;
}

TEST(PtxSession, AnyPositionShowsWhatWalkingThereShows)
{
    for (const std::uint64_t seed : { 0U, 7U }) {
        const auto session = sessionOf("fa2_forward_d64", 80, 100, seed);
        ASSERT_GT(session->end(), 10000U);
        const std::uint64_t stride = session->end() / 23;
        std::vector<std::uint64_t> walked;
        for (std::uint64_t p = 0; p <= session->end(); p += stride)
            walked.push_back(fingerprint(session->at(p)));
        for (std::size_t k = walked.size(); k-- > 0;)
            EXPECT_EQ(fingerprint(session->at(k * stride)), walked[k])
                << "position " << k * stride << ", seed " << seed;
    }
}

TEST(PtxSession, StepsBackUndoStepsForward)
{
    const auto session = sessionOf("fa1_forward_d64", 40, 70, 0);
    for (const StepKind kind : { StepKind::Instruction, StepKind::Line, StepKind::Barrier }) {
        for (const std::uint32_t warp : { none, 0U, 3U }) {
            std::uint64_t p = 0;
            for (int k = 0; k < 40 && p < session->end(); ++k) {
                const std::uint64_t after = session->next(p, kind, 0, warp);
                ASSERT_GT(after, p);
                EXPECT_LT(session->previous(after, kind, 0, warp), after);
                EXPECT_LE(p, after);
                if (warp != none && after < session->end()) {
                    EXPECT_EQ(session->step(after - 1).warp, warp);
                }
                p = after;
            }
        }
    }
    EXPECT_EQ(session->next(session->end(), StepKind::Instruction, 0, none), session->end());
    EXPECT_EQ(session->previous(0, StepKind::Line, 0, 1), 0U);
}

TEST(PtxSession, TheRunInSessionIsTheRunWithoutOne)
{
    const auto session = sessionOf("standard_d64", 33, 20, 0);
    const KernelRun& kept = session->run();
    EXPECT_TRUE(kept.findings.empty());
    EXPECT_EQ(kept.steps, session->end());
    EXPECT_EQ(kept.launches.size(), 3U);
    EXPECT_EQ(session->launchOf(session->end() - 1), 2U);
}

// Two CTAs on two SMs: whoever could issue first goes first, and what each of them does is what it does alone.
TEST(PtxSession, CtasOfDifferentSmsTakeTheirStepsInTheOrderOfTime)
{
    const auto session = sessionOf("fa2_forward_d64", 128, 64, 0);
    std::uint32_t changes = 0;
    for (std::uint64_t k = 1; k < session->end(); ++k)
        changes += session->step(k).cta != session->step(k - 1).cta ? 1 : 0;
    EXPECT_GT(changes, 100U);
    KernelRun alone = prepareAgain("fa2_forward_d64", 128, 64);
    RunOptions options;
    options.gpu = findGpu("a100");
    runKernel(alone, options, {});
    EXPECT_EQ(alone.cycles, session->run().cycles);
    EXPECT_EQ(alone.instructions, session->run().instructions);
}

TEST(PtxSession, MoreCtasThanRunTogetherAllCome)
{
    const auto session = sessionOf("fa2_forward_d64", 64 * 11 + 1, 40, 0);
    std::set<std::uint32_t> seen;
    for (std::uint64_t k = 0; k < session->end(); ++k)
        seen.insert(session->step(k).cta);
    EXPECT_EQ(seen.size(), 12U);
}

} // namespace
} // namespace flashstep::ptx
