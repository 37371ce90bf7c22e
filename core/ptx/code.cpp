// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/code.h"

#include "core/ptx/decoder.h"
#include "core/ptx/inline_calls.h"
#include "core/ptx/lanes.h"
#include "core/ptx/meeting_points.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace flashstep::ptx {

std::string_view name(Unit unit)
{
    switch (unit) {
    case Unit::Control:
        return "control";
    case Unit::Alu:
        return "alu";
    case Unit::Fma:
        return "fma";
    case Unit::Half:
        return "half";
    case Unit::Double:
        return "fp64";
    case Unit::Exponential:
        return "exponential unit";
    case Unit::Tensor:
        return "tensor core";
    case Unit::Shared:
        return "shared memory";
    case Unit::Shuffle:
        return "shuffle";
    case Unit::Global:
        return "global memory";
    case Unit::Copy:
        return "cp.async";
    case Unit::Barrier:
        return "barrier";
    }
    return "";
}

namespace {

struct Family {
    std::string_view name;
    std::span<const Form> (*forms)();
};
constexpr Family families[] = {
    { "integer", integerForms },
    { "integer, rare", rareIntegerForms },
    { "bits", bitForms },
    { "fp32, fp64", floatForms },
    { "approximate and division", approximateForms },
    { "16-bit floats", halfForms },
    { "comparison", compareForms },
    { "conversion", convertForms },
    { "moves and addresses", moveForms },
    { "control", controlForms },
    { "memory", memoryForms },
    { "atomics", atomicForms },
    { "asynchronous copies", copyForms },
    { "warp", warpForms },
    { "barriers and fences", barrierForms },
    { "matrices", matrixForms },
};

using FormTable = std::unordered_map<std::string_view, std::vector<const Form*>>;
const FormTable& formTable()
{
    static const FormTable table = [] {
        FormTable made;
        for (const Family& family : families) {
            for (const Form& form : family.forms())
                made[form.opcode].push_back(&form);
        }
        return made;
    }();
    return table;
}

std::uint64_t aligned(std::uint64_t offset, std::uint64_t alignment)
{
    const std::uint64_t a = std::max<std::uint64_t>(alignment, 1);
    return (offset + a - 1) / a * a;
}

constexpr std::uint64_t mostStatic = 1U << 20; // of shared and local memory; above it nothing could run
constexpr std::uint64_t mostVariables = 1U << 30;

// Where the variables lie: shared ones one after the other, extern ones behind them all; local ones (and the
// parameters of calls) in each thread's own memory; the rest in one stretch of global memory.
class Layout {
public:
    explicit Layout(Code& code)
        : m_code(code)
    {
    }
    Status place()
    {
        m_shared = sharedStart;
        for (const Variable& v : m_code.module->variables)
            m_code.moduleSymbols.push_back(placeOne(v));
        for (const Variable& v : m_code.function->variables)
            m_code.localSymbols.push_back(placeOne(v));
        m_code.sharedBytes = m_shared - sharedStart;
        m_code.dynamicShared = aligned(m_shared, m_dynamicAlign);
        placeDynamic(m_code.module->variables, m_code.moduleSymbols);
        placeDynamic(m_code.function->variables, m_code.localSymbols);
        m_code.localBytes = aligned(m_local, 16);
        m_code.globalBytes = m_global + m_constant;
        if (m_code.sharedBytes > mostStatic || m_code.localBytes > mostStatic || m_code.globalBytes > mostVariables)
            return Error { "the variables take more memory than any GPU has", {}, {} };
        return Nothing {};
    }

private:
    Symbol placeOne(const Variable& v)
    {
        const auto take = [&](std::uint64_t& next, std::uint64_t base) {
            const std::uint64_t at = aligned(next, v.align);
            next = at + std::min(v.bytes, mostVariables * 2);
            return base + at;
        };
        switch (v.space) {
        case Space::Shared:
            if (v.bytes == 0) {
                m_dynamicAlign = std::max<std::uint64_t>(m_dynamicAlign, v.align);
                return { Space::Shared, 0 };
            }
            return { Space::Shared, take(m_shared, 0) };
        case Space::Local:
        case Space::Param:
            return { Space::Local, take(m_local, 0) };
        case Space::Const:
            return { v.space, take(m_constant, constantStart) };
        default:
            return { v.space, take(m_global, variableStart) };
        }
    }
    void placeDynamic(const std::vector<Variable>& variables, std::vector<Symbol>& symbols) const
    {
        for (std::size_t k = 0; k < variables.size(); ++k) {
            if (variables[k].space == Space::Shared && variables[k].bytes == 0)
                symbols[k].address = m_code.dynamicShared;
        }
    }

