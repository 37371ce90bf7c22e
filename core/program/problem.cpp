// SPDX-License-Identifier: Apache-2.0
#include "core/program/problem.h"

#include "core/tensor/real_math.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

namespace flashstep {

namespace {

constexpr std::array<std::pair<Init, std::string_view>, 5> inits { {
    { Init::Normal, "normal" },
    { Init::Outliers, "outliers" },
    { Init::RisingLeft, "rising-left" },
    { Init::RisingRight, "rising-right" },
    { Init::Constant, "constant" },
} };

constexpr std::string_view windowPrefix = "window:";

// The whole of `text` as a count of keys.
std::optional<int> countFromText(std::string_view text)
{
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0)
        return std::nullopt;
    return count;
}

} // namespace

std::string Mask::text() const
{
    switch (kind) {
    case MaskKind::None:
        return "none";
    case MaskKind::Causal:
        return "causal";
    case MaskKind::Window:
        return std::string(windowPrefix) + std::to_string(left) + ',' + std::to_string(right);
    }
    return "none";
}

std::optional<Mask> maskFromText(std::string_view text)
{
    if (text == "none")
        return Mask {};
    if (text == "causal")
        return Mask { MaskKind::Causal };
    const std::size_t comma = text.find(',');
    if (!text.starts_with(windowPrefix) || comma == std::string_view::npos)
        return std::nullopt;
    const auto left = countFromText(text.substr(windowPrefix.size(), comma - windowPrefix.size()));
    const auto right = countFromText(text.substr(comma + 1));
    if (!left || !right)
        return std::nullopt;
    return Mask { MaskKind::Window, *left, *right };
}

std::string_view name(Init init)
{
    return inits[static_cast<std::size_t>(init)].second;
}

std::optional<Init> initFromName(std::string_view text)
{
    const auto* row = std::ranges::find(inits, text, &std::pair<Init, std::string_view>::second);
    return row == inits.end() ? std::nullopt : std::optional(row->first);
}

Problem::KeyRange Problem::visibleKeys(int row) const
{
    if (mask.kind == MaskKind::None)
        return { 0, seqlenK };
    // 64 bits: a window as wide as an int must not wrap.
    const std::int64_t position = std::int64_t { row } + shift();
    const std::int64_t first = mask.kind == MaskKind::Window ? position - mask.left : 0;
    const std::int64_t last = position + (mask.kind == MaskKind::Window ? mask.right : 0) + 1;
    const auto clamped
        = [this](std::int64_t key) { return static_cast<int>(std::clamp<std::int64_t>(key, 0, seqlenK)); };
    return { clamped(first), clamped(last) };
}

double Problem::softmaxScale() const
{
    return 1
        / std::sqrt(static_cast<double>(headDim)); // IEEE rounds both correctly, so the bits are the same everywhere
}

float Problem::softmaxScaleLog2() const
{
    return static_cast<float>(softmaxScale() * log2e);
}

} // namespace flashstep
