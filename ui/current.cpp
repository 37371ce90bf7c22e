// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/current.h"

#include "core/trace/state.h"
#include "ui/document.h"
#include "ui/playback.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep::ui {

namespace {

std::size_t rolesOf(const Trace& trace, CtaId cta)
{
    const auto works = trace.worksOf(cta);
    return works.empty() ? 0 : trace.streamOf(works.front()).roles.size();
}

// The work that its CTA did before this one.
WorkId workBefore(const Trace& trace, WorkId work)
{
    const auto works = trace.worksOf(trace.ctaOf(work));
    const auto at = std::find(works.begin(), works.end(), work);
    return at == works.begin() ? WorkId::none() : *(at - 1);
}

} // namespace

std::size_t launchOf(const Program& program, CtaId cta)
{
    return static_cast<std::size_t>(&program.launchOf(cta) - program.launches.data());
}

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
    for (std::size_t r = 0; r < rolesOf(trace, cta); ++r) {
        const InstanceId current = trace.currentOp(cta, r, p);
        if (current.valid() && (!newest.valid() || trace.beginPosition(current) > trace.beginPosition(newest)))
            newest = current;
    }
    return newest;
}

Position newestOf(const Trace& trace, CtaId cta, Position p)
{
    constexpr std::size_t inFlight = 256; // copies land at most so many ops after they were begun
    Position newest {};
    for (std::size_t r = 0; r < rolesOf(trace, cta); ++r) {
        const InstanceId current = trace.currentOp(cta, r, p);
        if (!current.valid())
            continue;
        newest = std::max(newest, trace.beginPosition(current));
        // What it began in this work, and what may still be in flight from the one before.
        const WorkId here = trace.workOf(current);
        for (const WorkId work : { workBefore(trace, here), here }) {
            if (!work.valid())
                continue;
            const RoleRange& role = trace.streamOf(work).roles[r];
            const InstanceId last = trace.currentOp(work, role, p);
            if (!last.valid())
                continue;
            const std::size_t first = std::max(
                trace.instance(work, OpId(role.first)).index(), last.index() - std::min(last.index(), inFlight));
            for (std::size_t k = first; k <= last.index(); ++k)
                if (trace.began(InstanceId(k)) && trace.endedAt(InstanceId(k), p))
                    newest = std::max(newest, trace.endPosition(InstanceId(k)));
        }
    }
    return newest;
}

std::optional<std::pair<Position, Position>> extentOf(const Trace& trace, CtaId cta)
{
    Position first = trace.end();
    Position last {};
    bool any = false;
    for (const WorkId work : trace.worksOf(cta))
        for (const RoleRange& role : trace.streamOf(work).roles) {
            InstanceId begin, end;
            for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
                const InstanceId at = trace.instance(work, OpId(k));
                if (!trace.began(at))
                    continue;
                begin = begin.valid() ? begin : at;
                end = at;
                if (!trace.ended(at))
                    return std::nullopt;
            }
            if (!begin.valid())
                continue;
            any = true;
            first = std::min(first, trace.beginPosition(begin));
            last = std::max(last, trace.endPosition(end));
        }
    if (!any)
        return std::nullopt;
    return std::pair(first, last);
}

TileRef tileOnShow(const Session& session)
{
    const CtaId cta = session.selection.cta();
    if (session.document.empty() || !cta.valid())
        return {};
    const TileRef chosen = session.selection.tile();
    const Program& program = session.document.program();
    if (chosen.i >= 0 && chosen.j >= 0)
        return chosen;
    const Trace& trace = session.document.trace();
    const Position p = session.playback.position();
    WorkId shown = trace.workAt(cta, p);
    // The tiles of the op in hand; loads run ahead, so what is computed counts first, and what has just landed most:
    // even where the CTA's producer has gone on to its next work tile.
    InstanceId newest;
    if (p.value > 0)
        if (const InstanceId last = trace.eventAt(p.value - 1).instance; trace.op(last).step != Op::noStep)
            for (const WorkId work : { shown, workBefore(trace, shown) })
                if (work.valid() && !newest.valid() && trace.workOf(last) == trace.productsOf(work)) {
                    newest = last;
                    shown = work;
                }
    const Work& here = program.work(shown);
    const bool landed = newest.valid();
    int first = -1;
    for (const RoleRange& role : trace.streamOf(shown).roles) {
        for (std::uint32_t k = 0; k < role.count; ++k) {
            const Op& op = program.ops[role.first + k];
            if (op.n > 0 && first < 0)
                first = program.keyBlock(here, op);
        }
        const InstanceId current = trace.currentOp(shown, role, p);
        if (!current.valid() || landed)
            continue;
        const auto begin = trace.instance(shown, OpId(role.first)).index();
        for (std::size_t k = current.index() + 1; k-- > begin;) {
            const InstanceId candidate(k);
            if (trace.op(candidate).n == 0 || !trace.began(candidate))
                continue;
            if (trace.begunAt(candidate, p)
                && (!newest.valid() || trace.beginPosition(candidate) > trace.beginPosition(newest)))
                newest = candidate;
            break;
        }
    }
    const int i = newest.valid() ? program.queryTile(here, trace.op(newest)) : here.i;
    if (chosen.j >= 0)
        return { i, chosen.j };
    return { i, std::max(0, newest.valid() ? program.keyBlock(here, trace.op(newest)) : first) };
}

BufferId bufferOnShow(const Session& session)
{
    if (session.document.empty() || !session.selection.cta().valid())
        return BufferId::none();
    const Program& program = session.document.program();
    const std::size_t launch = launchOf(program, session.selection.cta());
    const BufferId chosen = session.selection.buffer();
    if (chosen.valid() && program.buffers[chosen.index()].launch == launch)
        return chosen;
    const InstanceId current = currentInstance(session);
    if (current.valid()) {
        const Op& op = session.document.trace().op(current);
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
