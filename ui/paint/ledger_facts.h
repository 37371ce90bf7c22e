// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program/inputs.h"
#include "ui/paint/tile_numbers.h"

#include <span>

namespace flashstep {
struct RowState;
}

namespace flashstep::paint {

// The numbers of a tile, with the true maximum also where a log-sum-exp plays the old one (FlashAttention-1's shipped
// kernel), whose maximum `used` is not.
[[nodiscard]] TileNumbers ledgerTile(const Trace& trace, int b, int h, int i, int j, Position p);
// Whether a CTA's kernel keeps statistics of rows as it goes; else every maximum and sum comes from S at once.
[[nodiscard]] bool keepsStatistics(const Trace& trace, CtaId cta);
// Why the ledger has no rows here, as a sentence.
[[nodiscard]] QString whyNoRows(const Trace& trace, CtaId cta);
// Whether it does.
[[nodiscard]] bool keepsLogSumExp(const Program& program);
// How far the reference is outgrown: by the true maximum where it may stay, else by the reference that takes its place.
[[nodiscard]] double gapOf(const TileNumbers& tile, int row);

// What a block does to the softmax state of a row, as the ledger tells it: all from the trace and the inputs, for the
// table, the detail below it, and whoever reads it out. Scores in log2 units; NaN where something is not there yet.

enum class RowDecision : std::uint8_t {
    Unknown, // not decided yet, or no running statistics are kept
    NothingVisible, // every key of the block is hidden from the row
    First, // nothing was there that could be rescaled
    Rescale, // the reference moves to the maximum
    Kept, // the maximum may have outgrown the reference, by no more than the threshold
};
[[nodiscard]] QString decisionText(RowDecision decision); // "first", "rescale", "kept", "nothing visible"; empty
[[nodiscard]] RowDecision decisionOf(const TileNumbers& tile, int row);
// Whether a row asks its warp to multiply O: its reference moves, or it had none.
[[nodiscard]] bool asksRescale(const TileNumbers& tile, int row);

// The row to tell of: the one chosen (over the rows of the head that tiles are cut from) where the tile has it, else
// the first whose maximum has grown, else the first of which something has been decided; -1 without rows.
[[nodiscard]] int rowOnShow(const TileNumbers& tile, int chosen);

// A warp multiplies all its rows when one of them asks.
struct WarpVote {
    int firstRow = 0, rows = 0; // of the tile, inside the sequence
    int asking = 0;
    std::optional<bool> multiplies; // once the vote has been taken
};
// Empty where O is rescaled unasked.
[[nodiscard]] std::vector<WarpVote> warpVotes(const Trace& trace, int b, int h, const TileNumbers& tile);

// The visits of query tile i, in order: which key block comes n-th.
struct TileVisit {
    int n = 0, j = 0;
};
[[nodiscard]] std::vector<TileVisit> visitsOf(const Trace& trace, int b, int h, int i);

// P of a row of scores before it is rounded, as the kernel computes it: on the exponential unit or, where the kernel
// emulates, by polynomial. `scores` and `reference` in log2 units.
[[nodiscard]] std::vector<float> probabilitiesOf(
    const Program& program, std::span<const float> scores, double reference);
// The reference that a row's P is relative to.
[[nodiscard]] double referenceOfP(const TileNumbers& tile, int row);
[[nodiscard]] std::vector<float> scoresOf(const TileNumbers& tile, int row);

// What P may reach, and what its number format holds.
struct Ceiling {
    double log2Most = 0; // threshold + offset; 0 where the reference is the maximum
    DType dtype = DType::Bf16;
    double holds = 0; // the largest number of the format
    [[nodiscard]] bool clips() const; // P may reach more than the format holds
};
[[nodiscard]] Ceiling ceilingOf(const Program& program);

// The row's state had it been decided the other way, from the same scores, the same O and l before, and V.
struct Otherwise {
    RowDecision decision = RowDecision::Unknown; // Unknown: there is no other way
    double reference = 0;
    double scale = 1; // of O and l
    double mostP = 0; // the largest P, as stored
    int overflowing = 0; // keys whose P the number format cannot hold
    double l = 0; // without the offset of FP8
    double outputNorm = 0; // |O| of the row; NaN where O is not there
    double quotientNorm = 0; // |O / l|
    double apart = 0; // the largest difference of an element of O / l between the two
};

// Whether the row's sum of the block on show has been formed and is no number.
[[nodiscard]] bool sumIsNan(const TileNumbers& tile, int row, const RowState& state);

struct RowFacts {
    int row = -1; // of the tile
    RowDecision decision = RowDecision::Unknown;
    bool asks = false;
    double blockMax = 0, before = 0, used = 0, most = 0;
    double gap = 0; // of the true maximum over the reference before
    double scale = 1;
    double mostP = 0; // of this block, as stored
    double lBefore = 0, lAdded = 0, l = 0; // without the offset of FP8; lAdded in fp32, before P is rounded
    double outputBefore = 0, outputAfter = 0; // |O| of the row
    double quotientNorm = 0; // |O / l|
    bool sumIsNan = false, outputIsNan = false; // it has been computed, and is no number: not merely absent
    Otherwise otherwise;
    // FlashAttention-1 divides at every visit: the factors of its update.
    struct Divided {
        bool ownMaximum = false; // P is relative to the block's own maximum (the paper's loop)
        double oldFactor = 0; // e^(m_old - m_new)
        double blockFactor = 1; // e^(m~ - m_new)
        double inverse = 0; // 1 / l_new
    };
    std::optional<Divided> divided;
};
[[nodiscard]] RowFacts rowFacts(
    const Trace& trace, const Inputs* inputs, int b, int h, const TileNumbers& tile, int row, Position p);

} // namespace flashstep::paint
