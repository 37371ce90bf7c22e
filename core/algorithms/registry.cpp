// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/registry.h"

#include "core/algorithms/tables.h"

#include <array>

namespace flashstep {

std::span<const Algorithm> algorithms()
{
    static constexpr std::array<Algorithm, 2> table { {
        { "standard", "forward", "Standard attention", "a100", "own schedule", "arXiv:2205.14135, Algorithm 0",
            "core/algorithms/standard.cpp", standardTable, standardForward },
        { "fa2", "forward", "FlashAttention-2", "a100", "flash-attention main 0251105a (2026-08-15), csrc/flash_attn",
            "arXiv:2307.08691, Algorithm 1; flash_fwd_kernel.h, flash_fwd_launch_template.h",
            "core/algorithms/fa2_forward.cpp", fa2Table, fa2Forward },
    } };
    return table;
}

const Algorithm* findAlgorithm(std::string_view name, std::string_view pass)
{
    for (const Algorithm& algorithm : algorithms())
        if (algorithm.name == name && algorithm.pass == pass)
            return &algorithm;
    return nullptr;
}

} // namespace flashstep
