// SPDX-License-Identifier: Apache-2.0
// ld and st in global memory: types, widths, vectors, cache operators, orders. PTX ISA 9.7.9.8 to 9.7.9.11.
#include "probe.h"

namespace flashstep::conform {
namespace {

struct Access {
    const char* type;
    int bytes;
    bool isSigned;
    const char* registers; // as narrow as the instruction lets it be
};
const Access accesses[] = { { "b8", 1, false, ".b16" }, { "u8", 1, false, ".b16" }, { "s8", 1, true, ".b16" },
    { "b16", 2, false, ".b16" }, { "u16", 2, false, ".b16" }, { "s16", 2, true, ".b16" }, { "b32", 4, false, ".b32" },
    { "u32", 4, false, ".b32" }, { "s32", 4, true, ".b32" }, { "b64", 8, false, ".b64" }, { "u64", 8, false, ".b64" },
    { "s64", 8, true, ".b64" }, { "f32", 4, false, ".f32" }, { "f64", 8, false, ".f64" } };

constexpr std::size_t lanes = 64;

Values sourceBytes(std::size_t count)
{
    return noise(Kind::U8, count, 77);
}

std::uint64_t valueAt(const Values& bytes, std::size_t at, int size)
{
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i)
        value |= bytes[at + static_cast<std::size_t>(i)] << (8 * i);
    return value;
}

bool isFloatType(const Access& access)
{
    return access.type[0] == 'f';
}

// %x: the address of the thread's `bytes` in the array `name`.
void address(Probe& probe, const std::string& name, int bytes)
{
    probe.declare(".reg .b64 %x_" + name + ";");
    probe.body("mul.wide.u32 %x_" + name + ", %i, " + std::to_string(bytes) + ";");
    probe.body("add.s64 %x_" + name + ", %x_" + name + ", %" + name + ";");
}

// A value of `bytes` in a register that may be wider: as a 64-bit number, extended as the load's type says.
void addLoads(Forms& forms)
{
    for (const Access& access : accesses) {
        const std::string opcode = std::string("ld.global.") + access.type;
        add(forms, opcode, "9.7.9.8", [=](Probe& probe) {
            const Values source = sourceBytes(lanes * static_cast<std::size_t>(access.bytes) + 16);
            const auto size = static_cast<std::size_t>(access.bytes);
            Answers here, wide, behind;
            for (std::size_t i = 0; i < lanes; ++i) {
                const std::uint64_t value = valueAt(source, i * size, access.bytes);
                here.emplace_back(value);
                const int bits = access.bytes * 8;
                wide.emplace_back(access.isSigned ? static_cast<std::uint64_t>(asSigned(value, bits)) : value);
                behind.emplace_back(valueAt(source, i * size + 8, access.bytes));
            }
            const Kind same = access.bytes == 1 ? Kind::U8
                : access.bytes == 2             ? Kind::U16
                : access.bytes == 4             ? Kind::U32
                                                : Kind::U64;
            probe.array(inputBuffer("src", Kind::U8, source)).output("d", same, here).output("o", same, behind);
            if (!isFloatType(access))
                probe.output("w", Kind::U64, wide);
            address(probe, "src", access.bytes);
            probe.declare(std::string(".reg ") + access.registers + " %n;");
            const std::string move = std::string("mov.b") + std::to_string(access.bytes == 1 ? 16 : access.bytes * 8);
            probe.body(opcode + " %n, [%x_src];").body(move + " %d, %n;");
            probe.body(opcode + " %n, [%x_src+8];").body(move + " %o, %n;");
            if (!isFloatType(access))
                probe.body(opcode + " %w, [%x_src];");
        });
    }
}

void addStores(Forms& forms)
{
    for (const Access& access : accesses) {
        const std::string opcode = std::string("st.global.") + access.type;
        add(forms, opcode, "9.7.9.11", [=](Probe& probe) {
            const bool isFloat = isFloatType(access);
            const Kind from = isFloat ? (access.bytes == 4 ? Kind::F32 : Kind::F64) : Kind::U64; // wider than stored
            const Values a = noise(isFloat ? from : Kind::U64, lanes, 12);
            Values kept(lanes * 16, 0xEE);
            for (std::size_t i = 0; i < lanes; ++i) {
                for (int k = 0; k < access.bytes; ++k)
                    kept[i * 16 + 8 + static_cast<std::size_t>(k)] = a[i] >> (8 * k) & 0xFF;
            }
            probe.input("a", from, a).array(outputBuffer("to", Kind::U8, Answers(kept.begin(), kept.end())));
            address(probe, "to", 16);
            probe.declare(".reg .b64 %past;").body("add.s64 %past, %x_to, 16;").body(opcode + " [%past+-8], %a;");
        });
    }
}

void addVectors(Forms& forms)
{
    for (const Access& access : accesses) {
        for (const int count : { 2, 4 }) {
            if (access.bytes * count > 16)
                continue;
            const std::string type = ".v" + std::to_string(count) + "." + access.type;
            add(forms, "ld.global" + type + " st.global" + type, "9.7.9.8", [=](Probe& probe) {
                const int bytes = access.bytes * count;
                const Values source = sourceBytes(lanes * static_cast<std::size_t>(bytes));
                Values reversed(source.size());
                for (std::size_t i = 0; i < source.size(); ++i) { // the elements of a vector backwards
                    const auto part = static_cast<std::size_t>(access.bytes), all = static_cast<std::size_t>(bytes);
                    const std::size_t base = i / all * all, element = i % all / part, byte = i % part;
                    reversed[base + (all / part - 1 - element) * part + byte] = source[i];
                }
                probe.array(inputBuffer("src", Kind::U8, source));
                probe.array(outputBuffer("to", Kind::U8, Answers(reversed.begin(), reversed.end()))).threads(lanes);
                probe.declare(std::string(".reg ") + access.registers + " %v<4>;");
                address(probe, "src", bytes);
                address(probe, "to", bytes);
                const std::string forward = count == 2 ? "{%v0, %v1}" : "{%v0, %v1, %v2, %v3}";
                const std::string backward = count == 2 ? "{%v1, %v0}" : "{%v3, %v2, %v1, %v0}";
                probe.body("ld.global" + type + " " + forward + ", [%x_src];");
                probe.body("st.global" + type + " [%x_to], " + backward + ";");
            });
        }
    }
}

// What only says how to cache or order an access leaves the value alone.
void addQualifiers(Forms& forms)
{
    const auto load = [&forms](const std::string& opcode, const std::string& section) {
        add(forms, opcode, section, [opcode](Probe& probe) {
            const Values source = noise(Kind::U32, lanes, 31);
            probe.array(inputBuffer("src", Kind::U32, source))
                .output("d", Kind::U32, Answers(source.begin(), source.end()));
            address(probe, "src", 4);
            probe.body(opcode + " %d, [%x_src];");
        });
    };
    for (const char* const middle : { ".ca", ".cg", ".cs", ".lu", ".cv", ".L1::evict_normal", ".L1::evict_unchanged",
             ".L1::evict_first", ".L1::evict_last", ".L1::no_allocate", ".L2::64B", ".L2::128B", ".L2::256B" })
        load(std::string("ld.global") + middle + ".u32", "9.7.9.8");
    load("ld.volatile.global.u32", "9.7.9.8");
    load("ld.weak.global.u32", "9.7.9.8");
    for (const char* const order : { "relaxed", "acquire" }) {
        for (const char* const scope : { "cta", "gpu", "sys" })
            load(std::string("ld.") + order + "." + scope + ".global.u32", "9.7.9.8");
    }
    for (const char* const middle : { "", ".ca", ".cg", ".cs", ".L1::no_allocate", ".L2::128B" })
        load(std::string("ld.global") + middle + ".nc.u32", "9.7.9.9");
    load("ldu.global.u32", "9.7.9.10");

    const auto store = [&forms](const std::string& opcode) {
        add(forms, opcode, "9.7.9.11", [opcode](Probe& probe) {
            const Values a = noise(Kind::U32, lanes, 32);
            probe.input("a", Kind::U32, a).array(outputBuffer("to", Kind::U32, Answers(a.begin(), a.end())));
            address(probe, "to", 4);
            probe.body(opcode + " [%x_to], %a;");
        });
    };
    for (const char* const middle : { ".wb", ".cg", ".cs", ".wt", ".L1::no_allocate", ".L1::evict_last" })
        store(std::string("st.global") + middle + ".u32");
    store("st.volatile.global.u32");
    store("st.weak.global.u32");
    for (const char* const order : { "relaxed", "release" }) {
        for (const char* const scope : { "cta", "gpu", "sys" })
            store(std::string("st.") + order + "." + scope + ".global.u32");
    }
    add(forms, "ld.global.L2::cache_hint createpolicy", "9.7.9.18", [](Probe& probe) {
        const Values source = noise(Kind::U32, lanes, 33);
        probe.array(inputBuffer("src", Kind::U32, source))
            .output("d", Kind::U32, Answers(source.begin(), source.end()));
        address(probe, "src", 4);
        probe.declare(".reg .b64 %policy;").body("createpolicy.fractional.L2::evict_last.b64 %policy, 1.0;");
        probe.body("ld.global.L2::cache_hint.u32 %d, [%x_src], %policy;");
    });
    add(forms, "prefetch.global.L1 prefetch.global.L2 prefetchu.L1", "9.7.9.15", [](Probe& probe) {
        const Values source = noise(Kind::U32, lanes, 34);
        probe.array(inputBuffer("src", Kind::U32, source))
            .output("d", Kind::U32, Answers(source.begin(), source.end()));
        address(probe, "src", 4);
        probe.declare(".reg .b64 %g;").body("prefetch.global.L1 [%x_src];").body("prefetch.global.L2 [%x_src];");
        probe.body("cvta.global.u64 %g, %x_src;").body("prefetchu.L1 [%g];").body("ld.global.u32 %d, [%x_src];");
    });
}

} // namespace

void addMemory(Forms& forms)
{
    addLoads(forms);
    addStores(forms);
    addVectors(forms);
    addQualifiers(forms);
}

} // namespace flashstep::conform
