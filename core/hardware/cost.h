// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/spec.h"
#include "core/program/engine.h"
#include "core/program/program.h"

#include <array>

namespace flashstep {

// Engine time in 1/64 cycles, so that rates which do not divide a clock still add up.
using Ticks = std::int64_t;
constexpr Ticks ticksPerCycle = 64;

// One engine that an op keeps busy. All bookings of an op begin when the role reaches it, each as soon as its engine is
// free; the op ends with the latest of them, plus its latency.
struct Booking {
    Engine engine = Engine::Issue;
    Ticks busy = 0;
};

// What one execution of an op costs on a given GPU: the only place that knows costs. Formulas and sources:
// docs/hardware-model.md.
struct OpCost {
    std::array<Booking, 3> bookings {};
    std::uint8_t bookingCount = 0;
    Ticks latency = 0; // after the last booking; for an asynchronous copy: until it lands
    Ticks contention = 0; // stolen from the tensor core of the role's quarter
    Ticks hbm = 0; // HBM time, if the tile is not in L2 yet
    Ticks landing = 0; // SMEM port, when an asynchronous copy lands
};
[[nodiscard]] OpCost costOf(const GpuSpec& gpu, const Program& program, const Cta& cta, const Op& op);

// Resident CTAs of a launch on one SM, and what limits them.
struct Occupancy {
    int ctasPerSm = 0;
    std::string_view limit; // "shared memory", "registers", "threads", "CTA slots"
    Bytes neededSmem = 0, availableSmem = 0;
};
[[nodiscard]] Occupancy occupancyOf(const GpuSpec& gpu, const LaunchDecl& launch);

} // namespace flashstep
