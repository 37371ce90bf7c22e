// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/words.h"

namespace flashstep::ptx {

namespace {

struct Meaning {
    std::string_view opcode, words;
};

constexpr Meaning meanings[] = {
    { "abs", "d = |a|" },
    { "add", "d = a + b" },
    { "and", "d = a AND b, bit by bit" },
    { "atom", "reads, changes and writes a word in one go; d = what was there" },
    { "bar", "a barrier of the CTA's warps" },
    { "barrier", "a barrier of the CTA's warps" },
    { "bfe", "d = a field of bits of a" },
    { "bfi", "d = b with a field of bits taken from a" },
    { "bfind", "d = where a's highest 1 is" },
    { "bra", "goes on at the label" },
    { "brev", "d = a with its bits in reverse order" },
    { "clz", "d = how many zeros a begins with" },
    { "cvt", "d = a, in another type" },
    { "cvta", "d = the address in another space" },
    { "div", "d = a / b" },
    { "ex2", "d = 2 to the power of a" },
    { "exit", "the lanes leave the kernel" },
    { "fma", "d = a × b + c, rounded once" },
    { "ld", "d = the bytes at the address" },
    { "ldmatrix", "loads matrices of 8 × 8 from shared memory; each lane gets its place's elements" },
    { "lg2", "d = the logarithm of a to base 2" },
    { "lop3", "d = a function of three bits, by a table, bit by bit" },
    { "mad", "d = a × b + c" },
    { "max", "d = the greater of a and b" },
    { "membar", "what this thread wrote is seen before what follows" },
    { "fence", "what this thread wrote is seen before what follows" },
    { "min", "d = the smaller of a and b" },
    { "mma", "the warp multiplies two matrices: D = A × B + C" },
    { "mov", "d = a" },
    { "mul", "d = a × b" },
    { "mul24", "d = a × b of the low 24 bits" },
    { "neg", "d = −a" },
    { "not", "d = a with every bit turned" },
    { "or", "d = a OR b, bit by bit" },
    { "popc", "d = how many bits of a are 1" },
    { "prmt", "d = four bytes picked from a and b" },
    { "rcp", "d = 1 / a" },
    { "red", "changes a word in memory in one go" },
    { "redux", "d = one value of all lanes' a" },
    { "rem", "d = the rest of a / b" },
    { "ret", "the lanes leave the kernel" },
    { "rsqrt", "d = 1 / √a" },
    { "selp", "d = a where the predicate is true, else b" },
    { "setp", "predicate = how a compares with b" },
    { "set", "d = how a compares with b" },
    { "shf", "d = two words shifted as one" },
    { "shfl", "d = a of another lane" },
    { "shl", "d = a shifted to the left" },
    { "shr", "d = a shifted to the right" },
    { "sin", "d = sin a" },
    { "cos", "d = cos a" },
    { "sqrt", "d = √a" },
    { "st", "writes b at the address" },
    { "stmatrix", "stores matrices of 8 × 8 to shared memory from their places in the lanes" },
    { "sub", "d = a − b" },
    { "tanh", "d = tanh a" },
    { "trap", "the kernel gives up" },
    { "vote", "d = what the lanes' predicates come to together" },
    { "xor", "d = a XOR b, bit by bit" },
};

bool has(const Statement& statement, std::string_view modifier)
{
    for (const std::string& m : statement.modifiers) {
        if (m == modifier)
            return true;
    }
    return false;
}

// Where a stretch of the syntax is about this opcode: "cp.async…; cp.async.wait_group N" has three.
bool begins(std::string_view syntax, std::string_view opcode)
{
    return syntax.substr(0, opcode.size()) == opcode
        && (syntax.size() == opcode.size()
            || std::string_view(".{ ").find(syntax[opcode.size()]) != std::string_view::npos);
}

} // namespace

std::optional<FormRow> formOf(const Statement& statement)
{
    static const std::vector<FormRow> rows = coveredForms();
    std::optional<FormRow> best;
    int bestKnown = -1;
    for (const FormRow& row : rows) {
        if (!begins(row.syntax, statement.opcode))
            continue;
        int known = 0;
        for (const std::string& m : statement.modifiers)
            known += row.syntax.find(m) != std::string_view::npos ? 1 : 0;
        if (known > bestKnown) {
            bestKnown = known;
            best = row;
        }
    }
    return best;
}

std::string_view meaningOf(const Statement& statement)
{
    const std::string& opcode = statement.opcode;
    if (opcode == "cp") {
        if (has(statement, "commit_group"))
            return "puts the thread's copies since the last one in a group of their own";
        if (has(statement, "wait_group"))
            return "waits until all but the newest N groups of the thread's copies have landed";
        if (has(statement, "wait_all"))
            return "waits until all of the thread's copies have landed";
        return "starts a copy from global to shared memory and goes on at once";
    }
    if (opcode == "bar" || opcode == "barrier") {
        if (has(statement, "warp"))
            return "waits for the lanes of the mask";
        if (has(statement, "arrive"))
            return "arrives at the barrier and goes on";
        if (has(statement, "red"))
            return "waits at the barrier; d = what all threads' predicates come to";
        return "waits until the barrier's threads have come";
    }
    for (const Meaning& m : meanings) {
        if (m.opcode == opcode)
            return m.words;
    }
    return {};
}

} // namespace flashstep::ptx
