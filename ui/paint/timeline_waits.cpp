// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/state.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_marks.h"
#include "ui/paint/timeline_painter.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

QString roleName(const Trace& trace, RoleId role)
{
    return QString::fromStdString(trace.program().roles[role.index()].name);
}

// Who arrives at the barrier of a wait, in the order of the roles.
QStringList arrivers(const Trace& trace, InstanceId wait)
{
    const Program& program = trace.program();
    const Op& op = trace.op(wait);
    QStringList names;
    for (const RoleRange& range : trace.streamOf(trace.workOf(wait)).roles)
        for (std::uint32_t k = range.first; k < range.first + range.count; ++k) {
            const Op& other = program.ops[k];
            const bool arrives = other.barrier.valid() && other.kind != OpKind::Wait
                && op.barrier.index() >= other.barrier.index()
                && op.barrier.index() < other.barrier.index() + std::max<std::size_t>(1, other.barriers);
            if (!arrives)
                continue;
            QString name = roleName(trace, range.role);
            if (other.kind == OpKind::Load)
                name += QStringLiteral("’s copies");
            else if (other.kind == OpKind::Commit)
                name += QStringLiteral("’s products");
            if (!names.contains(name))
                names.append(name);
        }
    return names;
}

// The moment in the wait that the pointer, or the playhead, is at.
Position inside(const Trace& trace, InstanceId wait, Position p)
{
    const Position begin = trace.beginPosition(wait);
    const Position end = trace.ended(wait) ? Position { trace.endPosition(wait).value - 1 } : trace.end();
    return std::clamp(p, begin, std::max(begin, end));
}

} // namespace

QString waitReason(const Trace& trace, InstanceId wait)
{
    const Op& op = trace.op(wait);
    return op.wait.valid() ? QString::fromStdString(trace.program().waits[op.wait.index()].reason) : QString();
}

QStringList describeWait(const Trace& trace, InstanceId wait, Position p)
{
    QStringList lines;
    const Op& op = trace.op(wait);
    if (op.dropped)
        return { QStringLiteral("broken on purpose: it does not wait") };
    if (const QString reason = waitReason(trace, wait); !reason.isEmpty())
        lines.append(QStringLiteral("until %1").arg(reason));
    if (op.barrier.valid()) {
        const BarrierDecl& barrier = trace.program().barriers[op.barrier.index()];
        lines.append(QStringLiteral("barrier %1: %2 of %3 must arrive there")
                         .arg(QString::fromStdString(barrier.name), grouped(barrier.count),
                             QString::fromStdString(barrier.unit)));
        if (const QStringList who = arrivers(trace, wait); !who.empty())
            lines.append(QStringLiteral("who arrives: %1").arg(who.join(QStringLiteral(", "))));
    }
    const Position then = inside(trace, wait, p);
    for (const RoleState& role : rolesAt(trace, trace.ctaOf(wait), then))
        if (role.current == wait && !role.waitingFor.empty())
            lines.append(QStringLiteral("at cycle %1: %2")
                             .arg(grouped(trace.timeAt(then)), QString::fromStdString(role.waitingFor)));
    const Causes causes(trace, Causes::Engines::Left);
    if (const auto event = causes.release(wait)) {
        const Event e = trace.eventAt(*event);
        const Cycle at = trace.timeAt(Position { *event + 1 });
        lines.append(
            QStringLiteral("released at %1 by %2 of %3%4")
                .arg(grouped(at), sliceLabel(trace, e.instance, true), roleName(trace, trace.op(e.instance).role),
                    at <= trace.beginCycle(wait) ? QStringLiteral(", before it came here") : QString()));
    } else if (!trace.ended(wait)) {
        lines.append(QStringLiteral("nobody ever let it go on"));
    }
    return lines;
}

} // namespace flashstep::paint
