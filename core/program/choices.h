// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace flashstep {

// What a version can be asked to do otherwise than its own kernel does: the schedule's knobs. Empty: as the kernel.
struct Choices {
    enum class Scheduler : std::uint8_t { Linear, Lpt, Persistent, SingleTile };
    enum class Copy : std::uint8_t { Tma, CpAsync };
    enum class Divide : std::uint8_t { Now, End };
    enum class LoopOrder : std::uint8_t { KvOuter, QOuter };
    enum class WarpSplit : std::uint8_t { Queries, Keys };
    enum class Fa1Form : std::uint8_t { Shipped, Paper };
    enum class Fp8Scale : std::uint8_t { Tensor, Block };

    std::optional<bool> pingPong, intraOverlap, warpSpecialisation, multicast, swizzle;
    std::optional<int> stages, consumerWarpgroups;
    std::optional<int> costedRows; // of the tile asked for
    std::optional<Scheduler> scheduler;
    std::optional<Copy> copy;
    std::optional<Divide> divide;
    std::optional<LoopOrder> loopOrder;
    std::optional<WarpSplit> warpSplit;
    std::optional<Fa1Form> fa1Form;
    std::optional<bool> twoCta, packGqa;
    std::optional<int> queryStages; // query tiles of a CTA
    std::optional<double> rescaleThreshold; // log2 units
    std::optional<double> emulatedShare; // of the exponentials, by the polynomial
    int polynomialDegree = 3;
    std::optional<double> fp8Offset; // log2 units, added to the exponent of P
    std::optional<Fp8Scale> fp8Scale; // empty: operands are stored as they are
    bool hadamard = false; // Q and K are rotated before they are quantised
    double assumedRescaleRate = 0.1; // where no values are computed
    bool topLeft = false; // causal diagonal from the top left corner
    bool kernelEmptyRowLse = false; // a row that sees nothing: what the original kernel stores, not -inf
    std::uint32_t jitterSeed = 0; // 0: none

    [[nodiscard]] bool swizzled() const { return swizzle.value_or(true); }
};

} // namespace flashstep
