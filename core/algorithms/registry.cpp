// SPDX-License-Identifier: Apache-2.0
#include "core/algorithms/registry.h"

#include "core/algorithms/tables.h"

#include <array>

namespace flashstep {

std::span<const Algorithm> algorithms()
{
    static constexpr std::array<Algorithm, 5> table { {
        { "standard", "forward", "Standard attention", "a100", "own schedule", "arXiv:2205.14135, Algorithm 0",
            "core/algorithms/standard.cpp", standardTable, standardForward, true },
        { "fa1", "forward", "FlashAttention-1", "a100", "flash-attention v1.0.9, csrc/flash_attn",
            "arXiv:2205.14135, Algorithm 1; fmha_fprop_kernel_1xN.h, fmha_fwd_launch_template.h",
            "core/algorithms/fa1_forward.cpp", fa1Table, fa1Forward },
        { "fa2", "forward", "FlashAttention-2", "a100", "flash-attention main 0251105a (2026-08-15), csrc/flash_attn",
            "arXiv:2307.08691, Algorithm 1; flash_fwd_kernel.h, flash_fwd_launch_template.h",
            "core/algorithms/fa2_forward.cpp", fa2Table, fa2Forward },
        { "fa3", "forward", "FlashAttention-3", "h100", "flash-attention main 0251105a (2026-08-15), hopper",
            "arXiv:2407.08608, Algorithm 1 (producer) and Algorithm 2 (consumers); "
            "mainloop_fwd_sm90_tma_gmma_ws.hpp, tile_size.h",
            "core/algorithms/fa3_forward.cpp", fa3Table, fa3Forward, true },
        { "fa4", "forward", "FlashAttention-4", "b200", "flash-attention main 0251105a (2026-08-15), flash_attn/cute",
            "arXiv:2603.05451; flash_fwd_sm100.py, softmax.py, interface.py", "core/algorithms/fa4_forward.cpp",
            fa4Table, fa4Forward, true },
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
