// SPDX-License-Identifier: Apache-2.0
// What the command line does with what it cannot take: the status, one clear line, and nothing left behind.
#include "core/io/npy.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <regex>

namespace flashstep::test {
namespace {

struct BadInput {
    const char* name;
    std::vector<std::string> arguments; // "@" stands for the test's directory
    const char* says;
    int status = 2;
};

void PrintTo(const BadInput& input, std::ostream* out)
{
    *out << input.name;
}

class BadCommandLine : public testing::TestWithParam<BadInput> {
protected:
    void SetUp() override
    {
        const auto write
            = [&](const char* name, const Tensor& tensor) { ASSERT_TRUE(writeNpy(directory.path(name), tensor).ok()); };
        write("q.npy", Tensor(1, 2, 32, 16));
        write("k.npy", Tensor(1, 2, 32, 16));
        write("v.npy", Tensor(1, 2, 32, 16));
        write("longer.npy", Tensor(1, 2, 48, 16));
        directory.write("magic.npy", "not an array at all");
        directory.write("short.npy", bytesOfFile(directory.path("q.npy")).substr(0, 500));
        directory.write(
            "order.npy", std::regex_replace(bytesOfFile(directory.path("q.npy")), std::regex("False"), "True "));
        directory.write("type.npy", std::regex_replace(bytesOfFile(directory.path("q.npy")), std::regex("<f4"), "<i4"));
        directory.write("archive.npz", "PK\x03\x04 and nothing else");
        directory.write("newer.json", R"({"flashstep": 2})");
        directory.write("unknown.json", R"({"flashstep": 1, "problem": {"sequence": 5}})");
        directory.write("broken.json", "{\"flashstep\": 1,");
        directory.write("columns.csv", "gpu,algorithm\nH100,FA2\n");
        directory.write("number.csv",
            "gpu,algorithm,pass,dtype,head_dim,causal,seqlen,batch,heads,tflops_or_value,unit\n"
            "H100,FA2,fwd,fp16,64,0,512,4,8,fast,TFLOPS\n");
        std::filesystem::create_directory(directory.path("folder"));
    }

