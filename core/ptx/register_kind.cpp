// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/register_kind.h"

#include <algorithm>
#include <array>

namespace flashstep::ptx {

namespace {

constexpr std::size_t kindCount = 10;

struct Votes {
    std::array<std::uint32_t, kindCount> of {};
};

RegisterKind kindOf(Type type)
{
    switch (type) {
    case Type::Pred:
        return RegisterKind::Predicate;
    case Type::S8:
    case Type::S16:
    case Type::S32:
    case Type::S64:
        return RegisterKind::Signed;
    case Type::U8:
    case Type::U16:
    case Type::U32:
    case Type::U64:
        return RegisterKind::Unsigned;
    case Type::F32:
    case Type::Tf32:
        return RegisterKind::F32;
    case Type::F64:
        return RegisterKind::F64;
    case Type::F16:
        return RegisterKind::Half;
    case Type::Bf16:
        return RegisterKind::Bf16;
    case Type::F16x2:
        return RegisterKind::HalfPair;
    case Type::Bf16x2:
        return RegisterKind::Bf16Pair;
    default:
        return RegisterKind::Hex;
    }
}

class Reader {
public:
    explicit Reader(const Code& code)
        : m_code(code)
        , m_votes(code.places.size())
    {
    }
    void read(const Statement& s)
    {
        std::vector<Type> types;
        for (const std::string& m : s.modifiers) {
            if (const auto type = typeFromName(m))
                types.push_back(*type);
        }
        for (std::size_t k = 0; k < s.operands.size(); ++k)
            vote(s.operands[k], kindFor(s, types, k));
    }
    [[nodiscard]] std::vector<RegisterKind> kinds() const
    {
        std::vector<RegisterKind> out;
        for (std::size_t k = 0; k < m_votes.size(); ++k) {
            const Type declared = m_code.function->registers[k].type;
            RegisterKind kind = kindOf(declared);
            if (m_code.places[k].predicate)
                kind = RegisterKind::Predicate;
            else if (kind == RegisterKind::Hex || kind == RegisterKind::Signed || kind == RegisterKind::Unsigned) {
                // Any use that names a meaning beats moves of bits.
                std::uint32_t most = 0;
                for (std::size_t v = 0; v < kindCount; ++v) {
                    if (v != static_cast<std::size_t>(RegisterKind::Hex) && m_votes[k].of[v] > most) {
                        most = m_votes[k].of[v];
                        kind = static_cast<RegisterKind>(v);
                    }
                }
                if (bytesOf(declared) == 8 && kind != RegisterKind::F64)
                    kind = RegisterKind::Hex; // addresses
            }
            out.push_back(kind);
        }
        return out;
    }

private:
    // The destination has the first type named, sources the last; a product's A and B have one of their own.
    [[nodiscard]] RegisterKind kindFor(const Statement& s, const std::vector<Type>& types, std::size_t operand) const
    {
        if (types.empty())
            return RegisterKind::Hex;
        if (s.opcode == "mma" && types.size() == 4) {
            const bool accumulator = operand == 0 || operand == 3;
            const RegisterKind kind = kindOf(types[accumulator ? 0 : 1]);
            return kind == RegisterKind::Half ? RegisterKind::HalfPair
                : kind == RegisterKind::Bf16  ? RegisterKind::Bf16Pair
                                              : kind;
        }
        if (s.opcode == "setp")
            return kindOf(types.back());
        const bool shift = (s.opcode == "shl" || s.opcode == "shr") && operand == 2;
        return shift ? RegisterKind::Unsigned : kindOf(operand == 0 ? types.front() : types.back());
    }
    void vote(const Operand& o, RegisterKind kind)
    {
        if (o.kind == Operand::Kind::Register && o.index < m_votes.size())
            ++m_votes[o.index].of[static_cast<std::size_t>(kind)];
        if (o.kind == Operand::Kind::Vector) {
            for (std::uint32_t k = 0; k < o.count; ++k)
                vote(m_code.function->elements[o.index + k], kind);
        }
    }

    const Code& m_code;
    std::vector<Votes> m_votes;
};

} // namespace

std::string_view name(RegisterKind kind)
{
    constexpr std::string_view names[]
        = { "pred", "s32", "u32", "hex", "f32", "f64", "f16", "bf16", "f16x2", "bf16x2" };
    return names[static_cast<std::size_t>(kind)];
}

std::vector<RegisterKind> registerKinds(const Code& code)
{
    Reader reader(code);
    for (const Statement& s : code.function->statements)
        reader.read(s);
    return reader.kinds();
}

} // namespace flashstep::ptx
