// SPDX-License-Identifier: Apache-2.0
#include "core/io/spans.h"

#include <algorithm>

namespace flashstep {

bool isWait(OpKind kind)
{
    return kind == OpKind::Wait || kind == OpKind::Sync;
}

std::optional<Engine> engineOf(OpKind kind)
{
    switch (kind) {
    case OpKind::Load:
    case OpKind::Store:
        return Engine::Hbm;
    case OpKind::Commit:
    case OpKind::Arrive:
    case OpKind::Fence:
    case OpKind::SetRegisters:
    case OpKind::Allocate:
    case OpKind::Free:
        return Engine::Issue;
    case OpKind::NextTile:
        return Engine::L2;
    case OpKind::Mma:
        return Engine::Tensor;
    case OpKind::Exp2:
        return Engine::Exp;
    case OpKind::Mask:
    case OpKind::RowMax:
    case OpKind::Rescale:
    case OpKind::RowSum:
    case OpKind::Convert:
    case OpKind::Normalise:
        return Engine::Alu;
    case OpKind::Stage:
    case OpKind::Reduce:
        return Engine::Smem;
    case OpKind::Wait:
    case OpKind::Sync:
        break;
    }
    return std::nullopt;
}

bool overlaps(const Trace& trace, InstanceId instance, const Range& range)
{
    if (!trace.began(instance) || trace.beginPosition(instance).value > range.to.value)
        return false;
    return !trace.ended(instance) || trace.endPosition(instance).value >= range.from.value;
}

Span spanOf(const Trace& trace, WorkId work, OpId opId)
{
    const Program& program = trace.program();
    const Op& op = program.op(opId);
    const Work& which = program.work(work);
    const InstanceId instance = trace.instance(work, opId);
    Span span { instance, trace.ctaOf(work), work, opId, &op, engineOf(op.kind), program.queryTile(which, op),
        program.keyBlock(which, op), 0, 0 };
    span.begin = trace.beginCycle(instance);
    span.end = trace.endCycle(instance);
    return span;
}

void forEachSpan(const Trace& trace, const Range& range, const SpanVisitor& visitor)
{
    const Program& program = trace.program();
    for (std::size_t c = 0; c < program.ctaCount(); ++c) {
        const CtaId cta(c);
        const auto works = trace.worksOf(cta);
        if (works.empty())
            continue;
        bool announced = false;
        for (std::size_t r = 0; r < trace.streamOf(works.front()).roles.size(); ++r)
            for (const WorkId work : works) {
                if (!trace.hasEvents(work)) // of a grid timed in two steps: placed, not run event by event
                    continue;
                const RoleRange& role = trace.streamOf(work).roles[r];
                for (std::uint32_t k = 0; k < role.count; ++k) {
                    const OpId op(role.first + k);
                    if (!overlaps(trace, trace.instance(work, op), range))
                        continue;
                    if (!announced && !visitor.cta(cta))
                        return;
                    announced = true;
                    if (!visitor.span(spanOf(trace, work, op)))
                        return;
                }
            }
    }
}

bool completesStep(const Trace& trace, Position p, Level level, CtaId cta)
{
    return p.value > 0 && trace.previous(Position { p.value + 1 }, level, cta) == p;
}

std::int64_t Nanoseconds::of(Cycle cycle) const
{
    // Round half up; products of a 32-bit cycle and 1000 are exact in a double.
    return static_cast<std::int64_t>(static_cast<double>(cycle) * 1000.0 / m_clockMhz + 0.5);
}

} // namespace flashstep
