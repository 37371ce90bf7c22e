// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// "ssh -p 22 'my box'" as words: blanks part them, '…' keeps everything, "…" everything but \" and \\, and a backslash
// outside quotes keeps the character behind it. No shell is started: variables, globs, pipes and the like are letters
// as any other. A quote that is not closed is an error.
[[nodiscard]] Result<std::vector<std::string>> commandWords(std::string_view text);

} // namespace flashstep
