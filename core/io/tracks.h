// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/spans.h"

#include <array>
#include <string>
#include <vector>

namespace flashstep {

// One line of a timeline file: a role (its waits, and what else books no engine), or an engine as one role uses it.
// What overlaps (a role's asynchronous copies) gets further lines: "hbm (lane 2)". So slices of a line never overlap.
struct Track {
    std::string name;
    int order = 0; // inside the CTA: each role, followed by its engines
    std::uint32_t number = 0; // in the CTA, from 1, in order of first use
};

// Hands out the lines of one CTA after the other; spans come in the order of forEachSpan.
class Tracks {
public:
    explicit Tracks(const Program& program)
        : m_program(program)
    {
    }

    void enter(); // a new CTA: all lines are new
    struct Place {
        const Track& track;
        bool isNew = false;
    };
    [[nodiscard]] Place place(const Span& span);

private:
    struct Lane {
        Track track;
        Cycle busyUntil = 0;
    };
    [[nodiscard]] std::string nameOf(const Span& span);

    const Program& m_program;
    RoleId m_role;
    std::array<std::vector<Lane>, engineCount + 1> m_lanes; // of the current role; the last is the role's own line
    std::array<int, engineCount + 1> m_used {}; // lines of that name in this CTA so far
    std::uint32_t m_count = 0;
};

// "CTA 0 · SM 3"
[[nodiscard]] std::string processName(const Trace& trace, CtaId cta);
// " (2, 3)", which a slice's name has behind its label; nothing where it is no tile's.
void appendTile(std::string& out, const Span& span);

} // namespace flashstep
