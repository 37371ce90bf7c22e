// SPDX-License-Identifier: Apache-2.0
#include "core/program/inputs.h"

#include "core/tensor/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using namespace flashstep;

Problem problemWith(Init init)
{
    Problem problem;
    problem.batch = 2;
    problem.heads = 4;
    problem.kvHeads = 2;
    problem.seqlenQ = 24;
    problem.seqlenK = 64;
    problem.headDim = 32;
    problem.headDimV = 16;
    problem.init = init;
    return problem;
}

TEST(Inputs, ShapesAndStreams)
{
    const Problem problem = problemWith(Init::Normal);
    const Inputs inputs = generateInputs(problem);
    EXPECT_EQ(inputs.q.data.size(), 2u * 4 * 24 * 32);
    EXPECT_EQ(inputs.k.data.size(), 2u * 2 * 64 * 32);
    EXPECT_EQ(inputs.v.data.size(), 2u * 2 * 64 * 16);
    EXPECT_EQ(inputs.v.row(1, 0, 3)[2],
        roundTo(DType::Bf16, static_cast<float>(normalAt(1, 2, ((1 * 2 + 0) * 64 + 3) * 16 + 2))));
    EXPECT_NE(inputs.q.data[0], inputs.k.data[0]);
}

TEST(Inputs, AreRoundedToTheFormat)
{
    for (const DType dtype : { DType::Fp16, DType::Bf16, DType::E4m3 }) {
        for (const Init init : { Init::Normal, Init::Outliers, Init::RisingLeft, Init::RisingRight, Init::Constant }) {
            Problem problem = problemWith(init);
            problem.dtype = dtype;
            const Inputs inputs = generateInputs(problem);
            for (const Tensor* tensor : { &inputs.q, &inputs.k, &inputs.v })
                EXPECT_TRUE(std::ranges::all_of(tensor->data, [&](float x) { return x == roundTo(dtype, x); }));
        }
    }
}

TEST(Inputs, OutliersAreNormalBesidesOneInAThousand)
{
    Problem problem = problemWith(Init::Outliers);
    problem.dtype = DType::Fp32;
    problem.seqlenK = 4096;
    const Tensor outliers = generateInputs(problem).k;
    problem.init = Init::Normal;
    const Tensor normal = generateInputs(problem).k;
    double changed = 0;
    double squares = 0;
    for (std::size_t n = 0; n < normal.data.size(); ++n) {
        const double difference = outliers.data[n] - normal.data[n];
        changed += difference != 0;
        squares += difference * difference;
    }
    const double expected = 0.001 * static_cast<double>(normal.data.size());
    EXPECT_NEAR(changed, expected, 4 * std::sqrt(expected));
    EXPECT_NEAR(squares / changed, 100, 4 * 100 * std::sqrt(2 / expected));
}

TEST(Inputs, ConstantIsOne)
{
    const Inputs inputs = generateInputs(problemWith(Init::Constant));
    for (const Tensor* tensor : { &inputs.q, &inputs.k, &inputs.v })
        EXPECT_TRUE(std::ranges::all_of(tensor->data, [](float x) { return x == 1; }));
}

// The last table of docs/inputs.md.
TEST(Inputs, TestVectors)
{
    const auto firstFour
        = [](const Tensor& tensor) { return std::vector<float>(tensor.data.begin(), tensor.data.begin() + 4); };
    Problem problem; // bf16, headDim 64, 256 keys, seed 1
    const Inputs normal = generateInputs(problem);
    EXPECT_EQ(firstFour(normal.q), (std::vector<float> { -0.113769531f, -0.2890625f, 0.953125f, 2.421875f }));
    EXPECT_EQ(firstFour(normal.k), (std::vector<float> { -1.4765625f, -0.213867188f, 0.353515625f, -0.79296875f }));
    EXPECT_EQ(firstFour(normal.v), (std::vector<float> { 1.0625f, 0.52734375f, -1.4375f, -0.0717773438f }));
    problem.init = Init::RisingLeft;
    const Inputs rising = generateInputs(problem);
    EXPECT_EQ(firstFour(rising.q), (std::vector<float> { 8, -0.072265625f, 0.23828125f, 0.60546875f }));
    EXPECT_EQ(firstFour(rising.k), (std::vector<float> { 32, -0.213867188f, 0.353515625f, -0.79296875f }));
}

// Every row's score, averaged over quarters of the keys, climbs by about a quarter of 32 each time.
TEST(Inputs, RisingScoresRise)
{
    for (const Init init : { Init::RisingLeft, Init::RisingRight }) {
        const Problem problem = problemWith(init);
        const Inputs inputs = generateInputs(problem);
        for (int head = 0; head < problem.heads; ++head)
            for (int row = 0; row < problem.seqlenQ; ++row) {
                double quarters[4] = {};
                for (int key = 0; key < problem.seqlenK; ++key) {
                    double score = 0;
                    for (std::size_t i = 0; i < 32; ++i)
                        score += static_cast<double>(inputs.q.row(1, head, row)[i])
                            * inputs.k.row(1, problem.kvHeadOf(head), key)[i];
                    const int distance = init == Init::RisingRight ? key : problem.seqlenK - 1 - key;
                    quarters[distance / 16] += score * problem.softmaxScale() / 16;
                }
                for (int quarter = 1; quarter < 4; ++quarter)
                    ASSERT_NEAR(quarters[quarter] - quarters[quarter - 1], 32.0 / 63 * 16, 1.0);
            }
    }
}

TEST(Inputs, OneKeyIsNoLine)
{
    Problem problem = problemWith(Init::RisingRight);
    problem.seqlenK = 1;
    EXPECT_EQ(generateInputs(problem).k.data[0], 0);
}

} // namespace
