// SPDX-License-Identifier: Apache-2.0
#include "core/program/op.h"

#include <algorithm>

namespace flashstep {

namespace {

constexpr std::array<std::string_view, opKindCount> kindNames { "load", "commit", "wait", "sync", "arrive", "fence",
    "next-tile", "setmaxnreg", "mma", "mask", "rowmax", "rescale", "exp2", "rowsum", "convert", "normalise", "reduce",
    "stage", "store", "allocate", "free" };

} // namespace

std::string_view name(OpKind kind)
{
    return kindNames[static_cast<std::size_t>(kind)];
}

std::optional<OpKind> opKindFromName(std::string_view text)
{
    const auto found = std::find(kindNames.begin(), kindNames.end(), text);
    if (found == kindNames.end())
        return std::nullopt;
    return static_cast<OpKind>(found - kindNames.begin());
}

std::string_view name(TensorId tensor)
{
    constexpr std::array<std::string_view, 11> names { "Q", "K", "V", "O", "LSE", "S", "P", "O_tmp", "m", "l", "" };
    return names[static_cast<std::size_t>(tensor)];
}

} // namespace flashstep
