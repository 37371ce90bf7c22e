// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "conform.h"
#include "exact.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Writes the module of a case: "these instructions, once per thread, on these values". Adding a form is one line.
namespace flashstep::conform {

// What a register holds.
enum class Kind : std::uint8_t { U8, U16, U32, U64, S8, S16, S32, S64, F16, Bf16, F16x2, Bf16x2, F32, F64 };
int bytesOf(Kind kind);
int bitsOf(Kind kind);
bool isSigned(Kind kind);
bool isFloat(Kind kind);
Element elementOf(Kind kind); // of a packed kind, the half
Format formatOf(Kind kind); // likewise
const char* nameOf(Kind kind); // "u32", as in an opcode
const char* registerOf(Kind kind); // ".b32"
const char* accessOf(Kind kind); // "u32", as in a load

using Values = std::vector<std::uint64_t>;
// Columns of operands, shared by the forms that meet the same ones: listing the suite copies nothing.
class Columns {
public:
    Columns(std::vector<Values> columns)
        : m_columns(std::make_shared<const std::vector<Values>>(std::move(columns)))
    {
    }
    Columns(std::initializer_list<Values> columns)
        : Columns(std::vector<Values>(columns))
    {
    }
    [[nodiscard]] const std::vector<Values>& all() const { return *m_columns; }

private:
    std::shared_ptr<const std::vector<Values>> m_columns;
};

// What one element must be: these bits, or the other ones, or at most `slack` away from `exact`.
struct Expected {
    Expected(std::uint64_t only) // a plain number is an expectation
        : bits(only)
        , other(only)
    {
    }
    Expected(std::uint64_t first, std::uint64_t second)
        : bits(first)
        , other(second)
    {
    }
    static Expected near(double exact, double slack);
    std::uint64_t bits;
    std::uint64_t other;
    double exact = 0;
    double slack = 0;
};
using Answers = std::vector<Expected>;

// An array of `kind`, filled with values, or expected to hold the answers (before that, `before` in every byte).
Buffer inputBuffer(const std::string& name, Kind kind, const Values& values);
Buffer outputBuffer(const std::string& name, Kind kind, const Answers& answers, std::uint8_t before = 0xEE);

constexpr const char* defaultTarget = "sm_80";
std::string moduleText(const std::string& target, const std::string& rest);

// A kernel in which thread i loads element i of every input into a register, runs the body and stores every output.
// Registers: inputs and outputs as %NAME, %i (b32) the thread's number in the grid, %t in its CTA, and whatever the
// body declares (in braces of its own or by `declare`).
class Probe {
public:
    Probe(std::string name, std::string section);
    Probe& target(const std::string& name);
    Probe& input(const std::string& name, Kind kind, const Values& values);
    // The register holds 0xEE in every byte before the body: what no instruction writes shows.
    Probe& output(const std::string& name, Kind kind, const Answers& answers);
    // Of a packed kind; the answers are the halves', low first, each with its own bound.
    Probe& halves(const std::string& name, Kind kind, const Answers& answers);
    // A buffer that the body uses through %NAME, a .b64 global address; it is not indexed.
    Probe& array(Buffer buffer);
    Probe& value(const std::string& type, std::vector<std::uint8_t> bytes); // parameters v0, v1, …; ".u32", ".b8 [12]"
    Probe& declare(const std::string& text); // inside the entry, before everything
    Probe& global(const std::string& text); // at module level
    Probe& body(const std::string& text);
    Probe& block(unsigned threads); // 64 by default, fewer when there are fewer elements
    Probe& shared(unsigned bytes);
    Probe& threads(std::size_t count); // where no element says it
    [[nodiscard]] Case done() const;

private:
    struct Wire {
        Buffer buffer;
        Kind kind;
        enum class Role : std::uint8_t { In, Out, Array } role;
    };
    [[nodiscard]] std::string text(const std::string& parameters) const;
    std::string m_name, m_section, m_target = defaultTarget, m_declared, m_global, m_body;
    std::vector<Wire> m_wires;
    std::vector<std::pair<std::string, std::vector<std::uint8_t>>> m_values;
    std::size_t m_threads = 0;
    unsigned m_block = 64, m_shared = 0;
};

// One instruction `d = opcode a, …` on all its inputs. Values are as wide as their kind; results are cut to theirs.
using Forms = std::vector<Form>;
using Unary = std::function<Expected(std::uint64_t)>;
using Binary = std::function<Expected(std::uint64_t, std::uint64_t)>;
using Ternary = std::function<Expected(std::uint64_t, std::uint64_t, std::uint64_t)>;
struct Op {
    std::string opcode;
    std::string section;
    std::string target = defaultTarget;
};
void unary(Forms& forms, const Op& op, Kind d, Kind a, const Unary& f, const Values& values = {});
void binary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, const Binary& f);
void binary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, const Binary& f, const Columns& rows);
void ternary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, Kind c, const Ternary& f);
void ternary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, Kind c, const Ternary& f, const Columns& rows);
void add(Forms& forms, const std::string& name, const std::string& section, std::function<void(Probe&)> fill);

// Values at which instructions differ: ends of ranges, ties, signed zeros, subnormals, infinities, NaN.
Values corners(Kind kind);
std::vector<Values> crossed(const Values& a, const Values& b); // every pair, as two columns
std::vector<Values> mixed(const Values& a, const Values& b, const Values& c, std::size_t count);
Values noise(Kind kind, std::size_t count, std::uint64_t seed); // bits of equal chance, or moderate floats
std::uint64_t masked(std::uint64_t bits, int width);
std::int64_t asSigned(std::uint64_t bits, int width);

// Applies an operation on halves to both halves.
Binary packed(const Binary& half);
Unary packed(const Unary& half);
Ternary packed(const Ternary& half);

std::vector<std::uint8_t> bytesOf(Kind kind, const Values& values);

// The families.
void addInteger(Forms& forms);
void addIntegerBits(Forms& forms);
void addCarry(Forms& forms);
void addFloat(Forms& forms);
void addFloatRoots(Forms& forms);
void addApproximate(Forms& forms);
void addHalf(Forms& forms);
void addCompare(Forms& forms);
void addLogic(Forms& forms);
void addConvertIntegers(Forms& forms);
void addConvertFloats(Forms& forms);
void addConvertPacked(Forms& forms);
void addMoves(Forms& forms);
void addMemory(Forms& forms);
void addMemorySpaces(Forms& forms);
void addAtomics(Forms& forms);
void addWarp(Forms& forms);
void addShuffles(Forms& forms);
void addBarriers(Forms& forms);
void addMatrix(Forms& forms);
void addCopies(Forms& forms);
void addControl(Forms& forms);
void addSpecial(Forms& forms);

} // namespace flashstep::conform
