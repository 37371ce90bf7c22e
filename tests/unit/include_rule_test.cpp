// SPDX-License-Identifier: Apache-2.0
// Who may know whom: the #include lines of core, ui and resources against a small table.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = FLASHSTEP_SOURCE_DIR;

// A folder may always know itself; a folder without a row may be known by nobody.
const std::map<std::string, std::set<std::string>> allowed = {
    { "core/base", {} },
    { "core/tensor", { "core/base" } },
    { "core/program", { "core/base", "core/tensor" } },
    { "core/algorithms", { "core/base", "core/program", "core/tensor" } },
    { "core/hardware", { "core/base", "core/tensor", "core/program" } },
    { "core/trace", { "core/base", "core/tensor", "core/program" } },
    { "core/emulation",
        { "core/base", "core/tensor", "core/program", "core/hardware", "core/trace", "core/algorithms" } },
    { "core/cuda", {} },
    { "core/ptx", { "core/base", "core/tensor", "core/program", "core/hardware", "core/cuda" } },
    { "core/io",
        { "core/base", "core/tensor", "core/program", "core/algorithms", "core/hardware", "core/trace",
            "core/emulation", "core/cuda", "core/ptx", "resources/embedded" } },
    { "resources/embedded", {} },
    { "ui/paint",
        { "core/base", "core/tensor", "core/program", "core/algorithms", "core/hardware", "core/trace",
            "core/emulation", "core/cuda", "core/ptx", "core/io", "resources/embedded" } },
    { "ui",
        { "core/base", "core/tensor", "core/program", "core/algorithms", "core/hardware", "core/trace",
            "core/emulation", "core/cuda", "core/ptx", "core/io", "resources/embedded", "ui/paint", "ui/views",
            "ui/kernel" } },
    { "ui/kernel",
        { "core/base", "core/tensor", "core/program", "core/algorithms", "core/hardware", "core/trace",
            "core/emulation", "core/cuda", "core/ptx", "core/io", "resources/embedded", "ui/paint", "ui/views",
            "ui" } },
    { "ui/views",
        { "core/base", "core/tensor", "core/program", "core/algorithms", "core/hardware", "core/trace",
            "core/emulation", "core/cuda", "core/ptx", "core/io", "resources/embedded", "ui/paint", "ui" } },
};

struct Include {
    std::string file;
    int line;
    std::string target; // "core/base/id.h" or "<vector>"
};

std::vector<Include> includesUnder(const std::string& top)
{
    std::vector<Include> found;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
        const fs::path extension = entry.path().extension();
        if (extension != ".h" && extension != ".cpp" && extension != ".in" && extension != ".cu" && extension != ".cuh")
            continue;
        std::ifstream stream(entry.path());
        std::string text;
        for (int line = 1; std::getline(stream, text); ++line) {
            const auto hash = text.find_first_not_of(" \t");
            if (hash == std::string::npos || text.compare(hash, 1, "#") != 0)
                continue;
            const auto word = text.find_first_not_of(" \t", hash + 1);
            if (word == std::string::npos || text.compare(word, 7, "include") != 0)
                continue;
            const auto open = text.find_first_of("\"<", word + 7);
            if (open == std::string::npos)
                continue;
            const bool quoted = text[open] == '"';
            const auto close = text.find(quoted ? '"' : '>', open + 1);
            std::string target = text.substr(open, close - open + 1);
            if (quoted)
                target = target.substr(1, target.size() - 2);
            found.push_back({ fs::relative(entry.path(), root).generic_string(), line, std::move(target) });
        }
    }
    return found;
}

std::string folderOf(const std::string& path)
{
    return fs::path(path).parent_path().generic_string();
}

std::string at(const Include& include)
{
    return include.file + ":" + std::to_string(include.line) + " includes " + include.target;
}

bool isHeaderOfQt(const std::string& target)
{
    return target.size() > 2 && target[0] == '<'
        && ((target[1] == 'Q' && (std::isupper(static_cast<unsigned char>(target[2])) || target[2] == 't'))
            || target.starts_with("<KSyntaxHighlighting") || target.starts_with("<KF5"));
}

TEST(IncludeRule, FoldersKnowOnlyWhatTheTableAllows)
{
    int checked = 0;
    for (const char* top : { "core", "ui", "resources" })
        for (const Include& include : includesUnder(top)) {
            if (include.target.front() == '<')
                continue;
            const std::string from = folderOf(include.file);
            const std::string to = folderOf(include.target);
            if (from.starts_with("core/cuda")) { // a program of its own, copied by itself: it names what lies in there
                const std::string named = (fs::path(from) / include.target).lexically_normal().generic_string();
                EXPECT_TRUE(named.starts_with("core/cuda/") && fs::exists(root / named)) << at(include);
                continue;
            }
            if (to.empty() && include.target.ends_with(".moc"))
                continue;
            const auto row = allowed.find(from);
            ASSERT_NE(row, allowed.end()) << from << " has no row in the table";
            EXPECT_TRUE(from == to || row->second.contains(to)) << at(include);
            EXPECT_TRUE(fs::exists(root / include.target)) << at(include) << ", not a path from the source directory";
            ++checked;
        }
    EXPECT_GT(checked, 20) << "the search itself is broken";
}

TEST(IncludeRule, TableHasNoCircle)
{
    std::set<std::string> settled;
    for (std::size_t before = 1; before != settled.size();) {
        before = settled.size();
        for (const auto& [folder, row] : allowed) {
            std::set<std::string> known = row;
            const std::set<std::string> together { "ui", "ui/kernel", "ui/views" }; // one library in three folders
            if (together.contains(folder))
                std::erase_if(known, [&](const std::string& other) { return together.contains(other); });
            if (std::ranges::includes(settled, known))
                settled.insert(folder);
        }
    }
    EXPECT_EQ(settled.size(), allowed.size());
}

TEST(IncludeRule, CoreAndResourcesHaveNoHeaderOfQt)
{
    for (const char* top : { "core", "resources" })
        for (const Include& include : includesUnder(top))
            EXPECT_FALSE(isHeaderOfQt(include.target)) << at(include);
    EXPECT_TRUE(isHeaderOfQt("<QString>"));
    EXPECT_TRUE(isHeaderOfQt("<QtGui/QPainter>"));
    EXPECT_FALSE(isHeaderOfQt("<vector>"));
}

TEST(IncludeRule, PaintHasNoWidgets)
{
    for (const Include& include : includesUnder("ui/paint")) {
        EXPECT_EQ(include.target.find("Widget"), std::string::npos) << at(include);
        EXPECT_NE(include.target, "<QApplication>") << at(include);
    }
}

TEST(IncludeRule, NobodyKnowsTheApplication)
{
    for (const char* top : { "core", "ui", "resources" })
        for (const Include& include : includesUnder(top))
            EXPECT_FALSE(include.target.starts_with("app/") || include.target.starts_with("tests/")) << at(include);
}

TEST(IncludeRule, FormatsAreKnownToIoOnly)
{
    for (const Include& include : includesUnder("core")) {
        if (folderOf(include.file) == "core/io")
            continue;
        EXPECT_FALSE(include.target.starts_with("<nlohmann/") || include.target.starts_with("<google/protobuf")
            || include.target.starts_with("<zip"))
            << at(include);
    }
}

} // namespace