    Code& m_code;
    std::uint64_t m_shared = 0, m_local = 0, m_global = 0, m_constant = 0;
    std::uint64_t m_dynamicAlign = 16;
};

void placeRegisters(Code& code)
{
    code.rowCount = 4; // the first rows take what is thrown away
    for (const Register& reg : code.function->registers) {
        Place place;
        if (reg.type == Type::Pred) {
            place.predicate = true;
            place.row = code.predicateCount++;
        } else {
            place.rows = static_cast<std::uint8_t>(std::max(1, (bytesOf(reg.type) + 3) / 4));
            place.row = code.rowCount;
            code.rowCount += place.rows;
        }
        code.places.push_back(place);
    }
}

std::string whereOf(const std::string& file, const Statement& s)
{
    return fmt::format("{}:{}", file, s.line);
}

Status decodeOne(Code& code, const Statement& statement, const std::string& file)
{
    const auto found = formTable().find(statement.opcode);
    std::string why;
    if (found != formTable().end()) {
        for (const Form* form : found->second) {
            const std::size_t rows = code.rows.size();
            Instruction instruction;
            instruction.statement = static_cast<std::uint32_t>(code.instructions.size());
            Decoder decoder(code, statement, instruction);
            if (form->decode(decoder) && !decoder.failed()) {
                if (statement.guard != none) {
                    instruction.guard = decoder.predicateRegister(statement.guard);
                    instruction.guardNegated = statement.guardNegated;
                    decoder.reads(statement.guard);
                }
                if (!decoder.failed()) {
                    decoder.finish();
                    code.instructions.push_back(instruction);
                    return Nothing {};
                }
            }
            if (why.empty())
                why = decoder.why();
            code.rows.resize(rows);
        }
    }
    return Error { "the instruction is not covered: " + statement.text() + (why.empty() ? "" : ": " + why),
        whereOf(file, statement), "docs/kernel-instructions.md lists those that are" };
}

} // namespace

std::vector<FormRow> coveredForms()
{
    std::vector<FormRow> rows;
    for (const Family& family : families) {
        for (const Form& form : family.forms())
            rows.push_back({ family.name, form.syntax, form.section });
    }
    return rows;
}

Result<Code> load(std::shared_ptr<const Module> module, std::string_view name, const std::string& file)
{
    Code code;
    code.module = module;
    const Function* entry = module->find(name);
    if (entry == nullptr || !entry->entry) {
        std::string known;
        for (const Function& f : module->functions) {
            if (f.entry && f.defined)
                known += (known.empty() ? "" : ", ") + f.name;
        }
        return Error { fmt::format("there is no kernel {}", name), file, "it has " + (known.empty() ? "none" : known) };
    }
    Result<std::shared_ptr<const Function>> whole = inlineCalls(*module, *entry, file);
    if (!whole)
        return whole.error();
    code.function = std::move(whole).value();
    code.specialRows.fill(none);
    if (Status placed = Layout(code).place(); !placed)
        return Error { placed.error().what, file, {} };
    placeRegisters(code);
    code.instructions.reserve(code.function->statements.size() + 1);
    for (const Statement& s : code.function->statements) {
        if (Status decoded = decodeOne(code, s, file); !decoded)
            return decoded.error();
    }
    // Running off the end is leaving the kernel.
    Instruction end;
    end.flow = Flow::Exit;
    end.unit = Unit::Control;
    end.execute = [](Lanes&, const Instruction&) {};
    end.statement
        = static_cast<std::uint32_t>(code.function->statements.empty() ? 0 : code.function->statements.size() - 1);
    if (code.function->statements.empty())
        return Error { fmt::format("the kernel {} has no instructions", name), file, {} };
    code.instructions.push_back(end);
    findMeetingPoints(code);
    return code;
}

} // namespace flashstep::ptx
