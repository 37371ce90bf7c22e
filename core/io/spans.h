// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

#include <functional>
#include <optional>

namespace flashstep {

// What holds an op's time: empty for waits, which hold none.
[[nodiscard]] std::optional<Engine> engineOf(OpKind kind);
[[nodiscard]] bool isWait(OpKind kind);

// A stretch of the run, as positions: everything whose op overlaps it is shown.
struct Range {
    Position from, to;
    [[nodiscard]] static Range whole(const Trace& trace) { return { Position {}, trace.end() }; }
};
[[nodiscard]] bool overlaps(const Trace& trace, InstanceId instance, const Range& range);

// One execution of an op: one slice of every export. An op that never ended is cut at the end of the run.
struct Span {
    InstanceId instance;
    CtaId cta;
    WorkId work;
    OpId opId;
    const Op* op = nullptr;
    std::optional<Engine> engine;
    int i = -1, j = -1;
    Cycle begin = 0, end = 0;
};
[[nodiscard]] Span spanOf(const Trace& trace, WorkId work, OpId op);

// The one order that all exporters share: CTA by CTA; in it role by role, as the program lists them; in a role as it
// runs, work tile after work tile. `visit` returns false to stop.
struct SpanVisitor {
    std::function<bool(CtaId)> cta = [](CtaId) { return true; }; // before the first span of each CTA that has one
    std::function<bool(const Span&)> span;
};
void forEachSpan(const Trace& trace, const Range& range, const SpanVisitor& visitor);

// Whether a step of the level, of that CTA where one is given, is complete just at p. Trace::next says end() where
// there is none any more, and another CTA's step may be complete there: this tells.
[[nodiscard]] bool completesStep(const Trace& trace, Position p, Level level, CtaId cta = CtaId::none());

// Whole nanoseconds of modelled time: exact for what a cycle count can hold.
class Nanoseconds {
public:
    explicit Nanoseconds(double clockMhz)
        : m_clockMhz(clockMhz)
    {
    }
    [[nodiscard]] std::int64_t of(Cycle cycle) const;

private:
    double m_clockMhz;
};

} // namespace flashstep
