// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/types.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace flashstep::ptx {

namespace {

struct TypeRow {
    Type type;
    std::string_view name;
    int bytes;
};

constexpr TypeRow types[] = {
    { Type::None, "", 0 },
    { Type::Pred, "pred", 0 },
    { Type::B8, "b8", 1 },
    { Type::B16, "b16", 2 },
    { Type::B32, "b32", 4 },
    { Type::B64, "b64", 8 },
    { Type::B128, "b128", 16 },
    { Type::U8, "u8", 1 },
    { Type::U16, "u16", 2 },
    { Type::U32, "u32", 4 },
    { Type::U64, "u64", 8 },
    { Type::S8, "s8", 1 },
    { Type::S16, "s16", 2 },
    { Type::S32, "s32", 4 },
    { Type::S64, "s64", 8 },
    { Type::F16, "f16", 2 },
    { Type::F16x2, "f16x2", 4 },
    { Type::Bf16, "bf16", 2 },
    { Type::Bf16x2, "bf16x2", 4 },
    { Type::Tf32, "tf32", 4 },
    { Type::F32, "f32", 4 },
    { Type::F32x2, "f32x2", 8 },
    { Type::F64, "f64", 8 },
    { Type::E4m3, "e4m3", 1 },
    { Type::E5m2, "e5m2", 1 },
    { Type::E4m3x2, "e4m3x2", 2 },
    { Type::E5m2x2, "e5m2x2", 2 },
};

constexpr std::string_view specials[] = {
    "%tid.x",
    "%tid.y",
    "%tid.z",
    "%ntid.x",
    "%ntid.y",
    "%ntid.z",
    "%ctaid.x",
    "%ctaid.y",
    "%ctaid.z",
    "%nctaid.x",
    "%nctaid.y",
    "%nctaid.z",
    "%laneid",
    "%warpid",
    "%nwarpid",
    "%smid",
    "%nsmid",
    "%gridid",
    "%lanemask_eq",
    "%lanemask_le",
    "%lanemask_lt",
    "%lanemask_ge",
    "%lanemask_gt",
    "%clock",
    "%clock_hi",
    "%clock64",
    "%globaltimer",
    "%globaltimer_lo",
    "%globaltimer_hi",
    "%dynamic_smem_size",
    "%total_smem_size",
    "%cluster_ctarank",
    "%cluster_nctarank",
    "%clusterid.x",
    "%clusterid.y",
    "%clusterid.z",
    "%nclusterid.x",
    "%nclusterid.y",
    "%nclusterid.z",
    "%cluster_ctaid.x",
    "%cluster_ctaid.y",
    "%cluster_ctaid.z",
    "%cluster_nctaid.x",
    "%cluster_nctaid.y",
    "%cluster_nctaid.z",
    "%is_explicit_cluster",
};

constexpr std::string_view spaces[] = { "generic", "global", "shared", "local", "param", "const" };

// The rows stand in the order of the enumerations, which makes the value an index.
constexpr bool typesInOrder()
{
    for (std::size_t k = 0; k < std::size(types); ++k)
        if (static_cast<std::size_t>(types[k].type) != k)
            return false;
    return true;
}
static_assert(typesInOrder());
static_assert(std::size(types) == static_cast<std::size_t>(Type::E5m2x2) + 1);
static_assert(std::size(specials) == static_cast<std::size_t>(Special::IsExplicitCluster) + 1);
static_assert(std::size(spaces) == static_cast<std::size_t>(Space::Const) + 1);

} // namespace

std::string_view name(Type type)
{
    return types[static_cast<std::size_t>(type)].name;
}

std::optional<Type> typeFromName(std::string_view text)
{
    for (const TypeRow& row : types)
        if (row.name == text && row.type != Type::None)
            return row.type;
    return std::nullopt;
}

int bytesOf(Type type)
{
    return types[static_cast<std::size_t>(type)].bytes;
}

bool isFloat(Type type)
{
    return type >= Type::F16;
}

bool isSigned(Type type)
{
    return type >= Type::S8 && type <= Type::S64;
}

std::string_view name(Space space)
{
    return spaces[static_cast<std::size_t>(space)];
}

std::string_view name(Special special)
{
    return specials[static_cast<std::size_t>(special)];
}

std::optional<Special> specialFromName(std::string_view text)
{
    const auto* const found = std::find(std::begin(specials), std::end(specials), text);
    if (found == std::end(specials))
        return std::nullopt;
    return static_cast<Special>(found - std::begin(specials));
}

} // namespace flashstep::ptx
