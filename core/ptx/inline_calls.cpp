// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/inline_calls.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

constexpr std::size_t mostStatements = 4'000'000;

Operand variableOperand(std::uint32_t index)
{
    Operand o;
    o.kind = Operand::Kind::Variable;
    o.local = true;
    o.index = index;
    return o;
}

// A function's registers and variables stand in the result once, however often it is called: a thread is never in two
// of its calls at a time.
class Inliner {
public:
    Inliner(const Module& module, const Function& entry, std::string file)
        : m_module(module)
        , m_file(std::move(file))
        , m_out(std::make_shared<Function>(entry))
    {
        m_out->statements.clear();
        m_out->elements.clear();
        m_places[&entry] = { 0, 0 };
    }

    Result<std::shared_ptr<const Function>> run(const Function& entry)
    {
        if (Status done = expand(entry, {}); !done)
            return done.error();
        return std::shared_ptr<const Function>(m_out);
    }

private:
    struct Base {
        std::uint32_t registers = 0, variables = 0;
    };
    // What the callee's parameters and results stand for: variables of the result.
    struct Call {
        std::vector<std::uint32_t> parameters, results;
        bool isEntry = true;
    };
    struct Patch { // a label of `function` that is not known yet
        std::size_t statement, operand;
        std::uint32_t label;
    };

    Base baseOf(const Function& function)
    {
        if (const auto known = m_places.find(&function); known != m_places.end())
            return known->second;
        const Base base { static_cast<std::uint32_t>(m_out->registers.size()),
            static_cast<std::uint32_t>(m_out->variables.size()) };
        m_out->registers.insert(m_out->registers.end(), function.registers.begin(), function.registers.end());
        m_out->variables.insert(m_out->variables.end(), function.variables.begin(), function.variables.end());
        return m_places[&function] = base;
    }

    Operand moved(const Operand& from, const Function& function, const Base& base, const Call& call)
    {
        Operand o = from;
        if (o.pair != none)
            o.pair += base.registers;
        switch (o.kind) {
        case Operand::Kind::Register:
            o.index += base.registers;
            break;
        case Operand::Kind::Variable:
            if (o.local)
                o.index += base.variables;
            break;
        case Operand::Kind::Parameter:
        case Operand::Kind::ReturnValue:
            if (!call.isEntry) {
                const auto& actual = o.kind == Operand::Kind::Parameter ? call.parameters : call.results;
                const std::int64_t offset = o.number;
                o = o.index < actual.size() ? variableOperand(actual[o.index]) : o;
                o.number = offset;
            }
            break;
        case Operand::Kind::Address:
        case Operand::Kind::Vector: {
            const std::size_t count = o.kind == Operand::Kind::Vector ? o.count : std::max<std::size_t>(1, o.count);
            std::vector<Operand> elements;
            for (std::size_t k = 0; k < count; ++k)
                elements.push_back(moved(function.elements[o.index + k], function, base, call));
            o.index = static_cast<std::uint32_t>(m_out->elements.size());
            m_out->elements.insert(m_out->elements.end(), elements.begin(), elements.end());
            break;
        }
        default:
            break;
        }
        return o;
    }

    // A place in the thread's memory for a value that is given as a register or a constant.
    std::uint32_t variableFor(const Parameter& p)
    {
        Variable v;
        v.name = p.name;
        v.space = Space::Param;
        v.element = p.type;
        v.align = p.align;
        v.bytes = p.bytes;
        m_out->variables.push_back(v);
        return static_cast<std::uint32_t>(m_out->variables.size() - 1);
    }
    void transfer(const Statement& call, const Parameter& p, std::uint32_t variable, const Operand& value, bool store)
    {
        Statement s;
        s.line = call.line;
        s.location = call.location;
        s.opcode = std::string(store ? "st" : "ld");
        s.modifiers = { "param", std::string(name(p.type)) };
        Operand address;
        address.kind = Operand::Kind::Address;
        address.index = static_cast<std::uint32_t>(m_out->elements.size());
        address.count = 1;
        m_out->elements.push_back(variableOperand(variable));
        s.operands = store ? std::vector<Operand> { address, value } : std::vector<Operand> { value, address };
        m_out->statements.push_back(std::move(s));
    }

