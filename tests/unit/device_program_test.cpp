// SPDX-License-Identifier: Apache-2.0
#include "core/io/device_program.h"
#include "core/io/device_record.h"
#include "tests/support/stand_in.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

#include <thread>

namespace flashstep::test {
namespace {

// What `list` of a stand-in comes to.
DeviceOutcome listed(const std::string& way, double timeout = 60)
{
    DeviceProgram program;
    program.prefix = standIn(way);
    program.timeoutSeconds = timeout;
    program.mostOutput = 100000;
    return askDevice(program, { "list" }, "devices", {});
}

struct Case {
    std::string way;
    DeviceTrouble trouble;
    std::string says; // somewhere in the line
};

TEST(DeviceProgram, AnswersWhereAllIsWell)
{
    const DeviceOutcome outcome = listed("well");
    EXPECT_TRUE(outcome.ok()) << outcome.error.line();
    EXPECT_EQ(outcome.answer["devices"][0]["name"], "Stand-in GPU");
}

TEST(DeviceProgram, TellsApartWhatWentWrong)
{
    using T = DeviceTrouble;
    const std::vector<Case> cases {
        { "usage", T::BadUsage, "is made for head_dim 64, not 80" },
        { "no-device", T::NoDevice, "no CUDA device" },
        { "architecture", T::WrongArchitecture, "no kernel image" },
        { "old-driver", T::DriverTooOld, "CUDA 12.2" },
        { "out-of-memory", T::OutOfMemory, "a smaller problem" },
        { "launch", T::Failed, "illegal memory access" },
        { "not-there", T::NoProgram, "the program is not there" },
        { "srun-not-there", T::NoProgram, "the program is not there" },
        { "ssh", T::Unreachable, "Connection refused" },
        { "docker", T::Unreachable, "No such container" },
        { "signal", T::Killed, "ended by SIGSEGV" },
        { "status-137", T::Killed, "killed (SIGKILL)" },
        { "killed", T::Killed, "killed (SIGKILL)" },
        { "srun", T::Killed, "ended by the batch system" },
        { "oom-killer", T::Killed, "killed by the out-of-memory killer" },
        { "noise", T::Garbled, "begins with '????" },
        { "banner", T::Garbled, "begins with 'Welcome to gpubox" },
        { "silent", T::Garbled, "it said nothing" },
        { "truncated", T::Garbled, "breaks off after" },
        { "endless", T::Garbled, "writes without end (more than 100000 bytes)" },
        { "version", T::WrongVersion, "it is version '9.9.9', this is FlashStep '0.1.0'" },
        { "no-version", T::WrongVersion, "does not say its version" },
    };
    for (const Case& one : cases) {
        const DeviceOutcome outcome = listed(one.way);
        EXPECT_EQ(name(outcome.trouble), name(one.trouble)) << one.way << ": " << outcome.error.line();
        EXPECT_NE(outcome.error.line().find(one.says), std::string::npos) << one.way << ": " << outcome.error.line();
        EXPECT_EQ(outcome.error.line().find('\n'), std::string::npos) << one.way;
        EXPECT_NE(outcome.error.where.find("stand_in_gpu.sh"), std::string::npos) << one.way;
    }
}

TEST(DeviceProgram, TellsOfAProgramThatIsNotHere)
{
    DeviceProgram program;
    program.program = "/nowhere/flashstep-gpu";
    DeviceOutcome outcome = askDevice(program, { "list" }, "devices", {});
    EXPECT_EQ(name(outcome.trouble), "no-program");
    EXPECT_NE(outcome.error.line().find("there is no program '/nowhere/flashstep-gpu'"), std::string::npos)
        << outcome.error.line();
    program = {};
    program.prefix = "/nowhere/ssh gpubox";
    outcome = askDevice(program, { "list" }, "devices", {});
    EXPECT_EQ(name(outcome.trouble), "no-program");
    EXPECT_NE(outcome.error.line().find("there is no program '/nowhere/ssh'"), std::string::npos);
    const TemporaryDirectory directory;
    program = {};
    program.program = directory.write("not-executable", "text");
    outcome = askDevice(program, { "list" }, "devices", {});
    EXPECT_EQ(name(outcome.trouble), "no-program");
    EXPECT_NE(outcome.error.line().find("not a program that can be run"), std::string::npos) << outcome.error.line();
    program.prefix = "ssh 'gpubox";
    outcome = askDevice(program, { "list" }, "devices", {});
    EXPECT_EQ(name(outcome.trouble), "bad-usage");
}

// The status of a failed check is an answer.
TEST(DeviceProgram, HandsOnThatACheckFailed)
{
    DeviceProgram program;
    program.prefix = standIn("wrong-numbers");
    const DeviceOutcome outcome = askDevice(program, { "check" }, "kernels", {});
    EXPECT_TRUE(outcome.ok()) << outcome.error.line();
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.answer["kernels"][0]["failed"], 3);
}

TEST(DeviceProgram, EndsWhatTakesTooLong)
{
    const DeviceOutcome outcome = listed("hangs", 0.2);
    EXPECT_EQ(name(outcome.trouble), "timed-out");
    EXPECT_NE(outcome.error.line().find("no end after 0.2 s"), std::string::npos) << outcome.error.line();
}

TEST(DeviceProgram, DoesNotWaitForWhatTheProgramLeftBehind)
{
    EXPECT_TRUE(listed("leaves-a-child").ok());
}

TEST(ChildProcess, KillsWhatWillNotEndWhenAsked)
{
    ChildCommand command;
    command.words = { std::string(FLASHSTEP_SOURCE_DIR) + "/tests/support/stand_in_gpu.sh", "hangs-on", "x" };
    command.timeoutSeconds = 0.2;
    command.graceSeconds = 0.2;
    EXPECT_EQ(runChild(command, {}).end, ChildResult::End::TimedOut);
}

TEST(ChildProcess, EndsWhatWritesErrorsWithoutEnd)
{
    ChildCommand command;
    command.words = { std::string(FLASHSTEP_SOURCE_DIR) + "/tests/support/stand_in_gpu.sh", "endless-errors", "x" };
    command.mostErrors = 100000;
    EXPECT_EQ(runChild(command, {}).end, ChildResult::End::TooMuchOutput);
}

TEST(DeviceProgram, IsCancelled)
{
    std::stop_source source;
    Progress progress;
    progress.stop = source.get_token();
    DeviceProgram program;
    program.prefix = standIn("hangs");
    std::thread asks([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        source.request_stop();
    });
    const DeviceOutcome outcome = askDevice(program, { "list" }, "devices", progress);
    asks.join();
    EXPECT_EQ(name(outcome.trouble), "cancelled");
}

TEST(DeviceProgram, ReportsHowFarItIs)
{
    std::vector<double> seen;
    Progress progress;
    progress.report = [&](double fraction) { seen.push_back(fraction); };
    DeviceProgram program;
    program.prefix = standIn("well");
    EXPECT_TRUE(askDevice(program, { "list" }, "devices", progress).ok());
    EXPECT_EQ(seen, std::vector<double> { 0.5 });
}

class DeviceRecord : public ::testing::Test {
protected:
    DeviceRecording recorded(const std::string& way, const std::string& file)
    {
        setenv("FLASHSTEP_STAND_IN_RECORDING", file.c_str(), 1);
        DeviceProgram program;
        program.prefix = standIn(way);
        return recordOnDevice(program, *cuda::findKernelPlan("fa2_forward_d64"), m_problem, {});
    }
    void SetUp() override { m_problem.seqlenQ = m_problem.seqlenK = 64; }
    Problem m_problem;
    TemporaryDirectory m_directory;
};

TEST_F(DeviceRecord, ComesWhole)
{
    const std::string bytes = deviceLikeRecording("fa2_forward_d64", m_problem);
    const DeviceRecording made = recorded("well", m_directory.write("r.json", bytes));
    ASSERT_TRUE(made.outcome.ok()) << made.outcome.error.line();
    EXPECT_TRUE(made.recording->measured());
    EXPECT_EQ(made.outcome.out, bytes);
}

TEST_F(DeviceRecord, IsRefusedWhereItIsOfSomethingElse)
{
    Problem longer = m_problem;
    longer.seqlenK = 128;
    DeviceRecording made
        = recorded("other", m_directory.write("r.json", deviceLikeRecording("fa2_forward_d64", longer)));
    EXPECT_EQ(name(made.outcome.trouble), "wrong-recording");
    EXPECT_NE(made.outcome.error.line().find("seqlen_k is 128, asked for was 64"), std::string::npos)
        << made.outcome.error.line();
    made = recorded("other", m_directory.write("r.json", deviceLikeRecording("fa1_forward_d64", m_problem)));
    EXPECT_EQ(name(made.outcome.trouble), "wrong-recording");
    EXPECT_NE(made.outcome.error.line().find("of the kernel 'fa1_forward_d64'"), std::string::npos);
}

TEST_F(DeviceRecord, IsRefusedWhereItIsDamagedOrNotMeasured)
{
    const std::string bytes = deviceLikeRecording("fa2_forward_d64", m_problem);
    for (const std::string& damaged : { bytes.substr(0, bytes.size() / 2), std::string("\xff\xfe noise"), std::string(),
             std::string("[]"), "Welcome\n" + bytes }) {
        const DeviceRecording made = recorded("other", m_directory.write("r.json", damaged));
        EXPECT_EQ(name(made.outcome.trouble), "garbled") << damaged.substr(0, 20) << made.outcome.error.line();
        EXPECT_FALSE(made.recording.has_value());
    }
}

TEST(DeviceKernel, IsTheOneOfTheProblem)
{
    Scenario scenario;
    EXPECT_STREQ((*kernelOf(scenario))->name, "fa2_forward_d64");
    scenario.problem.headDim = scenario.problem.headDimV = 128;
    scenario.problem.dtype = DType::Fp16;
    EXPECT_STREQ((*kernelOf(scenario))->name, "fa2_forward_d128_fp16");
    scenario.problem.headDim = 80;
    EXPECT_FALSE(kernelOf(scenario).ok());
    EXPECT_FALSE(kernelOf(Scenario {}, "fa9").ok());
    scenario = {};
    scenario.algorithm = "fa4";
    EXPECT_FALSE(kernelOf(scenario).ok());
    scenario = {};
    scenario.problem.mask.kind = MaskKind::Window;
    EXPECT_FALSE(kernelOf(scenario).ok());
    scenario = {};
    scenario.kFile = "k.npy";
    EXPECT_FALSE(kernelOf(scenario).ok());
}

} // namespace
} // namespace flashstep::test
