// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flashstep::ptx {

// Where an element of a lane's registers lies in its matrix. Elements count values low to high through the registers,
// two 16-bit ones to a register. [PTX ISA 9.7.14.5.8]
struct MatrixElement {
    int row = 0, col = 0;
};

// A of m16n8k16, and with elements 0 … 3 of m16n8k8: [m][k].
[[nodiscard]] constexpr MatrixElement fragmentA16(int lane, int element)
{
    return { lane / 4 + 8 * (element >> 1 & 1), 2 * (lane % 4) + (element & 1) + 8 * (element >> 2) };
}
// B of m16n8k16 (k8: elements 0, 1): [k][n].
[[nodiscard]] constexpr MatrixElement fragmentB16(int lane, int element)
{
    return { 2 * (lane % 4) + (element & 1) + 8 * (element >> 1), lane / 4 };
}
// C and D of both: [m][n].
[[nodiscard]] constexpr MatrixElement fragmentC(int lane, int element)
{
    return { lane / 4 + 8 * (element >> 1), 2 * (lane % 4) + (element & 1) };
}

} // namespace flashstep::ptx
