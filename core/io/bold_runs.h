// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// The narration's sentences have numbers in **bold**: the same text in runs, without the marks.
struct TextRun {
    std::string text;
    bool bold = false;
};
[[nodiscard]] inline std::vector<TextRun> boldRuns(std::string_view text)
{
    constexpr std::string_view mark = "**";
    std::vector<TextRun> runs;
    for (bool bold = false;; bold = !bold) {
        const std::size_t end = text.find(mark);
        if (end != 0 && !text.empty())
            runs.push_back({ std::string(text.substr(0, end)), bold });
        if (end == std::string_view::npos)
            return runs;
        text.remove_prefix(end + mark.size());
    }
}

} // namespace flashstep
