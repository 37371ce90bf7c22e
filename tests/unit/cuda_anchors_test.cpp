// SPDX-License-Identifier: Apache-2.0
#include "core/cuda/profile.h"
#include "core/emulation/run.h"
#include "core/io/source_anchors.h"
#include "resources/embedded/resources.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

// The `//: op` comments of the CUDA kernels against the ops of the schedules.

namespace flashstep::test {
namespace {

std::set<std::string> anchorsOf(const std::string& file)
{
    std::set<std::string> labels;
    const auto text = resource("source/core/cuda/" + file);
    EXPECT_TRUE(text.has_value()) << file;
    std::string_view rest = text.value_or("");
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (const std::size_t at = line.find("; //: "); at != std::string_view::npos)
            labels.emplace(line.substr(at + 6));
    }
    return labels;
}

std::shared_ptr<const Program> programOf(const std::string& algorithm)
{
    Scenario scenario;
    scenario.algorithm = algorithm;
    scenario.problem.seqlenQ = 300;
    scenario.problem.seqlenK = 900;
    scenario.problem.headDim = scenario.problem.headDimV = 64;
    scenario.problem.mask.kind = MaskKind::Causal;
    if (algorithm == "fa1")
        scenario.knobs = { { "fa1-form", "paper" } };
    scenario.record.kind = Record::Kind::None;
    auto prepared = prepare(scenario);
    EXPECT_TRUE(prepared.ok()) << (prepared.ok() ? "" : prepared.error().line());
    return prepared.ok() ? prepared->program : nullptr;
}

struct Kernel {
    std::string algorithm, file;
};
const std::vector<Kernel> kernels
    = { { "standard", "standard.cu" }, { "fa1", "fa1_forward.cu" }, { "fa2", "fa2_forward.cu" } };

TEST(CudaAnchors, EveryOpOfTheScheduleHasAnAnchorAndEveryAnchorAnOp)
{
    for (const Kernel& kernel : kernels) {
        const auto program = programOf(kernel.algorithm);
        ASSERT_NE(program, nullptr);
        AnchoredText text;
        std::set<std::string> waits;
        for (const std::string& label : anchorsOf(kernel.file)) {
            const std::size_t name = label.find(" name=");
            if (name != std::string::npos)
                waits.insert(label.substr(name + 6));
            else
                text.lines.push_back({ label, {}, { label } });
        }
        const auto map = LineMap::make(text, *program);
        ASSERT_TRUE(map.ok()) << kernel.file << ": " << (map.ok() ? "" : map.error().line());
        for (const Op& op : program->ops) {
            if (op.kind == OpKind::Wait || op.kind == OpKind::Sync)
                EXPECT_TRUE(waits.count(program->waits[op.wait.index()].name) == 1)
                    << kernel.file << ": " << program->waits[op.wait.index()].name;
            else
                EXPECT_GT(map->lineOf(op), 0) << kernel.file << ": " << name(op.kind) << " of line " << op.line;
        }
        for (const LineMap::Use& use : map->uses(*program))
            EXPECT_GT(use.ops, 0U) << kernel.file << ": no op is '" << use.pattern << "'";
        for (const std::string& wait : waits)
            EXPECT_TRUE(std::any_of(program->waits.begin(), program->waits.end(),
                [&](const WaitDecl& declared) { return declared.name == wait; }))
                << kernel.file << ": " << wait;
    }
}

TEST(CudaAnchors, SpansCarryTheLabelsOfTheAnchors)
{
    std::set<std::string> labels, spans;
    for (const Kernel& kernel : kernels)
        labels.merge(anchorsOf(kernel.file));
    for (int k = 0; k < cuda::spanCount; ++k) {
        const cuda::SpanName& span = cuda::spanOf(static_cast<cuda::Span>(k));
        spans.insert(span.label);
        EXPECT_EQ(std::string(span.label).rfind(span.op, 0), 0U) << span.label;
    }
    EXPECT_EQ(labels, spans);
}

} // namespace
} // namespace flashstep::test
