// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/decoder.h"

#include "core/ptx/lanes.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

Decoder::Decoder(Code& code, const Statement& statement, Instruction& instruction)
    : m_code(code)
    , m_statement(statement)
    , m_instruction(instruction)
{
}

bool Decoder::fail(std::string why)
{
    if (m_why.empty())
        m_why = std::move(why);
    return false;
}

std::string_view Decoder::next() const
{
    return atEnd() ? std::string_view() : std::string_view(m_statement.modifiers[m_modifier]);
}

bool Decoder::take(std::string_view modifier)
{
    if (atEnd() || m_statement.modifiers[m_modifier] != modifier)
        return false;
    ++m_modifier;
    return true;
}

int Decoder::takeOneOf(std::initializer_list<std::string_view> modifiers)
{
    const auto found = std::find(modifiers.begin(), modifiers.end(), next());
    if (atEnd() || found == modifiers.end())
        return -1;
    ++m_modifier;
    return static_cast<int>(found - modifiers.begin());
}

Type Decoder::takeType()
{
    const std::optional<Type> type = atEnd() ? std::nullopt : typeFromName(next());
    if (!type)
        return Type::None;
    ++m_modifier;
    return *type;
}

Row Decoder::constant(std::uint64_t bits, int bytes)
{
    const std::size_t rows = bytes > 4 ? 2 : 1;
    const auto matches = [&](std::size_t first) {
        if (rows == 1)
            return m_code.pool[first * warpSize] == static_cast<std::uint32_t>(bits)
                && m_code.pool[first * warpSize + 1] == static_cast<std::uint32_t>(bits);
        return m_code.pool[first * warpSize] == static_cast<std::uint32_t>(bits)
            && m_code.pool[first * warpSize + 1] == static_cast<std::uint32_t>(bits >> 32U)
            && first + 1 < m_code.pool.size() / warpSize
            && m_code.pool[(first + 1) * warpSize] == static_cast<std::uint32_t>(bits);
    };
    const std::size_t count = m_code.pool.size() / warpSize;
    // The newest constants are the ones that come again.
    for (std::size_t row = count; row-- > (count > 64 ? count - 64 : 0);) {
        if (matches(row))
            return { static_cast<std::uint32_t>(row) | Row::poolBit };
    }
    for (std::size_t i = 0; i < rows * warpSize; ++i)
        m_code.pool.push_back(static_cast<std::uint32_t>(rows == 2 && i % 2 == 1 ? bits >> 32U : bits));
    return { static_cast<std::uint32_t>(count) | Row::poolBit };
}

// A variable's address as an operand of mov: where it lies in its own space; of parameters their offset.
std::uint64_t Decoder::addressOf(const Operand& operand)
{
    if (operand.kind == Operand::Kind::Parameter)
        return m_code.function->parameters[operand.index].offset + static_cast<std::uint64_t>(operand.number);
    const Symbol& symbol = operand.local ? m_code.localSymbols[operand.index] : m_code.moduleSymbols[operand.index];
    return symbol.address + static_cast<std::uint64_t>(operand.number);
}

std::uint64_t Decoder::bitsOf(const Operand& operand, Type type)
{
    const auto number = static_cast<std::uint64_t>(operand.number);
    const double sign = operand.negated ? -1 : 1;
    switch (operand.kind) {
    case Operand::Kind::Integer: {
        const std::uint64_t value = operand.negated ? 0 - number : number;
        if (type == Type::F32)
            return std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int64_t>(value)));
        if (type == Type::F64)
            return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(value)));
        return value;
    }
    case Operand::Kind::Float: {
        const double value = std::bit_cast<double>(number) * sign;
        if (bytesOf(type) == 8)
            return std::bit_cast<std::uint64_t>(value);
        return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    }
    case Operand::Kind::Single: {
        const float value = std::bit_cast<float>(static_cast<std::uint32_t>(number));
        if (type == Type::F64)
            return std::bit_cast<std::uint64_t>(static_cast<double>(value) * sign);
        return static_cast<std::uint32_t>(number) ^ (operand.negated ? 0x80000000U : 0U);
    }
    case Operand::Kind::Variable:
    case Operand::Kind::Parameter:
        return addressOf(operand);
    default:
        fail("an operand that is neither a register nor a constant");
        return 0;
    }
}

