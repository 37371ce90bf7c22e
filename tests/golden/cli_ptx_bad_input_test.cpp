// SPDX-License-Identifier: Apache-2.0
// What `flashstep-cli ptx` does with what it cannot take: status 2, one clear line, nothing written.
#include "core/io/raw_npy.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep::test {
namespace {

using Words = std::vector<std::string>;

struct BadPtx {
    const char* name;
    Words arguments; // "@" stands for the test's directory
    const char* says;
};
void PrintTo(const BadPtx& input, std::ostream* out)
{
    *out << input.name;
}

const std::string smallPtx = FLASHSTEP_SOURCE_DIR "/tests/fixtures/ptx/small.ptx";

class BadPtxCommand : public testing::TestWithParam<BadPtx> {
protected:
    void SetUp() override
    {
        const RawArray array { "<f4", { 4 }, std::vector<std::byte>(16) };
        ASSERT_TRUE(writeRawNpy(directory.path("a.npy"), array).ok());
        const std::string bytes = bytesOfFile(directory.path("a.npy"));
        directory.write("short.npy", bytes.substr(0, bytes.size() - 1));
        directory.write("long.npy", bytes + "x");
        directory.write("not.npy", "no array");
        std::string big = bytes;
        big.replace(big.find("<f4"), 3, ">f4");
        directory.write("big.npy", big);
        directory.write(
            "broken.ptx", ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n\tadd.s32 %r1;\n}\n");
        directory.write("none.ptx", ".version 8.0\n.target sm_80\n.address_size 64\n");
        directory.write("new.ptx", ".version 8.0\n.target sm_190\n.address_size 64\n.visible .entry k()\n{\nret;\n}\n");
    }

    TemporaryDirectory directory;
};

TEST_P(BadPtxCommand, IsRefusedInOneLine)
{
    Words words = GetParam().arguments;
    for (std::string& word : words)
        for (std::size_t at = word.find('@'); at != std::string::npos; at = word.find('@', at + 1))
            word.replace(at, 1, directory.path());
    const std::size_t before = directory.files();
    const CommandResult result = runCli(words);
    EXPECT_EQ(result.status, 2) << result.error << result.out;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.error.find(GetParam().says), std::string::npos) << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_EQ(directory.files(), before) << "something was left behind";
}

std::string nameOf(const testing::TestParamInfo<BadPtx>& input)
{
    return input.param.name;
}

Words on(const std::string& kernel, const Words& more)
{
    Words words { "ptx", smallPtx, "--kernel", kernel, "--grid", "1", "--block", "32" };
    words.insert(words.end(), more.begin(), more.end());
    return words;
}
Words file(const std::string& name, const std::string& kernel = "k")
{
    return { "ptx", name, "--kernel", kernel, "--grid", "1", "--block", "32" };
}

