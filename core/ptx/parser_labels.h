// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser_cursor.h"
#include "core/ptx/parser_names.h"

#include <string_view>
#include <vector>

namespace flashstep::ptx {

// Labels of one function. A branch means the label of the innermost block around it that has one of this name, before
// or after it; so a name is known for certain when its block closes.
class Labels {
public:
    void open();
    // Settles what the block has, and passes the rest on to the block around it.
    void close(Function& function);
    [[nodiscard]] bool declare(std::string_view name, std::uint32_t statement);

    // A label operand that waits: operand `operand` of statement `statement`, or with statement none an element.
    struct Reference {
        std::string_view name;
        std::uint32_t line = 0;
        std::uint32_t statement = none;
        std::uint32_t operand = 0;
    };
    void refer(const Reference& reference) { m_waiting.push_back(reference); }
    // After the outermost block: whether every label was found.
    [[nodiscard]] bool settled(Cursor& cursor) const;
    void clear() { m_waiting.clear(); }

private:
    ScopedNames<std::uint32_t> m_names; // the statement
    std::vector<Reference> m_waiting; // of all open blocks, the innermost's last
    std::vector<std::size_t> m_marks; // where in m_waiting a block begins
};

} // namespace flashstep::ptx