int Decoder::bytesOfRegister(const Operand& operand) const
{
    if (operand.kind == Operand::Kind::Register)
        return std::max(1, bytesOf(m_code.function->registers[operand.index].type));
    return 0;
}

int Decoder::bytesOfElement(const Operand& operand, int element) const
{
    if (operand.kind == Operand::Kind::Vector)
        return bytesOfRegister(m_code.function->elements[operand.index + static_cast<std::size_t>(element)]);
    return bytesOfRegister(operand);
}

std::uint32_t Decoder::keepRow(Row row)
{
    if (m_instruction.rowsCount == 0)
        m_instruction.rowsFirst = static_cast<std::uint32_t>(m_code.rows.size());
    m_code.rows.push_back(row);
    ++m_instruction.rowsCount;
    return static_cast<std::uint32_t>(m_code.rows.size() - 1);
}

Row Decoder::rowAt(int k) const
{
    return m_code.rows[m_instruction.rowsFirst + static_cast<std::size_t>(k)];
}

Row Decoder::in(const Operand& operand, Type type)
{
    const int bytes = bytesOf(type);
    if (operand.kind == Operand::Kind::Register) {
        const Register& reg = m_code.function->registers[operand.index];
        const Place& place = m_code.places[operand.index];
        if (place.predicate || bytesOf(reg.type) < bytes) {
            fail(fmt::format("{} is too narrow for .{}", reg.name, name(type)));
            return {};
        }
        if (bytesOf(reg.type) == 16 && bytes < 16) {
            fail(fmt::format("{} is too wide for .{}", reg.name, name(type)));
            return {};
        }
        reads(operand.index);
        return { place.row };
    }
    if (operand.kind == Operand::Kind::Special) {
        const auto special = static_cast<Special>(operand.index);
        std::uint32_t& row = m_code.specialRows[operand.index];
        if (special == Special::Clock || special == Special::ClockHi || special == Special::Clock64
            || special == Special::Globaltimer || special == Special::GlobaltimerLo
            || special == Special::GlobaltimerHi) {
            fail(fmt::format("{} as an operand of anything but mov", name(special)));
            return {};
        }
        if (row == none) {
            row = m_code.rowCount;
            m_code.rowCount += 2; // the upper row stays zero, so that a 64-bit read sees the value… of even lanes only
        }
        if (bytes > 4) {
            fail(fmt::format("{} as a 64-bit operand of anything but mov", name(special)));
            return {};
        }
        return { row };
    }
    return constant(bitsOf(operand, type), bytes);
}

Row Decoder::in(std::size_t operand, Type type)
{
    if (operand >= count()) {
        fail("an operand is missing");
        return {};
    }
    return in(m_statement.operands[operand], type);
}

Row Decoder::out(const Operand& operand, Type type)
{
    if (operand.kind == Operand::Kind::Sink)
        return { 0 }; // the first rows of the file are nobody's
    if (operand.kind != Operand::Kind::Register) {
        fail("the destination is no register");
        return {};
    }
    const Register& reg = m_code.function->registers[operand.index];
    const Place& place = m_code.places[operand.index];
    if (place.predicate || bytesOf(reg.type) < bytesOf(type)) {
        fail(fmt::format("{} is too narrow for .{}", reg.name, name(type)));
        return {};
    }
    writes(operand.index);
    return { place.row };
}

Row Decoder::out(std::size_t operand, Type type)
{
    if (operand >= count()) {
        fail("an operand is missing");
        return {};
    }
    return out(m_statement.operands[operand], type);
}

std::uint32_t Decoder::predicateRegister(std::uint32_t number)
{
    if (number == none)
        return none;
    const Place& place = m_code.places[number];
    if (!place.predicate) {
        fail(m_code.function->registers[number].name + " is no predicate");
        return none;
    }
    return place.row;
}

std::uint32_t Decoder::predicateIn(std::size_t operand, bool& negated)
{
    if (operand >= count() || m_statement.operands[operand].kind != Operand::Kind::Register) {
        fail("a predicate register is missing");
        return none;
    }
    negated = m_statement.operands[operand].negated;
    const std::uint32_t place = predicateRegister(m_statement.operands[operand].index);
    if (place != none)
        reads(m_statement.operands[operand].index);
    return place;
}

