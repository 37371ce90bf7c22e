// SPDX-License-Identifier: Apache-2.0
#include "core/io/kernel_recording.h"
#include "core/io/recording_read.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace flashstep {
namespace {

Problem small()
{
    Problem p;
    p.seqlenQ = 100;
    p.seqlenK = 150;
    return p;
}

KernelRecording recordingOf(const std::string& name, const Problem& problem)
{
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    auto made = recordKernel(*cuda::findKernelPlan(name), problem, generateInputs(problem), options, {});
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error().line());
    return std::move(made).value();
}

TEST(KernelRecording, IsReadAsOneOfOursAndSaysThatItIsModelled)
{
    for (const char* name : { "standard_d64", "fa1_forward_d64", "fa2_forward_d64" }) {
        const KernelRecording made = recordingOf(name, small());
        EXPECT_EQ(made.dropped, 0U) << name;
        auto read = readRecording(made.json, "f.json");
        ASSERT_TRUE(read.ok()) << name << read.error().line();
        EXPECT_EQ(read->source(), RecordingFormat::OwnRecording) << name;
        EXPECT_TRUE(read->modelled()) << name;
        EXPECT_FALSE(read->measured()) << name;
        EXPECT_EQ(read->metadataText("kernel", "name"), name);
        EXPECT_TRUE(read->clock().known);
        EXPECT_GT(read->slices().size(), 100U) << name;
    }
}

// Of the fa2 kernel at 100 x 150: two CTAs of four warps, three key blocks each.
TEST(KernelRecording, HasEachOpOfEachBlockOnce)
{
    const KernelRecording made = recordingOf("fa2_forward_d64", small());
    const auto read = readRecording(made.json, "f.json");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->tracks().size(), 8U);
    for (const Recording::Track& track : read->tracks()) {
        std::map<std::string, int> counts;
        std::int64_t last = 0;
        for (const Recording::Slice& slice : read->slicesOf(track)) {
            ++counts[std::string(read->text(slice.name))];
            EXPECT_GE(slice.begin, last); // a warp does one op after the other
            EXPECT_GE(slice.end, slice.begin);
            last = slice.end;
        }
        int products = 0;
        for (const auto& [name, count] : counts) {
            EXPECT_EQ(count, name.starts_with("commit") ? count : 1) << name;
            products += name.starts_with("mma out=S") ? 1 : 0;
        }
        EXPECT_EQ(products, 3);
    }
}

TEST(KernelRecording, IsTheSameEachTime)
{
    EXPECT_EQ(recordingOf("fa1_forward_d64", small()).json, recordingOf("fa1_forward_d64", small()).json);
}

TEST(KernelRecording, RefusesWhatHasNoStamps)
{
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    Problem p = small();
    p.dtype = DType::Fp16;
    const auto made = recordKernel(*cuda::findKernelPlan("fa2_forward_d64_fp16"), p, generateInputs(p), options, {});
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().line().find("no form with stamps"), std::string::npos);
}

} // namespace
} // namespace flashstep
