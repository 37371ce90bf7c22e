// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/hardware/spec.h"
#include "core/trace/trace.h"

#include <vector>

namespace flashstep::paint {

// How much of what the CTAs read so far was in L2, and how much came from HBM behind it: the run's copies and stores
// asked of the same L2 again, in the order in which they began, and counted when they ended, like every other counter.
// A function of an immutable trace; made once.
class MemoryTraffic {
public:
    MemoryTraffic(const Trace& trace, const GpuSpec& gpu);

    // False where the events of only a part of the grid are kept: then nobody knows what the rest left in L2.
    [[nodiscard]] bool known() const { return m_known; }
    struct Bytes {
        double served = 0; // to all CTAs, by L2
        double fromHbm = 0; // of these fetched first
        double toHbm = 0; // written back to make room
        [[nodiscard]] double hits() const { return served - fromHbm; }
    };
    [[nodiscard]] Bytes at(Position p) const;

private:
    struct Row {
        std::uint32_t position = 0; // just after its end
        double read = 0, written = 0; // up to and including it
    };
    const Trace& m_trace;
    bool m_known = false;
    std::vector<Row> m_rows; // of what missed
};

} // namespace flashstep::paint
