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
        return Engine::Issue;
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

Span spanOf(const Trace& trace, CtaId ctaId, OpId opId)
{
    const Program& program = trace.program();
    const Cta& cta = program.ctas[ctaId.index()];
    const Op& op = program.op(opId);
    const InstanceId instance = trace.instance(ctaId, opId);
    Span span { instance, ctaId, opId, &op, engineOf(op.kind), cta.i, program.keyBlock(cta, op), 0, 0 };
    span.begin = trace.beginCycle(instance);
    span.end = trace.endCycle(instance);
    return span;
}

void forEachSpan(const Trace& trace, const Range& range, const SpanVisitor& visitor)
{
    const Program& program = trace.program();
    for (std::size_t c = 0; c < program.ctas.size(); ++c) {
        const CtaId cta(c);
        bool announced = false;
        for (const RoleRange& role : program.streamOf(cta).roles)
            for (std::uint32_t k = 0; k < role.count; ++k) {
                const OpId op(role.first + k);
                if (!overlaps(trace, trace.instance(cta, op), range))
                    continue;
                if (!announced && !visitor.cta(cta))
                    return;
                announced = true;
                if (!visitor.span(spanOf(trace, cta, op)))
                    return;
            }
    }
}

bool completesStep(const Trace& trace, Position p, Level level)
{
    if (p.value == 0)
        return false;
    const Event event = trace.eventAt(p.value - 1);
    const CtaId cta = trace.ctaOf(event.instance);
    const Op& op = trace.program().op(trace.opOf(event.instance));
    if (level == Level::Event)
        return true;
    if (level == Level::Operation)
        return event.ends && !isWait(op.kind) && op.kind != OpKind::Commit;
    if (level == Level::InnerTile)
        return op.n > 0 && trace.block(cta, op.n) == p;
    const Program& program = trace.program();
    if (level == Level::OuterTile && program.ctas[cta.index()].launch + 1U != program.launches.size())
        return false; // not the launch that completes O
    const auto& roles = program.streamOf(cta).roles;
    return event.ends && std::all_of(roles.begin(), roles.end(), [&](const RoleRange& role) {
        return role.count == 0 || trace.endedAt(trace.instance(cta, OpId(role.first + role.count - 1)), p);
    });
}

std::int64_t Nanoseconds::of(Cycle cycle) const
{
    // Round half up; products of a 32-bit cycle and 1000 are exact in a double.
    return static_cast<std::int64_t>(static_cast<double>(cycle) * 1000.0 / m_clockMhz + 0.5);
}

} // namespace flashstep
