// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <cstdint>
#include <functional>
#include <optional>

namespace flashstep::paint {

// Lanes of slices that do not come from the emulated run, to lie beside its own: a recording taken on a device, which
// has a title and a clock of its own. Whoever reads one implements this and adds a LaneGroup with it to the scene.
class SliceSource {
public:
    struct Slice {
        double begin = 0, end = 0; // on the axis: cycles of the emulated run
        QString label;
        int j = -1; // key block, which gives it its colour
        bool waits = false;
    };

    SliceSource() = default;
    virtual ~SliceSource() = default;
    SliceSource(const SliceSource&) = delete;
    SliceSource& operator=(const SliceSource&) = delete;

    [[nodiscard]] virtual QString title() const = 0; // says what it is, and whether it was measured
    [[nodiscard]] virtual std::size_t laneCount() const = 0;
    [[nodiscard]] virtual QString laneName(std::size_t lane) const = 0;
    // Its clock on the axis, and from where to where it reaches there.
    [[nodiscard]] virtual double toAxis(double ticks) const = 0;
    [[nodiscard]] virtual double begin() const = 0;
    [[nodiscard]] virtual double end() const = 0;
    // The slices of a lane that overlap [from, to), by begin; those shorter than `detail` may be put together.
    virtual void visit(std::size_t lane, double from, double to, double detail,
        const std::function<void(const Slice&)>& visitor) const = 0;
    // The slice of a lane at a point of the axis, `slack` to its right where it is short; and what a pointer on it is
    // told, a line each.
    [[nodiscard]] virtual std::optional<std::uint32_t> sliceAt(
        std::size_t /*lane*/, double /*axis*/, double /*slack*/) const
    {
        return std::nullopt;
    }
    [[nodiscard]] virtual QString describe(std::uint32_t /*slice*/) const { return {}; }
};

} // namespace flashstep::paint
