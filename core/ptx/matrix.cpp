// SPDX-License-Identifier: Apache-2.0
// ldmatrix, stmatrix and mma.sync (PTX ISA 9.7.14.5). Which lane holds which element: docs/kernel-instructions.md.
#include "core/ptx/access.h"
#include "core/ptx/decoder.h"
#include "core/ptx/fragment.h"
#include "core/ptx/half.h"
#include "core/ptx/lanes.h"

#include <array>
#include <cstring>

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

U64 rowAddress(const Lanes& lanes, const Instruction& i, int lane)
{
    const U64 base = i.wide ? lanes.wides(i.a)[lane] : lanes.words(i.a)[lane];
    const U64 address = base + static_cast<U64>(i.offset);
    return i.wide ? address : address & 0xffffffffU;
}

// Row r of matrix m lies at the address that lane 8 m + r gives: 8 elements of 16 bits.
using Matrix = std::array<std::array<std::uint16_t, 8>, 8>;

void loadMatrix(Lanes& lanes, const Instruction& i)
{
    for (int m = 0; m < i.vector; ++m) {
        Matrix matrix {};
        for (std::size_t r = 0; r < 8; ++r) {
            const int lane = 8 * m + static_cast<int>(r);
            if (const std::byte* from = lanes.access->at(i.space, rowAddress(lanes, i, lane), 16, lane, Touch::Read))
                std::memcpy(matrix[r].data(), from, 16);
        }
        Word* d = lanes.wordsOut(lanes.code->rows[i.rowsFirst + static_cast<U32>(m)]);
        forLanes(lanes.mask, [&](int l) {
            const auto g = static_cast<std::size_t>(l / 4), t = static_cast<std::size_t>(l % 4) * 2;
            d[l] = i.detail != 0 ? matrix[t][g] | static_cast<U32>(matrix[t + 1][g]) << 16U
                                 : matrix[g][t] | static_cast<U32>(matrix[g][t + 1]) << 16U;
        });
    }
}
void storeMatrix(Lanes& lanes, const Instruction& i)
{
    for (int m = 0; m < i.vector; ++m) {
        Matrix matrix {};
        const Word* from = lanes.words(lanes.code->rows[i.rowsFirst + static_cast<U32>(m)]);
        forLanes(lanes.mask, [&](int l) {
            const auto g = static_cast<std::size_t>(l / 4), t = static_cast<std::size_t>(l % 4) * 2;
            (i.detail != 0 ? matrix[t][g] : matrix[g][t]) = static_cast<std::uint16_t>(from[l]);
            (i.detail != 0 ? matrix[t + 1][g] : matrix[g][t + 1]) = static_cast<std::uint16_t>(from[l] >> 16U);
        });
        for (std::size_t r = 0; r < 8; ++r) {
            const int lane = 8 * m + static_cast<int>(r);
            lanes.access->store(i.space, rowAddress(lanes, i, lane), matrix[r].data(), 16, lane, false);
        }
    }
}
template <bool loads> bool decodeMatrix(Decoder& d)
{
    if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8"))
        return false;
    const int count = d.takeOneOf({ "x1", "x2", "x4" });
    const bool transposed = d.take("trans");
    if (count < 0)
        return false;
    const Space space = d.takeOneOf({ "shared", "shared::cta" }) >= 0 ? Space::Shared : Space::Generic;
    if (!d.take("b16") || !d.atEnd() || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.flow = Flow::Collective;
    i.unit = Unit::Shared;
    i.vector = static_cast<std::uint8_t>(1 << count);
    i.bytes = 16;
    i.detail = transposed ? 1 : 0;
    i.execute = loads ? loadMatrix : storeMatrix;
    if (loads)
        d.vectorOut(0, Type::B32, i.vector);
    else
        d.vectorIn(1, Type::B32, i.vector);
    d.address(loads ? 1 : 0, space);
    return true;
}

// A matrix in the registers of a warp, transposed.
void moveMatrix(Lanes& lanes, const Instruction& i)
{
    Matrix matrix {};
    const Word* from = lanes.words(i.a);
    forLanes(lanes.mask, [&](int l) {
        const auto g = static_cast<std::size_t>(l / 4), t = static_cast<std::size_t>(l % 4) * 2;
        matrix[g][t] = static_cast<std::uint16_t>(from[l]);
        matrix[g][t + 1] = static_cast<std::uint16_t>(from[l] >> 16U);
    });
    Word* d = lanes.wordsOut(i.d);
    forLanes(lanes.mask, [&](int l) {
        const auto g = static_cast<std::size_t>(l / 4), t = static_cast<std::size_t>(l % 4) * 2;
        d[l] = matrix[t][g] | static_cast<U32>(matrix[t + 1][g]) << 16U;
    });
}
bool decodeMovmatrix(Decoder& d)
{
    if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8") || !d.take("trans") || !d.take("b16") || !d.atEnd()
        || d.count() != 2)
        return false;
    Instruction& i = d.instruction();
    i.flow = Flow::Collective;
    i.unit = Unit::Shuffle;
    i.execute = moveMatrix;
    i.d = d.out(0, Type::B32);
    i.a = d.in(1, Type::B32);
    return true;
}

