// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/emulator.h"

namespace flashstep {

// A grid too large to run event by event, in two steps: one SM with its share of HBM is emulated for tiles of each
// shape, alone and one after the other; then the grid is scheduled from those times. Of the CTAs in `asked` (and those
// that share their SM) the events are kept, of all others when and where they ran. `asked` names one launch's CTAs.
// [docs/hardware-model.md, the grid in two steps]
[[nodiscard]] Result<std::shared_ptr<const Trace>> emulateInTwoSteps(std::shared_ptr<const Program> program,
    const GpuSpec& gpu, EmulationOptions options, CtaId asked, Numerics* numerics, const Progress& progress);

// How long a work tile of a shape takes on an SM: the first one, and each that follows it.
struct TileTime {
    Cycle first = 0, next = 0;
};
// [launch][CTAs that share the SM, less one][stream at ring position 0]
using TileTimes = std::vector<std::vector<std::vector<TileTime>>>;
[[nodiscard]] Result<TileTimes> tileTimes(
    const Program& program, const GpuSpec& gpu, const EmulationOptions& options, const Progress& progress);

// The same two steps without a trace: how long the grid takes and how busy it keeps each engine. Of shapes between the
// sampled ones the program needs no ops (KernelSetting::samplesOnly).
struct GridTime {
    Cycle cycles = 0;
    std::array<double, engineCount> busy {}; // cycles, all SMs and quarters counted; HBM: those of its one bus
};
[[nodiscard]] Result<GridTime> timeInTwoSteps(
    const Program& program, const GpuSpec& gpu, const EmulationOptions& options, const Progress& progress);

} // namespace flashstep
