// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/spec.h"
#include "core/io/recording_builder.h"
#include "core/ptx/machine.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace flashstep {

// A run of instructions as a timeline: a process for each CTA, a lane for each of its warps, a slice for each stretch
// of instructions of one CUDA line, from the first one's issue to the last one's. Gaps are where the warp waited, or
// where another one was issued. Times are modelled cycles.
class PtxTrace {
public:
    explicit PtxTrace(const GpuSpec& gpu);

    // Every step of a launch whose time begins at `offset`.
    void step(const ptx::Code& code, std::uint32_t launch, Cycle offset, const ptx::Step& step);
    // False once there is more than a recording can hold; the steps after that are left out.
    [[nodiscard]] bool complete() const { return m_complete; }
    [[nodiscard]] Recording finish(const std::string& kernel, const std::string& file) &&;

private:
    struct Stretch {
        std::uint32_t launch = 0, location = 0, ptxLine = 0;
        Cycle begin = 0, last = 0, done = 0;
        std::uint64_t warpInstructions = 0, laneInstructions = 0;
        const ptx::Code* code = nullptr;
    };
    struct Lane {
        std::uint32_t track = 0;
        Cycle free = 0; // where the slice before it ended
        std::optional<Stretch> open;
    };
    Lane& laneOf(std::uint32_t cta, std::uint32_t warp);
    void close(std::uint32_t cta, std::uint32_t warp, Lane& lane);
    [[nodiscard]] std::int64_t nanoseconds(Cycle cycle) const;

    RecordingBuilder m_builder;
    double m_clockMhz;
    std::uint32_t m_sms;
    std::map<std::uint32_t, std::uint32_t> m_processes; // by CTA
    std::map<std::pair<std::uint32_t, std::uint32_t>, Lane> m_lanes; // by CTA and warp
    bool m_complete = true;
};

} // namespace flashstep
