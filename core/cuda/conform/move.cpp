// SPDX-License-Identifier: Apache-2.0
// mov in all its uses, and prmt: PTX ISA 9.7.9.3, .4 and .7.
#include "probe.h"

#include <algorithm>
#include <cstring>

namespace flashstep::conform {
namespace {

std::uint64_t byteOf(std::uint64_t a, std::uint64_t b, std::uint64_t index)
{
    return (b << 32 | a) >> (8 * (index & 7)) & 0xFF;
}

void addPermutes(Forms& forms)
{
    // Four selectors of a nibble; its top bit copies the byte's sign all over.
    ternary(
        forms, { "prmt.b32", "9.7.9.7" }, Kind::U32, Kind::U32, Kind::U32, Kind::U32,
        [](auto a, auto b, auto c) {
            std::uint64_t result = 0;
            for (int k = 0; k < 4; ++k) {
                const std::uint64_t selector = c >> (4 * k) & 0xF;
                std::uint64_t byte = byteOf(a, b, selector);
                if ((selector & 8) != 0)
                    byte = (byte & 0x80) != 0 ? 0xFF : 0;
                result |= byte << (8 * k);
            }
            return result;
        },
        mixed(noise(Kind::U32, 32, 3), noise(Kind::U32, 32, 4),
            { 0x3210, 0x7654, 0x0123, 0x4040, 0x7531, 0xBA98, 0xFEDC, 0x8888, 0x1032, 0x5410, 0x7632, 0xF3210,
                0xFFFF0C1D },
            192));
    // The position of the byte that lands at k, for each of the two selector bits' values i.
    const struct {
        const char* mode;
        int (*position)(int k, int i);
    } modes[] = { { "f4e", [](int k, int i) { return i + k; } }, { "b4e", [](int k, int i) { return (i - k) & 7; } },
        { "rc8", [](int, int i) { return i; } }, { "ecl", [](int k, int i) { return std::max(k, i); } },
        { "ecr", [](int k, int i) { return std::min(k, i); } },
        { "rc16", [](int k, int i) { return (k & 1) + 2 * (i & 1); } } };
    for (const auto& mode : modes) {
        const auto position = mode.position;
        ternary(
            forms, { std::string("prmt.b32.") + mode.mode, "9.7.9.7" }, Kind::U32, Kind::U32, Kind::U32, Kind::U32,
            [position](auto a, auto b, auto c) {
                std::uint64_t result = 0;
                for (int k = 0; k < 4; ++k)
                    result |= byteOf(a, b, static_cast<std::uint64_t>(position(k, static_cast<int>(c & 3)))) << (8 * k);
                return result;
            },
            mixed(noise(Kind::U32, 16, 5), noise(Kind::U32, 16, 6), { 0, 1, 2, 3, 4, 7, 0xFFFFFFFE }, 64));
    }
}

void addPlain(Forms& forms)
{
    const struct {
        const char* type;
        Kind kind;
    } types[] = { { "b16", Kind::U16 }, { "u16", Kind::U16 }, { "s16", Kind::S16 }, { "b32", Kind::U32 },
        { "u32", Kind::U32 }, { "s32", Kind::S32 }, { "b64", Kind::U64 }, { "u64", Kind::U64 }, { "s64", Kind::S64 },
        { "f32", Kind::F32 }, { "f64", Kind::F64 } };
    for (const auto& type : types)
        unary(forms, { std::string("mov.") + type.type, "9.7.9.3" }, type.kind, type.kind, [](auto a) { return a; });
    // Constants: decimal, negative, hexadecimal, the bits of a float, a float in decimal.
    add(forms, "mov of constants", "9.7.9.3", [](Probe& probe) {
        const auto same = [](std::uint64_t value) { return Answers(32, Expected(value)); };
        probe.output("a", Kind::U16, same(0xFFFE)).output("b", Kind::U32, same(0xAAAAAAAB));
        probe.output("c", Kind::U64, same(0x4000404000010000ULL)).output("d", Kind::F32, same(0x3FB8AA3B));
        probe.output("e", Kind::F64, same(0xBFE62E42FEFA39EFULL)).output("f", Kind::F32, same(0xC0200000));
        probe.output("g", Kind::F64, same(0x3FC0000000000000ULL)).output("h", Kind::U64, same(~0ULL));
        probe.body("mov.u16 %a, -2;").body("mov.u32 %b, -1431655765;").body("mov.b64 %c, 4611756662049538048;");
        probe.body("mov.f32 %d, 0f3FB8AA3B;").body("mov.f64 %e, 0dBFE62E42FEFA39EF;").body("mov.f32 %f, -2.5;");
        probe.body("mov.f64 %g, 0.125;").body("mov.u64 %h, -1;");
    });
}

void addPacks(Forms& forms)
{
    add(forms, "mov.b32 pack and unpack of two", "9.7.9.4", [](Probe& probe) {
        const Values a = corners(Kind::U16);
        Values b = a, both;
        std::reverse(b.begin(), b.end());
        Answers packed, low, high, first, second;
        for (std::size_t i = 0; i < a.size(); ++i) {
            packed.emplace_back(a[i] | b[i] << 16);
            both.push_back(b[i] | a[i] << 16);
            low.emplace_back(b[i]);
            high.emplace_back(a[i]);
        }
        probe.input("a", Kind::U16, a).input("b", Kind::U16, b).input("c", Kind::U32, both);
        probe.output("packed", Kind::U32, packed).output("low", Kind::U16, low).output("high", Kind::U16, high);
        probe.output("first", Kind::U16, low).output("second", Kind::U16, high);
        probe.body("mov.b32 %packed, {%a, %b};").body("mov.b32 {%low, %high}, %c;");
        probe.body("mov.b32 {%first, _}, %c;").body("mov.b32 {_, %second}, %c;");
    });
    add(forms, "mov.b64 pack and unpack of two and four", "9.7.9.4", [](Probe& probe) {
        const Values a = corners(Kind::U32), b = noise(Kind::U32, a.size(), 8);
        Answers packed, swapped, mixedUp;
        for (std::size_t i = 0; i < a.size(); ++i) {
            packed.emplace_back(a[i] | b[i] << 32);
            swapped.emplace_back(b[i] | a[i] << 32);
            mixedUp.emplace_back((a[i] & 0xFFFF) << 48 | (a[i] >> 16) << 32 | (b[i] & 0xFFFF) << 16 | b[i] >> 16);
        }
        probe.input("a", Kind::U32, a).input("b", Kind::U32, b).output("packed", Kind::U64, packed);
        probe.output("swapped", Kind::U64, swapped).output("quarters", Kind::U64, mixedUp);
        probe.declare(".reg .b32 %x, %y;").declare(".reg .b16 %h<4>;");
        probe.body("mov.b64 %packed, {%a, %b};").body("mov.b64 {%x, %y}, %packed;").body("mov.b64 %swapped, {%y, %x};");
        probe.body("mov.b64 {%h0, %h1, %h2, %h3}, %packed;").body("mov.b64 %quarters, {%h3, %h2, %h1, %h0};");
    });
    add(forms, "mov.b64 between a double and its halves", "9.7.9.4", [](Probe& probe) {
        const Values a = corners(Kind::F64);
        Answers low, high;
        for (const std::uint64_t x : a) {
            low.emplace_back(x & 0xFFFFFFFF);
            high.emplace_back(x >> 32);
        }
        probe.input("a", Kind::F64, a).output("low", Kind::U32, low).output("high", Kind::U32, high);
        probe.body("mov.b64 {%low, %high}, %a;");
    });
    // Bits move between an integer's and a float's register unchanged.
    add(forms, "mov.b32 between .f32 and .b32", "9.7.9.3", [](Probe& probe) {
        const Values a = noise(Kind::U32, 64, 9);
        Answers same(a.begin(), a.end());
        probe.input("a", Kind::U32, a).output("d", Kind::U32, same).declare(".reg .f32 %x;");
        probe.body("mov.b32 %x, %a;").body("mov.b32 %d, %x;");
    });
}

// Addresses of variables: their distances are known, their values are not.
void addAddresses(Forms& forms)
{
    add(forms, "mov of variables' addresses", "9.7.9.3", [](Probe& probe) {
        const auto same = [](std::uint64_t value) { return Answers(32, Expected(value)); };
        probe.global(".shared .align 8 .b8 probe_shared[64];")
            .global(".global .align 4 .u32 probe_global[4] = {11, 12, 13, 14};");
        probe.output("a", Kind::U32, same(40)).output("b", Kind::U32, same(13)).output("c", Kind::U32, same(0));
        probe.output("d", Kind::U32, same(14)).declare(".reg .b32 %x, %y;").declare(".reg .b64 %z;");
        probe.body("mov.u32 %x, probe_shared;").body("mov.u32 %y, probe_shared+40;").body("sub.s32 %a, %y, %x;");
        probe.body("and.b32 %c, %x, 7;").body("mov.u64 %z, probe_global;").body("ld.global.u32 %b, [%z+8];");
        probe.body("ld.global.u32 %d, [probe_global+12];");
    });
}

} // namespace

void addMoves(Forms& forms)
{
    addPlain(forms);
    addPacks(forms);
    addPermutes(forms);
    addAddresses(forms);
}

} // namespace flashstep::conform
