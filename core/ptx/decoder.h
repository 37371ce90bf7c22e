// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"

#include <functional>
#include <initializer_list>
#include <unordered_map>

namespace flashstep::ptx {

// One statement on its way to an instruction: a form takes the modifiers it knows, in order, and the operands it
// needs. A statement with a modifier or an operand left over is not covered.
class Decoder {
public:
    Decoder(Code& code, const Statement& statement, Instruction& instruction);

    [[nodiscard]] const Statement& statement() const { return m_statement; }
    [[nodiscard]] Instruction& instruction() const { return m_instruction; }

    // Modifiers.
    bool take(std::string_view modifier); // the next one, where it is that
    // The next one, where it is one of these; which of them, or -1.
    int takeOneOf(std::initializer_list<std::string_view> modifiers);
    [[nodiscard]] Type takeType(); // None where the next is no type
    [[nodiscard]] std::string_view next() const; // "" at the end
    void skip() { ++m_modifier; }
    [[nodiscard]] bool atEnd() const { return m_modifier == m_statement.modifiers.size(); }

    // Operands; an operand that does not fit makes the whole fail, with a reason.
    [[nodiscard]] std::size_t count() const { return m_statement.operands.size(); }
    Row in(std::size_t operand, Type type); // a register or an immediate as a source of that type
    Row out(std::size_t operand, Type type); // a register at least that wide
    Row out(const Operand& operand, Type type);
    Row in(const Operand& operand, Type type);
    std::uint32_t predicateIn(std::size_t operand, bool& negated);
    std::uint32_t predicateOut(std::size_t operand); // none for _
    std::uint32_t predicateRegister(std::uint32_t number); // as the place of a register, checked
    // The elements of a vector operand (or the one register) as rows of the instruction, in order.
    void vectorIn(std::size_t operand, Type type, int count);
    void vectorOut(std::size_t operand, Type type, int count); // _ leaves a row that is not valid
    // [base + offset] into `a`, `wide` and `offset`.
    void address(std::size_t operand, Space space);
    [[nodiscard]] bool isImmediate(std::size_t operand) const;
    [[nodiscard]] std::int64_t immediate(std::size_t operand); // fails where it is none
    [[nodiscard]] int bytesOfRegister(const Operand& operand) const; // 0 where it is none
    [[nodiscard]] int bytesOfElement(const Operand& operand, int element) const; // of a vector, or the register itself
    std::uint32_t keepRow(Row row); // as the instruction's next row; where it is
    [[nodiscard]] Row rowAt(int k) const; // the instruction's k-th row
    void reads(std::uint32_t registerNumber);
    void writes(std::uint32_t registerNumber);
    Row constant(std::uint64_t bits, int bytes); // a row (or two) of the pool

    bool fail(std::string why); // false, so that a form can return it
    [[nodiscard]] bool failed() const { return !m_why.empty(); }
    [[nodiscard]] const std::string& why() const { return m_why; }
    void finish(); // reads and writes go to the code

private:
    // The elements of a vector operand, or the operand itself; nothing where there are not so many.
    [[nodiscard]] std::span<const Operand> elementsOf(std::size_t operand, int count);
    [[nodiscard]] std::uint64_t bitsOf(const Operand& operand, Type type);
    [[nodiscard]] std::uint64_t addressOf(const Operand& operand);

    Code& m_code;
    const Statement& m_statement;
    Instruction& m_instruction;
    std::size_t m_modifier = 0;
    std::vector<std::uint32_t> m_reads, m_writes;
    std::string m_why;
};

// One form of an instruction. `decode` says whether the statement is of this form; the table's rows with one opcode are
// tried in order.
struct Form {
    std::string_view opcode;
    std::string_view syntax; // for the table in the docs
    std::string_view section; // of the PTX ISA
    bool (*decode)(Decoder& decoder);
};
// The families, one file each.
[[nodiscard]] std::span<const Form> integerForms();
[[nodiscard]] std::span<const Form> rareIntegerForms();
[[nodiscard]] std::span<const Form> bitForms();
[[nodiscard]] std::span<const Form> floatForms();
[[nodiscard]] std::span<const Form> approximateForms();
[[nodiscard]] std::span<const Form> halfForms();
[[nodiscard]] std::span<const Form> compareForms();
[[nodiscard]] std::span<const Form> convertForms();
[[nodiscard]] std::span<const Form> moveForms();
[[nodiscard]] std::span<const Form> controlForms();
[[nodiscard]] std::span<const Form> memoryForms();
[[nodiscard]] std::span<const Form> atomicForms();
[[nodiscard]] std::span<const Form> copyForms();
[[nodiscard]] std::span<const Form> warpForms();
[[nodiscard]] std::span<const Form> barrierForms();
[[nodiscard]] std::span<const Form> matrixForms();

} // namespace flashstep::ptx
