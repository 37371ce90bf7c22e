// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/dump_state.h"

#include "core/io/json.h"
#include "core/trace/state.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep::cli {

namespace {

bool wanted(const StateRequest& request, const BufferDecl& buffer)
{
    return std::any_of(request.buffers.begin(), request.buffers.end(),
        [&](const std::string& name) { return name == "all" || name == buffer.name || name == buffer.family; });
}

std::vector<CtaId> ctasOf(const Program& program, const StateRequest& request)
{
    if (request.cta.valid())
        return { request.cta };
    std::vector<CtaId> all;
    for (std::size_t k = 0; k < program.ctaCount(); ++k)
        all.emplace_back(k);
    return all;
}

const Op* currentOp(const Trace& trace, const RoleState& role)
{
    return role.current.valid() ? &trace.op(role.current) : nullptr;
}

Json roleJson(const Trace& trace, const RoleState& role)
{
    const Program& program = trace.program();
    const Op* op = currentOp(trace, role);
    Json out;
    out["cta"] = role.cta.index();
    out["role"] = program.roles[role.role.index()].name;
    out["op"] = op != nullptr ? Json(std::string(name(op->kind))) : Json();
    out["state"] = std::string(name(role.kind));
    out["waiting_for"] = role.waitingFor.empty() ? Json() : Json(role.waitingFor);
    out["source"] = op != nullptr ? Json(program.sourceOf(op->line)) : Json();
    return out;
}

Json barrierJson(const Program& program, const BarrierState& state)
{
    const BarrierDecl& decl = program.barriers[state.barrier.index()];
    return { { "cta", state.cta.index() }, { "name", decl.name }, { "unit", decl.unit }, { "expected", state.expected },
        { "arrived", state.arrived }, { "phase", state.phase } };
}

Json valuesJson(const TileValues& values)
{
    Json rows = Json::array();
    for (int r = 0; r < values.rows; ++r) {
        Json row = Json::array();
        for (int c = 0; c < values.cols; ++c)
            row.push_back(jsonNumber(static_cast<double>(values.at(r, c))));
        rows.push_back(std::move(row));
    }
    return rows;
}

Json bufferJson(const Trace& trace, const BufferState& state, const StateRequest& request)
{
    const BufferDecl& decl = trace.program().buffers[state.buffer.index()];
    const auto index = [](int value) { return value < 0 ? Json() : Json(value); };
    Json out;
    out["name"] = decl.name;
    out["cta"] = state.cta.index();
    out["space"] = std::string(name(decl.space));
    out["dtype"] = std::string(name(decl.dtype));
    out["shape"] = { decl.rows, decl.cols };
    out["tile"] = { index(state.i), index(state.j) };
    out["state"] = std::string(name(state.kind));
    if (decl.name == "O")
        out["normalised"] = state.normalised;
    const bool show = wanted(request, decl) && trace.hasValues(state.cta);
    out["values"] = show ? valuesJson(shownValue(trace, state.cta, state.buffer, request.position)) : Json();
    return out;
}

Json rowJson(CtaId cta, const RowState& row)
{
    Json out;
    out["cta"] = cta.index();
    out["b"] = row.b;
    out["h"] = row.h;
    out["row"] = row.row;
    out["m"] = jsonNumber(row.m);
    out["m_used"] = jsonNumber(row.mUsed);
    out["l"] = jsonNumber(row.l);
    out["blocks"] = row.blocks;
    out["decision"] = row.decision;
    out["scale"] = jsonNumber(row.scale);
    return out;
}

std::string roleLine(const Trace& trace, const RoleState& role)
{
    const Program& program = trace.program();
    const Op* op = currentOp(trace, role);
    std::string text = fmt::format("  {:<10} {:<11}", program.roles[role.role.index()].name, name(role.kind));
    if (op != nullptr)
        text += fmt::format(" {:<22} {}", labelOf(program, *op), program.sourceOf(op->line));
    return role.waitingFor.empty() ? text : text + "  waits for " + role.waitingFor;
}

std::string bufferLine(const Trace& trace, const BufferState& state)
{
    const BufferDecl& decl = trace.program().buffers[state.buffer.index()];
    std::string tile;
    if (state.i >= 0)
        tile += fmt::format(" i={}", state.i);
    if (state.j >= 0)
        tile += fmt::format(" j={}", state.j);
    return fmt::format("  {:<10} {:<9} {:<5} {:>4} x {:<4} {:<8}{}{}", decl.name, name(decl.space), name(decl.dtype),
        decl.rows, decl.cols, name(state.kind), tile, state.normalised ? " normalised" : "");
}

std::string valuesText(const TileValues& values)
{
    std::string text;
    for (int r = 0; r < values.rows; ++r) {
        text += "   ";
        for (int c = 0; c < values.cols; ++c)
            text += ' ' + numberText(static_cast<double>(values.at(r, c)));
        text += '\n';
    }
    return text;
}

std::string ctaText(const Trace& trace, CtaId cta, const StateRequest& request)
{
    const Program& program = trace.program();
    if (trace.worksOf(cta).empty())
        return fmt::format("\nCTA {}: never started\n", cta.index());
    const Work& which = program.work(trace.workAt(cta, request.position));
    std::string text = fmt::format("\nCTA {}: batch {}, head {}, query tile {}, on SM {}\n", cta.index(), which.b,
        which.h, which.i, trace.span(cta).sm);
    for (const RoleState& role : rolesAt(trace, cta, request.position))
        text += roleLine(trace, role) + '\n';
    for (const BarrierState& state : barriersAt(trace, cta, request.position)) {
        const BarrierDecl& decl = program.barriers[state.barrier.index()];
        text += fmt::format("  {:<10} {} of {} {}, {} turns completed\n", decl.name, state.arrived, state.expected,
            decl.unit, state.phase);
    }
    for (const BufferState& state : buffersAt(trace, cta, request.position)) {
        text += bufferLine(trace, state) + '\n';
        if (wanted(request, program.buffers[state.buffer.index()]) && trace.hasValues(cta))
            text += valuesText(shownValue(trace, cta, state.buffer, request.position));
    }
    for (const RowState& row : ledgerAt(trace, cta, request.position))
        text += fmt::format("  row {:<6} m {:<12} in use {:<12} l {:<12} blocks {:<4} {:<8} scale {}\n", row.row,
            numberText(row.m), numberText(row.mUsed), numberText(row.l), row.blocks, row.decision,
            numberText(row.scale));
    return text;
}

} // namespace

