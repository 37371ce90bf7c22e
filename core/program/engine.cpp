// SPDX-License-Identifier: Apache-2.0
#include "core/program/engine.h"

#include <array>

namespace flashstep {

std::string_view name(Engine engine)
{
    constexpr std::array<std::string_view, engineCount> names { "tensor", "exp", "alu", "issue", "smem", "l2", "hbm",
        "tma", "registers", "tmem" };
    return names[static_cast<std::size_t>(engine)];
}

} // namespace flashstep
