// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/program.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// What is the same for every op that one line of the algorithm makes on the same buffers: label, role, source line. A
// program has few of them however many ops it has, so what an exporter keeps per class does not grow with the run.
struct OpClass {
    OpKind kind = OpKind::Load;
    std::string label, source;
    std::string_view role;
};

class OpClasses {
public:
    explicit OpClasses(const Program& program)
        : m_program(program)
        , m_slots(64)
    {
    }

    // From 0, in order of first use.
    [[nodiscard]] std::size_t indexOf(const Op& op);
    [[nodiscard]] const OpClass& at(std::size_t index) const { return m_classes[index]; }
    [[nodiscard]] std::size_t size() const { return m_classes.size(); }

private:
    using Key = std::array<std::uint64_t, 2>;
    struct Slot {
        Key key {};
        std::size_t index = unused;
    };
    static constexpr std::size_t unused = static_cast<std::size_t>(-1);

    static Key keyOf(const Op& op);
    [[nodiscard]] Slot& slotOf(const Key& key);
    void grow();

    const Program& m_program;
    std::vector<OpClass> m_classes;
    std::vector<Slot> m_slots; // a power of two, at most half of them used
};

} // namespace flashstep
