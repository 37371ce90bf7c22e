// SPDX-License-Identifier: Apache-2.0
// The table in docs/kernel-instructions.md is the program's own; FLASHSTEP_REFRESH_GOLDENS=1 writes it anew. Every
// kernel that is shipped consists of what stands in it.
#include "core/ptx/code.h"
#include "core/ptx/parser.h"
#include "resources/embedded/resources.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

namespace flashstep::test {
namespace {

const std::string page = FLASHSTEP_SOURCE_DIR "/docs/kernel-instructions.md";
const std::string begin = "<!-- begin: covered instructions -->\n";
const std::string end = "<!-- end -->\n";

// A bar would end the cell.
std::string cell(std::string_view text)
{
    std::string out;
    for (const char c : text)
        out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
}

std::string table()
{
    std::string text = "| family | instruction | PTX ISA |\n|---|---|---|\n";
    for (const ptx::FormRow& row : ptx::coveredForms())
        text += "| " + std::string(row.family) + " | `" + cell(row.syntax) + "` | " + std::string(row.section) + " |\n";
    return text;
}

TEST(PtxForms, TheTableInTheDocsIsWhatIsCovered)
{
    std::string docs = bytesOfFile(page);
    const std::size_t from = docs.find(begin);
    const std::size_t to = docs.find(end);
    ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to) << page;
    const std::size_t first = from + begin.size();
    if (std::getenv("FLASHSTEP_REFRESH_GOLDENS") != nullptr) {
        docs.replace(first, to - first, table());
        std::ofstream(page, std::ios::binary) << docs;
        return;
    }
    EXPECT_EQ(docs.substr(first, to - first), table()) << "stale: run this test with FLASHSTEP_REFRESH_GOLDENS=1";
}

TEST(PtxForms, EachNamesItsSectionOfTheIsaAndStandsThereOnce)
{
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const ptx::FormRow& row : ptx::coveredForms()) {
        EXPECT_FALSE(row.syntax.empty());
        EXPECT_TRUE(row.section.starts_with("9.7.")) << row.syntax << ": " << row.section;
        EXPECT_TRUE(seen.emplace(row.family, row.syntax).second) << row.syntax << " stands there twice";
    }
    EXPECT_GT(seen.size(), 50U);
}

TEST(PtxForms, EveryEntryOfEveryShippedFileIsCovered)
{
    std::size_t entries = 0;
    for (const std::string_view name : resourceNames("ptx/")) {
        Result<ptx::Module> parsed = ptx::parse(*resource(name), std::string(name));
        ASSERT_TRUE(parsed.ok()) << parsed.error().line();
        const auto module = std::make_shared<const ptx::Module>(std::move(*parsed));
        for (const ptx::Function& function : module->functions) {
            if (!function.entry || !function.defined)
                continue;
            ++entries;
            const Result<ptx::Code> code = ptx::load(module, function.name, std::string(name));
            EXPECT_TRUE(code.ok()) << function.name << ": " << code.error().line();
        }
    }
    EXPECT_GE(entries, 18U) << "six of each of three files, and the parts of the standard one";
}

} // namespace
} // namespace flashstep::test
