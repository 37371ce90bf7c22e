// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>

// What nvcc 13 wrote for tests/fixtures/ptx/front.cu, by its older and by its newer front end.
namespace {

using namespace flashstep::ptx;

std::string fixture(const std::string& name)
{
    std::ifstream in(FLASHSTEP_SOURCE_DIR "/tests/fixtures/ptx/" + name, std::ios::binary);
    return { std::istreambuf_iterator<char>(in), {} };
}

constexpr const char* first = "_Z5first7ProblemPKfbc";
constexpr const char* second = "_Z6second7ProblemP6float2";
constexpr const char* third = "_Z5thirdPKiPi";
constexpr const char* scaled = "_Z6scaled6float27Problem";

class PtxParserNvcc : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override
    {
        m_module = parsed(fixture(std::string("front_") + GetParam() + ".ptx"));
        ASSERT_EQ(m_module.functions.size(), 4U);
    }
    [[nodiscard]] bool older() const { return GetParam() == std::string_view("sm_80"); }
    [[nodiscard]] const Function& function(const char* name) const
    {
        static const Function nothing;
        const Function* found = m_module.find(name);
        EXPECT_NE(found, nullptr) << name;
        return found != nullptr ? *found : nothing;
    }
    [[nodiscard]] std::vector<std::string> texts(const char* name, std::string_view opcode) const
    {
        std::vector<std::string> texts;
        for (const Statement& statement : function(name).statements)
            if (statement.opcode == opcode)
                texts.push_back(textOf(m_module, function(name), statement));
        return texts;
    }

    Module m_module;
};

TEST_P(PtxParserNvcc, HeaderAndVariables)
{
    EXPECT_EQ(m_module.target, GetParam());
    EXPECT_EQ(m_module.version, "9.0");
    EXPECT_EQ(m_module.compiler, older() ? "NVVM 7.0.1" : "NVVM 20.0.0");
    EXPECT_EQ(m_module.toolkit, "Cuda compilation tools, release 13.0, V13.0.88");
    EXPECT_EQ(m_module.files.at(1), "tests/fixtures/ptx/front.cu");
    std::map<std::string, std::uint64_t> sizes;
    for (const Variable& variable : m_module.variables)
        sizes[variable.name] = variable.bytes;
    EXPECT_EQ(sizes,
        (std::map<std::string, std::uint64_t> {
            { "table", 16 }, { "counter", 4 }, { "pointers", 24 }, { "tile", 0 } }));
}

TEST_P(PtxParserNvcc, EveryInstructionOfTheTextIsThere)
{
    // Each line with a semicolon outside of declarations ends one; inline assembly has several on a line.
    std::size_t expected = 0, found = 0;
    for (std::string line : m_module.text) {
        line.resize(std::min(line.find("//"), line.size()));
        if (line.starts_with('.')) // module level
            continue;
        for (std::size_t from = 0, end = line.find(';'); end != std::string::npos;
             from = end + 1, end = line.find(';', from)) {
            const std::string piece = line.substr(from, end - from);
            const std::size_t begin = piece.find_first_not_of(" \t{");
            expected += begin != std::string::npos && piece[begin] != '.' ? 1 : 0;
        }
    }
    for (const Function& one : m_module.functions)
        found += one.statements.size();
    EXPECT_EQ(found, expected);
    EXPECT_GT(found, 150U);
}

TEST_P(PtxParserNvcc, ParametersAndBounds)
{
    const Function& kernel = function(first);
    EXPECT_TRUE(kernel.entry);
    ASSERT_EQ(kernel.parameters.size(), 4U);
    EXPECT_EQ(kernel.parameters[0].bytes, 48U);
    EXPECT_EQ(kernel.parameters[1].offset, 48U);
    EXPECT_EQ(kernel.parameters[1].pointer, !older());
    EXPECT_EQ(kernel.parameters[3].offset, 57U);
    EXPECT_EQ(kernel.maxThreads[0], 128U);
    EXPECT_EQ(kernel.maxThreads[2], 1U);
    EXPECT_EQ(kernel.minCtasPerSm, 2U);
    EXPECT_EQ(function(scaled).results.at(0).bytes, 8U);
}

