// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/module.h"
#include "core/ptx/parser_cursor.h"

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flashstep::ptx {

// Where the instructions come from: .loc, .file and the names in .section .debug_str (PTX ISA 11.5). Files and names
// may follow after the code that speaks of them.
class DebugInfo {
public:
    void startFunction(); // no .loc is in force
    [[nodiscard]] std::uint32_t current() const { return m_current; }

    // Each after its directive's own word.
    [[nodiscard]] bool location(Cursor& cursor, Module& module);
    [[nodiscard]] bool file(Cursor& cursor, Module& module);
    [[nodiscard]] bool section(Cursor& cursor, Module& module);

    // All is read: numbers of files and labels of names become places in the module.
    void finish(Module& module);

private:
    struct Place {
        std::uint32_t file = 0, line = 0, column = 0;
        bool operator==(const Place&) const = default;
    };
    struct Whole {
        Place place;
        std::uint32_t inlinedAt = none, label = none;
        std::uint64_t offset = 0; // from the label
        bool operator==(const Whole&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Place& place) const;
        std::size_t operator()(const Whole& whole) const;
    };

    [[nodiscard]] bool place(Cursor& cursor, Place& place);
    [[nodiscard]] bool inlining(Cursor& cursor, Module& module, Whole& whole);
    std::uint32_t keep(Module& module, const Whole& whole);
    std::uint32_t labelOf(std::string_view name);
    void strings(Cursor& cursor, Module& module);

    std::uint32_t m_current = none;
    std::unordered_map<Place, std::uint32_t, Hash> m_latest; // of this function, into Module::locations
    std::unordered_map<Whole, std::uint32_t, Hash> m_all; // into Module::locations
    std::vector<std::pair<std::uint32_t, std::uint64_t>> m_functionOf; // label and offset, beside Module::locations
    std::unordered_map<std::string_view, std::uint32_t> m_labels;
    std::vector<std::uint64_t> m_labelAt; // in Module::strings; beyond it: nowhere
    std::vector<bool> m_fileKnown;
};

} // namespace flashstep::ptx
