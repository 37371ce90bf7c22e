// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/types.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// A PTX module with every name resolved: what the text says, without a word about what it does. Made by parse()
// (parser.h), turned into something that runs by load() (code.h). Indices are positions in the vectors beside them.
namespace flashstep::ptx {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

// A place in a source file, from .loc. An inlined one knows where it was inlined.
struct Location {
    std::uint32_t file = none; // into Module::files; none where the text has no such .file
    std::uint32_t line = 0; // from 1
    std::uint32_t column = 0;
    std::uint32_t inlinedAt = none; // into Module::locations
    std::uint32_t function = none; // whose body was inlined: see Module::inlined
    bool operator==(const Location&) const = default;
};

// Memory with a name. A shared `extern` array without a size is the launch's dynamic part.
struct Variable {
    std::string name;
    Space space = Space::Global;
    Type element = Type::B8;
    std::uint32_t align = 1; // bytes
    std::uint64_t bytes = 0; // 0: an extern array without a size
    bool external = false;
    std::vector<std::byte> initial; // as many as were given; the rest is zero
    // An initialiser may hold the address of another variable.
    struct Relocation {
        std::uint64_t offset = 0; // bytes
        std::uint32_t variable = none; // into Module::variables
        std::uint32_t function = none; // into Module::functions: a function's address in its place
        std::int64_t addend = 0;
        bool generic = false; // generic(name)
        std::int32_t byte = -1; // of the address from its lowest, in an element of one byte; -1: all of it
    };
    std::vector<Relocation> relocations;
    std::uint32_t line = 0;
};

struct Register {
    std::string name; // "%r12"; a name declared again in an inner scope is another register
    Type type = Type::B32;
};

// What stands between commas. `index` means what the kind says.
struct Operand {
    enum class Kind : std::uint8_t {
        None,
        Register, // into Function::registers
        Special, // a Special
        Integer, // `number`, as two's complement in 64 bits
        Float, // `number`, the bits of a double; 0f… constants are Single
        Single, // `number`, the bits of a float
        Variable, // its address: into Function::variables with `local`, else into Module::variables; `number` added
        Parameter, // of the function: into Function::parameters; `number` added
        ReturnValue, // of a .func: into Function::results; `number` added
        Address, // [ … ]: the base is elements[index], of any kind above but Special and the floats; `number` added;
                 // with count 2 a tensor's coordinates follow, [map, {x, y}]: elements[index + 1], a Vector
        Vector, // { … }, or a call's ( … ), or all of a vector register: elements[index … index + count)
        Label, // the statement it stands before: into Function::statements (may be their number: the end)
        Function, // into Module::functions
        Sink // _
    };
    Kind kind = Kind::None;
    bool negated = false; // !%p
    bool local = false;
    std::uint16_t count = 0;
    std::uint32_t index = none;
    std::uint32_t pair = none; // d|p: the register after the bar, into Function::registers
    std::int64_t number = 0;
};

// One instruction as it stands: opcode "ld", modifiers "global", "nc", "v4", "f32", in order. A call has three
// operands: the results as a Vector, the function, the arguments as a Vector (either may be empty). The targets of
// brx.idx are a Vector of labels.
struct Statement {
    std::uint32_t line = 0; // of the PTX text, from 1
    std::uint32_t location = none; // into Module::locations: the .loc in force; none before the first, and at line 0
    std::uint32_t guard = none; // predicate register
    bool guardNegated = false;
    std::string opcode;
    std::vector<std::string> modifiers;
    std::vector<Operand> operands; // destination first
    [[nodiscard]] std::string text() const; // "ld.global.nc.v4.f32"
};

struct Parameter {
    std::string name;
    Type type = Type::B8;
    std::uint32_t align = 1;
    std::uint64_t bytes = 0; // of an array or struct all of it
    std::uint64_t offset = 0; // in the parameter space
    bool pointer = false; // .ptr
};

struct Function {
    std::string name;
    bool entry = false;
    bool defined = false; // false: a prototype
    std::uint32_t line = 0;
    std::vector<Parameter> parameters;
    std::uint64_t parameterBytes = 0;
    std::vector<Parameter> results; // of a .func
    std::vector<Register> registers; // those in use, by their first mention; of vectors each component: "%v.x"
    std::vector<Variable> variables; // declared inside: .local, .shared, a call's .param
    std::vector<Statement> statements;
    std::vector<Operand> elements; // of vectors and addresses
    // Launch bounds; 0: not given.
    std::uint32_t maxThreads[3] = { 0, 0, 0 };
    std::uint32_t requiredThreads[3] = { 0, 0, 0 };
    std::uint32_t minCtasPerSm = 0;
    std::uint32_t maxRegisters = 0;
    std::uint32_t cluster[3] = { 0, 0, 0 };
    bool explicitCluster = false;
};

struct Module {
    std::string version; // "9.0"
    std::string target; // "sm_80"
    int addressSize = 64;
    std::string compiler; // from the header comment: "NVVM 7.0.1", empty where it says nothing
    std::string toolkit; // "Cuda compilation tools, release 13.0, V13.0.88"
    std::vector<std::string> files; // by the number in .file; unused numbers are empty
    std::vector<Location> locations; // each once
    std::vector<Variable> variables;
    std::vector<Function> functions;
    std::vector<std::string> text; // the lines, as they stand
    std::string strings; // of .debug_str: names that end in a zero

    [[nodiscard]] const Function* find(std::string_view name) const; // a defined one
    [[nodiscard]] std::string_view inlined(const Location& location) const; // a function's mangled name, or nothing
};

} // namespace flashstep::ptx
