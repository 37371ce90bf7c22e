// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/hardware/spec.h"
#include "core/program/engine.h"
#include "core/program/program.h"

#include <array>
#include <string>

namespace flashstep {

// Engine time in 1/64 cycles, so that rates which do not divide a clock still add up.
using Ticks = std::int64_t;
constexpr Ticks ticksPerCycle = 64;

// What a booking of an engine was for: "read:K", "stage:O", "reduce:O", "tma_write:K", "copy_write:K", or the op's own.
struct Component {
    enum class Kind : std::uint8_t { Op, Read, Stage, Reduce, TmaWrite, CopyWrite } kind = Kind::Op;
    BufferId buffer; // whose bytes
    bool operator==(const Component&) const = default;
};
[[nodiscard]] std::string componentName(const Program& program, const Op& op, const Component& component);

// One engine that an op keeps busy. All bookings of an op begin when the role reaches it, each as soon as its engine is
// free; the op ends with the latest of them, plus its latency. Of a warpgroup, each quarter is busy that long.
struct Booking {
    Engine engine = Engine::Issue;
    Ticks busy = 0;
    Component component;
};

// What one execution of an op costs on a given GPU: the only place that knows costs. Formulas and sources:
// docs/hardware-model.md.
struct OpCost {
    std::array<Booking, 4> bookings {};
    std::uint8_t bookingCount = 0;
    Ticks issue = 0; // an asynchronous op holds its role at least that long
    Ticks latency = 0; // after the last booking; for an asynchronous copy: until it lands
    Ticks contention = 0; // register bandwidth taken from the tensor core of the role's quarter
    Ticks landing = 0; // SMEM port of each receiver, when an asynchronous copy lands
    Component landingComponent;
    double memoryBytes = 0; // through L2; behind it, what misses
    double shownBytes = 0; // the same of the shown problem
};
// `swizzled`: SMEM tiles are laid out so that neither rows nor columns of them meet in a bank.
[[nodiscard]] OpCost costOf(
    const GpuSpec& gpu, const Program& program, const Work& work, const Op& op, bool swizzled = true);

// How many times as long the port takes to read 8 rows of 16 bytes that stand rowBytes apart, and no swizzle parts
// them.
[[nodiscard]] int bankConflict(Bytes rowBytes);

// Resident CTAs of a launch on one SM, and what limits them.
struct Occupancy {
    int ctasPerSm = 0;
    std::string_view limit; // "shared memory", "registers", "threads", "CTA slots"
    Bytes neededSmem = 0, availableSmem = 0;
};
[[nodiscard]] Occupancy occupancyOf(const GpuSpec& gpu, const LaunchDecl& launch);

} // namespace flashstep