    Status expandCall(const Statement& statement, const Function& function, const Base& base, const Call& outer)
    {
        const Function& callee = m_module.functions[statement.operands[1].index];
        if (std::find(m_stack.begin(), m_stack.end(), &callee) != m_stack.end())
            return Error { fmt::format("{} calls itself, which is not covered", callee.name),
                fmt::format("{}:{}", m_file, statement.line), {} };
        const Operand& results = statement.operands[0];
        const Operand& arguments = statement.operands[2];
        if (arguments.count != callee.parameters.size() || results.count != callee.results.size())
            return Error { fmt::format("{} takes {} arguments and gives {} results", callee.name,
                               callee.parameters.size(), callee.results.size()),
                fmt::format("{}:{}", m_file, statement.line), {} };
        std::size_t skip = none;
        if (statement.guard != none) {
            Statement branch;
            branch.line = statement.line;
            branch.location = statement.location;
            branch.guard = statement.guard + base.registers;
            branch.guardNegated = !statement.guardNegated;
            branch.opcode = "bra";
            Operand label;
            label.kind = Operand::Kind::Label;
            branch.operands = { label };
            skip = m_out->statements.size();
            m_out->statements.push_back(std::move(branch));
        }
        Call call;
        call.isEntry = false;
        for (std::size_t k = 0; k < callee.parameters.size(); ++k) {
            const Operand value = moved(function.elements[arguments.index + k], function, base, outer);
            if (value.kind == Operand::Kind::Variable && value.local && value.number == 0) {
                call.parameters.push_back(value.index);
                continue;
            }
            call.parameters.push_back(variableFor(callee.parameters[k]));
            transfer(statement, callee.parameters[k], call.parameters.back(), value, true);
        }
        std::vector<Operand> takers;
        for (std::size_t k = 0; k < callee.results.size(); ++k) {
            takers.push_back(moved(function.elements[results.index + k], function, base, outer));
            const Operand& value = takers.back();
            call.results.push_back(
                value.kind == Operand::Kind::Variable && value.local ? value.index : variableFor(callee.results[k]));
        }
        if (Status done = expand(callee, call); !done)
            return done;
        for (std::size_t k = 0; k < takers.size(); ++k) {
            if (takers[k].kind != Operand::Kind::Variable)
                transfer(statement, callee.results[k], call.results[k], takers[k], false);
        }
        if (skip != none)
            m_out->statements[skip].operands[0].index = static_cast<std::uint32_t>(m_out->statements.size());
        return Nothing {};
    }

    Status expand(const Function& function, const Call& call)
    {
        m_stack.push_back(&function);
        const Base base = baseOf(function);
        std::vector<std::uint32_t> at(function.statements.size() + 1); // where each statement of the function begins
        std::vector<Patch> patches;
        for (std::size_t k = 0; k < function.statements.size(); ++k) {
            at[k] = static_cast<std::uint32_t>(m_out->statements.size());
            if (m_out->statements.size() > mostStatements)
                return Error { "more instructions than this emulator loads once calls are in place", m_file, {} };
            const Statement& s = function.statements[k];
            const bool defined = s.opcode == "call" && s.operands.size() == 3
                && s.operands[1].kind == Operand::Kind::Function && m_module.functions[s.operands[1].index].defined;
            if (defined) {
                if (Status done = expandCall(s, function, base, call); !done)
                    return done;
                continue;
            }
            Statement copy = s;
            if (copy.guard != none)
                copy.guard += base.registers;
            for (std::size_t o = 0; o < copy.operands.size(); ++o) {
                if (copy.operands[o].kind == Operand::Kind::Label)
                    patches.push_back({ m_out->statements.size(), o, copy.operands[o].index });
                else
                    copy.operands[o] = moved(copy.operands[o], function, base, call);
            }
            if (!call.isEntry && copy.opcode == "ret") {
                copy.opcode = "bra";
                copy.modifiers.clear();
                Operand label;
                label.kind = Operand::Kind::Label;
                copy.operands = { label };
                patches.push_back(
                    { m_out->statements.size(), 0, static_cast<std::uint32_t>(function.statements.size()) });
            }
            m_out->statements.push_back(std::move(copy));
        }
        at.back() = static_cast<std::uint32_t>(m_out->statements.size());
        for (const Patch& patch : patches)
            m_out->statements[patch.statement].operands[patch.operand].index = at[patch.label];
        m_stack.pop_back();
        return Nothing {};
    }

    const Module& m_module;
    std::string m_file;
    std::shared_ptr<Function> m_out;
    std::map<const Function*, Base> m_places;
    std::vector<const Function*> m_stack;
};

} // namespace

Result<std::shared_ptr<const Function>> inlineCalls(
    const Module& module, const Function& function, const std::string& file)
{
    return Inliner(module, function, file).run(function);
}

} // namespace flashstep::ptx
