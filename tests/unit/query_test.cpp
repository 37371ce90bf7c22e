// SPDX-License-Identifier: Apache-2.0
#include "core/trace/query.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// Two query tiles of causal FlashAttention-2, three key blocks: tile 0 visits two, tile 1 three.
class Query : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        Scenario s = scenarioOf("fa2", 16, 24, 8, "causal", { 8, 8 });
        s.problem.batch = 2;
        s.problem.heads = s.problem.kvHeads = 2;
        s.record = { Record::Kind::None };
        trace = runOf(s).trace;
    }
    static void TearDownTestSuite() { trace.reset(); }

    static Moment at(const std::string& text)
    {
        const Result<Moment> moment = findMoment(*trace, text);
        EXPECT_TRUE(moment) << text << ": " << (moment ? "" : moment.error().line());
        return moment ? *moment : Moment {};
    }
    static std::uint32_t position(const std::string& text) { return at(text).position.value; }
    static std::string error(const std::string& text)
    {
        const Result<Moment> moment = findMoment(*trace, text);
        EXPECT_FALSE(moment) << text;
        return moment ? std::string() : moment.error().line();
    }
    // The op that ended last before the moment, which is what the position is just after.
    static const Op& opBefore(const Moment& moment)
    {
        const Event event = trace->eventAt(moment.position.value - 1);
        EXPECT_TRUE(event.ends);
        EXPECT_EQ(trace->ctaOf(event.instance), moment.cta);
        return trace->program().op(trace->opOf(event.instance));
    }

    static inline std::shared_ptr<const Trace> trace;
};

TEST_F(Query, ANumberIsAnEventIndex)
{
    EXPECT_EQ(position("0"), 0U);
    EXPECT_EQ(position(" 120 "), 120U);
    EXPECT_EQ(position(std::to_string(trace->end().value)), trace->end().value);
    EXPECT_FALSE(at("120").cta.valid());
    EXPECT_NE(error(std::to_string(trace->end().value + 1)).find("beyond the end"), std::string::npos);
    EXPECT_NE(error("99999999999999").find("0 … " + std::to_string(trace->end().value)), std::string::npos);
    (void)error("99999999999999999999999999");
}

TEST_F(Query, EndIsTheEnd)
{
    EXPECT_EQ(position("end"), trace->end().value);
    EXPECT_EQ(position("  end"), trace->end().value);
}

TEST_F(Query, TimesAreCyclesOrMicroseconds)
{
    EXPECT_EQ(at("1200cy").position, trace->positionAt(1200));
    EXPECT_EQ(at("1200 cy").position, trace->positionAt(1200));
    EXPECT_EQ(at("1200.9cy").position, trace->positionAt(1200));
    EXPECT_EQ(at("1.5us").position, trace->positionAt(static_cast<Cycle>(1.5 * trace->clockMhz())));
    EXPECT_EQ(position("0cy"), trace->positionAt(0).value);
    EXPECT_EQ(position("1e12us"), trace->end().value) << "later than the end is the end";
    for (const char* bad :
        { "cy", "us", "-1cy", "-0.5us", "1200c", "1200cyc", "nancy", "nanus", "1,5us", "0x10cy", "1 2cy" })
        (void)error(bad);
}

TEST_F(Query, FirstLastAndNthCountMatchingOpsInTimeOrder)
{
    const Moment first = at("first(mma)");
    EXPECT_EQ(opBefore(first).kind, OpKind::Mma);
    EXPECT_EQ(at("nth(1, mma)").position, first.position);
    std::uint32_t before = 0;
    int count = 0;
    for (;; ++count) {
        const Result<Moment> moment = findMoment(*trace, "nth(" + std::to_string(count + 1) + ", mma)");
        if (!moment)
            break;
        EXPECT_GT(moment->position.value, before);
        before = moment->position.value;
    }
    EXPECT_EQ(count, 4 * (2 + 3) * 4 * 2) << "heads times batch, blocks, warps, two products";
    EXPECT_EQ(position("last(mma)"), before);
    EXPECT_NE(error("nth(" + std::to_string(count + 1) + ", mma)").find(std::to_string(count)), std::string::npos)
        << "says how many there are";
}

TEST_F(Query, EveryKeyNarrows)
{
    EXPECT_EQ(at("first(mma, cta=3)").cta, CtaId(3));
    EXPECT_EQ(trace->program().works[at("first(mma, i=1)").cta.index()].i, 1);
    EXPECT_EQ(trace->program().works[at("last(store, i=0)").cta.index()].i, 0);
    EXPECT_EQ(opBefore(at("first(mma, role=warp 2)")).role, RoleId(2));
    EXPECT_EQ(position("first(mma, role=warp2)"), position("first(mma, role=warp 2)"));
    EXPECT_EQ(opBefore(at("first(load, j=0)")).j, 0);
    EXPECT_EQ(opBefore(at("first(sync, turn=3)")).turn, 3U);
    EXPECT_EQ(position("first(sync, barrier=syncthreads)"), position("first(sync)"));
    const Op& output = opBefore(at("last(mma, buffer=O)"));
    EXPECT_EQ(trace->program().buffers[output.out.index()].name, "O");
    EXPECT_EQ(opBefore(at("first(mma, buffer=K)")).transposed, true) << "buffers that are read count too";
    const Moment row = at("first(rowmax, i=1, row=13)");
    EXPECT_TRUE(trace->program().rows(opBefore(row)).contains(5));
    EXPECT_EQ(position("first( mma ,i = 1,  j=0 )"), position("first(mma, i=1, j=0)")) << "blanks do not matter";
    for (const char* never : { "first(mma, cta=8)", "first(mma, i=2)", "first(mma, j=3)", "first(mma, row=99)",
             "first(mma, turn=0)", "first(mma, barrier=syncthreads)", "first(sync, barrier=other)",
             "first(mma, buffer=nothing)", "first(mma, role=producer)" })
        EXPECT_NE(error(never).find("never happens"), std::string::npos) << never;
}

