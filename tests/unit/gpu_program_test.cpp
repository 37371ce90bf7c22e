// SPDX-License-Identifier: Apache-2.0
// flashstep-gpu's commands over a device that this test plays: what they make of results, times and stamps.
#define FLASHSTEP_VERSION "0.0"
#define FLASHSTEP_KERNEL_HASH "0123456789abcdef"
#include "core/cuda/options.cpp" // NOLINT: the program is built by nvcc, where no test is
#include "core/cuda/recording.cpp" // NOLINT
#include "core/cuda/runner.cpp" // NOLINT
#include "core/io/recording_read.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace flashstep::cuda {

namespace {

// The device: what it is made to say.
struct Played {
    Failure none; // what looking for it says
    Errors errors;
    bool unfinished = false; // a warp without stamps
    std::uint32_t dropped = 0;
};
Played played;

// A warp of a launch with two ops, on an SM of two whose clocks differ by a million: SM 1 began 100 ns later.
void stampWarp(unsigned char* at, std::uint32_t warpOfGrid, int warpsOfCta)
{
    const std::uint32_t cta = warpOfGrid / static_cast<std::uint32_t>(warpsOfCta);
    const std::uint32_t sm = cta % 2;
    const std::uint64_t clock = sm * 1'000'000 + 50;
    const std::uint64_t timer = 7000 + sm * 100;
    const WarpHeader header { clock, clock + 40, clock + 50, timer, timer + 1000, warpHeaderMagic, sm, cta,
        warpOfGrid % static_cast<std::uint32_t>(warpsOfCta), 2, played.dropped };
    const auto word
        = [](Span span, int j) { return static_cast<std::uint32_t>(span) | static_cast<std::uint32_t>(j + 1) << 8; };
    const WarpStamp stamps[] = { { static_cast<std::uint32_t>(clock) + 10, 0, 1, word(Span::MmaS, 2) },
        { static_cast<std::uint32_t>(clock) + 30, 0, 1, word(Span::StoreO, noBlock) } };
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + sizeof header, stamps, sizeof stamps);
}

} // namespace

Failure devices(std::vector<DeviceFacts>& facts)
{
    if (!played.none.any())
        facts.push_back({ 0, "NVIDIA A100-SXM4-80GB", 8, 0, 108, 1, 1, 1, "13.0", "13.0", "580.1" });
    return played.none;
}
Failure useDevice(int, DeviceFacts& facts)
{
    std::vector<DeviceFacts> all;
    const Failure failure = devices(all);
    if (!all.empty())
        facts = all.front();
    return failure;
}

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : m_memory(std::exchange(other.m_memory, nullptr))
    , m_bytes(other.m_bytes)
{
}
DeviceBuffer::~DeviceBuffer()
{
    std::free(m_memory);
}
Failure DeviceBuffer::allocate(std::size_t bytes)
{
    m_memory = std::calloc(bytes, 1);
    m_bytes = bytes;
    return {};
}
Failure DeviceBuffer::read(void* to) const
{
    std::memcpy(to, m_memory, m_bytes);
    return {};
}

Failure Prepared::make(const KernelPlan& kernel, const LaunchProblem& problem, InputKind, std::uint64_t)
{
    m_plan = planLaunches(kernel, problem);
    for (const LaunchBuffer& buffer : m_plan.buffers) {
        DeviceBuffer memory;
        (void)memory.allocate(static_cast<std::size_t>(buffer.bytes()));
        m_buffers.push_back(std::move(memory));
    }
    return {};
}
Failure Prepared::launch()
{
    for (const Launch& launch : m_plan.launches) {
        if (launch.profile < 0)
            continue;
        auto* at = static_cast<unsigned char*>(buffer(launch.profile).get());
        const int warpsOfCta = static_cast<int>(launch.block[0]) / 32;
        const std::uint32_t all = launch.grid[0] * launch.grid[1] * launch.grid[2] * (launch.block[0] / 32);
        for (std::uint32_t w = played.unfinished ? 1 : 0; w < all; ++w)
            stampWarp(at + w * profileBytesOfWarp(launch.stamps), w, warpsOfCta);
    }
    return {};
}
Failure Prepared::run()
{
    return launch();
}

