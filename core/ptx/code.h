// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/ptx/module.h"

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

// A kernel's entry, ready to run: operands are places in the register file, branches know where their lanes meet again.
namespace flashstep::ptx {

// 32 lanes of 32 bits in a warp's register file; a 64-bit register takes two rows, a 128-bit one four. Constants lie in
// rows too, of a pool that all warps share.
struct Row {
    static constexpr std::uint32_t poolBit = 0x80000000U;
    std::uint32_t index = none;
    [[nodiscard]] bool valid() const { return index != none; }
    [[nodiscard]] bool pooled() const { return (index & poolBit) != 0; }
    [[nodiscard]] std::uint32_t offset() const { return index & ~poolBit; }
    bool operator==(const Row&) const = default;
};

struct Lanes; // what an instruction works on (lanes.h)
struct Instruction;
using Execute = void (*)(Lanes& lanes, const Instruction& instruction);

// Which unit of the SM an instruction keeps busy; what that costs is the clock's business (clock.h).
enum class Unit : std::uint8_t {
    Control,
    Alu, // integer, compare, select, convert, move
    Fma, // fp32 add, multiply, fused
    Half, // packed 16-bit arithmetic
    Double,
    Exponential, // ex2, rcp, rsqrt, lg2, sqrt, sin, cos, tanh
    Tensor, // mma.sync
    Shared, // loads, stores, ldmatrix, atomics in shared memory
    Shuffle,
    Global, // loads, stores, atomics through L2
    Copy, // cp.async
    Barrier
};
[[nodiscard]] std::string_view name(Unit unit); // "tensor core"

// What the loop of a warp has to know of an instruction beyond its lanes' work.
enum class Flow : std::uint8_t {
    Next,
    Branch,
    Exit, // ret of the entry, exit
    Trap,
    Barrier, // may block: named barriers
    Collective, // needs every live lane of the warp (.sync.aligned)
    Masked, // needs the lanes of its mask (shfl.sync, vote.sync, bar.warp.sync …)
    Wait // cp.async.wait_group, wait_all
};

struct Instruction {
    Execute execute = nullptr;
    Row d, a, b, c; // destination and sources; predicates are rows of one bit per lane in a word of their own
    std::uint32_t guard = none; // predicate
    bool guardNegated = false;
    Flow flow = Flow::Next;
    Unit unit = Unit::Alu;
    Type type = Type::None;
    Space space = Space::Generic;
    std::uint8_t vector = 1; // elements of a vector access
    std::uint8_t bytes = 0; // of one element of an access, or of a copy
    bool wide = false; // the address, or the destination of a widening move, takes 64 bits
    std::uint8_t detail = 0; // an enumeration of the family's own
    std::uint8_t detail2 = 0;
    std::uint32_t predicateIn = none, predicateOut = none, predicateOut2 = none;
    bool predicateInNegated = false;
    std::uint32_t rowsFirst = 0, rowsCount = 0; // into Code::rows: vectors and fragments
    std::int64_t offset = 0; // of an address
    std::uint32_t target = none; // of a branch
    std::uint32_t meet = none; // where a branch's lanes are together again; Code::instructions.size(): at the end
    std::uint32_t readsFirst = 0, readsCount = 0; // into Code::uses: registers (predicates: with predicateUse)
    std::uint32_t writesFirst = 0, writesCount = 0;
    std::uint32_t statement = 0; // into Code::function->statements
};

// A register as the checks and the clock see it: its first row, or a predicate.
struct Use {
    static constexpr std::uint32_t predicateBit = 0x80000000U;
    std::uint32_t index = 0; // register number, into Code::registers
};

// Where a register lies.
struct Place {
    std::uint32_t row = none; // first row; of a predicate its number
    std::uint8_t rows = 1;
    bool predicate = false;
};

// A variable's place in its space.
struct Symbol {
    Space space = Space::Global;
    std::uint64_t address = 0; // an offset in shared, local and parameter space; global and const: see Code::globals
};

struct Code {
    std::shared_ptr<const Module> module;
    std::shared_ptr<const Function> function; // the entry, with the functions it calls in place
    std::vector<Instruction> instructions;
    std::vector<Row> rows;
    std::vector<std::uint32_t> uses; // register numbers
    std::vector<Place> places; // by register number
    std::vector<std::uint32_t> pool; // 32 words for each row of constants
    std::uint32_t rowCount = 0; // of the register file of a warp, specials included
    std::uint32_t predicateCount = 0;
    std::array<std::uint32_t, 64> specialRows {}; // by Special; none: not used
    std::uint64_t sharedBytes = 0; // static; the dynamic part follows at dynamicShared
    std::uint64_t dynamicShared = 0; // offset of the extern arrays
    std::uint64_t localBytes = 0; // of one thread
    std::vector<Symbol> moduleSymbols; // by Module::variables
    std::vector<Symbol> localSymbols; // by Function::variables
    std::uint64_t globalBytes = 0; // module variables in global and const memory

    [[nodiscard]] const Statement& statement(const Instruction& i) const { return function->statements[i.statement]; }
    [[nodiscard]] const Statement& statementAt(std::uint32_t pc) const { return statement(instructions[pc]); }
};

// Where things begin in the address space of a launch. The first KiB of shared memory belongs to the system.
constexpr std::uint64_t sharedStart = 1024;
constexpr std::uint64_t sharedWindow = 0x0000'7e00'0000'0000U; // generic address of shared offset 0
constexpr std::uint64_t localWindow = 0x0000'7d00'0000'0000U;
constexpr std::uint64_t parameterWindow = 0x0000'7c00'0000'0000U;
constexpr std::uint64_t windowBytes = 0x0000'0001'0000'0000U;
constexpr std::uint64_t globalStart = 0x0000'7000'0000'0000U; // buffers
constexpr std::uint64_t variableStart = 0x0000'6000'0000'0000U; // module variables
constexpr std::uint64_t constantStart = 0x0000'5000'0000'0000U; // those in constant memory

// The entry `name` of the module as code. An instruction that is not covered is an error with its line.
[[nodiscard]] Result<Code> load(std::shared_ptr<const Module> module, std::string_view name, const std::string& file);

// One row of the covered set: how it is written (as in the ISA, {…} optional), which section of the PTX ISA says what
// it does, and which file's it is.
struct FormRow {
    std::string_view family, syntax, section;
};
[[nodiscard]] std::vector<FormRow> coveredForms();

} // namespace flashstep::ptx