// The fragments of a warp gathered to whole matrices, multiplied, and given back. Products of two 16-bit floats are
// exact in double; each element is summed there and rounded once (the ISA leaves the order and the precision open).
template <typename Format> float decodeHalf(U32 word, unsigned half)
{
    return Format::decode(static_cast<std::uint16_t>(word >> (16 * half)));
}
struct Tiles {
    std::array<std::array<float, 16>, 16> a {}; // [m][k]
    std::array<std::array<float, 16>, 8> b {}; // [n][k]
    std::array<std::array<float, 8>, 16> c {}; // [m][n]
};
template <typename Format> void gather(const Lanes& lanes, const Row* rows, int k, Tiles& tiles)
{
    const int aRegisters = k / 4, bRegisters = k / 8;
    for (int l = 0; l < warpSize; ++l) {
        for (int e = 0; e < 2 * aRegisters; ++e) {
            const MatrixElement at = fragmentA16(l, e);
            tiles.a[static_cast<std::size_t>(at.row)][static_cast<std::size_t>(at.col)]
                = decodeHalf<Format>(lanes.words(rows[e / 2])[l], static_cast<unsigned>(e % 2));
        }
        for (int e = 0; e < 2 * bRegisters; ++e) {
            const MatrixElement at = fragmentB16(l, e); // row: k
            tiles.b[static_cast<std::size_t>(at.col)][static_cast<std::size_t>(at.row)]
                = decodeHalf<Format>(lanes.words(rows[aRegisters + e / 2])[l], static_cast<unsigned>(e % 2));
        }
    }
}
void multiply(const Tiles& tiles, int k, std::array<std::array<double, 8>, 16>& d)
{
    for (std::size_t m = 0; m < 16; ++m) {
        for (std::size_t n = 0; n < 8; ++n) {
            double sum = tiles.c[m][n];
            for (std::size_t x = 0; x < static_cast<std::size_t>(k); ++x)
                sum += static_cast<double>(tiles.a[m][x]) * static_cast<double>(tiles.b[n][x]);
            d[m][n] = sum;
        }
    }
}

