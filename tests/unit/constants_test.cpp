// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/guess_effects.h"
#include "core/emulation/predict.h"
#include "core/hardware/constants.h"
#include "core/hardware/guesses.h"
#include "core/io/clock_factors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace flashstep;

Scenario scenarioOf(const std::string& algorithm, std::string_view gpu, int seqlen, int headDim)
{
    Scenario s;
    s.algorithm = algorithm;
    s.gpu = std::string(gpu);
    s.problem.seqlenQ = s.problem.seqlenK = seqlen;
    s.problem.headDim = s.problem.headDimV = headDim;
    s.problem.heads = s.problem.kvHeads = 16;
    s.problem.batch = std::max(1, 16384 / seqlen);
    s.record = { Record::Kind::None, 0 };
    return s;
}

double microsecondsOf(const Scenario& scenario)
{
    const auto prediction = predict(scenario, {});
    EXPECT_TRUE(prediction) << (prediction ? "" : prediction.error().line());
    return prediction ? prediction->microseconds : 0;
}

TEST(Constants, AreFewAndInsideTheirRanges)
{
    const auto constants = fittedConstants();
    EXPECT_LE(constants.size(), 14U);
    for (const Constant& c : constants) {
        EXPECT_LT(c.low, c.high) << c.name;
        EXPECT_TRUE(c.low <= c.value && c.value <= c.high) << c.name << ' ' << c.value;
        EXPECT_TRUE(c.low <= c.prior && c.prior <= c.high) << c.name << ' ' << c.prior;
        EXPECT_FALSE(c.appliesTo.empty() || c.priorReason.empty()) << c.name;
    }
}

// One that nothing depends on would be a decoration.
TEST(Constants, MovePredictions)
{
    for (const Constant& c : fittedConstants()) {
        double largest = 0;
        for (const std::string_view gpu : c.appliesTo)
            for (const char* algorithm : { "fa2", "fa3", "fa4" })
                for (const int seqlen : { 512, 8192 }) {
                    Scenario s = scenarioOf(algorithm, gpu, seqlen, 128);
                    const double asIs = predict(s, {}) ? microsecondsOf(s) : 0;
                    s.knobs.emplace_back(c.name, std::to_string(c.value * 0.9));
                    if (const auto moved = predict(s, {}); moved && asIs > 0)
                        largest = std::max(largest, std::fabs(moved->microseconds / asIs - 1));
                }
        EXPECT_GT(largest, 1e-4) << c.name << " of " << c.appliesTo.front();
    }
}

TEST(ClockFactors, OneForAMachineAndAroundOne)
{
    std::set<std::string_view> machines;
    for (const ClockFactor& f : clockFactors()) {
        EXPECT_TRUE(machines.insert(f.machine).second) << f.machine;
        EXPECT_TRUE(f.factor > 0.7 && f.factor < 1.1) << f.machine;
        EXPECT_EQ(clockFactorOf(f.machine), f.factor);
        EXPECT_FALSE(f.reason.empty() || f.fittedTo.empty());
    }
    EXPECT_EQ(clockFactorOf("fa3-paper"), 1) << "its clock was fixed";
    EXPECT_EQ(clockFactorOf(""), 1);
}

TEST(GuessEffects, AreThoseOfTheFigureAlone)
{
    const Scenario s = scenarioOf("fa4", "b200", 2048, 128);
    const auto prepared = prepare(s, true);
    ASSERT_TRUE(prepared);
    const auto effects = guessEffects(s, {});
    ASSERT_TRUE(effects);
    ASSERT_EQ(effects->size(), guessesIn(prepared->gpu, *prepared->program).size());
    const double asIs = microsecondsOf(s);
    bool any = false;
    for (const GuessEffect& effect : *effects) {
        EXPECT_EQ(effect.figure.confidence, Confidence::Guess) << effect.field;
        any = any || std::fabs(effect.largerPercent) > 0.05;
        const std::string knob = kebabName(effect.field);
        Scenario larger = s;
        larger.knobs.emplace_back(knob, std::to_string(effect.figure.value * 1.1));
        if (const auto moved = predict(larger, {})) { // where it is a knob
            EXPECT_NEAR(effect.largerPercent, 100 * (moved->microseconds / asIs - 1), 0.01) << effect.field;
        }
    }
    EXPECT_TRUE(any) << "no guess matters to FlashAttention-4";
}

} // namespace