    TemporaryDirectory directory;
};

TEST_P(BadCommandLine, IsRefusedInOneLine)
{
    std::vector<std::string> arguments = GetParam().arguments;
    for (std::string& word : arguments)
        if (const std::size_t at = word.find('@'); at != std::string::npos)
            word.replace(at, 1, directory.path());
    const std::size_t before = directory.files();
    const CommandResult result = runCli(arguments);
    EXPECT_EQ(result.status, GetParam().status) << result.error;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.error.find(GetParam().says), std::string::npos) << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_EQ(result.error.rfind("flashstep-cli: ", 0), 0U) << result.error;
    EXPECT_EQ(directory.files(), before) << "something was left behind";
}

std::string nameOf(const testing::TestParamInfo<BadInput>& input)
{
    return input.param.name;
}

using Words = std::vector<std::string>;

Words with(Words words, const Words& more)
{
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

const Words tensors { "run", "--q", "@/q.npy", "--k", "@/k.npy", "--v", "@/v.npy" };
const Words small { "--seqlen-q", "32", "--tile", "16x16", "--head-dim", "16" };

INSTANTIATE_TEST_SUITE_P(Usage, BadCommandLine,
    testing::Values(BadInput { "NoCommand", {}, "no command" }, BadInput { "UnknownCommand", { "fly" }, "fly" },
        BadInput { "UnknownOption", { "run", "--no-such-option" }, "--no-such-option" },
        BadInput { "MissingValue", { "run", "--tile" }, "--tile" }, BadInput { "ExtraWord", { "run", "now" }, "now" },
        BadInput { "UnknownList", { "list", "colours" }, "colours" }, BadInput { "NoList", { "list" }, "required" },
        BadInput { "NoDump", { "dump" }, "--what" }, BadInput { "UnknownDump", { "dump", "--what", "all" }, "--what" },
        BadInput { "NoFormat", { "export", "--out", "@/x" }, "--format" },
        BadInput { "NoOut", { "export", "--format", "csv" }, "--out" },
        BadInput { "UnknownLevel", { "narrate", "--level", "warp" }, "inner-tile" },
        BadInput { "UnknownLanguage", { "narrate", "--lang", "tlh" }, "'tlh'" },
        BadInput { "NumericsHeads", { "numerics", "--heads", "two" }, "heads" },
        BadInput { "NumericsKeys", { "numerics", "--seqlen", "0" }, "seqlen-k" },
        BadInput { "NumericsPoints", { "numerics", "--points", "1000" }, "power of two" },
        BadInput { "NumericsHeadDim", { "numerics", "--head-dim", "5000", "--heads", "1" }, "head_dim" },
        BadInput { "NumericsOption", { "numerics", "--dtype", "fp16" }, "--dtype" },
        BadInput { "ValidateNoFile", { "validate", "--published", "@/none.csv" }, "no such file" },
        BadInput {
            "ValidateNoColumn", { "validate", "--published", "@/columns.csv" }, "columns.csv:1: there is no column" },
        BadInput {
            "ValidateNumber", { "validate", "--published", "@/number.csv" }, "number.csv:2, column tflops_or_value" },
        BadInput { "ValidateBaseline", { "validate", "--baseline", "guess" }, "roofline" },
        BadInput { "OverviewHeadDim", { "overview", "--head-dim", "77" }, "77" },
        BadInput { "OverviewSeqlen", { "overview", "--seqlen", "0" }, "--seqlen" },
        BadInput { "OverviewWord", { "overview", "--seqlen", "long" }, "--seqlen" },
        BadInput { "OverviewMask", { "overview", "--mask", "window:1,1" }, "both" },
        BadInput { "OverviewGpu", { "overview", "--gpu", "v100" }, "b200" },
        BadInput { "OverviewForms", { "overview", "--json", "--markdown" }, "--markdown" },
        BadInput { "UnknownShell", { "completion", "fish" }, "fish" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Values, BadCommandLine,
    testing::Values(BadInput { "SizeZero", { "run", "--batch", "0" }, "--batch" },
        BadInput { "SizeNegative", { "run", "--heads", "-3" }, "--heads" },
        BadInput { "SizeWord", { "run", "--seqlen-q", "many" }, "'many'" },
        BadInput { "SizeTooLarge", { "run", "--seqlen-q", "99999999999" }, "--seqlen-q" },
        BadInput { "HeadDim", { "run", "--head-dim", "77" }, "77" },
        BadInput { "KvHeads", { "run", "--heads", "4", "--kv-heads", "3" }, "3" },
        BadInput { "Mask", { "run", "--mask", "diagonal" }, "causal" },
        BadInput { "Window", { "run", "--mask", "window:1" }, "window:L,R" },
        BadInput { "Tile", { "run", "--tile", "64" }, "BRxBC" },
        BadInput { "TileForWarps", { "run", "--tile", "18x16" }, "18x16" },
        BadInput { "TileTooLarge", { "run", "--tile", "1024x1024", "--head-dim", "256" }, "bytes" },
        BadInput { "Dtype", { "run", "--dtype", "int8" }, "fp16" },
        BadInput { "Init", { "run", "--init", "zero" }, "normal" },
        BadInput { "Seed", { "run", "--seed", "-1" }, "--seed" },
        BadInput { "Record", { "run", "--record", "some" }, "cta:K" },
        BadInput { "RecordCta", { "run", "--record", "cta:100000" }, "cta" },
        BadInput { "Algorithm", { "run", "--algorithm", "fa9" }, "fa9" },
        BadInput { "Gpu", { "run", "--gpu", "v100" }, "v100" },
        BadInput { "Knob", { "run", "--what-if", "warp-speed=9" }, "warp-speed" },
        BadInput { "KnobValue", { "run", "--what-if", "sms=lots" }, "lots" },
        BadInput { "KnobRange", { "run", "--what-if", "sms=0" }, "sms" },
        BadInput { "KnobNoValue", { "run", "--what-if", "sms" }, "KEY=VALUE" },
        BadInput { "BreakUnknown", { "run", "--break", "wait:nothing" }, "K_landed" },
        BadInput { "BreakWord", { "run", "--break", "everything" }, "wait:NAME" },
        BadInput { "TooMuchMemory", { "run", "--batch", "60000", "--heads", "1000", "--seqlen-q", "100000" }, "GiB" },
        BadInput { "NpzWithoutValues",
            with({ "export", "--record", "none", "--format", "npz", "--out", "@/x.npz" }, small), "--record" },
        BadInput {
            "OutNpyWithoutValues", with({ "run", "--record", "none", "--out-npy", "@/out" }, small), "--record all" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Files, BadCommandLine,
    testing::Values(BadInput { "NoScenario", { "run", "--scenario", "@/none.json" }, "no such file" },
        BadInput { "ScenarioFolder", { "run", "--scenario", "@/folder" }, "directory" },
        BadInput { "NewerScenario", { "run", "--scenario", "@/newer.json" }, "version 2" },
        BadInput { "UnknownKey", { "run", "--scenario", "@/unknown.json" }, "problem.sequence" },
        BadInput { "BrokenScenario", { "run", "--scenario", "@/broken.json" }, "not a JSON document" },
        BadInput { "NoTensor", { "run", "--q", "@/none.npy", "--k", "@/k.npy", "--v", "@/v.npy" }, "no such file" },
        BadInput { "TensorAlone", { "run", "--q", "@/q.npy" }, "--k" },
        BadInput { "WrongMagic", with(tensors, { "--q", "@/magic.npy" }), "not a .npy file" },
        BadInput { "CutShort", with(tensors, { "--q", "@/short.npy" }), "cut short" },
        BadInput { "WrongOrder", with(tensors, { "--k", "@/order.npy" }), "Fortran" },
        BadInput { "WrongType", with(tensors, { "--v", "@/type.npy" }), "<i4" },
        BadInput { "ArchiveWithoutTheArray", with(tensors, { "--q", "@/archive.npz" }), "not an .npz archive" },
        BadInput { "LengthsDiffer", with(tensors, { "--v", "@/longer.npy" }), "48" },
        BadInput { "OptionContradicts", with(tensors, { "--head-dim", "64" }), "contradicts" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Targets, BadCommandLine,
    testing::Values(BadInput { "NoFolder", with({ "export", "--format", "csv", "--out", "@/no/such/x.csv" }, small),
                        "no such directory" },
        BadInput { "Folder", with({ "export", "--format", "chrome", "--out", "@/folder" }, small), "directory" },
        BadInput { "PictureWithoutFolder", with({ "export", "--format", "svg", "--out", "@/no/such/x.svg" }, small),
            "no such directory" },
        BadInput { "Format", with({ "export", "--format", "bmp", "--out", "@/x" }, small), "perfetto" },
        BadInput { "View", with({ "export", "--format", "csv", "--view", "heat", "--out", "@/x" }, small), "'heat'" },
        BadInput { "Panels",
            with({ "export", "--format", "svg", "--view", "figure", "--panels", "tiles,heat", "--out", "@/x" }, small),
            "'heat'" },
        BadInput { "PanelsAlone",
            with({ "export", "--format", "svg", "--panels", "tiles,grid", "--out", "@/x" }, small), "--view figure" },
        BadInput { "Theme", with({ "export", "--format", "csv", "--theme", "pink", "--out", "@/x" }, small), "light" },
        BadInput { "Table", with({ "export", "--format", "csv", "--table", "rows", "--out", "@/x" }, small), "ledger" },
        BadInput { "At", with({ "dump", "--what", "state", "--at", "somewhen" }, small), "--at" },
        BadInput { "Block", with({ "dump", "--what", "state", "--at", "block(i=0, n=99)" }, small), "--at" },
        BadInput { "Cta", with({ "dump", "--what", "state", "--cta", "99" }, small), "--cta" },
        BadInput { "Buffer", with({ "dump", "--what", "state", "--buffer", "X" }, small), "'X'" },
        BadInput { "Backwards",
            with({ "export", "--format", "csv", "--from", "10", "--to", "5", "--out", "@/x" }, small), "--to" },
        BadInput { "FilmBackwards",
            with({ "export", "--format", "gif", "--from", "10", "--to", "5", "--out", "@/x" }, small), "--to" },
        BadInput { "Fps", with({ "export", "--format", "gif", "--fps", "0", "--out", "@/x" }, small), "--fps" },
        BadInput { "FpsWord", with({ "export", "--format", "gif", "--fps", "slow", "--out", "@/x" }, small), "'slow'" },
        BadInput { "ExportLevel", with({ "export", "--format", "html", "--level", "warp", "--out", "@/x" }, small),
            "inner-tile" },
        BadInput { "NarrateFolder", with({ "narrate", "--out", "@/folder" }, small), "directory" },
        BadInput { "NarrateBackwards", with({ "narrate", "--from", "10", "--to", "5" }, small), "--to" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Recordings, BadCommandLine,
    testing::Values(BadInput { "Missing", { "import", "@/not-there", "--out", "@/x" }, "no such file" },
        BadInput { "NoTimeline", { "import", "@/newer.json", "--out", "@/x" }, "traceEvents" },
        BadInput { "Broken", { "import", "@/broken.json", "--out", "@/x" }, "in the middle of" },
        BadInput { "Words", { "import", "@/magic.npy", "--out", "@/x" }, "no timeline that is known" },
        BadInput { "NoFile", { "import" }, "files" },
        BadInput { "Picture",
            { "import", FLASHSTEP_SOURCE_DIR "/tests/fixtures/recordings/own.json", "--picture", "@/x.bmp" }, ".svg" },
        BadInput { "Theme",
            { "import", FLASHSTEP_SOURCE_DIR "/tests/fixtures/recordings/own.json", "--picture", "@/x.svg", "--theme",
                "pink" },
            "pink" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Later, BadCommandLine,
    testing::Values(BadInput { "Fa4", { "run", "--algorithm", "fa4", "--gpu", "h100" }, "needs tcgen05" },
        BadInput { "Backward", { "run", "--pass", "backward" }, "not in this version" },
        BadInput { "Decode", { "run", "--pass", "decode" }, "not in this version" },
        BadInput { "E4m3", { "run", "--dtype", "e4m3" }, "no FP8 kernel" },
        BadInput { "Knob", { "run", "--what-if", "deterministic=on" }, "not in this version" },
        BadInput { "Chinese", { "narrate", "--lang", "zh" }, "not in this version" },
        BadInput {
            "MixFrames", { "run", "--algorithm", "standard", "--break", "rescale:mix-frames" }, "keeps no frames" }),
    nameOf);

TEST(CommandLine, NaNInTheDataIsAllowedAndSaid)
{
    const TemporaryDirectory directory;
    Tensor tensor(1, 1, 16, 16);
    ASSERT_TRUE(writeNpy(directory.path("k.npy"), tensor).ok());
    tensor.data[5] = std::numeric_limits<float>::quiet_NaN();
    ASSERT_TRUE(writeNpy(directory.path("q.npy"), tensor).ok());
    const CommandResult result = runCli({ "run", "--q", directory.path("q.npy"), "--k", directory.path("k.npy"), "--v",
        directory.path("k.npy"), "--tile", "16x16", "--json" });
    EXPECT_NE(result.error.find("q.npy holds 1 NaN"), std::string::npos) << result.error;
    EXPECT_NE(result.out.find("\"hazards\": 0"), std::string::npos);
}

TEST(CommandLine, FailedCheckStillWrites)
{
    const TemporaryDirectory directory;
    Words words { "run", "--break", "wait:K_visible", "--json", "--out-npy", directory.path("out") };
    const CommandResult result = runCli(with(words, small));
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.error, "");
    EXPECT_TRUE(std::filesystem::exists(directory.path("out/lse.npy")));
    EXPECT_EQ(runCli(with({ "run", "--break", "count:syncthreads=160" }, small)).status, 1);
    EXPECT_EQ(runCli(with({ "run" }, small)).status, 0);
}

TEST(CommandLine, HelpAndVersionAreEverywhere)
{
    EXPECT_EQ(runCli({ "--version" }).out.rfind("flashstep-cli ", 0), 0U);
    for (const char* command : { "list", "run", "compare", "check", "dump", "export", "batch", "sweep", "merge",
             "import", "narrate", "numerics", "validate", "bench", "completion" }) {
        const CommandResult result = runCli({ command, "--help" });
        EXPECT_EQ(result.status, 0) << command;
        EXPECT_NE(result.out.find("--"), std::string::npos) << command;
        EXPECT_EQ(result.error, "") << command;
    }
}

TEST(CommandLine, CompletionIsAScriptThatBashTakes)
{
    const TemporaryDirectory directory;
    const std::string text = runCli({ "completion", "bash" }).out;
    EXPECT_NE(
        text.find("validate) words=\"--help --published --baseline --what-if --json --quiet\""), std::string::npos)
        << text;
    EXPECT_NE(text.find("--algorithm) words=\"standard fa1 fa2 fa3 fa4\""), std::string::npos) << text;
    const std::string script = directory.write("completion.bash", text);
    const std::string check = "bash -c 'source " + script
        + "; COMP_WORDS=(flashstep-cli export --ta); COMP_CWORD=2; _flashstep_cli; test \"${COMPREPLY[*]}\" = --table'";
    EXPECT_EQ(std::system(check.c_str()), 0);
    directory.write("first.json", "{}"); // scenarios without an option before them
    const std::string files = "bash -c 'cd " + directory.path() + "; source " + script
        + "; COMP_WORDS=(flashstep-cli compare fi); COMP_CWORD=2; _flashstep_cli; test \"${COMPREPLY[*]}\" = "
          "first.json'";
    EXPECT_EQ(std::system(files.c_str()), 0);
    const std::string options = "bash -c 'source " + script
        + "; COMP_WORDS=(flashstep-cli compare --scen); COMP_CWORD=2; _flashstep_cli; "
          "test \"${COMPREPLY[*]}\" = --scenario'";
    EXPECT_EQ(std::system(options.c_str()), 0);
}

} // namespace
} // namespace flashstep::test