TEST_P(PtxParserNvcc, InlineAssemblyKeepsItsBlocks)
{
    const Function& kernel = function(first);
    std::vector<std::size_t> waits;
    for (std::size_t k = 0; k < kernel.statements.size(); ++k)
        if (textOf(m_module, kernel, kernel.statements[k]).starts_with("setp.eq.u32 done"))
            waits.push_back(k);
    ASSERT_EQ(waits.size(), 2U);
    for (const std::size_t k : waits) {
        EXPECT_EQ(textOf(m_module, kernel, kernel.statements.at(k + 1)), "@done bra ->" + std::to_string(k + 3));
        EXPECT_EQ(textOf(m_module, kernel, kernel.statements.at(k + 2)), "bra ->" + std::to_string(k));
    }
    EXPECT_EQ(texts(first, "cp").size(), 1U);
    EXPECT_TRUE(texts(first, "cp")[0].ends_with(", 16"));
    ASSERT_EQ(texts(first, "mma").size(), 1U);
    EXPECT_EQ(kernel.statements.back().text(), "ret");
}

TEST_P(PtxParserNvcc, ShufflesHaveTheirSecondResult)
{
    const Function& kernel = function(first);
    std::size_t shuffles = 0;
    for (const Statement& statement : kernel.statements)
        if (statement.opcode == "shfl") {
            ++shuffles;
            ASSERT_EQ(statement.operands.size(), 5U);
            ASSERT_LT(statement.operands[0].pair, kernel.registers.size());
            EXPECT_EQ(kernel.registers[statement.operands[0].pair].type, Type::Pred);
            EXPECT_EQ(statement.operands[4].kind, older() ? Operand::Kind::Register : Operand::Kind::Integer);
        }
    EXPECT_EQ(shuffles, 5U);
}

TEST_P(PtxParserNvcc, CallsPassStructures)
{
    EXPECT_EQ(texts(second, "call"),
        (std::vector<std::string> { std::string("call.uni {retval0}, ") + scaled + ", {param0, param1}" }));
    const Function& kernel = function(second);
    ASSERT_EQ(kernel.variables.size(), 3U);
    EXPECT_EQ(kernel.variables[1].bytes, 48U);
}

TEST_P(PtxParserNvcc, ArraysIndexedByDataAreLocal)
{
    ASSERT_EQ(function(third).variables.size(), 1U);
    EXPECT_EQ(function(third).variables[0].space, Space::Local);
    EXPECT_EQ(function(third).variables[0].bytes, 32U);
}

TEST_P(PtxParserNvcc, EveryPlaceIsALineOfTheSource)
{
    const std::string source = fixture("front.cu");
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(source, '\n'));
    std::size_t inlined = 0;
    for (const Location& location : m_module.locations) {
        ASSERT_NE(location.file, none);
        if (location.file == 1) {
            EXPECT_LE(location.line, lines);
        }
        if (m_module.inlined(location) == "_Z4waitjj") {
            ++inlined;
            ASSERT_NE(location.inlinedAt, none);
            EXPECT_EQ(m_module.locations.at(location.inlinedAt).file, 1U);
        }
    }
    EXPECT_EQ(inlined, 2U); // both calls of wait()
}

// Ten times the 200 ms that an optimised build has to keep to; a debug build under a sanitizer must fit too. What this
// finds is work that grows with the square of the text.
TEST(PtxParserSpeed, AMegabyteIsReadInTime)
{
    const std::string text = fixture("front_sm_80.ptx");
    const std::size_t begin = text.find(".visible .entry _Z5first"), end = text.find("\n}\n", begin) + 3;
    ASSERT_LT(end, text.size());
    std::string large = text.substr(0, begin);
    for (int k = 0; large.size() < (1U << 20U); ++k) {
        std::string kernel = text.substr(begin, end - begin);
        kernel.replace(kernel.find("_Z5first"), 8, "k" + std::to_string(k));
        large += kernel;
    }
    large += text.substr(end);
    const auto start = std::chrono::steady_clock::now();
    const Module module = parsed(large);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_GT(module.functions.size(), 100U);
    EXPECT_LT(took.count(), 2.0);
}

INSTANTIATE_TEST_SUITE_P(FrontEnds, PtxParserNvcc, testing::Values("sm_80", "sm_100a"),
    [](const auto& frontEnd) { return std::string(frontEnd.param); });

} // namespace
