// SPDX-License-Identifier: Apache-2.0
#include "core/base/version.h"
#include "tests/support/command.h"
#include "tests/support/stand_in.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace flashstep::test {
namespace {

CommandResult device(const std::string& way, std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), "device");
    arguments.insert(arguments.end(), { "--on", standIn(way) });
    return runCli(arguments);
}

// What the line says behind the command that was run.
std::string reason(const CommandResult& result)
{
    const std::string mark = "flashstep-gpu: ";
    const std::size_t at = result.error.rfind(mark);
    return at == std::string::npos ? result.error : result.error.substr(at + mark.size());
}

TEST(CliDevice, ListsDevices)
{
    const CommandResult result = device("well", { "list" });
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(result.out, "device 0  Stand-in GPU, compute capability 8.0, 108 SMs, driver 1.2.3, CUDA 13.0\n");
    EXPECT_EQ(Json::parse(device("well", { "list", "--json" }).out)["devices"].size(), 1U);
}

TEST(CliDevice, SaysOnEachNumberThatItIsMeasured)
{
    for (const char* what : { "check", "bench" }) {
        const CommandResult result = device("well", { what });
        EXPECT_EQ(result.status, 0) << result.error;
        EXPECT_EQ(result.out.find("measured on Stand-in GPU"), 0U) << result.out;
    }
}

TEST(CliDevice, EndsWithAStatusOfItsOwnForEachFailure)
{
    struct Case {
        const char* way;
        int status;
        const char* line;
    };
    const Case cases[] = {
        { "usage", 2, "fa2_forward_d64 is made for head_dim 64, not 80\n" },
        { "no-device", 3, "no CUDA device: no NVIDIA driver is installed\n" },
        { "architecture", 3,
            "wrong architecture: fa2_forward_d64: no kernel image is available for execution on the device (the "
            "program "
            "holds code for sm_80 and later) (the kernels need sm_80 or later; build flashstep-gpu with a CUDA that "
            "knows "
            "the device)\n" },
        { "old-driver", 3,
            "the driver is too old: it is for CUDA 12.2, this program was built with CUDA 13.0 (a newer driver there, "
            "or "
            "flashstep-gpu built with an older CUDA)\n" },
        { "launch", 1, "fa2_forward_d64: an illegal memory access was encountered\n" },
        { "killed", 1,
            "killed (SIGKILL) (the system's out-of-memory killer does that, and a limit of the container or the batch "
            "system)\n" },
        { "version", 3, "it is version '9.9.9', this is FlashStep '0.1.0' (flashstep-gpu of the same version)\n" },
        { "banner", 1, "its answer begins with 'Welcome to gpubox?" },
    };
    for (const Case& one : cases) {
        const CommandResult result = device(one.way, { "list" });
        EXPECT_EQ(result.status, one.status) << one.way;
        EXPECT_EQ(reason(result).substr(0, std::string(one.line).size()), one.line) << one.way << ": " << result.error;
        EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << one.way;
        EXPECT_EQ(result.out, "") << one.way;
    }
    EXPECT_EQ(device("wrong-numbers", { "check" }).status, 1);
    EXPECT_EQ(device("hangs", { "list", "--timeout", "0.2" }).status, 1);
    EXPECT_EQ(runCli({ "device", "list", "--program", "/nowhere/flashstep-gpu" }).status, 3);
}

TEST(CliDevice, HandsTheProblemOnToTheProgram)
{
    const CommandResult result = device("arguments",
        { "bench", "--kernel", "fa2_forward_d128", "--seqlen-q", "300", "--mask", "causal", "--repeats", "7" });
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.error.find("bench --kernel fa2_forward_d128 --batch 1 --heads 1 --kv-heads 1 --seqlen-q 300"),
        std::string::npos)
        << result.error;
}

TEST(CliDevice, RefusesBadUsageBeforeAnythingIsStarted)
{
    const std::vector<std::vector<std::string>> all { { "device" }, { "device", "fly" }, { "device", "record" },
        { "device", "list", "--out", "f" }, { "device", "bench", "--kernel", "fa9" },
        { "device", "bench", "--head-dim", "80" }, { "device", "list", "--timeout", "-1" },
        { "device", "list", "--on", "ssh 'box" }, { "device", "compare" }, { "device", "compare", "/nowhere/a.json" },
        { "device", "list", "a.json" } };
    for (const auto& arguments : all) {
        const CommandResult result = runCli(arguments);
        EXPECT_EQ(result.status, 2) << arguments.back() << result.error;
        EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << arguments.back() << result.error;
    }
}

class CliDeviceFiles : public ::testing::Test {
protected:
    void SetUp() override
    {
        m_problem.seqlenQ = m_problem.seqlenK = 128;
        m_there = m_directory.write("there.json", deviceLikeRecording("fa2_forward_d64", m_problem));
        setenv("FLASHSTEP_STAND_IN_RECORDING", m_there.c_str(), 1);
    }
    Problem m_problem;
    TemporaryDirectory m_directory;
    std::string m_there;
    const std::vector<std::string> m_asked { "record", "--seqlen-q", "128", "--out", m_directory.path("r.json") };
};

TEST_F(CliDeviceFiles, RecordsThroughAPrefix)
{
    const CommandResult result = device("well", m_asked);
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(bytesOfFile(m_asked.back()), bytesOfFile(m_there));
    EXPECT_NE(result.out.find("measured on Stand-in GPU"), std::string::npos) << result.out;
}

TEST_F(CliDeviceFiles, WritesNothingWhereTheRecordingIsNotWhatWasAskedFor)
{
    for (const char* way : { "truncated", "noise", "banner", "silent", "no-device", "killed" }) {
        EXPECT_NE(device(way, m_asked).status, 0) << way;
        EXPECT_FALSE(std::filesystem::exists(m_asked.back())) << way;
    }
    const CommandResult other = device("other", { "record", "--seqlen-q", "64", "--out", m_directory.path("o.json") });
    EXPECT_EQ(other.status, 1);
    EXPECT_NE(other.error.find("of another problem: seqlen_q is 128, asked for was 64"), std::string::npos)
        << other.error;
    EXPECT_EQ(m_directory.files(), 1U);
}

TEST_F(CliDeviceFiles, ComparesWithTheSchedule)
{
    const CommandResult text = runCli({ "device", "compare", m_there });
    EXPECT_EQ(text.status, 0) << text.error;
    EXPECT_EQ(text.out.find("A  schedule: cycles at 1410 MHz, modelled\n"
                            "B  there.json: ticks at 1000 MHz, measured on Stand-in GPU\n"),
        0U)
        << text.out;
    EXPECT_NE(text.out.find("A is modelled, B measured."), std::string::npos);
    const Json json = Json::parse(runCli({ "device", "compare", m_there, "--json" }).out);
    EXPECT_EQ(json["only_in_a"].size() + json["only_in_b"].size(), 0U);
    EXPECT_EQ(json["rows"].size(), json["b"]["ops"].get<std::size_t>());
    EXPECT_EQ(json["a"]["standing"], "modelled");
    const Json& row = json["rows"][0];
    EXPECT_NEAR(row["b_in_a"].get<double>(), row["b"].get<double>() * 1.41, 1e-6);
}

TEST_F(CliDeviceFiles, ComparesTwoRecordings)
{
    const Json json = Json::parse(runCli({ "device", "compare", m_there, m_there, "--json" }).out);
    for (const Json& row : json["rows"])
        EXPECT_EQ(row["difference"], 0);
    EXPECT_FALSE(json["rows"].empty());
}

} // namespace
} // namespace flashstep::test
