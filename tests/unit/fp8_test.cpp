// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/cost.h"
#include "core/io/narrate.h"
#include "core/program/quantise.h"
#include "core/tensor/generator.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

Problem fp8Problem(int seqlen, int dim)
{
    Problem p;
    p.seqlenQ = p.seqlenK = seqlen;
    p.headDim = p.headDimV = dim;
    p.heads = 4;
    p.kvHeads = 2;
    p.dtype = DType::E4m3;
    return p;
}

Inputs exactInputs(Problem p)
{
    p.dtype = DType::Fp32;
    return generateInputs(p);
}

Scenario fp8Scenario(int dim, const std::string& mask = "none")
{
    Scenario s;
    s.algorithm = "fa3";
    s.problem = fp8Problem(1024, dim);
    s.problem.mask = maskFromText(mask).value();
    s.record = { Record::Kind::None };
    return s;
}

double dot(std::span<const float> a, std::span<const float> b)
{
    double sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k)
        sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
    return sum;
}

// ---- operands -------------------------------------------------------------------------------------------------------

TEST(Fp8Operands, WithoutFactorsAreTheNearestNumbersOfTheFormat)
{
    const Problem p = fp8Problem(40, 48);
    const Inputs exact = exactInputs(p);
    const Inputs stored = quantised(exact, p, { 16, 16 }, {});
    EXPECT_TRUE(stored.qFactors.none() && stored.kFactors.none() && stored.vFactors.none());
    EXPECT_EQ(stored.q.data, generateInputs(p).q.data);
    for (std::size_t k = 0; k < exact.v.data.size(); ++k)
        ASSERT_EQ(stored.v.data[k], roundTo(DType::E4m3, exact.v.data[k]));
    EXPECT_EQ(dequantised(stored).k.data, stored.k.data);
}

// One factor a head, or one a tile: the largest of each becomes 448, and times the factor it is itself again.
TEST(Fp8Operands, WithFactorsReachTheLargestNumberOfTheFormat)
{
    const Problem p = fp8Problem(40, 48);
    const Inputs exact = exactInputs(p);
    for (const auto& [scale, stretches] :
        { std::pair(Choices::Fp8Scale::Tensor, 1), std::pair(Choices::Fp8Scale::Block, 3) }) {
        Choices choices;
        choices.fp8Scale = scale;
        const Inputs stored = quantised(exact, p, { 16, 16 }, choices);
        ASSERT_EQ(stored.qFactors.each.seqlen, stretches);
        ASSERT_EQ(stored.qFactors.each.heads, 4);
        ASSERT_EQ(stored.kFactors.each.heads, 2) << "those of a key head";
        const Inputs values = dequantised(stored);
        for (int h = 0; h < 2; ++h)
            for (int first = 0; first < 40; first += stretches == 1 ? 40 : 16) {
                const int last = stretches == 1 ? 40 : std::min(40, first + 16);
                float largest = 0;
                float largestValue = 0;
                float largestError = 0;
                for (int n = first; n < last; ++n)
                    for (std::size_t d = 0; d < 48; ++d) {
                        largest = std::max(largest, std::fabs(stored.k.row(0, h, n)[d]));
                        largestValue = std::max(largestValue, std::fabs(exact.k.row(0, h, n)[d]));
                        largestError
                            = std::max(largestError, std::fabs(values.k.row(0, h, n)[d] - exact.k.row(0, h, n)[d]));
                    }
                EXPECT_EQ(largest, 448.0F);
                EXPECT_FLOAT_EQ(stored.kFactors.at(0, h, first) * 448, largestValue);
                EXPECT_LE(largestError, largestValue / 16);
                EXPECT_EQ(stored.vFactors.none(), false);
            }
    }
}

TEST(Fp8Operands, OfZerosHaveTheFactorOne)
{
    const Problem p = fp8Problem(8, 16);
    Inputs zeros = exactInputs(p);
    std::ranges::fill(zeros.v.data, 0.0F);
    Choices choices;
    choices.fp8Scale = Choices::Fp8Scale::Block;
    const Inputs stored = quantised(zeros, p, { 4, 4 }, choices);
    EXPECT_EQ(stored.vFactors.at(0, 0, 0), 1.0F);
    EXPECT_EQ(*std::ranges::max_element(stored.v.data), 0.0F);
}

