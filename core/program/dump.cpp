// SPDX-License-Identifier: Apache-2.0
#include "core/program/dump.h"

#include <fmt/format.h>

#include <iterator>

namespace flashstep {

namespace {

using Out = std::back_insert_iterator<std::string>;

void dumpHeader(Out out, const Program& p)
{
    const Problem& q = p.problem;
    fmt::format_to(out, "program {} {}\n", p.algorithm, p.pass);
    fmt::format_to(out, "problem batch {} heads {} kv-heads {} q {} k {} d {} dv {} {} mask {}\n", q.batch, q.heads,
        q.kvHeads, q.seqlenQ, q.seqlenK, q.headDim, q.headDimV, name(q.dtype), q.mask.text());
    fmt::format_to(out, "tile {} costed as {}, source {}, {}\n", p.tile.text(), p.costTile.text(), p.source, p.paper);
    for (const LaunchDecl& launch : p.launches)
        fmt::format_to(out, "launch {}: {} CTAs of {} threads, {} rows, {} B of shared memory\n", launch.name,
            launch.ctaCount, launch.threads, launch.queryRows, launch.smemBytes);
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
    if (op.kind == OpKind::Sync)
        text += fmt::format(" ({} turn {})", p.barriers[op.barrier.index()].name, op.turn);
    if (op.j >= 0)
        text += fmt::format(" j={}", op.j);
    if (op.n > 0)
        text += fmt::format(" n={}", op.n);
    if (op.out.valid() || op.kind == OpKind::Store)
        text += " " + rowsText(p.rows(op));
    if (op.async)
        text += " async";
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
        const Cta* first = nullptr;
        for (const Cta& cta : p.ctas) {
            if (cta.stream.index() != s)
                continue;
            first = first == nullptr ? &cta : first;
            ++users;
        }
        fmt::format_to(out, "stream {} of {}: {} CTAs, first i={} jBase={}\n", s, p.launches[first->launch].name, users,
            first->i, first->jBase);
        for (const RoleRange& role : stream.roles) {
            fmt::format_to(out, "  role {}\n", p.roles[role.role.index()].name);
            for (std::uint32_t k = 0; k < role.count; ++k)
                dumpOp(out, p, p.ops[role.first + k]);
        }
    }
    return text;
}

} // namespace flashstep
