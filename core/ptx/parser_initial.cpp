// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_constants.h"
#include "core/ptx/parser_variables.h"

#include <algorithm>
#include <bit>

namespace flashstep::ptx {

namespace {

// Fills a variable's memory from nested braces (PTX ISA 5.4.4), and lists the addresses that are not known yet.
class Initialiser {
public:
    Initialiser(Context& context, Shape& shape, Variable& variable)
        : m_context(context)
        , m_shape(shape)
        , m_variable(variable)
        , m_elementBytes(static_cast<std::uint64_t>(bytesOf(variable.element)))
    {
    }

    // Dimensions from `level` on, at this offset.
    bool fill(std::size_t level, std::uint64_t offset)
    {
        if (level == m_shape.dimensions.size())
            return value(offset);
        Cursor& cursor = m_context.cursor;
        const std::uint32_t line = cursor.token().line;
        std::uint64_t stride = m_elementBytes;
        for (std::size_t k = level + 1; k < m_shape.dimensions.size(); ++k)
            stride *= m_shape.dimensions[k];
        const bool counted = level == 0 && m_shape.unsized;
        std::uint64_t count = 0;
        if (!cursor.expect('{'))
            return false;
        while (count == 0 ? !cursor.token().is('}') : cursor.accept(',')) {
            if (!counted && count == m_shape.dimensions[level])
                return cursor.fail(line, "too many values for " + quoted(m_variable.name),
                    "at most " + std::to_string(m_shape.dimensions[level]));
            if (!fill(level + 1, offset + count++ * stride))
                return false;
        }
        if (!cursor.accept('}'))
            return cursor.unexpected("',' or '}'");
        if (counted)
            m_shape.dimensions[0] = count;
        return true;
    }

private:
    static constexpr std::int32_t wholeAddress = -1;

    bool value(std::uint64_t offset)
    {
        Cursor& cursor = m_context.cursor;
        if (cursor.token().kind == Token::Kind::Name && !cursor.token().isName("WARP_SZ"))
            return address(offset, wholeAddress);
        const std::uint32_t line = cursor.token().line;
        Constant constant;
        if (!beginsConstant(cursor.token()))
            return cursor.unexpected("a value");
        if (!parseConstant(cursor, constant))
            return false;
        if (constant.kind == Constant::Kind::Integer && cursor.accept('('))
            return addressByte(constant, offset, line);
        if (constant.kind == Constant::Kind::Integer ? isFloat(m_variable.element) : m_elementBytes < 4)
            return cursor.fail(line, "a value of another kind for " + quoted(m_variable.name),
                constant.kind == Constant::Kind::Integer ? "a float, as 0f3F800000 or 1.0" : "an integer");
        return write(offset, bitsFor(constant), line);
    }

    // As the element's type keeps it.
    [[nodiscard]] std::uint64_t bitsFor(const Constant& constant) const
    {
        const auto bits = static_cast<std::uint64_t>(constant.number);
        const bool single = m_variable.element == Type::F32, wide = m_variable.element == Type::F64;
        if (constant.kind == Constant::Kind::Single && wide)
            return std::bit_cast<std::uint64_t>(
                static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
        if (constant.kind == Constant::Kind::Single || (!single && !wide))
            return bits;
        return wide ? bits : std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
    }

    // 0xFF00(address): the byte that the mask leaves, which is how packed structures hold a pointer.
    bool addressByte(const Constant& mask, std::uint64_t offset, std::uint32_t line)
    {
        const auto bits = static_cast<std::uint64_t>(mask.number);
        const int byte = std::countr_zero(bits) / 8;
        if (bits == 0 || bits != std::uint64_t(0xFF) << (8 * byte) || m_elementBytes != 1)
            return m_context.cursor.fail(line, "a part of an address", "one byte of it in a .b8, as 0xFF00(name)");
        return address(offset, byte) && m_context.cursor.expect(')');
    }

    // name, name + 4, generic(name), generic(name) + 4
    bool address(std::uint64_t offset, std::int32_t byte)
    {
        Cursor& cursor = m_context.cursor;
        const std::uint32_t line = cursor.token().line;
        Variable::Relocation relocation;
        relocation.offset = offset;
        relocation.byte = byte;
        relocation.generic = cursor.token().isName("generic") && cursor.after().is('(');
        if (relocation.generic) {
            cursor.take();
            cursor.take();
        }
        std::string_view name;
        if (!cursor.expectName(name, "a variable's or a function's name")
            || (relocation.generic && !cursor.expect(')')))
            return false;
        if ((cursor.accept('+') || cursor.token().is('-'))
            && !parseInteger(cursor, relocation.addend, "the bytes to add"))
            return false;
        const auto known = m_context.names.find(name);
        if (known && known->symbol.kind == Symbol::Kind::Variable && !known->symbol.local)
            relocation.variable = known->symbol.index;
        else if (known && known->symbol.kind == Symbol::Kind::Function)
            relocation.function = known->symbol.index;
        else
            return cursor.fail(line, quoted(name) + " has no address here", "a variable or function declared above");
        if (byte == wholeAddress && m_elementBytes != 4 && m_elementBytes != 8)
            return cursor.fail(line, "an address in an element of " + std::to_string(m_elementBytes) + " bytes",
                "elements of .u64 or .u32");
        m_variable.relocations.push_back(relocation);
        return write(offset, 0, line);
    }

    bool write(std::uint64_t offset, std::uint64_t bits, std::uint32_t line)
    {
        const std::uint64_t end = offset + m_elementBytes;
        if (end > m_variable.initial.size()) {
            const std::uint64_t more = end - m_variable.initial.size();
            if (more > m_context.initialBytesLeft)
                return m_context.cursor.fail(line, "initialisers with large gaps", "values next to each other");
            m_context.initialBytesLeft -= more;
            m_variable.initial.resize(end);
        }
        for (std::uint64_t k = 0; k < std::min<std::uint64_t>(m_elementBytes, 8); ++k)
            m_variable.initial[offset + k] = static_cast<std::byte>(bits >> (8 * k));
        return true;
    }

    Context& m_context;
    Shape& m_shape;
    Variable& m_variable;
    std::uint64_t m_elementBytes;
};

} // namespace

bool parseInitial(Context& context, Shape& shape, Variable& variable)
{
    return Initialiser(context, shape, variable).fill(0, 0);
}

} // namespace flashstep::ptx
