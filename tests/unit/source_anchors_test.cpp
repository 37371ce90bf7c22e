// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/registry.h"
#include "core/emulation/run.h"
#include "core/io/source_anchors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

// The texts beside the schedule: what their lines claim to stand for is there, and what a step does has a line.

namespace flashstep::test {
namespace {

using Knobs = std::vector<std::pair<std::string, std::string>>;

struct Form {
    std::string algorithm;
    Knobs knobs;
    MaskKind mask = MaskKind::Causal;
    int headDim = 32;
};

// Each version as it is, and each form of it that has ops of its own.
std::vector<Form> forms()
{
    return {
        { "standard", {} },
        { "fa1", {} },
        { "fa1", { { "fa1-form", "paper" } } },
        { "fa1", { { "loop-order", "q-outer" } } },
        { "fa1", { { "divide", "end" } } },
        { "fa2", {} },
        { "fa2", { { "warp-split", "k" } } },
        { "fa2", { { "divide", "now" } } },
        { "fa3", {} },
        { "fa3", { { "intra-overlap", "off" } } },
        { "fa3", { { "warp-specialisation", "off" } } },
        { "fa3", { { "copy", "cp-async" } } },
        { "fa3", {}, MaskKind::None, 256 },
        { "fa4", {} },
        { "fa4", { { "two-cta", "on" } }, MaskKind::None },
        { "fa4", { { "q-stage", "1" } } },
        { "fa4", {}, MaskKind::None, 256 },
    };
}

std::shared_ptr<const Program> programOf(const Form& form)
{
    Scenario scenario;
    scenario.algorithm = form.algorithm;
    scenario.problem.seqlenQ = 300;
    scenario.problem.seqlenK = 900;
    scenario.problem.headDim = scenario.problem.headDimV = form.headDim;
    scenario.problem.mask.kind = form.mask;
    scenario.knobs = form.knobs;
    scenario.record.kind = Record::Kind::None;
    auto prepared = prepare(scenario);
    EXPECT_TRUE(prepared.ok()) << form.algorithm << ": " << (prepared.ok() ? "" : prepared.error().line());
    return prepared.ok() ? prepared->program : nullptr;
}

AnchoredText textOf(SourceText kind, const std::string& algorithm)
{
    auto text = anchoredText(kind, algorithm, "forward");
    EXPECT_TRUE(text.ok()) << (text.ok() ? "" : text.error().line());
    EXPECT_TRUE(text.ok() && text->has_value()) << algorithm;
    return text.ok() && text->has_value() ? **text : AnchoredText {};
}

// What the maths of a version consists of: each such step has a line in plain NumPy.
bool isCore(const Op& op)
{
    switch (op.kind) {
    case OpKind::Load:
    case OpKind::Mma:
    case OpKind::Mask:
    case OpKind::RowMax:
    case OpKind::Rescale:
    case OpKind::Exp2:
    case OpKind::RowSum:
    case OpKind::Normalise:
    case OpKind::Reduce:
    case OpKind::Store:
        return true;
    default:
        return false;
    }
}

TEST(SourceAnchors, EveryLineStandsForOpsThatTheVersionHas)
{
    for (const SourceText kind : { SourceText::Numpy, SourceText::Paper }) {
        std::map<std::string, std::map<std::string, std::size_t>> seen; // by version and pattern
        for (const Form& form : forms()) {
            const auto program = programOf(form);
            ASSERT_TRUE(program);
            const AnchoredText text = textOf(kind, form.algorithm);
            auto map = LineMap::make(text, *program);
            ASSERT_TRUE(map.ok()) << map.error().line();
            for (const LineMap::Use& use : map->uses(*program))
                seen[form.algorithm][std::to_string(use.line) + ": " + use.pattern] += use.ops;
        }
        for (const auto& [algorithm, patterns] : seen)
            for (const auto& [pattern, ops] : patterns)
                EXPECT_GT(ops, 0U) << name(kind) << " of " << algorithm << ", line " << pattern;
    }
}

TEST(SourceAnchors, EveryStepOfTheMathsHasALineOfNumpy)
{
    for (const Form& form : forms()) {
        const auto program = programOf(form);
        ASSERT_TRUE(program);
        auto map = LineMap::make(textOf(SourceText::Numpy, form.algorithm), *program);
        ASSERT_TRUE(map.ok()) << map.error().line();
        std::set<std::string> missing;
        for (const Op& op : program->ops)
            if (isCore(op) && map->lineOf(op) == 0)
                missing.insert(labelOf(*program, op));
        for (const std::string& label : missing)
            ADD_FAILURE() << form.algorithm << (form.knobs.empty() ? "" : " " + form.knobs.front().first)
                          << " has no line for " << label;
    }
}

TEST(SourceAnchors, EveryLineOfThePaperThatAnOpNamesIsThere)
{
    for (const Form& form : forms()) {
        const auto program = programOf(form);
        ASSERT_TRUE(program);
        const AnchoredText text = textOf(SourceText::Paper, form.algorithm);
        auto map = LineMap::make(text, *program);
        ASSERT_TRUE(map.ok()) << map.error().line();
        std::set<std::string> missing;
        for (const Op& op : program->ops) {
            const int line = map->lineOf(op);
            if (op.paperLine > 0 && line == 0)
                missing.insert("line " + std::to_string(op.paperLine) + ": " + labelOf(*program, op));
            // Where the paper's text numbers the lines as the schedule does, they agree.
            if (op.paperLine > 0 && line > 0 && (form.algorithm == "fa1" || form.algorithm == "fa2")) {
                EXPECT_EQ(text.lines[static_cast<std::size_t>(line - 1)].number, std::to_string(op.paperLine))
                    << form.algorithm << ": " << labelOf(*program, op);
            }
        }
        for (const std::string& each : missing)
            ADD_FAILURE() << form.algorithm << (form.knobs.empty() ? "" : " " + form.knobs.front().first) << ", "
                          << each;
    }
}

TEST(SourceAnchors, AStepBetweenTwoLinesStandsOnTheOneBefore)
{
    const auto program = programOf({ "fa2", {} });
    ASSERT_TRUE(program);
    auto map = LineMap::make(textOf(SourceText::Numpy, "fa2"), *program);
    ASSERT_TRUE(map.ok());
    for (const RoleRange& role : program->streams.front().roles) {
        int last = 0;
        for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
            const int own = map->lineOf(program->ops[k]);
            last = own > 0 ? own : last;
            const LineMap::Place place = map->placeOf(*program, role, OpId(k));
            EXPECT_EQ(place.line, last);
            EXPECT_EQ(place.exact, own > 0);
        }
        EXPECT_GT(last, 0);
    }
}

TEST(SourceAnchors, DamagedTablesAreErrors)
{
    const auto program = programOf({ "fa2", {} });
    ASSERT_TRUE(program);
    const std::string text = "a = 1\nb = 2\nb = 3\n";
    EXPECT_FALSE(anchorLines(SourceText::Numpy, text, R"([{"line": "c", "ops": ["mask"]}])").ok()); // not there
    EXPECT_FALSE(anchorLines(SourceText::Numpy, text, R"([{"line": "b", "ops": ["mask"]}])").ok()); // there twice
    EXPECT_FALSE(anchorLines(SourceText::Numpy, text, "{").ok());
    for (const char* pattern : { "multiply", "mma to=S", "mma n=second", "* paper=x", "* paper=0", "mma out" }) {
        auto made
            = anchorLines(SourceText::Numpy, text, std::string(R"([{"line": "a", "ops": [")") + pattern + R"("]}])");
        ASSERT_TRUE(made.ok());
        EXPECT_FALSE(LineMap::make(*made, *program).ok()) << pattern;
    }
}

TEST(SourceAnchors, EveryVersionHasItsTexts)
{
    for (const Algorithm& algorithm : algorithms()) {
        for (const SourceText kind : { SourceText::Paper, SourceText::Numpy }) {
            const AnchoredText text = textOf(kind, std::string(algorithm.name));
            EXPECT_GT(text.lines.size(), 3U);
            EXPECT_FALSE(text.title.empty());
        }
        auto schedule = anchoredText(SourceText::Schedule, algorithm.name, algorithm.pass);
        ASSERT_TRUE(schedule.ok());
        EXPECT_FALSE(schedule->has_value()); // it is the program's own file
    }
    auto none = anchoredText(SourceText::Numpy, "fa9", "forward");
    ASSERT_TRUE(none.ok());
    EXPECT_FALSE(none->has_value());
}

TEST(SourceAnchors, AKernelCarriesThemBehindCodeOnly)
{
    const AnchoredText text = anchorKernel("// `//: op` ties what follows\n//: mma out=S\nS = QK; //: mma out=S\n\n");
    ASSERT_EQ(text.lines.size(), 3U);
    EXPECT_TRUE(text.lines[0].ops.empty());
    EXPECT_TRUE(text.lines[1].ops.empty());
    EXPECT_EQ(text.lines[2].ops, std::vector<std::string> { "mma out=S" });
}

} // namespace
} // namespace flashstep::test