// H D / sqrt(n) is orthogonal: products stay, and one large component becomes a share in all of its stretch.
TEST(Fp8Operands, RotatedKeepTheirProducts)
{
    for (const auto& [dim, stretch] :
        { std::pair(64, 64), std::pair(96, 32), std::pair(80, 16), std::pair(256, 256) }) {
        Problem p = fp8Problem(6, dim);
        const Inputs exact = exactInputs(p);
        Inputs rotated = exact;
        rotateHadamard(p.seed, rotated.q);
        rotateHadamard(p.seed, rotated.k);
        EXPECT_NE(rotated.q.data, exact.q.data);
        for (int i = 0; i < 6; ++i)
            for (int j = 0; j < 6; ++j)
                EXPECT_NEAR(dot(rotated.q.row(0, 0, i), rotated.k.row(0, 0, j)),
                    dot(exact.q.row(0, 0, i), exact.k.row(0, 0, j)), 1e-4);
        Tensor one(1, 1, 1, dim);
        one.data[1] = 8;
        rotateHadamard(p.seed, one);
        for (int d = 0; d < dim; ++d)
            EXPECT_NEAR(
                std::fabs(one.data[static_cast<std::size_t>(d)]), d < stretch ? 8 / std::sqrt(stretch) : 0, 1e-6)
                << dim << " " << d;
    }
}

TEST(Fp8Operands, ASeedHasItsOwnSigns)
{
    std::set<std::vector<float>> seen;
    for (const std::uint64_t seed : { 1, 2, 3 }) {
        Tensor ones(1, 1, 1, 64);
        std::ranges::fill(ones.data, 1.0F);
        rotateHadamard(seed, ones);
        seen.insert(ones.data);
    }
    EXPECT_EQ(seen.size(), 3U);
    Tensor first(1, 1, 1, 2);
    first.data = { 1, 0 };
    rotateHadamard(1, first); // the sign of component 0 of seed 1, times 1 / sqrt(2)
    const double sign = uniformAt(1, 0x300, 0) < 0.5 ? -1 : 1;
    EXPECT_FLOAT_EQ(first.data[0], static_cast<float>(sign / std::sqrt(2.0)));
    EXPECT_EQ(first.data[0], first.data[1]);
}

// ---- what is refused ------------------------------------------------------------------------------------------------

TEST(Fp8Scenario, IsRefusedWhereThereIsNoKernel)
{
    struct Row {
        const char* algorithm;
        const char* gpu;
        int dim;
        std::vector<std::pair<std::string, std::string>> knobs;
        const char* says;
    };
    for (const Row& row : { Row { "fa1", "h100", 64, {}, "FlashAttention-1 has no FP8 kernel" },
             Row { "fa2", "h100", 64, {}, "FlashAttention-2 has no FP8 kernel (e4m3 with standard, fa3" },
             Row { "standard", "a100", 64, {}, "no fp8 tensor instruction" },
             Row { "fa3", "h100", 72, {}, "multiple of 16" },
             Row { "fa3", "h100", 64, { { "warp-specialisation", "off" } }, "transposes V" },
             Row { "fa3", "h100", 64, { { "copy", "cp-async" } }, "tma" },
             Row { "fa3", "h100", 64, { { "stages", "1" } }, "2 and more" },
             Row { "standard", "h100", 64, { { "fp8-scale", "tensor" } }, "does not obey" },
             Row { "fa3", "h100", 64, { { "fp8-offset", "17" } }, "0 … 16" } }) {
        Scenario s = fp8Scenario(row.dim);
        s.algorithm = row.algorithm;
        s.gpu = row.gpu;
        s.knobs = row.knobs;
        EXPECT_NE(errorOf(s).find(row.says), std::string::npos) << row.says << ": " << errorOf(s);
    }
    for (const char* knob : { "fp8-offset=8", "fp8-scale=tensor", "hadamard=on" }) {
        const std::string text = knob;
        Scenario s = fp8Scenario(64);
        s.knobs = { { text.substr(0, text.find('=')), text.substr(text.find('=') + 1) } };
        EXPECT_EQ(errorOf(s), "") << knob;
        s.problem.dtype = DType::Bf16;
        EXPECT_NE(errorOf(s).find("e4m3 operands only"), std::string::npos) << knob;
    }
}