Status checkBufferNames(const Program& program, const std::vector<std::string>& names)
{
    std::string known;
    for (const BufferDecl& decl : program.buffers)
        for (const std::string& name : { decl.family, decl.name })
            if (known.find(' ' + name + ',') == std::string::npos)
                known += ' ' + name + ',';
    for (const std::string& name : names)
        if (name != "all" && known.find(' ' + name + ',') == std::string::npos)
            return Error { "there is no buffer '" + name + "'", "--buffer", "one of" + known + " or all" };
    return Nothing {};
}

std::string stateJson(const Run& run, const StateRequest& request)
{
    const Trace& trace = *run.trace;
    Json roles = Json::array();
    Json barriers = Json::array();
    Json buffers = Json::array();
    Json rows = Json::array();
    for (const CtaId cta : ctasOf(*run.program, request)) {
        for (const RoleState& role : rolesAt(trace, cta, request.position))
            roles.push_back(roleJson(trace, role));
        for (const BarrierState& state : barriersAt(trace, cta, request.position))
            barriers.push_back(barrierJson(*run.program, state));
        for (const BufferState& state : buffersAt(trace, cta, request.position))
            buffers.push_back(bufferJson(trace, state, request));
        for (const RowState& row : ledgerAt(trace, cta, request.position))
            rows.push_back(rowJson(cta, row));
    }
    Json out;
    out["position"] = request.position.value;
    out["cycles"] = trace.timeAt(request.position);
    out["roles"] = std::move(roles);
    out["barriers"] = std::move(barriers);
    out["buffers"] = std::move(buffers);
    out["rows"] = std::move(rows);
    return jsonText(out);
}

std::string stateText(const Run& run, const StateRequest& request)
{
    const Trace& trace = *run.trace;
    std::string text = fmt::format("position {} of {}, cycle {} (modelled)\n", request.position.value,
        trace.end().value, trace.timeAt(request.position));
    for (const CtaId cta : ctasOf(*run.program, request))
        text += ctaText(trace, cta, request);
    return text;
}

} // namespace flashstep::cli