double Times::median() const
{
    return 2;
}
double Times::spread() const
{
    return 0.5;
}
Failure timeLaunches(Prepared& prepared, const DeviceFacts&, int repeats, Times& times)
{
    times.ms.assign(static_cast<std::size_t>(repeats), 2);
    return prepared.launch();
}
Failure compareWithReference(const Prepared&, const KernelPlan&, const LaunchProblem&, Errors& errors)
{
    errors = played.errors;
    return {};
}
Failure measureTickRate(double& hertz)
{
    hertz = 2e9;
    return {};
}

namespace {

struct Done {
    int status = 0;
    std::string out, err;
};
Done run(const std::vector<std::string>& arguments)
{
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const Options options = parseOptions(arguments);
    Done done;
    if (!options.error.empty())
        done.status = fail({ 2, options.error });
    else if (options.command == Command::Check)
        done.status = runCheck(options);
    else if (options.command == Command::Bench)
        done.status = runBench(options);
    else if (options.command == Command::Record)
        done.status = runRecord(options);
    else
        done.status = runList(options);
    done.out = testing::internal::GetCapturedStdout();
    done.err = testing::internal::GetCapturedStderr();
    return done;
}

class GpuProgram : public testing::Test {
protected:
    GpuProgram() { played = {}; }
    ~GpuProgram() override { std::filesystem::remove(m_file); }
    const std::string m_file
        = testing::TempDir() + "gpu_program_" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".json";
};

TEST_F(GpuProgram, ARecordingIsReadAsMeasuredWithItsTicksOnOneAxis)
{
    const Done done = run({ "record", "--out", m_file, "--seqlen", "130", "--mask=causal" });
    ASSERT_EQ(done.status, 0) << done.err;
    const auto recording = readRecordingFile(m_file);
    ASSERT_TRUE(recording.ok()) << recording.error().line();
    EXPECT_TRUE(recording->measured());
    EXPECT_EQ(recording->metadataText("kernel", "name"), "fa2_forward_d64");
    EXPECT_EQ(recording->metadataText("driver"), "580.1");
    EXPECT_EQ(recording->clock().tickRateHz, 2e9);
    ASSERT_EQ(recording->tracks().size(), 12U); // three CTAs of four warps
    const auto first = recording->slicesOf(recording->tracks()[0]);
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(recording->text(first[0].name), "mma out=S (1, 2)");
    EXPECT_EQ(first[0].begin, 10);
    EXPECT_EQ(first[0].end, 30);
    EXPECT_EQ(first[1].end, 40);
    EXPECT_EQ(recording->integer(first[1], "j", -7), -7) << "a store of O belongs to no block";
    // CTA 1 is on the SM that began 100 ns, 200 ticks, later, whatever its own clock says.
    const auto later = recording->slicesOf(recording->tracks()[4]);
    EXPECT_EQ(later[0].begin, 210);
    const auto problem = nlohmann::json::parse(recording->metadataText("problem"));
    EXPECT_EQ(problem["algorithm"], "fa2");
    EXPECT_EQ(problem["gpu"], "a100");
    EXPECT_EQ(problem["problem"]["seqlen_k"], 130);
    EXPECT_EQ(problem["problem"]["mask"], "causal");
}

TEST_F(GpuProgram, LaunchesOfStandardAttentionCountTheirCtasOn)
{
    ASSERT_EQ(run({ "record", "--out", m_file, "--algorithm", "standard", "--seqlen", "64" }).status, 0);
    const auto recording = readRecordingFile(m_file);
    ASSERT_TRUE(recording.ok()) << recording.error().line();
    // A tile of scores, 16 CTAs of four rows, a tile of O.
    EXPECT_EQ(recording->processes().size(), 1U + 16 + 1);
}

TEST_F(GpuProgram, DroppedStampsAreSaid)
{
    played.dropped = 3;
    const Done done = run({ "record", "--out", m_file, "--seqlen", "64" });
    EXPECT_EQ(done.status, 0);
    EXPECT_NE(done.err.find("12 stamps found no room"), std::string::npos) << done.err;
    const auto recording = readRecordingFile(m_file);
    ASSERT_TRUE(recording.ok());
    EXPECT_EQ(recording->metadataText("dropped_stamps"), "12");
}

TEST_F(GpuProgram, AWarpWithoutStampsIsNoRecording)
{
    played.unfinished = true;
    const Done done = run({ "record", "--out", m_file });
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("warps without stamps"), std::string::npos) << done.err;
    EXPECT_FALSE(std::filesystem::exists(m_file));
}