// ---- the kernel -----------------------------------------------------------------------------------------------------

TEST(Fp8Kernel, HasTheTilesAndTheMemoryOfTheRealOne)
{
    struct Row {
        int dim;
        const char* mask;
        TileSize tile;
        Bytes kib;
    };
    for (const Row& row :
        { Row { 64, "none", { 192, 160 }, 12 + 6 * 10 + 4 }, Row { 96, "none", { 192, 128 }, 18 + 6 * 12 + 12 },
            Row { 128, "none", { 128, 224 }, 16 + 6 * 28 }, Row { 128, "causal", { 128, 224 }, 16 + 6 * 28 },
            Row { 192, "none", { 128, 160 }, 24 + 6 * 30 }, Row { 256, "causal", { 128, 128 }, 32 + 6 * 32 },
            Row { 256, "window:64,0", { 128, 64 }, 32 + 6 * 16 + 32 } }) {
        const auto program = programOf(fp8Scenario(row.dim, row.mask));
        SCOPED_TRACE(std::to_string(row.dim) + " " + row.mask);
        EXPECT_EQ(program->tile, row.tile);
        EXPECT_NEAR(static_cast<double>(program->launches[0].smemBytes), static_cast<double>(row.kib * 1024), 64);
        EXPECT_FALSE(program->buffer("sP", 0).valid()) << "P stays in the registers";
        EXPECT_EQ(program->buffers[program->buffer("sO", 0).index()].dtype, DType::Bf16);
    }
}

bool hasBarrier(const Program& program, const std::string& family)
{
    return std::ranges::any_of(program.barriers, [&](const BarrierDecl& b) { return b.family == family; });
}

TEST(Fp8Kernel, HasTheBarriersOfATransposedV)
{
    const auto program = programOf(fp8Scenario(128));
    const auto countOf = [&](const std::string& family) {
        return std::ranges::find_if(program->barriers, [&](const BarrierDecl& b) { return b.family == family; })->count;
    };
    EXPECT_EQ(countOf("pipeline_v.full"), 128) << "every thread of the producer";
    EXPECT_EQ(countOf("pipeline_v.empty"), 256) << "every thread of both consumers";
    EXPECT_EQ(countOf("pipeline_vt.full"), 224 * 128) << "bytes";
    EXPECT_EQ(countOf("pipeline_vt.empty"), 1);
    EXPECT_EQ(countOf("pipeline_k.empty"), 2);
    EXPECT_EQ(countOf("TransposeBarrier"), 128);
    EXPECT_EQ(countOf("QueryEmpty"), 256 + 32);
    EXPECT_TRUE(hasBarrier(*program, "WarpSchedulerWG1")) << "turns at head dimension 128 and above";
    EXPECT_TRUE(hasBarrier(*programOf(fp8Scenario(256)), "WarpSchedulerWG1"));
    EXPECT_FALSE(hasBarrier(*programOf(fp8Scenario(64)), "WarpSchedulerWG1"));
    Scenario bf16 = fp8Scenario(128);
    bf16.problem.dtype = DType::Bf16;
    EXPECT_FALSE(hasBarrier(*programOf(bf16), "TransposeBarrier"));
}

