// SPDX-License-Identifier: Apache-2.0
// Counting, finding and moving bits: PTX ISA 9.7.1.14 to 9.7.1.22 and 9.7.8.
#include "probe.h"

namespace flashstep::conform {
namespace {

int leadingZeros(std::uint64_t a, int bits)
{
    int count = 0;
    while (count < bits && (a >> (bits - 1 - count) & 1) == 0)
        ++count;
    return count;
}

std::uint64_t ones(std::uint64_t a)
{
    std::uint64_t count = 0;
    for (; a != 0; a >>= 1)
        count += a & 1;
    return count;
}

std::string with(const std::string& opcode, Kind kind)
{
    return opcode + "." + nameOf(kind);
}

std::string untyped(int bits)
{
    return ".b" + std::to_string(bits);
}

// The highest bit that is not a copy of the sign; all ones if there is none.
std::uint64_t found(std::uint64_t a, Kind kind, bool shiftAmount)
{
    const int bits = bitsOf(kind);
    if (isSigned(kind) && asSigned(a, bits) < 0)
        a = masked(~a, bits);
    const int zeros = leadingZeros(a, bits);
    if (zeros == bits)
        return 0xFFFFFFFF;
    return static_cast<std::uint64_t>(shiftAmount ? zeros : bits - 1 - zeros);
}

// bfe: `length` bits from `start`; beyond the top, zeros or the sign of the field's highest existing bit.
std::uint64_t extracted(std::uint64_t a, std::uint64_t b, std::uint64_t c, Kind kind)
{
    const int bits = bitsOf(kind);
    const auto start = static_cast<int>(b & 0xFF);
    const auto length = static_cast<int>(c & 0xFF);
    const int top = bits - 1;
    bool sign = false;
    if (isSigned(kind) && length > 0) {
        const int last = start + length - 1 < top ? start + length - 1 : top;
        sign = (a >> last & 1) != 0;
    }
    std::uint64_t result = 0;
    for (int i = 0; i <= top; ++i) {
        const bool bit = i < length && start + i <= top ? (a >> (start + i) & 1) != 0 : sign;
        result |= std::uint64_t { bit } << i;
    }
    return result;
}

std::uint64_t inserted(std::uint64_t a, std::uint64_t b, std::uint64_t start, std::uint64_t length, int bits)
{
    const auto first = static_cast<int>(start & 0xFF);
    const auto count = static_cast<int>(length & 0xFF);
    std::uint64_t result = b;
    for (int i = 0; i < count && first + i < bits; ++i) {
        const std::uint64_t place = std::uint64_t { 1 } << (first + i);
        result = (a >> i & 1) != 0 ? result | place : result & ~place;
    }
    return result;
}

const Values positions { 0, 1, 3, 7, 8, 15, 16, 24, 31, 32, 33, 40, 63, 64, 65, 200, 255, 256, 257, 0x1F08 };

void addFields(Forms& forms)
{
    for (const Kind k : { Kind::U32, Kind::S32, Kind::U64, Kind::S64 }) {
        ternary(
            forms, { with("bfe", k), "9.7.1.19" }, k, k, Kind::U32, Kind::U32,
            [k](auto a, auto b, auto c) { return extracted(a, b, c, k); },
            mixed(corners(k), positions, positions, 896));
    }
    for (const Kind k : { Kind::U32, Kind::U64 }) {
        const std::string opcode = "bfi" + untyped(bitsOf(k));
        add(forms, opcode, "9.7.1.20", [k, opcode](Probe& probe) {
            const std::vector<Values> rows = mixed(corners(k), positions, positions, 896);
            const Values b = noise(k, rows[0].size(), 5);
            Answers answers;
            for (std::size_t i = 0; i < b.size(); ++i)
                answers.emplace_back(inserted(rows[0][i], b[i], rows[1][i], rows[2][i], bitsOf(k)));
            probe.input("a", k, rows[0]).input("b", k, b).input("start", Kind::U32, rows[1]);
            probe.input("length", Kind::U32, rows[2]).output("d", k, answers);
            probe.body(opcode + " %d, %a, %b, %start, %length;");
        });
    }
    for (const bool wrap : { false, true }) {
        const std::string mode = wrap ? ".wrap" : ".clamp";
        const auto limit = [wrap](std::uint64_t x) { return wrap ? x & 31 : x > 32 ? 32 : x; };
        binary(
            forms, { "bmsk" + mode + ".b32", "9.7.1.22", "sm_80" }, Kind::U32, Kind::U32, Kind::U32,
            [limit](auto a, auto b) {
                std::uint64_t mask = 0;
                for (std::uint64_t i = 0; i < limit(b); ++i)
                    mask |= limit(a) + i < 32 ? 1ULL << (limit(a) + i) : 0;
                return mask;
            },
            crossed(positions, positions));
        for (const Kind k : { Kind::U32, Kind::S32 }) {
            binary(
                forms, { with("szext" + mode, k), "9.7.1.21" }, k, k, Kind::U32,
                [=](auto a, auto b) {
                    const auto n = static_cast<int>(limit(b));
                    if (n == 0)
                        return std::uint64_t { 0 };
                    return isSigned(k) ? static_cast<std::uint64_t>(asSigned(a, n)) : masked(a, n);
                },
                crossed(corners(k), positions));
        }
    }
}

void addCounts(Forms& forms)
{
    for (const Kind k : { Kind::U32, Kind::U64 }) {
        const int bits = bitsOf(k);
        const std::string type = untyped(bits);
        unary(forms, { "popc" + type, "9.7.1.14" }, Kind::U32, k, [](std::uint64_t a) { return ones(a); });
        unary(forms, { "clz" + type, "9.7.1.15" }, Kind::U32, k,
            [bits](std::uint64_t a) { return static_cast<std::uint64_t>(leadingZeros(a, bits)); });
        unary(forms, { "brev" + type, "9.7.1.18" }, k, k, [bits](std::uint64_t a) {
            std::uint64_t reversed = 0;
            for (int i = 0; i < bits; ++i)
                reversed |= (a >> i & 1) << (bits - 1 - i);
            return reversed;
        });
    }
    for (const Kind k : { Kind::U32, Kind::S32, Kind::U64, Kind::S64 }) {
        unary(
            forms, { with("bfind", k), "9.7.1.16" }, Kind::U32, k, [k](std::uint64_t a) { return found(a, k, false); });
        unary(forms, { with("bfind.shiftamt", k), "9.7.1.16" }, Kind::U32, k,
            [k](std::uint64_t a) { return found(a, k, true); });
    }
    // The n-th set bit from a base, upwards for positive n, downwards for negative; n = 0 asks the base itself.
    add(forms, "fns.b32", "9.7.1.17", [](Probe& probe) {
        Values mask, base, offset;
        Answers answers;
        for (const std::uint64_t m : { 0ULL, 1ULL, 0x80000001ULL, 0xAAAAAAAAULL, 0xFFFFFFFFULL, 0x0F0F0010ULL }) {
            for (const int from : { 0, 3, 4, 16, 31 }) {
                for (const int n : { -5, -2, -1, 0, 1, 2, 5 }) {
                    mask.push_back(m);
                    base.push_back(static_cast<std::uint64_t>(from));
                    offset.push_back(masked(static_cast<std::uint64_t>(n), 32));
                    std::uint64_t position = 0xFFFFFFFF;
                    int left = n == 0 ? 1 : n < 0 ? -n : n;
                    for (int i = from; left > 0 && i >= 0 && i < 32 && (n != 0 || i == from); i += n < 0 ? -1 : 1) {
                        if ((m >> i & 1) != 0 && --left == 0)
                            position = static_cast<std::uint64_t>(i);
                    }
                    answers.emplace_back(position);
                }
            }
        }
        probe.input("a", Kind::U32, mask).input("b", Kind::U32, base).input("c", Kind::S32, offset);
        probe.output("d", Kind::U32, answers).body("fns.b32 %d, %a, %b, %c;");
    });
}

void addShifts(Forms& forms)
{
    for (const Kind k : { Kind::U16, Kind::U32, Kind::U64 }) {
        const int bits = bitsOf(k);
        const auto left
            = [bits](std::uint64_t a, std::uint64_t n) { return n >= static_cast<std::uint64_t>(bits) ? 0 : a << n; };
        binary(forms, { "shl" + untyped(bits), "9.7.8.8" }, k, k, Kind::U32, left);
    }
    for (const Kind k : { Kind::U16, Kind::U32, Kind::U64, Kind::S16, Kind::S32, Kind::S64 }) {
        const int bits = bitsOf(k);
        binary(forms, { with("shr", k), "9.7.8.9" }, k, k, Kind::U32, [=](std::uint64_t a, std::uint64_t n) {
            const bool sign = isSigned(k) && asSigned(a, bits) < 0;
            std::uint64_t result = 0;
            for (int i = 0; i < bits; ++i) {
                const std::uint64_t from = n + static_cast<std::uint64_t>(i);
                const bool bit = from < static_cast<std::uint64_t>(bits) ? (a >> from & 1) != 0 : sign;
                result |= std::uint64_t { bit } << i;
            }
            return result;
        });
    }
    for (const int bits : { 16, 32, 64 }) {
        const Kind k = bits == 16 ? Kind::U16 : bits == 32 ? Kind::U32 : Kind::U64;
        binary(forms, { "shr" + untyped(bits), "9.7.8.9" }, k, k, Kind::U32,
            [bits](auto a, auto n) { return n >= static_cast<std::uint64_t>(bits) ? 0 : a >> n; });
    }
    // b stands above a; the 64 bits move by c, which wraps at 32 or stops there.
    for (const bool left : { false, true }) {
        for (const bool wrap : { false, true }) {
            const std::string opcode = std::string("shf") + (left ? ".l" : ".r") + (wrap ? ".wrap" : ".clamp") + ".b32";
            ternary(
                forms, { opcode, "9.7.8.7" }, Kind::U32, Kind::U32, Kind::U32, Kind::U32,
                [=](auto a, auto b, auto c) {
                    const std::uint64_t n = wrap ? c & 31 : c > 32 ? 32 : c;
                    const std::uint64_t both = b << 32 | a;
                    return left ? (n == 0 ? b : both << n >> 32) : (n == 0 ? a : both >> n);
                },
                mixed(corners(Kind::U32), corners(Kind::U32), positions, 640));
        }
    }
}

} // namespace

void addIntegerBits(Forms& forms)
{
    addCounts(forms);
    addFields(forms);
    addShifts(forms);
}

void addLogic(Forms& forms)
{
    for (const Kind k : { Kind::U16, Kind::U32, Kind::U64 }) {
        const std::string type = untyped(bitsOf(k));
        binary(forms, { "and" + type, "9.7.8.1" }, k, k, k, [](auto a, auto b) { return a & b; });
        binary(forms, { "or" + type, "9.7.8.2" }, k, k, k, [](auto a, auto b) { return a | b; });
        binary(forms, { "xor" + type, "9.7.8.3" }, k, k, k, [](auto a, auto b) { return a ^ b; });
        unary(forms, { "not" + type, "9.7.8.4" }, k, k, [](std::uint64_t a) { return ~a; });
        unary(forms, { "cnot" + type, "9.7.8.5" }, k, k, [](std::uint64_t a) { return a == 0 ? 1ULL : 0ULL; });
    }
    // immLut is the function's value at 0xF0, 0xCC, 0xAA: bit 4a + 2b + c of it is the result.
    for (const unsigned lut : { 0x00U, 0x01U, 0x1AU, 0x80U, 0x96U, 0xB8U, 0xCAU, 0xE8U, 0xF8U, 0xFEU, 0xFFU }) {
        add(forms, "lop3.b32 " + std::to_string(lut), "9.7.8.6", [lut](Probe& probe) {
            const std::vector<Values> rows = mixed(corners(Kind::U32), corners(Kind::U32), corners(Kind::U32), 128);
            Answers answers;
            for (std::size_t i = 0; i < rows[0].size(); ++i) {
                std::uint64_t result = 0;
                for (int bit = 0; bit < 32; ++bit) {
                    const std::uint64_t at
                        = (rows[0][i] >> bit & 1) * 4 + (rows[1][i] >> bit & 1) * 2 + (rows[2][i] >> bit & 1);
                    result |= std::uint64_t { lut >> at & 1U } << bit;
                }
                answers.emplace_back(result);
            }
            probe.input("a", Kind::U32, rows[0]).input("b", Kind::U32, rows[1]).input("c", Kind::U32, rows[2]);
            probe.output("d", Kind::U32, answers).body("lop3.b32 %d, %a, %b, %c, " + std::to_string(lut) + ";");
        });
    }
    // The four truth tables of two predicates, in and out through selp and setp.
    add(forms, "and.pred or.pred xor.pred not.pred mov.pred", "9.7.8.1", [](Probe& probe) {
        Values a, b;
        Answers both, either, one, not_;
        for (std::uint64_t i = 0; i < 32; ++i) {
            a.push_back(i & 1);
            b.push_back(i >> 1 & 1);
            both.emplace_back(a.back() & b.back());
            either.emplace_back(a.back() | b.back());
            one.emplace_back(a.back() ^ b.back());
            not_.emplace_back(1 - a.back());
        }
        probe.input("a", Kind::U32, a).input("b", Kind::U32, b).output("and", Kind::U32, both);
        probe.output("or", Kind::U32, either).output("xor", Kind::U32, one).output("not", Kind::U32, not_);
        probe.declare(".reg .pred %p, %q, %r, %s, %u, %v;");
        probe.body("setp.ne.u32 %p, %a, 0;").body("setp.ne.u32 %q, %b, 0;");
        probe.body("and.pred %r, %p, %q;").body("or.pred %s, %p, %q;").body("xor.pred %u, %p, %q;");
        probe.body("not.pred %v, %p;").body("mov.pred %q, %v;");
        probe.body("selp.u32 %and, 1, 0, %r;").body("selp.u32 %or, 1, 0, %s;");
        probe.body("selp.u32 %xor, 1, 0, %u;").body("selp.u32 %not, 1, 0, %q;");
    });
}

} // namespace flashstep::conform
