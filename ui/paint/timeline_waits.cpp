// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/barrier_card.h"
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

// Who arrives at the barrier of a wait, once each.
QStringList arrivers(const Trace& trace, InstanceId wait, Position p)
{
    QStringList names;
    for (const BarrierParty& party : partiesOf(trace, trace.ctaOf(wait), trace.op(wait).barrier, p)) {
        if (party.kind == BarrierParty::Kind::Waits)
            continue;
        QString name = roleName(trace, party.role);
        if (party.ofPeer)
            name += QStringLiteral(" of the other CTA");
        if (party.kind == BarrierParty::Kind::Lands)
            name += QStringLiteral(" (its copies)");
        else if (party.kind == BarrierParty::Kind::Commits)
            name += QStringLiteral(" (its products)");
        else if (party.kind == BarrierParty::Kind::Announces)
            name += QStringLiteral(" (announces the bytes)");
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
    const Position then = inside(trace, wait, p);
    if (op.dropped)
        return { QStringLiteral("broken on purpose: it does not wait") };
    if (const QString reason = waitReason(trace, wait); !reason.isEmpty())
        lines.append(QStringLiteral("until %1").arg(reason));
    if (op.barrier.valid()) {
        const BarrierDecl& barrier = trace.program().barriers[op.barrier.index()];
        lines.append(QStringLiteral("barrier %1: %2 of %3 must arrive there")
                         .arg(QString::fromStdString(barrier.name), grouped(barrier.count),
                             QString::fromStdString(barrier.unit)));
        if (const QStringList who = arrivers(trace, wait, then); !who.empty())
            lines.append(QStringLiteral("who arrives: %1").arg(who.join(QStringLiteral(", "))));
    }
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
