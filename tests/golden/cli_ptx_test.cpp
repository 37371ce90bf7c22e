// SPDX-License-Identifier: Apache-2.0
// `flashstep-cli ptx` on files: buffers and numbers in and out, what is reported, and the exit statuses.
#include "core/io/raw_npy.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace flashstep::test {
namespace {

using Words = std::vector<std::string>;
using nlohmann::json;

const std::string fixtures = FLASHSTEP_SOURCE_DIR "/tests/fixtures/ptx/";
const std::string smallPtx = fixtures + "small.ptx";

template <typename T> RawArray arrayOf(const std::string& descr, const std::vector<T>& values)
{
    RawArray array { descr, { values.size() }, std::vector<std::byte>(values.size() * sizeof(T)) };
    std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    return array;
}
template <typename T> std::vector<T> valuesOf(const std::string& path)
{
    const Result<RawArray> array = readRawNpy(path);
    if (!array.ok())
        return {};
    std::vector<T> values(array->bytes.size() / sizeof(T));
    std::memcpy(values.data(), array->bytes.data(), values.size() * sizeof(T));
    return values;
}

Words ptx(const std::string& file, const std::string& kernel, int block, const Words& more)
{
    Words words { "ptx", file, "--kernel", kernel, "--grid", "1", "--block", std::to_string(block) };
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

class PtxCommand : public testing::Test {
protected:
    void SetUp() override
    {
        std::vector<float> numbers(128);
        for (std::size_t k = 0; k < numbers.size(); ++k)
            numbers[k] = static_cast<float>(k);
        ASSERT_TRUE(writeRawNpy(directory.path("a.npy"), arrayOf("<f4", numbers)).ok());
    }
    [[nodiscard]] std::string at(const std::string& name) const { return directory.path(name); }
    [[nodiscard]] static json parsed(const CommandResult& result) { return json::parse(result.out, nullptr, false); }

    TemporaryDirectory directory;
};

TEST_F(PtxCommand, AddsVectorsAndTakesArgumentsAmongOptions)
{
    const CommandResult result
        = runCli({ "ptx", fixtures + "sum.ptx", "in:" + at("a.npy"), "--kernel", "vecadd", "in:" + at("a.npy"),
            "--grid", "4", "out:f32:10x10:" + at("c.npy"), "--block", "32", "i32:100", "--check", "--json" });
    ASSERT_EQ(result.status, 0) << result.error;
    const json report = parsed(result);
    EXPECT_EQ(report.at("hazards"), 0);
    EXPECT_EQ(report.at("hazard_list"), json::array());
    EXPECT_EQ(report.at("notes"), json::array());
    EXPECT_TRUE(report.at("deadlock").is_null());
    EXPECT_GT(report.at("cycles").get<int>(), 0);
    // 128 threads, of which 28 leave at the comparison; each executes some two dozen instructions.
    EXPECT_GT(report.at("instructions").get<int>(), 128 * 5);
    EXPECT_EQ(report.at("outputs").at(0).at("shape"), json::parse("[10, 10]"));
    const std::vector<float> sums = valuesOf<float>(at("c.npy"));
    ASSERT_EQ(sums.size(), 100U);
    for (std::size_t k = 0; k < sums.size(); ++k)
        EXPECT_EQ(sums[k], static_cast<float>(2 * k));
}

TEST_F(PtxCommand, WhatNobodyWritesStaysPoisoned)
{
    const CommandResult result = runCli(ptx(smallPtx, "put32", 1, { "out:u32:3:" + at("o.npy"), "u32:0xdeadbeef" }));
    ASSERT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(
        valuesOf<std::uint32_t>(at("o.npy")), (std::vector<std::uint32_t> { 0xdeadbeef, 0xcbcbcbcb, 0xcbcbcbcb }));
}

TEST_F(PtxCommand, EveryTypeGoesInAndComesOutAsStored)
{
    struct Kind {
        const char* type;
        const char* descr;
        std::size_t bytes;
    };
    for (const Kind& kind :
        { Kind { "f32", "<f4", 4 }, Kind { "f16", "<f2", 2 }, Kind { "bf16", "<u2", 2 }, Kind { "f64", "<f8", 8 },
            Kind { "e4m3", "|u1", 1 }, Kind { "u8", "|u1", 1 }, Kind { "u16", "<u2", 2 }, Kind { "i16", "<i2", 2 },
            Kind { "i32", "<i4", 4 }, Kind { "u32", "<u4", 4 }, Kind { "i64", "<i8", 8 }, Kind { "u64", "<u8", 8 } }) {
        const CommandResult out
            = runCli(ptx(smallPtx, "nothing", 1, { "out:" + std::string(kind.type) + ":2x3:" + at("o.npy") }));
        ASSERT_EQ(out.status, 0) << out.error;
        Result<RawArray> written = readRawNpy(at("o.npy"));
        ASSERT_TRUE(written.ok()) << kind.type;
        EXPECT_EQ(written->descr, kind.descr) << kind.type;
        EXPECT_EQ(written->shape, (std::vector<std::uint64_t> { 2, 3 })) << kind.type;
        EXPECT_EQ(written->bytes, std::vector<std::byte>(6 * kind.bytes, std::byte { 0xcb })) << kind.type;
        for (std::size_t k = 0; k < written->bytes.size(); ++k)
            written->bytes[k] = static_cast<std::byte>(37 * k);
        ASSERT_TRUE(writeRawNpy(at("i.npy"), *written).ok());
        const CommandResult through
            = runCli(ptx(smallPtx, "nothing", 1, { "inout:" + at("i.npy") + ":" + at("t.npy") }));
        ASSERT_EQ(through.status, 0) << through.error;
        EXPECT_EQ(bytesOfFile(at("i.npy")), bytesOfFile(at("t.npy"))) << kind.type;
    }
}

TEST_F(PtxCommand, NumbersAreTakenAsTheirTypeHasThem)
{
    struct Number {
        const char* text;
        std::uint32_t bits;
    };
    for (const Number& number : { Number { "i32:-5", 0xfffffffb }, Number { "i32:0xffffffff", 0xffffffff },
             Number { "u32:4294967295", 0xffffffff }, Number { "i32:-0x80000000", 0x80000000 },
             Number { "f32:0.1", 0x3dcccccd }, Number { "f32:-inf", 0xff800000 }, Number { "f32:inf", 0x7f800000 },
             Number { "f32:nan", 0x7fffffff }, Number { "f32:1e-45", 1 } }) {
        const CommandResult result = runCli(ptx(smallPtx, "put32", 1, { "out:u32:1:" + at("o.npy"), number.text }));
        ASSERT_EQ(result.status, 0) << result.error;
        EXPECT_EQ(valuesOf<std::uint32_t>(at("o.npy")), std::vector<std::uint32_t> { number.bits }) << number.text;
    }
    ASSERT_EQ(runCli(ptx(smallPtx, "put64", 1, { "out:f64:1:" + at("o.npy"), "f64:-2.5" })).status, 0);
    EXPECT_EQ(valuesOf<double>(at("o.npy")), std::vector<double> { -2.5 });
    ASSERT_EQ(runCli(ptx(smallPtx, "put64", 1, { "out:i64:1:" + at("o.npy"), "i64:-9223372036854775808" })).status, 0);
    EXPECT_EQ(
        valuesOf<std::int64_t>(at("o.npy")), std::vector<std::int64_t> { std::numeric_limits<std::int64_t>::min() });
}

TEST_F(PtxCommand, ARaceIsFoundNamedAndFailsACheckAlone)
{
    const Words words
        = ptx(fixtures + "sum_race.ptx", "sum64", 64, { "in:" + at("a.npy"), "out:f32:1:" + at("o.npy") });
    Words checked = words;
    checked.insert(checked.end(), { "--check", "--json" });
    const CommandResult result = runCli(checked);
    EXPECT_EQ(result.status, 1) << result.error;
    const json report = parsed(result);
    ASSERT_GT(report.at("hazards").get<int>(), 0);
    EXPECT_EQ(report.at("hazards"), report.at("hazard_list").size());
    const json first = report.at("hazard_list").at(0);
    EXPECT_EQ(first.at("kind"), "race");
    EXPECT_EQ(first.at("class"), "l");
    EXPECT_EQ(first.at("cuda_line"), 19); // part[threadIdx.x] += …
    EXPECT_EQ(first.at("cuda_file"), "tests/fixtures/ptx/sum.cu");
    EXPECT_EQ(first.at("cta"), 0);
    EXPECT_GE(first.at("lane").get<int>(), 0);
    EXPECT_LT(first.at("lane").get<int>(), 32);
    EXPECT_EQ(first.at("other").at("cuda_line"), 19);
    EXPECT_NE(first.at("other").at("ptx_line"), first.at("ptx_line"));
    EXPECT_GT(first.at("address").get<std::uint64_t>(), 0U);
    EXPECT_TRUE(std::filesystem::exists(at("o.npy"))) << "outputs are written on a hazard too";
    // The line is the one that the file has there.
    const std::string text = bytesOfFile(fixtures + "sum_race.ptx");
    std::size_t begin = 0;
    for (int line = first.at("ptx_line").get<int>(); line > 1; --line)
        begin = text.find('\n', begin) + 1;
    EXPECT_NE(text.substr(begin, text.find('\n', begin) - begin).find(".shared"), std::string::npos);

    const CommandResult unchecked = runCli(words);
    EXPECT_EQ(unchecked.status, 0) << "without --check a hazard is reported, no more";
    EXPECT_NE(unchecked.out.find("tests/fixtures/ptx/sum.cu:19, PTX line"), std::string::npos) << unchecked.out;
}

TEST_F(PtxCommand, TheSameKernelWithItsBarrierIsCleanInEveryOrder)
{
    for (int seed = 0; seed < 20; ++seed) {
        const CommandResult result = runCli(ptx(fixtures + "sum.ptx", "sum64", 64,
            { "in:" + at("a.npy"), "out:f32:1:" + at("o.npy"), "--check", "--order-seed", std::to_string(seed) }));
        EXPECT_EQ(result.status, 0) << result.out;
        EXPECT_EQ(valuesOf<float>(at("o.npy")), std::vector<float> { 2016 });
    }
}

TEST_F(PtxCommand, ADeadlockSaysWhoWaitsForWhat)
{
    const CommandResult result = runCli(ptx(smallPtx, "stuck", 32, { "--json" }));
    EXPECT_EQ(result.status, 1);
    const json deadlock = parsed(result).at("deadlock");
    ASSERT_EQ(deadlock.size(), 1U);
    EXPECT_EQ(deadlock[0].at("cta"), 0);
    EXPECT_EQ(deadlock[0].at("warp"), 0);
    EXPECT_EQ(deadlock[0].at("cuda_line"), 21);
    EXPECT_GT(deadlock[0].at("ptx_line").get<int>(), 0);
    EXPECT_NE(deadlock[0].at("waiting_for").get<std::string>().find("barrier 1"), std::string::npos) << deadlock;
    EXPECT_NE(runCli(ptx(smallPtx, "stuck", 32, {})).out.find("small.cu:21"), std::string::npos);
}

TEST_F(PtxCommand, TheLimitEndsARunWithoutAnEnd)
{
    const CommandResult result = runCli(ptx(smallPtx, "forever", 32, { "--max-instructions", "10000", "--json" }));
    EXPECT_EQ(result.status, 1);
    const json report = parsed(result);
    ASSERT_EQ(report.at("hazards"), 1);
    EXPECT_EQ(report.at("hazard_list").at(0).at("kind"), "limit");
    EXPECT_TRUE(report.at("hazard_list").at(0).at("class").is_null());
    EXPECT_TRUE(report.at("hazard_list").at(0).at("other").is_null());
    EXPECT_LT(report.at("instructions").get<int>(), 10100);
}

TEST_F(PtxCommand, ATrapEndsARun)
{
    const CommandResult result = runCli(ptx(smallPtx, "stops", 32, { "--json" }));
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(parsed(result).at("hazard_list").at(0).at("kind"), "trap");
    EXPECT_EQ(parsed(result).at("hazard_list").at(0).at("cuda_line"), 31);
}

TEST_F(PtxCommand, AddressesThatGoAstrayAreToldByKind)
{
    const CommandResult result
        = runCli(ptx(smallPtx, "astray", 1, { "out:u32:1:" + at("o.npy"), "--json", "--check" }));
    EXPECT_EQ(result.status, 1);
    const json list = parsed(result).at("hazard_list");
    ASSERT_EQ(list.size(), 3U) << list.dump(1);
    const std::pair<const char*, const char*> expected[]
        = { { "uninitialised-read", "m" }, { "out-of-range", "n" }, { "misaligned", "n" } };
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(list[k].at("kind"), expected[k].first);
        EXPECT_EQ(list[k].at("class"), expected[k].second);
        EXPECT_EQ(list[k].at("cuda_line"), 41 + static_cast<int>(k));
        EXPECT_EQ(list[k].at("lane"), 0);
    }
}

TEST_F(PtxCommand, UncheckedLooksForNoRacesAndSaysSo)
{
    const Words words = ptx(smallPtx, "race", 32, { "out:u32:1:" + at("o.npy"), "--json" });
    EXPECT_EQ(parsed(runCli(words)).at("hazards"), 1);
    Words unchecked = words;
    unchecked.push_back("--unchecked");
    const json report = parsed(runCli(unchecked));
    EXPECT_EQ(report.at("hazards"), 0);
    EXPECT_EQ(report.at("checked"), false);
    unchecked.erase(std::find(unchecked.begin(), unchecked.end(), "--json"));
    EXPECT_NE(runCli(unchecked).out.find("not looked for"), std::string::npos);
}

TEST_F(PtxCommand, ReadsBackTheTimelineItWrites)
{
    const CommandResult result = runCli(ptx(fixtures + "sum.ptx", "sum64", 64,
        { "in:" + at("a.npy"), "out:f32:1:" + at("o.npy"), "--trace", at("t.json") }));
    ASSERT_EQ(result.status, 0) << result.error;
    const json trace = json::parse(bytesOfFile(at("t.json")), nullptr, false);
    EXPECT_EQ(trace.at("metadata").at("time"), "modelled");
    EXPECT_EQ(trace.at("metadata").at("emulated"), true);
    std::int64_t instructions = 0;
    std::int64_t end[2] = { 0, 0 };
    for (const json& event : trace.at("traceEvents")) {
        if (event.at("ph") != "X")
            continue;
        const json& arguments = event.at("args");
        instructions += arguments.at("instructions").get<std::int64_t>();
        std::int64_t& last = end[arguments.at("warp").get<std::size_t>()];
        EXPECT_GE(arguments.at("begin").get<std::int64_t>(), last) << "slices of a warp follow each other";
        last = arguments.at("end").get<std::int64_t>();
        EXPECT_GE(arguments.at("done").get<std::int64_t>() + 1, last);
    }
    const json report = parsed(
        runCli(ptx(fixtures + "sum.ptx", "sum64", 64, { "in:" + at("a.npy"), "out:f32:1:" + at("o.npy"), "--json" })));
    EXPECT_EQ(instructions, report.at("instructions").get<std::int64_t>()) << "every instruction is in a slice";
    const CommandResult import = runCli({ "import", at("t.json") });
    EXPECT_EQ(import.status, 0) << import.error;
    EXPECT_NE(import.out.find("modelled, not measured"), std::string::npos) << import.out;
}

TEST_F(PtxCommand, SaysAndWritesTheSameTwice)
{
    for (const char* seed : { "0", "7" }) {
        Words words = ptx(fixtures + "sum_race.ptx", "sum64", 64,
            { "in:" + at("a.npy"), "out:f32:1:" + at("o.npy"), "--json", "--order-seed", seed, "--trace",
                at("t.json") });
        const CommandResult first = runCli(words);
        const std::string output = bytesOfFile(at("o.npy"));
        const std::string trace = bytesOfFile(at("t.json"));
        const CommandResult second = runCli(words);
        EXPECT_EQ(first.out, second.out);
        EXPECT_EQ(output, bytesOfFile(at("o.npy")));
        EXPECT_EQ(trace, bytesOfFile(at("t.json")));
    }
}

TEST_F(PtxCommand, FindsAKernelByItsNameInCuda)
{
    directory.write("m.ptx",
        ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry _Z4demoi(.param .u32 n)\n{\nret;\n}\n");
    const CommandResult result = runCli(ptx(at("m.ptx"), "demo", 1, { "i32:1", "--json" }));
    ASSERT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(parsed(result).at("kernel"), "_Z4demoi");
}

TEST_F(PtxCommand, ChoosesAGpuThatRunsTheTarget)
{
    directory.write("h.ptx", ".version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry k()\n{\nret;\n}\n");
    EXPECT_EQ(parsed(runCli(ptx(at("h.ptx"), "k", 1, { "--json" }))).at("gpu"), "h100");
    EXPECT_EQ(parsed(runCli(ptx(at("h.ptx"), "k", 1, { "--json", "--gpu", "h200" }))).at("gpu"), "h200");
    EXPECT_EQ(runCli(ptx(at("h.ptx"), "k", 1, { "--gpu", "b200" })).status, 2) << "sm_90a is Hopper's alone";
    EXPECT_EQ(parsed(runCli(ptx(smallPtx, "stops", 1, { "--json", "--gpu", "b200" }))).at("gpu"), "b200");
}

} // namespace
} // namespace flashstep::test
