// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/matmul.h"

#include "core/base/wide.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace flashstep {

namespace {

// 4 x 16 sums fill the registers of AVX2 and hide the latency of the additions; wider tiles spill.
constexpr int tileRows = 4;
constexpr int tileColumns = 16;

struct Matrix {
    const float* data;
    std::ptrdiff_t ld;
};

// c += a b for Rows x Columns outputs, which stay in registers while k runs.
template <int Rows, int Columns> FLASHSTEP_INLINE void addTile(Matrix a, Matrix b, float* c, std::ptrdiff_t ldc, int k)
{
    float sum[Rows][Columns];
    for (int i = 0; i < Rows; ++i)
        for (int j = 0; j < Columns; ++j)
            sum[i][j] = c[i * ldc + j];
    for (int step = 0; step < k; ++step) {
#pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 1 // left as a loop for the vectoriser
            for (int j = 0; j < Columns; ++j)
                sum[i][j] += a.data[i * a.ld + step] * b.data[step * b.ld + j];
    }
    for (int i = 0; i < Rows; ++i)
        for (int j = 0; j < Columns; ++j)
            c[i * ldc + j] = sum[i][j];
}

template <int Columns> FLASHSTEP_INLINE void addColumns(Matrix a, Matrix b, float* c, std::ptrdiff_t ldc, int m, int k)
{
    int i = 0;
    for (; i + tileRows <= m; i += tileRows)
        addTile<tileRows, Columns>({ a.data + i * a.ld, a.ld }, b, c + i * ldc, ldc, k);
    for (; i < m; ++i)
        addTile<1, Columns>({ a.data + i * a.ld, a.ld }, b, c + i * ldc, ldc, k);
}

FLASHSTEP_WIDE void add(Matrix a, Matrix b, float* c, std::ptrdiff_t ldc, int m, int n, int k)
{
    int j = 0;
    for (; j + tileColumns <= n; j += tileColumns)
        addColumns<tileColumns>(a, { b.data + j, b.ld }, c + j, ldc, m, k);
    for (; j + 4 <= n; j += 4)
        addColumns<4>(a, { b.data + j, b.ld }, c + j, ldc, m, k);
    for (; j < n; ++j)
        addColumns<1>(a, { b.data + j, b.ld }, c + j, ldc, m, k);
}

// panel[step][j] = b[j][step]: four by four, since what a warp multiplies is often no larger than what it turns over.
void turnOver(Matrix b, float* panel, int columns, int k)
{
    using Four = float __attribute__((vector_size(16)));
    const auto load = [&](int j, int step) {
        Four four;
        std::memcpy(&four, b.data + j * b.ld + step, sizeof four);
        return four;
    };
    const auto store = [&](int j, int step, Four four) {
        std::memcpy(panel + static_cast<std::ptrdiff_t>(step) * tileColumns + j, &four, sizeof four);
    };
    const int fours = k / 4 * 4;
    int j = 0;
    for (; j + 4 <= columns; j += 4)
        for (int step = 0; step < fours; step += 4) {
            const Four r0 = load(j, step), r1 = load(j + 1, step), r2 = load(j + 2, step), r3 = load(j + 3, step);
            const Four low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
            const Four low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
            const Four high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
            const Four high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
            store(j, step, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
            store(j, step + 1, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
            store(j, step + 2, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
            store(j, step + 3, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
        }
    const int whole = j; // columns turned over so far, but for the last steps
    for (j = 0; j < columns; ++j)
        for (int step = j < whole ? fours : 0; step < k; ++step)
            panel[static_cast<std::ptrdiff_t>(step) * tileColumns + j] = b.data[j * b.ld + step];
}

} // namespace

void multiplyTransposed(const float* a, int lda, const float* b, int ldb, float* c, int ldc, int m, int n, int k)
{
    // b is turned over, a panel of columns at a time, so that a vector holds neighbouring outputs.
    thread_local std::vector<float> panel;
    panel.resize(static_cast<std::size_t>(k) * tileColumns);
    for (int first = 0; first < n; first += tileColumns) {
        const int columns = std::min(tileColumns, n - first);
        turnOver({ b + static_cast<std::ptrdiff_t>(first) * ldb, ldb }, panel.data(), columns, k);
        for (int i = 0; i < m; ++i)
            std::fill_n(c + static_cast<std::ptrdiff_t>(i) * ldc + first, columns, 0.0f);
        add({ a, lda }, { panel.data(), tileColumns }, c + first, ldc, m, columns, k);
    }
}

void multiplyAdd(const float* a, int lda, const float* b, int ldb, float* c, int ldc, int m, int n, int k)
{
    add({ a, lda }, { b, ldb }, c, ldc, m, n, k);
}

} // namespace flashstep
