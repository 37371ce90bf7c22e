// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace flashstep::test {

void expectGolden(const std::string& name, const std::string& text)
{
    const std::filesystem::path path = std::filesystem::path(FLASHSTEP_SOURCE_DIR) / "tests/golden/data" / name;
    const char* refresh = std::getenv("FLASHSTEP_REFRESH_GOLDENS");
    if (refresh != nullptr && std::string(refresh) == "1") {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        return;
    }
    std::ifstream file(path, std::ios::binary);
    ASSERT_TRUE(file.good()) << path << " is missing; FLASHSTEP_REFRESH_GOLDENS=1 writes it";
    std::istringstream expected { std::string(std::istreambuf_iterator<char>(file), {}) };
    std::istringstream actual { text };
    std::string want;
    std::string have;
    for (int line = 1;; ++line) {
        const bool more = static_cast<bool>(std::getline(expected, want));
        const bool here = static_cast<bool>(std::getline(actual, have));
        if (!more && !here)
            break;
        ASSERT_TRUE(more) << name << " ends before line " << line << ": " << have;
        ASSERT_TRUE(here) << "the text ends before line " << line << " of " << name << ": " << want;
        ASSERT_EQ(have, want) << name << " line " << line;
    }
    EXPECT_EQ(expected.str(), text) << name;
}

} // namespace flashstep::test
