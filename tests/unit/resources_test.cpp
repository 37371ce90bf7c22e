// SPDX-License-Identifier: Apache-2.0
#include "resources/embedded/resources.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string bytesOf(const fs::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    return { std::istreambuf_iterator<char>(stream), {} };
}

TEST(Resources, EveryEmbeddedFileHasTheBytesOfItsSource)
{
    const fs::path root = FLASHSTEP_SOURCE_DIR;
    const auto names = flashstep::resourceNames("");
    EXPECT_GE(names.size(), 10U);
    for (const std::string_view name : names) {
        const fs::path file = name.starts_with("source/") ? root / name.substr(7) : root / "resources" / name;
        ASSERT_TRUE(fs::exists(file)) << name;
        EXPECT_TRUE(flashstep::resource(name) == bytesOf(file)) << name << " differs from " << file;
    }
}

TEST(Resources, NamesComeSortedAndByPrefix)
{
    const auto names = flashstep::resourceNames("");
    EXPECT_TRUE(std::ranges::is_sorted(names));
    const auto fonts = flashstep::resourceNames("fonts/");
    EXPECT_FALSE(fonts.empty());
    EXPECT_LT(fonts.size(), names.size());
    for (const std::string_view name : fonts)
        EXPECT_TRUE(name.starts_with("fonts/"));
}

TEST(Resources, SampleScenariosAndTheirTensorsAreThere)
{
    for (const char* name : { "samples/licence-causal.json", "samples/licence-256.json", "samples/licence-64/q.npy",
             "samples/licence-64/tokens.json", "samples/licence/v.npy" })
        EXPECT_TRUE(flashstep::resource(name)) << name;
}

TEST(Resources, UnknownNameHasNoValue)
{
    EXPECT_FALSE(flashstep::resource(""));
    EXPECT_FALSE(flashstep::resource("fonts"));
    EXPECT_FALSE(flashstep::resource("samples/licence-causal.json.bak"));
    EXPECT_TRUE(flashstep::resourceNames("no such prefix").empty());
}

} // namespace
