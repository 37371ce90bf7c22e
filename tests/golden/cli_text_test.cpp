// SPDX-License-Identifier: Apache-2.0
// What people read on the command line, and the head of each exported file, for a scene small enough to review.
#include "tests/support/command.h"
#include "tests/support/golden.h"

#include <gtest/gtest.h>

namespace flashstep::test {
namespace {

using Words = std::vector<std::string>;

const Words scene { "--seqlen-q", "16", "--seqlen-k", "24", "--head-dim", "8", "--tile", "8x8", "--cost-tile",
    "128x128", "--mask", "causal" };

Words inScene(Words words)
{
    words.insert(words.end(), scene.begin(), scene.end());
    return words;
}

std::string textOf(const Words& words)
{
    const CommandResult result = runCli(words);
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(result.error, "");
    return result.out;
}

std::string firstLines(const std::string& text, int count)
{
    std::size_t end = 0;
    for (; count > 0 && end != std::string::npos; --count)
        end = text.find('\n', end == 0 ? 0 : end + 1);
    return text.substr(0, end == std::string::npos ? end : end + 1);
}

std::string exported(const std::string& format, const std::string& table)
{
    const TemporaryDirectory directory;
    textOf(inScene({ "export", "--format", format, "--table", table, "--out", directory.path("x") }));
    return bytesOfFile(directory.path("x"));
}

TEST(CliText, Run)
{
    expectGolden("cli_run.txt", textOf(inScene({ "run" })));
}
TEST(CliText, Check)
{
    expectGolden("cli_check.txt", textOf(inScene({ "check" })));
}
TEST(CliText, Waits)
{
    expectGolden("cli_list_waits.txt", textOf(inScene({ "list", "waits" })));
}
TEST(CliText, Ops)
{
    expectGolden("cli_list_ops.txt", textOf(inScene({ "list", "ops" })));
}
TEST(CliText, Constants)
{
    expectGolden("cli_list_constants.txt", textOf({ "list", "constants" }));
}
TEST(CliText, Numerics)
{
    const Words words { "numerics", "--heads", "2", "--seqlen-q", "16", "--seqlen", "64", "--head-dim", "16",
        "--points", "4096" };
    expectGolden("cli_numerics.txt", textOf(words));
    Words json = words;
    json.push_back("--json");
    expectGolden("cli_numerics.json", textOf(json));
}
TEST(CliText, Validate)
{
    const TemporaryDirectory directory;
    const std::string rest = ",https://example.org,\"clock fixed, 1830 MHz\",h100,";
    const std::string file = directory.write("small.csv",
        "paper,figure_or_table,gpu,algorithm,pass,dtype,head_dim,causal,seqlen,batch,heads,tflops_or_value,unit,source,"
        "note,preset_gpu,preset_algorithm,knobs,tier\n"
        "P,Fig 1,H100,FA2,fwd,fp16,64,1,512,4,8,90,TFLOPS"
            + rest
            + "fa2,,core\n"
              "P,Fig 1,H100,FA3,fwd,fp16,64,0,512,4,8,0.02,ms"
            + rest
            + "fa3,tile=192x128,core\n"
              "P,Fig 1,H100,FA3,fwd,fp16,64,0,512,4,8,500,TFLOPS"
            + rest
            + "fa3,,extra\n"
              "P,Fig 2,H100,FA3,bwd,fp16,64,0,512,4,8,200,TFLOPS"
            + rest
            + "fa3,,core\n"
              "P,Fig 2,RTX4090,FA2,fwd,fp16,64,0,512,4,8,100,TFLOPS,,,,,,\n");
    const Words words { "validate", "--published", file };
    expectGolden("cli_validate.txt", textOf(words));
    expectGolden("cli_validate.json", textOf({ "validate", "--published", file, "--json", "--baseline", "roofline" }));
}
TEST(CliText, State)
{
    expectGolden("cli_dump_state.txt",
        textOf(inScene({ "dump", "--what", "state", "--at", "block(i=1, n=2)", "--buffer", "l" })));
}
TEST(CliText, StateJson)
{
    expectGolden("cli_dump_state.json",
        textOf(inScene({ "dump", "--what", "state", "--at", "block(i=0, n=1)", "--buffer", "m", "--json" })));
}
TEST(CliText, Steps)
{
    expectGolden("cli_dump_steps.txt", textOf(inScene({ "dump", "--what", "steps", "--level", "inner-tile" })));
}
TEST(CliText, Narrate)
{
    expectGolden("cli_narrate.md", textOf(inScene({ "narrate", "--cta", "1" })));
}
TEST(CliText, NarrateEvents)
{
    expectGolden(
        "cli_narrate_events.md", firstLines(textOf(inScene({ "narrate", "--cta", "0", "--level", "event" })), 60));
}
TEST(CliText, NarrateFa4)
{
    expectGolden("cli_narrate_fa4.md",
        textOf({ "narrate", "--algorithm", "fa4", "--seqlen-q", "16", "--seqlen-k", "16", "--head-dim", "8", "--tile",
            "8x8", "--cost-tile", "128x128", "--init", "rising-left", "--level", "event" }));
}
TEST(CliText, NarrateFa4SecondOfAPair)
{
    expectGolden("cli_narrate_fa4_pair.md",
        textOf({ "narrate", "--algorithm", "fa4", "--cta", "1", "--seqlen-q", "64", "--seqlen-k", "32", "--head-dim",
            "128", "--tile", "16x16", "--cost-tile", "128x128" }));
}
TEST(CliText, Spans)
{
    expectGolden("cli_spans.csv", exported("csv", "spans"));
}
TEST(CliText, Ledger)
{
    expectGolden("cli_ledger.csv", exported("csv", "ledger"));
}
TEST(CliText, Events)
{
    expectGolden("cli_events_head.csv", firstLines(exported("csv", "events"), 40));
}
TEST(CliText, Chrome)
{
    const std::string text = exported("chrome", "events");
    expectGolden("cli_chrome_slices.json",
        firstLines(text.substr(text.find("{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":2")), 60));
}

TEST(CliText, SameBytesEachTime)
{
    EXPECT_EQ(exported("perfetto", "events"), exported("perfetto", "events"));
    EXPECT_EQ(exported("chrome", "events"), exported("chrome", "events"));
}

} // namespace
} // namespace flashstep::test
