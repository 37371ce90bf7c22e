// SPDX-License-Identifier: Apache-2.0
#include "core/program/dump.h"

#include <fmt/format.h>

#include <iterator>

namespace flashstep {

namespace {

using Out = std::back_insert_iterator<std::string>;

std::string scheduleText(const LaunchDecl& launch)
{
    switch (launch.schedule) {
    case Schedule::Static:
        return fmt::format(", persistent over {} work tiles", launch.workCount);
    case Schedule::Dynamic:
        return fmt::format(", persistent over {} work tiles by an atomic counter", launch.workCount);
    case Schedule::SingleTile:
        break;
    }
    return {};
}

void dumpHeader(Out out, const Program& p)
{
    const Problem& q = p.problem;
    fmt::format_to(out, "program {} {}\n", p.algorithm, p.pass);
    fmt::format_to(out, "problem batch {} heads {} kv-heads {} q {} k {} d {} dv {} {} mask {}\n", q.batch, q.heads,
        q.kvHeads, q.seqlenQ, q.seqlenK, q.headDim, q.headDimV, name(q.dtype), q.mask.text());
    fmt::format_to(out, "tile {} costed as {}, source {}, {}\n", p.tile.text(), p.costTile.text(), p.source, p.paper);
    for (const LaunchDecl& launch : p.launches)
        fmt::format_to(out, "launch {}: {} CTAs of {} threads, {} rows, {} B of shared memory{}{}\n", launch.name,
            launch.ctaCount, launch.threads, launch.queryRows, launch.smemBytes, scheduleText(launch),
            launch.clusterSize > 1 ? ", clusters of 2" : "");
    for (const RoleDecl& role : p.roles)
        if (role.registers > 0)
            fmt::format_to(out, "role {}: {} warps, {} registers a thread\n", role.name, role.warps, role.registers);
    for (const BufferDecl& buffer : p.buffers)
        fmt::format_to(out, "buffer {} {} {} {}x{}{}\n", buffer.name, name(buffer.space), name(buffer.dtype),
            buffer.rows, buffer.cols, buffer.aliases.valid() ? " in " + p.buffers[buffer.aliases.index()].name : "");
    for (const BarrierDecl& barrier : p.barriers)
        fmt::format_to(out, "barrier {} {} {}\n", barrier.name, barrier.count, barrier.unit);
}

std::string rowsText(const RowSet& rows)
{
    if (rows.repeat == 1)
        return fmt::format("rows {}..{}", rows.start, rows.start + rows.run - 1);
    return fmt::format("rows {}..{} +{}x{}", rows.start, rows.start + rows.run - 1, rows.stride, rows.repeat);
}

void dumpOp(Out out, const Program& p, const Op& op)
{
    std::string text = labelOf(p, op);
    if (op.kind == OpKind::Wait || op.kind == OpKind::Sync)
        text = std::string(name(op.kind)) + " " + text;
    if (op.barrier.valid() && op.kind != OpKind::Arrive && op.kind != OpKind::Load)
        text += fmt::format(" ({} turn {})", p.barriers[op.barrier.index()].name, op.turn);
    if (op.kind == OpKind::Load && op.barrier.valid())
        text += fmt::format(" on {}", p.barriers[op.barrier.index()].name);
    if (op.kind == OpKind::Arrive && !p.barriers[op.barrier.index()].countsBytes())
        text += fmt::format(" +{}", op.arrivals);
    if (op.reach != Reach::Own)
        text += op.reach == Reach::Both ? " both CTAs" : " peer";
    if (op.i != 0)
        text += fmt::format(" i=+{}", op.i);
    if (op.j >= 0)
        text += fmt::format(" j={}", op.j);
    if (op.n > 0)
        text += fmt::format(" n={}", op.n);
    if (op.out.valid() || op.kind == OpKind::Store)
        text += " " + rowsText(p.rows(op));
    if (op.keys.valid())
        text += " keys " + rowsText(p.rowSets[op.keys.index()]).substr(5);
    if (op.async)
        text += " async";
    if (op.when != When::Always)
        text += op.when == When::First ? " (first tile only)" : " (last tile only)";
    if (op.dropped)
        text += " DROPPED";
    fmt::format_to(out, "    {:<58} line {}", text, op.line);
    if (op.paperLine > 0)
        fmt::format_to(out, " paper {}", op.paperLine);
    fmt::format_to(out, "\n");
}

} // namespace

std::string dumpProgram(const Program& p)
{
    std::string text;
    Out out(text);
    dumpHeader(out, p);
    for (std::size_t s = 0; s < p.streams.size(); ++s) {
        const Stream& stream = p.streams[s];
        std::size_t users = 0;
        std::size_t position = 0; // of its rings
        const Work* first = nullptr;
        for (const Work& work : p.works) {
            const auto positions = static_cast<std::size_t>(p.launches[work.launch].ringPositions);
            if (s < work.stream.index() || s >= work.stream.index() + positions)
                continue;
            first = first == nullptr ? &work : first;
            position = s - work.stream.index();
            ++users;
        }
        fmt::format_to(out, "stream {} of {}: {} work tiles, first i={} jBase={}{}\n", s,
            p.launches[first->launch].name, users, first->i, first->jBase,
            position > 0 ? fmt::format(", rings at slot {}", position) : std::string());
        for (const RoleRange& role : stream.roles) {
            fmt::format_to(out, "  role {}\n", p.roles[role.role.index()].name);
            for (std::uint32_t k = 0; k < role.count; ++k)
                dumpOp(out, p, p.ops[role.first + k]);
        }
    }
    return text;
}

} // namespace flashstep