TEST_F(GpuProgram, AFileThatCannotBeWrittenIsBadUsage)
{
    const Done done = run({ "record", "--out", "/no/such/folder/f.json" });
    EXPECT_EQ(done.status, 2);
    EXPECT_EQ(done.err, "flashstep-gpu: /no/such/folder/f.json cannot be written\n");
}

TEST_F(GpuProgram, BenchSaysTimesAndWhatTheyWereTakenOn)
{
    const Done done = run({ "bench", "--json", "--heads", "8", "--kv-heads", "2", "--seqlen", "1024" });
    ASSERT_EQ(done.status, 0) << done.err;
    const auto json = nlohmann::json::parse(done.out);
    ASSERT_EQ(json["results"].size(), 3U);
    EXPECT_EQ(json["results"][2]["kernel"], "fa2_forward_d64");
    EXPECT_EQ(json["results"][2]["median_ms"], 2);
    // 4 x 1024 x 1024 x 64 x 8 operations in 2 ms
    EXPECT_NEAR(json["results"][2]["tflops"].get<double>(), 1.0737, 1e-3);
    EXPECT_EQ(json["kernels"], "0123456789abcdef");
    EXPECT_EQ(json["device"]["driver"], "580.1");
    EXPECT_EQ(json["problem"]["kv_heads"], 2);
}

TEST_F(GpuProgram, CheckRunsEveryKernelAndAWrongNumberIsStatusOne)
{
    const Done right = run({ "check", "--json" });
    EXPECT_EQ(right.status, 0) << right.err;
    const auto json = nlohmann::json::parse(right.out);
    ASSERT_EQ(json["results"].size(), kernelPlans().size());
    for (const auto& result : json["results"]) {
        EXPECT_GE(result["cases"], 60);
        EXPECT_EQ(result["failed"], 0);
    }
    played.errors = { std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, "O of batch 0, head 1, row 2 is nan, not 0" };
    const Done wrong = run({ "check", "--kernel", "fa1_forward_d128", "--seqlen", "77" });
    EXPECT_EQ(wrong.status, 1);
    EXPECT_NE(wrong.out.find("0 of   1 cases right"), std::string::npos) << wrong.out;
    EXPECT_NE(wrong.out.find("O off by up to nan"), std::string::npos) << wrong.out;
    EXPECT_NE(wrong.out.find("row 2 is nan"), std::string::npos) << wrong.out;
}

TEST_F(GpuProgram, WithoutADeviceKernelsAreListedAndTheStatusIsThree)
{
    played.none = { 3, "no CUDA device: played" };
    const Done done = run({ "list", "--json" });
    EXPECT_EQ(done.status, 3);
    EXPECT_EQ(done.err, "flashstep-gpu: no CUDA device: played\n");
    const auto json = nlohmann::json::parse(done.out);
    EXPECT_TRUE(json["devices"].empty());
    EXPECT_EQ(json["kernels"].size(), kernelPlans().size());
}

} // namespace
} // namespace flashstep::cuda
