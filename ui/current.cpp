// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/current.h"

#include "core/trace/state.h"
#include "ui/document.h"
#include "ui/playback.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep::ui {

InstanceId currentInstance(const Session& session)
{
    const CtaId cta = session.selection.cta();
    if (session.document.empty() || !cta.valid())
        return InstanceId::none();
    const Trace& trace = session.document.trace();
    const Position p = session.playback.position();
    if (p.value > 0) {
        const InstanceId last = trace.eventAt(p.value - 1).instance;
        if (trace.ctaOf(last) == cta)
            return last;
    }
    InstanceId newest;
    for (const RoleRange& role : session.document.program().streamOf(cta).roles) {
        const InstanceId current = trace.currentOp(cta, role, p);
        if (current.valid() && (!newest.valid() || trace.beginPosition(current) > trace.beginPosition(newest)))
            newest = current;
    }
    return newest;
}

Position newestOf(const Trace& trace, CtaId cta, Position p)
{
    constexpr std::size_t inFlight = 256; // copies land at most so many ops after they were begun
    Position newest {};
    for (const RoleRange& role : trace.program().streamOf(cta).roles) {
        const InstanceId current = trace.currentOp(cta, role, p);
        if (!current.valid())
            continue;
        newest = std::max(newest, trace.beginPosition(current));
        const std::size_t first = std::max(
            trace.instance(cta, OpId(role.first)).index(), current.index() - std::min(current.index(), inFlight));
        for (std::size_t k = first; k <= current.index(); ++k)
            if (trace.endedAt(InstanceId(k), p))
                newest = std::max(newest, trace.endPosition(InstanceId(k)));
    }
    return newest;
}

std::optional<std::pair<Position, Position>> extentOf(const Trace& trace, CtaId cta)
{
    Position first = trace.end();
    Position last {};
    for (const RoleRange& role : trace.program().streamOf(cta).roles) {
        if (role.count == 0)
            continue;
        const InstanceId begin = trace.instance(cta, OpId(role.first));
        const InstanceId end = trace.instance(cta, OpId(role.first + role.count - 1));
        if (!trace.began(begin) || !trace.ended(end))
            return std::nullopt;
        first = std::min(first, trace.beginPosition(begin));
        last = std::max(last, trace.endPosition(end));
    }
    return std::pair(first, last);
}

TileRef tileOnShow(const Session& session)
{
    const CtaId cta = session.selection.cta();
    if (session.document.empty() || !cta.valid())
        return {};
    const TileRef chosen = session.selection.tile();
    const Program& program = session.document.program();
    const Cta& here = program.ctas[cta.index()];
    if (chosen.i >= 0 && chosen.j >= 0)
        return chosen;
    TileRef tile { here.i, chosen.j };
    if (tile.j >= 0)
        return tile;
    // The key block of the op in hand; loads run ahead, so what is computed counts first.
    const Trace& trace = session.document.trace();
    const Position p = session.playback.position();
    InstanceId newest;
    int first = -1;
    for (const RoleRange& role : program.streamOf(cta).roles) {
        for (std::uint32_t k = 0; k < role.count; ++k) {
            const Op& op = program.ops[role.first + k];
            if (op.n > 0 && first < 0)
                first = program.keyBlock(here, op);
        }
        InstanceId current = trace.currentOp(cta, role, p);
        if (!current.valid())
            continue;
        const auto begin = trace.instance(cta, OpId(role.first)).index();
        for (std::size_t k = current.index() + 1; k-- > begin;) {
            const InstanceId candidate(k);
            if (program.op(trace.opOf(candidate)).n == 0)
                continue;
            if (trace.begunAt(candidate, p)
                && (!newest.valid() || trace.beginPosition(candidate) > trace.beginPosition(newest)))
                newest = candidate;
            break;
        }
    }
    tile.j = newest.valid() ? program.keyBlock(here, program.op(trace.opOf(newest))) : first;
    return tile.j >= 0 ? tile : TileRef { here.i, 0 };
}

BufferId bufferOnShow(const Session& session)
{
    if (session.document.empty() || !session.selection.cta().valid())
        return BufferId::none();
    const Program& program = session.document.program();
    const std::uint8_t launch = program.ctas[session.selection.cta().index()].launch;
    const BufferId chosen = session.selection.buffer();
    if (chosen.valid() && program.buffers[chosen.index()].launch == launch)
        return chosen;
    const InstanceId current = currentInstance(session);
    if (current.valid()) {
        const Op& op = program.op(session.document.trace().opOf(current));
        if (op.out.valid())
            return op.out;
    }
    for (std::size_t b = 0; b < program.buffers.size(); ++b)
        if (program.buffers[b].launch == launch)
            return BufferId(b);
    return BufferId::none();
}

QString exactText(double value)
{
    return QString::fromStdString(fmt::format("{}", value));
}

QString exactText(float value)
{
    return QString::fromStdString(fmt::format("{}", value));
}

} // namespace flashstep::ui