INSTANTIATE_TEST_SUITE_P(Usage, BadPtxCommand,
    testing::Values(BadPtx { "Nothing", { "ptx" }, "no PTX file" },
        BadPtx { "NoKernel", { "ptx", smallPtx, "--grid", "1", "--block", "1" }, "--kernel is required" },
        BadPtx { "NoGrid", { "ptx", smallPtx, "--kernel", "stuck", "--block", "1" }, "--grid is required" },
        BadPtx { "NoBlock", { "ptx", smallPtx, "--kernel", "stuck", "--grid", "1" }, "--block is required" },
        BadPtx { "Grid", { "ptx", smallPtx, "--kernel", "stuck", "--grid", "1,0", "--block", "1" },
            "--grid: cannot be '1,0'" },
        BadPtx {
            "GridOfFour", { "ptx", smallPtx, "--kernel", "stuck", "--grid", "1,1,1,1", "--block", "1" }, "--grid" },
        BadPtx { "Block", { "ptx", smallPtx, "--kernel", "stuck", "--grid", "1", "--block", "x" }, "--block" },
        BadPtx {
            "LargeBlock", { "ptx", smallPtx, "--kernel", "stuck", "--grid", "1", "--block", "1025" }, "at most 1024" },
        BadPtx { "LargeGrid",
            { "ptx", smallPtx, "--kernel", "stuck", "--grid", "4000000000,4000000000", "--block", "1" }, "more CTAs" },
        BadPtx { "Bounds", { "ptx", smallPtx, "--kernel", "bounded", "--grid", "1", "--block", "64" },
            "launch bounds allow 32" },
        BadPtx { "Shared", on("stuck", { "--shared", "1000000" }), "bytes of shared memory" },
        BadPtx { "SharedWord", on("stuck", { "--shared", "-4" }), "--shared" },
        BadPtx { "Cluster", on("stuck", { "--cluster", "2" }), "not in this version: clusters" },
        BadPtx { "Seed", on("stuck", { "--order-seed", "x" }), "--order-seed" },
        BadPtx { "Limit", on("stuck", { "--max-instructions", "0" }), "--max-instructions" },
        BadPtx { "Unchecked", on("stuck", { "--check", "--unchecked" }), "--unchecked" },
        BadPtx { "Option", on("stuck", { "--seqlen-q", "64" }), "--seqlen-q: it is for --shipped" },
        BadPtx { "OutNpy", on("stuck", { "--out-npy", "@/d" }), "--out-npy: it is for --shipped" },
        BadPtx { "Gpu", on("stuck", { "--gpu", "v100" }), "unknown GPU v100" },
        BadPtx { "Trace", on("stuck", { "--trace", "@/none/t.json" }), "no such directory" },
        BadPtx { "TraceOnPtx", on("nothing", { "in:@/a.npy", "--trace", "@/a.npy" }), "it is read for this" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Files, BadPtxCommand,
    testing::Values(BadPtx { "NoFile", file("@/no.ptx"), "no such file" },
        BadPtx { "Broken", file("@/broken.ptx"), "broken.ptx:6" },
        BadPtx { "NoEntry", file("@/none.ptx"), "no .entry" },
        BadPtx { "OtherKernel", file(smallPtx, "nobody"), "put32" },
        BadPtx { "Target", file("@/new.ptx"), "no GPU of the list runs sm_190" },
        BadPtx { "Uncovered", on("uncovered", {}), "wgmma.fence.sync.aligned" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Arguments, BadPtxCommand,
    testing::Values(BadPtx { "TooFew", on("put32", { "in:@/a.npy" }), "1 argument given for 2 parameters" },
        BadPtx { "TooMany", on("nothing", { "in:@/a.npy", "i32:1" }), "2 arguments given for 1 parameters" },
        BadPtx { "Word", on("nothing", { "a.npy" }), "not an argument of a kernel" },
        BadPtx { "Prefix", on("nothing", { "file:@/a.npy" }), "there is no 'file:'" },
        BadPtx { "TensorMap", on("nothing", { "tmap:@/a.npy:1" }), "not in this version: tensor maps" },
        BadPtx { "MapParameter", on("mapped", { "in:@/a.npy" }), "tensor maps come with the Hopper kernels" },
        BadPtx { "StructParameter", on("packed", { "in:@/a.npy" }), "structs passed by value" },
        BadPtx { "BufferForNumber", on("put32", { "in:@/a.npy", "in:@/a.npy" }), "is a buffer, and it takes .u32" },
        BadPtx { "NumberForPointer", on("put64", { "f64:1", "f64:1" }), "it takes an address" },
        BadPtx { "Size", on("put32", { "in:@/a.npy", "u8:1" }), "has 1 bytes, and it takes .u32" },
        BadPtx { "NumberRange", on("put32", { "in:@/a.npy", "i32:2147483648" }), "'2147483648' is no i32" },
        BadPtx { "NumberNegative", on("put32", { "in:@/a.npy", "u32:-1" }), "'-1' is no u32" },
        BadPtx { "NumberWord", on("put32", { "in:@/a.npy", "f32:one" }), "'one' is no f32" },
        BadPtx { "NumberLarge", on("put32", { "in:@/a.npy", "f32:1e39" }), "'1e39' is no f32" },
        BadPtx { "NumberEmpty", on("put32", { "in:@/a.npy", "i32:" }), "'' is no i32" },
        BadPtx { "OutType", on("nothing", { "out:f8:4:@/o.npy" }), "there is no type 'f8'" },
        BadPtx { "OutShape", on("nothing", { "out:f32:4x:@/o.npy" }), "the shape is '4x'" },
        BadPtx { "OutNoFile", on("nothing", { "out:f32:4" }), "out:f32:16x8:F.npy" },
        BadPtx { "OutHuge", on("nothing", { "out:f64:100000000x100000000:@/o.npy" }), "2^48" },
        BadPtx { "OutFolder", on("nothing", { "out:f32:4:@" }), "it is a directory" },
        BadPtx { "OutNowhere", on("nothing", { "out:f32:4:@/none/o.npy" }), "no such directory" },
        BadPtx { "InNoFile", on("nothing", { "in:" }), "it names no file" },
        BadPtx { "InMissing", on("nothing", { "in:@/none.npy" }), "no such file" },
        BadPtx { "InShort", on("nothing", { "in:@/short.npy" }), "cut short" },
        BadPtx { "InLong", on("nothing", { "in:@/long.npy" }), "1 bytes behind its data" },
        BadPtx { "InNoArray", on("nothing", { "in:@/not.npy" }), "not a .npy file" },
        BadPtx { "InBigEndian", on("nothing", { "in:@/big.npy" }), "'>f4'" },
        BadPtx { "InOutOneFile", on("nothing", { "inout:@/a.npy" }), "inout:F.npy:OUT.npy" },
        BadPtx { "InOutOntoItself", on("nothing", { "inout:@/a.npy:@/a.npy" }), "it is read for this" }),
    nameOf);

INSTANTIATE_TEST_SUITE_P(Shipped, BadPtxCommand,
    testing::Values(BadPtx { "Name", { "ptx", "--shipped", "fa9" }, "fa2_forward_d64" },
        BadPtx { "Grid", { "ptx", "--shipped", "fa2_forward_d64", "--grid", "1" }, "its own launch" },
        BadPtx { "Argument", { "ptx", "--shipped", "fa2_forward_d64", "i32:1" }, "its own arguments" },
        BadPtx { "HeadDim", { "ptx", "--shipped", "fa2_forward_d64", "--head-dim", "128" }, "made for 64" },
        BadPtx { "Dtype", { "ptx", "--shipped", "fa2_forward_d64", "--dtype", "fp16" }, "made for bf16" },
        BadPtx { "Algorithm", { "ptx", "--shipped", "fa2_forward_d64", "--algorithm", "fa1" }, "made for fa2" },
        BadPtx { "Tile", { "ptx", "--shipped", "fa2_forward_d64", "--tile", "16x16" }, "made for 64x64" },
        BadPtx { "Stages", { "ptx", "--shipped", "fa2_forward_d64", "--stages", "2" }, "--stages" },
        BadPtx { "Break", { "ptx", "--shipped", "fa2_forward_d64", "--break", "wait:K_visible" }, "--break" },
        BadPtx { "Record", { "ptx", "--shipped", "fa2_forward_d64", "--record", "none" }, "--record" },
        BadPtx {
            "Knob", { "ptx", "--shipped", "fa2_forward_d64", "--what-if", "exp2-degree=3" }, "knob of a schedule" },
        BadPtx { "Window", { "ptx", "--shipped", "fa2_forward_d64", "--mask", "window:4,4" }, "no window mask" },
        BadPtx { "Gpu", { "ptx", "--shipped", "fa2_forward_d64", "--gpu", "v100" }, "unknown GPU v100" },
        BadPtx { "Huge", { "ptx", "--shipped", "fa2_forward_d64", "--seqlen-q", "16000000", "--heads", "60000" },
            "of memory" }),
    nameOf);

} // namespace
} // namespace flashstep::test
