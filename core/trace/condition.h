// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/op_filter.h"
#include "core/trace/query.h"

#include <string>

namespace flashstep {

// Something that comes true again and again in a run, to run to or to stop at:
//   KIND, KIND(key=value, …)  an op of that kind ends; keys of positions, and
//       decision=done|skipped   of a rescale: some row was brought to a new reference, or none was; with row=R that row
//       longer=N                of a wait or sync: it took more than N cycles
//   maximum(row=R)            the true maximum of row R changes; b= h= for another head, i= j= for one tile
//   phase(barrier=NAME)       a barrier completes a turn; turn=P: its P-th since the CTA began, from 1
//   line(N)                   an op of line N of the schedule's source ends; keys of positions besides
// next(…) and previous(…) around it say no more than that: the direction is the caller's.
class Condition {
public:
    [[nodiscard]] static Result<Condition> parse(const Trace& trace, std::string_view text);

    [[nodiscard]] const std::string& text() const { return m_text; } // as it was written, without blanks at its ends

    // The first moment after p, or the last before it, at which it comes true; of one CTA, or of all where `scope` is
    // none() (a cta= in the condition goes first). Moments at or beyond `until` (before it: at or below) are not looked
    // for. Costs a pass over the CTA's ops, or, of all, over the events in between.
    [[nodiscard]] std::optional<Moment> next(
        const Trace& trace, Position p, CtaId scope, Position until = { 0xffffffffU }) const;
    [[nodiscard]] std::optional<Moment> previous(
        const Trace& trace, Position p, CtaId scope, Position until = { 0 }) const;
    // How often it has come true at or before p.
    [[nodiscard]] int countUntil(const Trace& trace, Position p, CtaId scope) const;

private:
    enum class What : std::uint8_t { Op, Maximum, Phase, Line };
    enum class Decision : std::uint8_t { Any, Done, Skipped };

    template <typename Visit>
    void forEachMoment(
        const Trace& trace, CtaId scope, Position first, Position last, bool forwards, Visit visit) const;
    [[nodiscard]] bool holds(const Trace& trace, InstanceId instance) const;
    [[nodiscard]] bool changesMaximum(const Trace& trace, InstanceId instance) const;
    [[nodiscard]] bool decides(const Trace& trace, InstanceId instance) const;

    std::string m_text;
    What m_what = What::Op;
    OpFilter m_filter;
    Decision m_decision = Decision::Any;
    std::optional<int> m_longer;
    int m_b = 0, m_h = 0;
    std::uint32_t m_line = 0;
};

} // namespace flashstep
