// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ptx/register_kind.h"
#include "core/ptx/warp.h"
#include "ui/paint/theme.h"

#include <QString>

namespace flashstep::paint {

// A register's bits in a lane, read as asked: "−0.8145", "0x1f4", "0.12 −1.5" for a pair, low half first.
[[nodiscard]] QString registerText(std::uint64_t bits, ptx::RegisterKind kind, bool wide);
// The bits a lane has in a register; of a predicate 0 or 1.
[[nodiscard]] std::uint64_t registerBits(const ptx::Code& code, const ptx::Warp& warp, std::uint32_t number, int lane);
// A 32-bit word of memory.
[[nodiscard]] QString wordText(std::uint32_t word, ptx::RegisterKind kind);
// The half of a word, or the word, as a number; NaN where it is read as bits.
[[nodiscard]] double halfValue(std::uint32_t word, int half, ptx::RegisterKind kind);

[[nodiscard]] QColor unitColour(const Theme& theme, ptx::Unit unit);

} // namespace flashstep::paint