TEST_F(Query, BlockIsWhenTheLastPartOfAProductHasLanded)
{
    for (int b = 0; b < 2; ++b)
        for (int h = 0; h < 2; ++h)
            for (int i = 0; i < 2; ++i)
                for (int n = 1; n <= 2 + i; ++n) {
                    const std::string text = "block(i=" + std::to_string(i) + ", n=" + std::to_string(n)
                        + ", b=" + std::to_string(b) + ", h=" + std::to_string(h) + ")";
                    const Moment moment = at(text);
                    const Work& work = trace->program().works[moment.cta.index()];
                    EXPECT_TRUE(work.b == b && work.h == h && work.i == i) << text;
                    const Op& op = opBefore(moment);
                    EXPECT_TRUE(op.kind == OpKind::Mma && !op.transposed && op.n == n) << text;
                    int done = 0;
                    const Stream& stream = trace->program().streamOf(WorkId(moment.cta.index()));
                    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
                        const Op& other = trace->program().ops[k];
                        if (other.kind == OpKind::Mma && !other.transposed && other.n == n)
                            done
                                += trace->endedAt(trace->instance(WorkId(moment.cta.index()), OpId(k)), moment.position)
                                ? 1
                                : 0;
                    }
                    EXPECT_EQ(done, 4) << text << ": all warps";
                }
    EXPECT_EQ(position("block(n=1,i=0)"), position("block(i=0, n=1, b=0, h=0)"));
    EXPECT_NE(error("block(i=0, n=3)").find("visits 2 key blocks"), std::string::npos);
    EXPECT_NE(error("block(i=2, n=1)").find("i below 2"), std::string::npos);
    EXPECT_NE(error("block(i=0, n=1, b=2)").find("b below 2"), std::string::npos);
    EXPECT_NE(error("block(i=0, n=1, h=-1)").find("h below 2"), std::string::npos);
}

TEST_F(Query, WhatIsNotUnderstoodSaysWhatIs)
{
    for (const char* bad : { "", " ", "start", "-1", "+5", "12.5", "0x10", "first", "first(", "first()", "first)",
             "(mma)", "second(mma)", "first(mma", "mma", "first(mma))x", "first(bogus)", "first(mma, mma)",
             "first(mma,)", "first(mma,,i=0)", "first(mma, i)", "first(mma, i=)", "first(mma, i=x)",
             "first(mma, i=0, i=1)", "first(mma, =0)", "first(mma, colour=red)", "first(i=0)", "nth(mma)",
             "nth(0, mma)", "nth(-1, mma)", "nth(x, mma)", "nth(1.5, mma)", "nth(1)", "nth(1, mma, mma)", "block()",
             "block(i=0)", "block(n=1)", "block(0, 1)", "block(i=0, n=0)", "block(i=-1, n=1)", "block(i=0, n=1, j=2)",
             "block(i=0, n=one)", "block(i=0,n=99999999999)", "end end", "first(mma, i=99999999999)" }) {
        const std::string line = error(bad);
        EXPECT_NE(line.find("position"), std::string::npos) << bad << ": " << line;
        EXPECT_EQ(line.find('\n'), std::string::npos) << "one line";
    }
}

// Anything a person or a script may type: a moment or an error, and a moment lies in the trace.
TEST_F(Query, RandomTextNeverBreaksIt)
{
    const std::string letters = "firstlanhbock(),=. 0123456789-+eucy\t\xC3\xA9\"'mijrow";
    const std::vector<std::string> words { "first", "last", "nth", "block", "(", ")", ",", "=", "mma", "load", "i", "n",
        "j", "b", "h", "row", "role", "cta", "warp 0", "0", "1", "2", "-1", "end", "cy", "us", " ",
        "99999999999999999999", "1e308", "nan", "inf", "turn", "syncthreads", "buffer", "O" };
    Draws draw(7);
    int found = 0;
    for (int k = 0; k < 30'000; ++k) {
        std::string text;
        const int length = draw.between(0, 12);
        for (int c = 0; c < length; ++c)
            if (k % 2 == 0)
                text += letters[static_cast<std::size_t>(draw.between(0, static_cast<int>(letters.size()) - 1))];
            else
                text += draw.pick(words);
        if (draw.oneIn(50))
            text += '\0';
        const Result<Moment> moment = findMoment(*trace, text);
        if (moment) {
            ++found;
            ASSERT_LE(moment->position, trace->end()) << text;
            ASSERT_TRUE(!moment->cta.valid() || moment->cta.index() < trace->program().ctaCount()) << text;
        } else {
            ASSERT_FALSE(moment.error().what.empty()) << text;
        }
    }
    EXPECT_GT(found, 50) << "some of it means something";
}

} // namespace