std::uint32_t Decoder::predicateOut(std::size_t operand)
{
    if (operand >= count()) {
        fail("a predicate register is missing");
        return none;
    }
    const Operand& o = m_statement.operands[operand];
    if (o.kind == Operand::Kind::Sink)
        return none;
    if (o.kind != Operand::Kind::Register) {
        fail("the destination is no predicate");
        return none;
    }
    const std::uint32_t place = predicateRegister(o.index);
    if (place != none)
        writes(o.index);
    return place;
}

std::span<const Operand> Decoder::elementsOf(std::size_t operand, int count)
{
    if (operand >= this->count()) {
        fail("an operand is missing");
        return {};
    }
    const Operand& o = m_statement.operands[operand];
    const bool vector = o.kind == Operand::Kind::Vector;
    const int given = vector ? o.count : 1;
    if (given != count) {
        fail(fmt::format("{} registers instead of {}", given, count));
        return {};
    }
    return { vector ? m_code.function->elements.data() + o.index : &o, static_cast<std::size_t>(count) };
}

void Decoder::vectorIn(std::size_t operand, Type type, int count)
{
    for (const Operand& element : elementsOf(operand, count))
        keepRow(in(element, type));
}

void Decoder::vectorOut(std::size_t operand, Type type, int count)
{
    for (const Operand& element : elementsOf(operand, count))
        keepRow(element.kind == Operand::Kind::Sink ? Row {} : out(element, type));
}

void Decoder::address(std::size_t operand, Space space)
{
    if (operand >= count() || m_statement.operands[operand].kind != Operand::Kind::Address) {
        fail("an address in brackets is missing");
        return;
    }
    const Operand& o = m_statement.operands[operand];
    const Operand& base = m_code.function->elements[o.index];
    m_instruction.space = space;
    m_instruction.offset = o.number;
    if (base.kind == Operand::Kind::Register) {
        const int bytes = bytesOfRegister(base);
        if (bytes != 4 && bytes != 8) {
            fail("the address is in a register of neither 32 nor 64 bits");
            return;
        }
        m_instruction.a = in(base, bytes == 8 ? Type::B64 : Type::B32);
        m_instruction.wide = bytes == 8;
        return;
    }
    if (base.kind != Operand::Kind::Variable && base.kind != Operand::Kind::Parameter
        && base.kind != Operand::Kind::Integer) {
        fail("an address that is neither a register nor a name");
        return;
    }
    // The parameters of a call are memory of the thread that calls.
    if (base.kind == Operand::Kind::Variable && base.local && m_code.localSymbols[base.index].space == Space::Local)
        m_instruction.space = Space::Local;
    m_instruction.a = constant(bitsOf(base, Type::B64), 8);
    m_instruction.wide = true;
}

bool Decoder::isImmediate(std::size_t operand) const
{
    return operand < count() && m_statement.operands[operand].kind == Operand::Kind::Integer;
}

std::int64_t Decoder::immediate(std::size_t operand)
{
    if (!isImmediate(operand)) {
        fail("a constant is missing");
        return 0;
    }
    const Operand& o = m_statement.operands[operand];
    return o.negated ? -o.number : o.number;
}

void Decoder::reads(std::uint32_t registerNumber)
{
    m_reads.push_back(registerNumber);
}

void Decoder::writes(std::uint32_t registerNumber)
{
    m_writes.push_back(registerNumber);
}

void Decoder::finish()
{
    Instruction& i = m_instruction;
    i.readsFirst = static_cast<std::uint32_t>(m_code.uses.size());
    i.readsCount = static_cast<std::uint32_t>(m_reads.size());
    m_code.uses.insert(m_code.uses.end(), m_reads.begin(), m_reads.end());
    i.writesFirst = static_cast<std::uint32_t>(m_code.uses.size());
    i.writesCount = static_cast<std::uint32_t>(m_writes.size());
    m_code.uses.insert(m_code.uses.end(), m_writes.begin(), m_writes.end());
}

} // namespace flashstep::ptx
