// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/reference.h"

#include "core/base/wide.h"
#include "core/tensor/real_math.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace flashstep {

namespace {

constexpr int keysPerBlock = 16; // that many sums over headDim run side by side

// Keys [first, last) in blocks of 16, each (headDim, 16): a vector holds the same component of neighbouring keys.
struct KeyBlocks {
    int first = 0;
    std::vector<double> data;

    KeyBlocks(const ReferenceHead& head, int firstKey, int lastKey)
        : first(firstKey)
    {
        const std::size_t blocks = static_cast<std::size_t>(lastKey - firstKey + keysPerBlock - 1) / keysPerBlock;
        data.resize(blocks * keysPerBlock * static_cast<std::size_t>(head.headDim));
        for (int key = firstKey; key < lastKey; ++key) {
            double* column = block(head.headDim, key) + (key - first) % keysPerBlock;
            const float* row = head.k + static_cast<std::ptrdiff_t>(key) * head.headDim;
            for (int i = 0; i < head.headDim; ++i)
                column[static_cast<std::ptrdiff_t>(i) * keysPerBlock] = row[i];
        }
    }
    double* block(int headDim, int key)
    {
        return data.data() + static_cast<std::ptrdiff_t>((key - first) / keysPerBlock) * keysPerBlock * headDim;
    }
};

FLASHSTEP_WIDE void scoresOfBlock(const float* q, const double* block, int headDim, double scale, double* scores)
{
    double sum[keysPerBlock] = {};
    for (int i = 0; i < headDim; ++i) {
        const double component = q[i];
        for (int key = 0; key < keysPerBlock; ++key)
            sum[key] += component * block[i * keysPerBlock + key];
    }
    for (int key = 0; key < keysPerBlock; ++key)
        scores[key] = sum[key] * scale;
}

FLASHSTEP_WIDE void addScaled(double weight, const float* v, int n, double* o)
{
    for (int i = 0; i < n; ++i)
        o[i] += weight * v[i];
}

} // namespace

void referenceForward(const ReferenceHead& head, int rowBegin, int rowEnd, double* o, double* lse)
{
    std::vector<std::pair<int, int>> visible;
    int firstKey = std::numeric_limits<int>::max();
    int lastKey = 0;
    for (int row = rowBegin; row < rowEnd; ++row) {
        visible.push_back(head.visibleKeys(row));
        if (const auto [first, last] = visible.back(); first < last) {
            firstKey = std::min(firstKey, first);
            lastKey = std::max(lastKey, last);
        }
    }
    if (firstKey >= lastKey)
        firstKey = lastKey = 0;
    KeyBlocks keys(head, firstKey, lastKey);
    std::vector<double> scores(static_cast<std::size_t>(lastKey - firstKey + keysPerBlock));

    for (int row = rowBegin; row < rowEnd; ++row) {
        const auto [first, last] = visible[static_cast<std::size_t>(row - rowBegin)];
        double* out = o + static_cast<std::ptrdiff_t>(row - rowBegin) * head.headDimV;
        double& rowLse = lse[row - rowBegin];
        std::fill_n(out, head.headDimV, 0.0);
        rowLse = -std::numeric_limits<double>::infinity();
        if (first >= last)
            continue;

        const float* q = head.q + static_cast<std::ptrdiff_t>(row) * head.headDim;
        const int firstBlock = first - (first - firstKey) % keysPerBlock;
        for (int key = firstBlock; key < last; key += keysPerBlock)
            scoresOfBlock(q, keys.block(head.headDim, key), head.headDim, head.scale, scores.data() + (key - firstKey));
        const double* score = scores.data() + (first - firstKey);
        const int count = last - first;
        const double maximum = *std::max_element(score, score + count);

        double sum = 0;
        for (int key = 0; key < count; ++key) {
            const double weight = expReal(score[key] - maximum);
            sum += weight;
            addScaled(weight, head.v + static_cast<std::ptrdiff_t>(first + key) * head.headDimV, head.headDimV, out);
        }
        for (int i = 0; i < head.headDimV; ++i)
            out[i] /= sum;
        rowLse = maximum + lnReal(sum);
    }
}

} // namespace flashstep
