// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/l2_cache.h"
#include "core/hardware/spec.h"
#include "core/program/program.h"

namespace flashstep {

// What ops that touch memory find in L2, piece by piece, and what goes on to HBM.
class MemorySystem {
public:
    MemorySystem(const Program& program, const GpuSpec& gpu)
        : m_program(program)
        , m_cache(static_cast<Bytes>(gpu.l2Mib * 1024 * 1024))
    {
    }

    // Bytes between L2 and HBM when the work's op moves `bytes` (of the costed tile); `rank`: of the CTA in its
    // cluster.
    L2Cache::Traffic access(const Work& work, const Op& op, int rank, double bytes);
    [[nodiscard]] Bytes leftWritten() const { return m_cache.dirty(); }

private:
    const Program& m_program;
    L2Cache m_cache;
};

} // namespace flashstep
