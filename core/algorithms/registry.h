// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/program/builder.h"

#include <span>

namespace flashstep {

// What a kernel table is asked for.
struct TableQuery {
    const Problem& problem;
    int computeCapability = 0;
    Bytes smemPerSm = 0;
    const Choices& choices;
    int sms = 0;
    TileSize tile = {}; // shown, where one is asked for
};

// The kernel's own choices for a head dimension on a GPU: tiles, warps. From the table of the version's source file.
struct KernelTable {
    TileSize tile;
    int warps = 4;
    int stages = 1;
    int rowUnit = 0; // a tile's rows must be a multiple of it, for all roles to have their share; 0: of the warps
    int keyUnit = 0; // and its keys of this
};

// One version and pass. Adding one is a file of its own and a row here.
struct Algorithm {
    std::string_view name; // "fa2"
    std::string_view pass; // "forward"
    std::string_view title; // "FlashAttention-2"
    std::string_view defaultGpu;
    std::string_view revision; // kernel revision it follows
    std::string_view source; // where the facts come from
    std::string_view file; // "core/algorithms/fa2_forward.cpp"
    Result<KernelTable> (*table)(const TableQuery& query);
    void (*build)(Kernel& kernel);
    bool fp8 = false; // has a kernel for e4m3 operands
};
[[nodiscard]] std::span<const Algorithm> algorithms();
[[nodiscard]] const Algorithm* findAlgorithm(std::string_view name, std::string_view pass);

} // namespace flashstep
