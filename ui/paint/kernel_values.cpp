// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/kernel_values.h"

#include "core/ptx/half.h"
#include "ui/paint/text.h"

#include <bit>
#include <cmath>
#include <limits>

namespace flashstep::paint {

namespace {

using ptx::RegisterKind;

QString real(double value, int digits = 4)
{
    if (value != 0 && std::isfinite(value) && (std::fabs(value) < 0.001 || std::fabs(value) >= 1e5)) {
        QString text = QString::number(value, 'e', 1);
        text.replace(QLatin1String("e-0"), QLatin1String("e-")).replace(QLatin1String("e+0"), QLatin1String("e+"));
        text.remove(QLatin1Char('+'));
        return text.replace(QLatin1Char('-'), QChar(0x2212));
    }
    if (std::isnan(value))
        return QStringLiteral("NaN");
    return shortDecimal(value, digits);
}
QString hex(std::uint64_t bits)
{
    return QStringLiteral("0x") + QString::number(bits, 16);
}
QString whole(std::int64_t value)
{
    return QString::number(value).replace(QLatin1Char('-'), QChar(0x2212));
}
double half(std::uint32_t word, int which, bool bf16)
{
    const auto bits = static_cast<std::uint16_t>(word >> (16U * static_cast<unsigned>(which)));
    return bf16 ? ptx::Bf16::decode(bits) : ptx::Fp16::decode(bits);
}
QString pairText(std::uint32_t word, bool bf16)
{
    return real(half(word, 0, bf16), 3) + QLatin1Char(' ') + real(half(word, 1, bf16), 3);
}

} // namespace

QString registerText(std::uint64_t bits, RegisterKind kind, bool wide)
{
    const auto word = static_cast<std::uint32_t>(bits);
    switch (kind) {
    case RegisterKind::Predicate:
        return bits != 0 ? QStringLiteral("1") : QStringLiteral("0");
    case RegisterKind::Signed:
        return whole(wide ? static_cast<std::int64_t>(bits) : static_cast<std::int32_t>(word));
    case RegisterKind::Unsigned:
        return QString::number(wide ? bits : word);
    case RegisterKind::F64:
        return real(std::bit_cast<double>(bits));
    case RegisterKind::Half:
    case RegisterKind::Bf16:
        return real(half(word, 0, kind == RegisterKind::Bf16));
    case RegisterKind::F32:
    case RegisterKind::HalfPair:
    case RegisterKind::Bf16Pair:
        return wide ? hex(bits) : wordText(word, kind);
    case RegisterKind::Hex:
        break;
    }
    return hex(bits);
}

QString wordText(std::uint32_t word, RegisterKind kind)
{
    switch (kind) {
    case RegisterKind::F32:
        return real(std::bit_cast<float>(word));
    case RegisterKind::HalfPair:
    case RegisterKind::Bf16Pair:
        return pairText(word, kind == RegisterKind::Bf16Pair);
    case RegisterKind::Signed:
        return whole(static_cast<std::int32_t>(word));
    default:
        return QStringLiteral("%1").arg(word, 8, 16, QLatin1Char('0'));
    }
}

double halfValue(std::uint32_t word, int which, RegisterKind kind)
{
    if (kind == RegisterKind::HalfPair || kind == RegisterKind::Bf16Pair)
        return half(word, which, kind == RegisterKind::Bf16Pair);
    if (kind == RegisterKind::F32)
        return std::bit_cast<float>(word);
    return std::numeric_limits<double>::quiet_NaN();
}

std::uint64_t registerBits(const ptx::Code& code, const ptx::Warp& warp, std::uint32_t number, int lane)
{
    const ptx::Place& place = code.places[number];
    if (place.row == ptx::none)
        return 0;
    if (place.predicate)
        return warp.predicates[place.row] >> lane & 1U;
    ptx::Lanes lanes;
    lanes.cells = const_cast<std::uint32_t*>(warp.cells.data()); // only read
    return place.rows >= 2 ? lanes.wides({ place.row })[lane] : lanes.words({ place.row })[lane];
}

QColor unitColour(const Theme& theme, ptx::Unit unit)
{
    switch (unit) {
    case ptx::Unit::Tensor:
        return theme.engine(Engine::Tensor);
    case ptx::Unit::Exponential:
        return theme.engine(Engine::Exp);
    case ptx::Unit::Alu:
    case ptx::Unit::Fma:
    case ptx::Unit::Half:
    case ptx::Unit::Double:
        return theme.engine(Engine::Alu);
    case ptx::Unit::Shared:
    case ptx::Unit::Shuffle:
        return theme.engine(Engine::Smem);
    case ptx::Unit::Global:
        return theme.engine(Engine::L2);
    case ptx::Unit::Copy:
        return theme.engine(Engine::Tma);
    case ptx::Unit::Control:
    case ptx::Unit::Barrier:
        break;
    }
    return theme.engine(Engine::Issue);
}

} // namespace flashstep::paint
