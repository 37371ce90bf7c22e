// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace flashstep::ptx {

// Fundamental, packed and alternate types, as they end an opcode (PTX ISA 5.2). Registers have fundamental types only;
// whether a register fits an operand is a question of size, as ptxas has it.
enum class Type : std::uint8_t {
    None,
    Pred,
    B8,
    B16,
    B32,
    B64,
    B128,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F16,
    F16x2,
    Bf16,
    Bf16x2,
    Tf32,
    F32,
    F32x2,
    F64,
    E4m3,
    E5m2,
    E4m3x2,
    E5m2x2
};
[[nodiscard]] std::string_view name(Type type); // "f32"; None: ""
[[nodiscard]] std::optional<Type> typeFromName(std::string_view text); // without the dot
[[nodiscard]] int bytesOf(Type type); // of one element; Pred and None: 0
[[nodiscard]] bool isFloat(Type type);
[[nodiscard]] bool isSigned(Type type); // s8 … s64

enum class Space : std::uint8_t { Generic, Global, Shared, Local, Param, Const };
[[nodiscard]] std::string_view name(Space space);

// Registers that the hardware fills (PTX ISA 10); a vector's components are registers of their own.
enum class Special : std::uint8_t {
    TidX,
    TidY,
    TidZ,
    NtidX,
    NtidY,
    NtidZ,
    CtaidX,
    CtaidY,
    CtaidZ,
    NctaidX,
    NctaidY,
    NctaidZ,
    Laneid,
    Warpid,
    Nwarpid,
    Smid,
    Nsmid,
    Gridid,
    LanemaskEq,
    LanemaskLe,
    LanemaskLt,
    LanemaskGe,
    LanemaskGt,
    Clock,
    ClockHi,
    Clock64,
    Globaltimer,
    GlobaltimerLo,
    GlobaltimerHi,
    DynamicSmemSize,
    TotalSmemSize,
    ClusterCtarank,
    ClusterNctarank,
    ClusteridX,
    ClusteridY,
    ClusteridZ,
    NclusteridX,
    NclusteridY,
    NclusteridZ,
    ClusterCtaidX,
    ClusterCtaidY,
    ClusterCtaidZ,
    ClusterNctaidX,
    ClusterNctaidY,
    ClusterNctaidZ,
    IsExplicitCluster
};
[[nodiscard]] std::string_view name(Special special); // "%tid.x"
[[nodiscard]] std::optional<Special> specialFromName(std::string_view text); // with the percent sign

} // namespace flashstep::ptx
