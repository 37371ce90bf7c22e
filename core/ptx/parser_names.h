// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/module.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flashstep::ptx {

// What a name means here, by scope: an inner one hides an outer one until its brace closes. The names' text has to
// outlive this.
template <typename Value> class ScopedNames {
public:
    struct Found {
        Value* value;
        std::uint32_t depth;
    };

    void open() { m_marks.push_back(m_bindings.size()); }
    void close()
    {
        for (; m_bindings.size() > m_marks.back(); m_bindings.pop_back())
            m_newest[m_bindings.back().name] = m_bindings.back().hidden;
        m_marks.pop_back();
    }
    [[nodiscard]] std::uint32_t depth() const { return static_cast<std::uint32_t>(m_marks.size()); }

    // False where this scope has the name already.
    [[nodiscard]] bool declare(std::string_view name, Value value)
    {
        const auto [place, isNew] = m_newest.try_emplace(name, none);
        if (!isNew && place->second != none && m_bindings[place->second].depth == depth())
            return false;
        m_bindings.push_back({ name, depth(), place->second, value });
        place->second = static_cast<std::uint32_t>(m_bindings.size() - 1);
        return true;
    }
    [[nodiscard]] std::optional<Found> find(std::string_view name)
    {
        return find(name, [](const Value&) { return true; });
    }
    // The innermost that is suitable.
    template <typename Suits> [[nodiscard]] std::optional<Found> find(std::string_view name, Suits&& suits)
    {
        const auto place = m_newest.find(name);
        std::uint32_t at = place == m_newest.end() ? none : place->second;
        while (at != none && !suits(m_bindings[at].value))
            at = m_bindings[at].hidden;
        if (at == none)
            return std::nullopt;
        return Found { &m_bindings[at].value, m_bindings[at].depth };
    }

private:
    struct Binding {
        std::string_view name;
        std::uint32_t depth;
        std::uint32_t hidden; // the binding that this one hides
        Value value;
    };
    std::unordered_map<std::string_view, std::uint32_t> m_newest; // into m_bindings
    std::vector<Binding> m_bindings;
    std::vector<std::size_t> m_marks;
};

// What can stand in an operand under a name.
struct Symbol {
    enum class Kind : std::uint8_t {
        Registers, // into Names' declarations
        Variable,
        Parameter,
        ReturnValue,
        Function,
        Targets, // of .branchtargets: Function::elements[index … index + count)
        Prototype // of an indirect call
    };
    Kind kind = Kind::Variable;
    bool local = false; // of a function
    std::uint32_t index = none;
    std::uint32_t count = 0;
};

// Names of operands. Registers come into being where they are first used: `%r<100000>` alone costs nothing.
class Names {
public:
    void open();
    void close();
    void startFunction(); // registers are numbered from 0

    [[nodiscard]] bool declare(std::string_view name, Symbol symbol) { return m_symbols.declare(name, symbol); }
    // Registers of `width` components each: one of this name, or the range stem0 … stem(count - 1).
    [[nodiscard]] bool declareRegister(std::string_view name, Type type, std::uint32_t width);
    [[nodiscard]] bool declareRange(std::string_view stem, Type type, std::uint32_t width, std::uint32_t count);

    struct RegisterName {
        std::uint32_t declaration = none;
        std::uint32_t number = 0; // in the range
        std::uint32_t width = 1;
    };
    struct Found {
        Symbol symbol;
        RegisterName registerName; // of Registers
    };
    [[nodiscard]] std::optional<Found> find(std::string_view name);
    // The register itself, made at its first use.
    [[nodiscard]] std::uint32_t registerOf(
        const RegisterName& name, std::string_view text, std::uint32_t component, Function& function);

private:
    struct Declaration {
        Type type;
        std::uint32_t width;
        std::uint32_t count; // of a range
    };
    ScopedNames<Symbol> m_symbols;
    ScopedNames<std::uint32_t> m_ranges; // by the stem, into m_declarations
    std::vector<Declaration> m_declarations;
    std::unordered_map<std::uint64_t, std::uint32_t> m_registers; // declaration, number, component
};

constexpr std::uint32_t mostRegistersInRange = 1U << 20U;
constexpr std::uint32_t mostNestedScopes = 64;

} // namespace flashstep::ptx
