// SPDX-License-Identifier: Apache-2.0
// The conformance suite itself: its reference arithmetic against this machine's, its verdicts, and its modules against
// the assembler.
#include "core/cuda/conform/conform.h"
#include "core/cuda/conform/exact.h"
#include "core/cuda/conform/probe.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

namespace {

using namespace flashstep::conform;

std::vector<std::vector<std::uint8_t>> expectedOf(const Case& test)
{
    std::vector<std::vector<std::uint8_t>> outputs;
    for (const Buffer& buffer : test.buffers)
        outputs.push_back(buffer.expected);
    return outputs;
}

Case caseNamed(const std::string& name)
{
    for (const Form& form : forms()) {
        if (form.name == name)
            return form.make();
    }
    ADD_FAILURE() << "no case " << name;
    return {};
}

float floatOf(std::uint64_t bits)
{
    const auto narrow = static_cast<std::uint32_t>(bits);
    float value = 0;
    std::memcpy(&value, &narrow, sizeof value);
    return value;
}

// Equal bits, or both NaN.
bool same(float value, std::uint64_t bits)
{
    const float other = floatOf(bits);
    return std::isnan(value) ? std::isnan(other) : std::memcmp(&value, &other, sizeof value) == 0;
}

TEST(ConformSuite, NamesAreUniqueAndEveryCaseNamesItsSection)
{
    std::set<std::string> names;
    for (const Form& form : forms()) {
        EXPECT_TRUE(names.insert(form.name).second) << form.name;
        EXPECT_FALSE(form.section.empty()) << form.name;
    }
    EXPECT_GT(names.size(), 1500U);
}

// "9.7.13" of "9.7.13.5", "10" of "10.1".
std::string chapterOf(const std::string& section)
{
    const std::size_t dots = section.compare(0, 3, "9.7") == 0 ? 3 : 1;
    std::size_t end = 0;
    for (std::size_t k = 0; k < dots && end != std::string::npos; ++k)
        end = section.find('.', end + (k > 0 ? 1 : 0));
    return section.substr(0, end);
}

TEST(ConformSuite, DocumentCountsItsForms)
{
    const std::string text = flashstep::test::bytesOfFile(std::string(FLASHSTEP_SOURCE_DIR) + "/docs/conformance.md");
    std::map<std::string, int> counts;
    for (const Form& form : forms())
        ++counts[chapterOf(form.section)];
    for (const auto& [chapter, count] : counts) {
        const std::size_t row = text.find("\n| " + chapter + " |");
        ASSERT_NE(row, std::string::npos) << chapter;
        const std::string line = text.substr(row + 1, text.find('\n', row + 1) - row - 1);
        const std::string ending = "| " + std::to_string(count) + " |";
        EXPECT_EQ(line.substr(line.size() - ending.size()), ending) << line;
    }
}

TEST(ConformSuite, ExpectedBytesPassTheirOwnVerdict)
{
    for (const Case& test : cases()) {
        bool open = false; // where a bound decides, there are no expected bytes
        for (const Buffer& buffer : test.buffers)
            open = open || !buffer.slack.empty();
        if (!open) {
            EXPECT_EQ(verdict(test, expectedOf(test)), "");
        }
    }
}

TEST(ConformSuite, VerdictNamesTheFirstElementThatDiffers)
{
    const Case test = caseNamed("add.s32");
    auto outputs = expectedOf(test);
    outputs[2][4 * 5] ^= 1;
    EXPECT_EQ(
        verdict(test, outputs), "add.s32: d[5] got 0x00000009, expected 0x00000008; a = 0x00000000; b = 0x00000008");
    outputs.pop_back();
    EXPECT_EQ(verdict(test, outputs), "add.s32: 2 buffers came back, expected 3");
}

TEST(ConformSuite, VerdictTakesAnyNanForANanAndNoNumberForOne)
{
    const Case test = caseNamed("add.f32");
    auto outputs = expectedOf(test);
    for (std::size_t i = 0; i < outputs[2].size(); i += 4) {
        if (outputs[2][i + 3] == 0x7F && outputs[2][i + 2] == 0xFF) { // 0x7FFFFFFF: another NaN, then an infinity
            outputs[2][i] = 0x12;
            EXPECT_EQ(verdict(test, outputs), "");
            outputs[2][i + 2] = 0x80, outputs[2][i + 1] = 0, outputs[2][i] = 0;
            EXPECT_NE(verdict(test, outputs), "");
            return;
        }
    }
    FAIL() << "no NaN among the expected values";
}

TEST(ConformSuite, ExactArithmeticRoundsAsThisProcessorDoes)
{
    const Values a = corners(Kind::F32), b = noise(Kind::F32, 64, 1);
    for (const std::uint64_t x : a) {
        for (const Values* others : { &a, &b }) {
            for (const std::uint64_t y : *others) {
                const Real p = read(singleFormat, x), q = read(singleFormat, y);
                const Round mode = Round::NearestEven;
                EXPECT_TRUE(same(floatOf(x) + floatOf(y), write(singleFormat, sum(p, q, mode), mode)));
                EXPECT_TRUE(same(floatOf(x) * floatOf(y), write(singleFormat, product(p, q), mode)));
                EXPECT_TRUE(same(floatOf(x) / floatOf(y), write(singleFormat, quotient(p, q), mode)));
                const Real z = read(singleFormat, b[(x + y) % b.size()]);
                EXPECT_TRUE(same(std::fma(floatOf(x), floatOf(y), floatOf(b[(x + y) % b.size()])),
                    write(singleFormat, sum(product(p, q), z, mode), mode)));
            }
        }
        EXPECT_TRUE(same(std::sqrt(floatOf(x)), write(singleFormat, root(read(singleFormat, x)), Round::NearestEven)));
    }
}

TEST(ConformSuite, DirectedRoundingStaysOnItsSide)
{
    const std::uint64_t third
        = write(singleFormat, quotient(fromInteger(false, 1), fromInteger(false, 3)), Round::Down);
    EXPECT_EQ(third, 0x3EAAAAAAU);
    EXPECT_EQ(write(singleFormat, quotient(fromInteger(false, 1), fromInteger(false, 3)), Round::Up), 0x3EAAAAABU);
    EXPECT_EQ(write(singleFormat, quotient(fromInteger(true, 1), fromInteger(false, 3)), Round::Down), 0xBEAAAAABU);
    EXPECT_EQ(write(singleFormat, quotient(fromInteger(true, 1), fromInteger(false, 3)), Round::Zero), 0xBEAAAAAAU);
    EXPECT_EQ(fromDouble(halfFormat, 65519.0), 0x7BFFU);
    EXPECT_EQ(fromDouble(halfFormat, 65520.0), 0x7C00U); // the tie goes to infinity
    EXPECT_EQ(fromDouble(halfFormat, 65536.0, Round::Zero), 0x7BFFU);
    EXPECT_EQ(fromDouble(halfFormat, std::ldexp(1.0, -25)), 0U);
    EXPECT_EQ(fromDouble(halfFormat, std::ldexp(1.0, -25), Round::Up), 1U);
    EXPECT_EQ(fromDouble(bfloatFormat, 1.00390625), 0x3F80U); // a tie, to the even neighbour
    EXPECT_EQ(fromDouble(bfloatFormat, 1.01171875), 0x3F82U);
}

// All modules of one target as one text: names that begin with "probe" are the case's own.
std::map<std::string, std::string> joined()
{
    std::map<std::string, std::string> texts;
    std::size_t number = 0;
    for (const Case& test : cases()) {
        std::string& all = texts[test.target];
        const std::size_t header = test.ptx.find(".address_size 64") + std::strlen(".address_size 64");
        if (all.empty())
            all = test.ptx.substr(0, header) + "\n";
        std::string rest = test.ptx.substr(header);
        const std::string name = "probe" + std::to_string(number++);
        for (std::size_t at = 0; (at = rest.find("probe", at)) != std::string::npos; at += name.size())
            rest.replace(at, 5, name);
        all += "// " + test.name + rest;
    }
    return texts;
}

TEST(ConformSuite, EveryModuleAssembles)
{
    const std::string assembler = FLASHSTEP_PTXAS;
    if (assembler.empty())
        GTEST_SKIP() << "no ptxas (CUDA toolkit) when this was configured";
    const flashstep::test::TemporaryDirectory folder;
    for (const auto& [target, text] : joined()) {
        const std::string file = folder.write(target + ".ptx", text);
        const pid_t child = flashstep::test::startProgramAt(assembler,
            { "-O0", "-arch=" + target, file, "-o", folder.path("cubin") }, folder.path("out"), folder.path("error"));
        EXPECT_EQ(flashstep::test::waitFor(child), 0)
            << flashstep::test::bytesOfFile(folder.path("error")).substr(0, 2000);
    }
}

} // namespace