// rows: D, A, B, C. detail: K; detail2: accumulators of 16 bits.
template <typename Format> void mma(Lanes& lanes, const Instruction& i)
{
    const int k = i.detail;
    const bool halves = i.detail2 != 0;
    const int accumulators = halves ? 2 : 4;
    const Row* rows = lanes.code->rows.data() + i.rowsFirst;
    const Row* inputs = rows + accumulators;
    const Row* c = inputs + k / 4 + k / 8;
    Tiles tiles;
    gather<Format>(lanes, inputs, k, tiles);
    for (int l = 0; l < warpSize; ++l) {
        for (int e = 0; e < 4; ++e) {
            const MatrixElement at = fragmentC(l, e);
            tiles.c[static_cast<std::size_t>(at.row)][static_cast<std::size_t>(at.col)] = halves
                ? Fp16::decode(static_cast<std::uint16_t>(lanes.words(c[e / 2])[l] >> (16 * (e % 2))))
                : std::bit_cast<float>(static_cast<U32>(lanes.words(c[e])[l]));
        }
    }
    std::array<std::array<double, 8>, 16> d {};
    multiply(tiles, k, d);
    forLanes(lanes.mask, [&](int l) {
        U32 packed[2] = { 0, 0 };
        for (int e = 0; e < 4; ++e) {
            const MatrixElement at = fragmentC(l, e);
            const double x = d[static_cast<std::size_t>(at.row)][static_cast<std::size_t>(at.col)];
            if (halves)
                packed[e / 2] |= static_cast<U32>(Fp16::encode(toOdd(x))) << (16 * (e % 2));
            else
                lanes.wordsOut(rows[e])[l] = std::bit_cast<U32>(canonical(static_cast<float>(x)));
        }
        if (halves) {
            lanes.wordsOut(rows[0])[l] = packed[0];
            lanes.wordsOut(rows[1])[l] = packed[1];
        }
    });
}
bool decodeMma(Decoder& d)
{
    if (!d.take("sync") || !d.take("aligned"))
        return false;
    const int shape = d.takeOneOf({ "m16n8k8", "m16n8k16" });
    if (shape < 0 || !d.take("row") || !d.take("col"))
        return false;
    const Type result = d.takeType(), a = d.takeType(), b = d.takeType(), c = d.takeType();
    const bool halves = result == Type::F16;
    if (!d.atEnd() || d.count() != 4 || result != c || a != b || (result != Type::F32 && !halves)
        || (a != Type::Bf16 && a != Type::F16) || (halves && a != Type::F16))
        return false;
    Instruction& i = d.instruction();
    const int k = shape == 0 ? 8 : 16;
    i.flow = Flow::Collective;
    i.unit = Unit::Tensor;
    i.detail = static_cast<std::uint8_t>(k);
    i.detail2 = halves ? 1 : 0;
    i.execute = a == Type::Bf16 ? mma<Bf16> : mma<Fp16>;
    const int accumulators = halves ? 2 : 4;
    d.vectorOut(0, Type::B32, accumulators);
    d.vectorIn(1, Type::B32, k / 4);
    d.vectorIn(2, Type::B32, k / 8);
    d.vectorIn(3, Type::B32, accumulators);
    for (int r = 0; r < accumulators && !d.failed(); ++r)
        if (!d.rowAt(r).valid())
            return d.fail("a destination that is thrown away");
    return true;
}

constexpr Form forms[] = {
    { "ldmatrix", "ldmatrix.sync.aligned.m8n8.{x1,x2,x4}{.trans}{.shared}.b16 r, [a]", "9.7.14.5.15",
        decodeMatrix<true> },
    { "stmatrix", "stmatrix.sync.aligned.m8n8.{x1,x2,x4}{.trans}{.shared}.b16 [a], r", "9.7.14.5.16",
        decodeMatrix<false> },
    { "movmatrix", "movmatrix.sync.aligned.m8n8.trans.b16 d, a", "9.7.14.5.17", decodeMovmatrix },
    { "mma", "mma.sync.aligned.{m16n8k8,m16n8k16}.row.col.{f32,f16}.{bf16,f16}.{bf16,f16}.{f32,f16} d, a, b, c",
        "9.7.14.5.14", decodeMma },
};

} // namespace

std::span<const Form> matrixForms()
{
    return forms;
}

} // namespace flashstep::ptx