// V first, then K; each block is turned round one behind the loads, and only then is its stage given back.
TEST(Fp8Kernel, LoadsVBeforeKAndTransposesOneBlockBehind)
{
    Scenario s = scenarioOf("fa3", 16, 48, 32, "none", { 16, 16 }, DType::E4m3);
    const auto program = programOf(s);
    const Stream& stream = program->streams.front();
    std::string order;
    for (const RoleRange& role : stream.roles)
        if (program->roles[role.role.index()].name == "producer")
            for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
                const Op& op = program->ops[k];
                if (op.kind == OpKind::Load)
                    order += std::string(name(op.tensor)) + (op.j >= 0 ? std::to_string(op.j) : "") + " ";
                else if (transposes(*program, op))
                    order += "T" + std::to_string(op.j) + " ";
                else if (op.kind == OpKind::Arrive
                    && program->barriers[op.barrier.index()].family == "pipeline_vt.empty")
                    order += "free ";
            }
    EXPECT_EQ(order, "V2 K2 Q V1 K1 T2 free V0 K0 T1 free T0 free ");
    int transposed = 0;
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
        if (transposes(*program, program->ops[k]))
            transposed += program->rows(program->ops[k]).count();
    EXPECT_EQ(transposed, 48) << "four warps turn a quarter of each block round";
}

const Op& firstOp(const Program& program, OpKind kind, bool transposed)
{
    return *std::ranges::find_if(
        program.ops, [&](const Op& op) { return op.kind == kind && op.transposed == transposed; });
}

Ticks busyOf(const OpCost& cost, Engine engine)
{
    Ticks busy = 0;
    for (std::uint8_t k = 0; k < cost.bookingCount; ++k)
        if (cost.bookings[k].engine == engine)
            busy += cost.bookings[k].busy;
    return busy;
}

// Twice the rate, half the bytes.
TEST(Fp8Kernel, ProductsTakeHalfTheTimeAndHalfTheBytes)
{
    Scenario s = fp8Scenario(128);
    s.tile = TileSize { 128, 128 };
    const Prepared fp8 = *prepare(s);
    s.problem.dtype = DType::Bf16;
    const Prepared bf16 = *prepare(s);
    const auto costIn
        = [](const Prepared& p, const Op& op) { return costOf(p.gpu, *p.program, p.program->works.front(), op); };
    for (const bool scores : { true, false }) {
        const OpCost narrow = costIn(fp8, firstOp(*fp8.program, OpKind::Mma, scores));
        const OpCost wide = costIn(bf16, firstOp(*bf16.program, OpKind::Mma, scores));
        EXPECT_EQ(2 * busyOf(narrow, Engine::Tensor), busyOf(wide, Engine::Tensor));
        EXPECT_EQ(2 * busyOf(narrow, Engine::Smem), busyOf(wide, Engine::Smem));
        EXPECT_GT(busyOf(narrow, Engine::Tensor), 0);
    }
    const auto turned
        = std::ranges::find_if(fp8.program->ops, [&](const Op& op) { return transposes(*fp8.program, op); });
    ASSERT_NE(turned, fp8.program->ops.end());
    const OpCost transpose = costIn(fp8, *turned);
    EXPECT_EQ(busyOf(transpose, Engine::Smem), 2 * 32 * 128 / 128 * ticksPerCycle) << "32 keys are read, and written";
    EXPECT_GT(busyOf(transpose, Engine::Issue), 0);
}

TEST(Fp8Kernel, IsToldInWords)
{
    Scenario s = scenarioOf("fa3", 16, 32, 32, "none", { 16, 16 }, DType::E4m3);
    s.knobs.emplace_back("fp8-offset", "10");
    const auto run = runOf(s);
    const Narrator narrator(run, Labels {}, *Words::load("en"));
    std::string told;
    for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
        const CtaId cta = run.trace->ctaOf(run.trace->eventAt(p - 1).instance);
        const std::string text
            = narrator.title(Position { p }, cta) + "\n" + narrator.explain(Position { p }, cta) + "\n";
        ASSERT_EQ(text.find_first_of("{}"), std::string::npos) << text;
        told += text;
    }
    for (const char* part : { "transposes Vt[0]", "turns its share of block 1 of V round, from Vt[0] to V[0]",
             "keys side by side", "The exponent was raised by 10, so that P reaches up to 1024", "rounded to e4m3",
             "were larger than **448**", "rounds O to bf16" })
        EXPECT_NE(told.find(part), std::string::npos) << part;
    EXPECT_EQ(told.find("No entry exceeds 1"), std::string::npos);
}

} // namespace
