// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"
#include "core/io/json.h"
#include "core/io/spans.h"
#include "core/trace/state.h"

#include <map>
#include <string>
#include <vector>

namespace flashstep {

// An array of a kept tile: row-major.
struct TileArray {
    std::vector<int> shape; // one or two axes
    std::vector<float> data;
};

// What can be told of each tile that recorded CTAs worked on: its operands, its scores and probabilities as the tensor
// core left and took them, its output as stored, the statistics of its rows. Values are made when they are asked for,
// one array at a time; what is held meanwhile is a few words for each array there is.
class KeptTiles {
public:
    enum class What : std::uint8_t { Q, K, V, S, P, O, M, MUsed, L, Lse, BlockM, BlockMUsed, BlockL, BlockScale };
    struct Array {
        What what = What::Q;
        int b = 0, h = 0; // h: of K and V the key head
        int i = -1, j = -1; // query tile and key block of the head
        WorkId work;
        int tile = 0; // i, relative to the work's
        int n = 0; // of a block's statistics: visited as the n-th
    };

    // Those of which some op overlaps the stretch.
    KeptTiles(const Run& run, const Range& range);

    [[nodiscard]] const std::vector<Array>& arrays() const { return m_arrays; } // by head, kind, i, j
    [[nodiscard]] std::string nameOf(const Array& array) const; // "S_0_3"; of other heads "b0h1/S_0_3"
    [[nodiscard]] Json describe(const Array& array) const;
    [[nodiscard]] std::vector<int> shapeOf(const Array& array) const;
    [[nodiscard]] std::vector<float> valuesOf(const Array& array);

private:
    // An op that makes, takes or stores (part of) a tile, by stream.
    struct Use {
        What what = What::S;
        int i = 0, j = 0; // as the op has them
        OpId op;
        [[nodiscard]] auto key() const { return std::tie(what, i, j, op); }
    };
    [[nodiscard]] const std::vector<Use>& usesOf(const Stream& stream);
    void addWork(WorkId work, const Range& range);
    void addStatistics(WorkId work, const Range& range);
    [[nodiscard]] std::vector<float> tileOf(const Array& array);
    void copyPart(const Array& array, WorkId performer, OpId op, std::vector<float>& values) const;
    [[nodiscard]] std::vector<float> inputOf(const Array& array) const;
    [[nodiscard]] std::vector<float> statisticOf(const Array& array);
    [[nodiscard]] std::vector<float> lseOf(const Array& array) const;
    [[nodiscard]] bool keepsStatistics(WorkId work) const;

    const Run& m_run;
    const Trace& m_trace;
    const Program& m_program;
    std::vector<Array> m_arrays;
    std::map<std::uint32_t, std::vector<Use>> m_uses; // by the stream's first op
    std::vector<RowState> m_ledger; // as last asked for
    CtaId m_ledgerCta;
    Position m_ledgerAt;
};

// "b0h1/", empty for the first head of the first batch.
[[nodiscard]] std::string headPrefix(int b, int h);

} // namespace flashstep
