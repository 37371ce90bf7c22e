// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/emulation/critical_path.h"
#include "core/trace/dependencies.h"
#include "core/trace/why.h"
#include "ui/paint/timeline_layout.h"

#include <map>

// What is drawn over the slices: the critical path's outlines, the arrows of dependencies, and what is measured.
namespace flashstep::paint {

// The ops of a critical path, by op: what of them is outlined.
class PathOutline {
public:
    PathOutline(const Trace& trace, const CriticalPath& path);

    // The role's slice: of an op that its role does itself, or waits for an engine in. What runs by itself is outlined
    // on the engine that it was held up by.
    [[nodiscard]] bool onRole(InstanceId instance) const;
    [[nodiscard]] bool onEngine(InstanceId instance, Engine engine) const;
    [[nodiscard]] std::size_t size() const { return m_parts.size(); }

private:
    struct Part {
        std::uint32_t instance = 0;
        std::uint8_t engine = 0; // engineCount: the role's slice
        auto operator<=>(const Part&) const = default;
    };
    [[nodiscard]] bool has(InstanceId instance, std::size_t engine) const;
    std::vector<Part> m_parts; // sorted
};

// An arrow between slices, as asked for: who led to whom.
struct TimelineLink {
    enum class Kind : std::uint8_t { Data, Release, Engine } kind = Kind::Data;
    InstanceId from, to;
    bool leavesAtEnd = true; // else where it began, as an arrival does
    bool operator==(const TimelineLink&) const = default;
};
// Into and out of an op.
[[nodiscard]] std::vector<TimelineLink> linksOf(const Trace& trace, const Dependencies& all, InstanceId instance);
// Of a wait's chain, from the wait back to the start, with the stretches that a role was busy in between left out.
[[nodiscard]] std::vector<TimelineLink> linksOf(const Trace& trace, const WaitExplained& explained);

// The same in pixels. What lies outside the plot, or in no lane on show, ends at its edge.
struct TimelineArrow {
    QPointF from, to;
    bool fromCut = false, toCut = false;
    TimelineLink link;
};
[[nodiscard]] std::vector<TimelineArrow> layoutArrows(
    const TimelineLayout& layout, std::span<const LaneGroup> groups, const std::vector<TimelineLink>& links);

// A stretch of time between two edges.
struct TimelineMeasure {
    SnappedEdge from, to;
    bool operator==(const TimelineMeasure&) const;
    [[nodiscard]] double cycles() const { return std::abs(to.cycle - from.cycle); }
};
// "1 234 cy · 0.63 µs modelled", and "end of S 6,5" of an edge, or the cycle where there is none.
[[nodiscard]] QString measureText(const Trace& trace, const TimelineMeasure& measure);
[[nodiscard]] QString edgeText(const Trace& trace, const SnappedEdge& edge);
// The slice from its begin to its end; of what runs by itself from its issue to when it is done.
[[nodiscard]] TimelineMeasure measureOf(const Trace& trace, InstanceId instance);
// Between two slices: the gap from the end of the earlier to the begin of the later, where there is one; else from
// begin to begin.
[[nodiscard]] TimelineMeasure measureBetween(const Trace& trace, InstanceId a, InstanceId b);

// What a scene shows of them; whatever is there must outlive the painting.
struct TimelineMarks {
    std::map<CtaId, const PathOutline*> paths;
    std::vector<TimelineLink> links;
    std::optional<TimelineMeasure> measure;
    InstanceId connected; // hovered or chosen: its issue and its completion are joined by a line
    bool reasons = true; // wide waits say what they wait for

    [[nodiscard]] const PathOutline* path(CtaId cta) const
    {
        const auto found = paths.find(cta);
        return found == paths.end() ? nullptr : found->second;
    }
};

// What a wait waits for, short enough for its band: "K 5 has landed"; empty where the program does not say.
[[nodiscard]] QString waitReason(const Trace& trace, InstanceId wait);
// What a pointer on a wait is told, a line each: the barrier, who arrives there and how many have by `p`, and what let
// it go on, when.
[[nodiscard]] QStringList describeWait(const Trace& trace, InstanceId wait, Position p);

} // namespace flashstep::paint
