// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/stalls.h"
#include "app/cli/causes.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string cta;
    bool json = false;
};

std::string asJson(const Program& program, const Stalls& stalls)
{
    Json out;
    out["roles"] = Json::array();
    for (const RoleTime& role : stalls.roles) {
        Json one { { "cta", role.cta.index() }, { "role", program.roles[role.role.index()].name },
            { "busy", Json::object() }, { "waits", Json::object() } };
        for (const auto& [kind, cycles] : role.busy)
            one["busy"][std::string(name(kind))] = cycles;
        for (const auto& [reason, cycles] : role.waits)
            one["waits"][reason] = cycles;
        one["idle"] = role.idle;
        one["total"] = role.total;
        out["roles"].push_back(std::move(one));
    }
    out["engines"] = Json::array();
    for (const EngineTime& engine : stalls.engines) {
        Json one { { "engine", std::string(name(engine.engine)) }, { "busy", Json::object() } };
        for (const auto& [component, cycles] : engine.busy)
            one["busy"][component] = cycles;
        one["total"] = engine.total;
        out["engines"].push_back(std::move(one));
    }
    return jsonText(out);
}

// "exp2 120 (12 %), mma 80 (8 %)", the largest first.
template <typename Value> std::string sharesText(std::vector<std::pair<std::string, Value>> parts, double whole)
{
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string text;
    for (const auto& [what, cycles] : parts)
        text += fmt::format("{}{} {} ({:.1f} %)", text.empty() ? "" : ", ", what,
            numberText(static_cast<double>(cycles)), whole > 0 ? 100.0 * static_cast<double>(cycles) / whole : 0.0);
    return text.empty() ? "-" : text;
}

std::string roleText(const Program& program, const RoleTime& role)
{
    std::vector<std::pair<std::string, Cycle>> busy;
    for (const auto& [kind, cycles] : role.busy)
        busy.emplace_back(name(kind), cycles);
    const auto whole = static_cast<double>(role.total);
    return fmt::format("CTA {}  {}  {} cycles\n  busy   {}\n  waits  {}\n  idle   {} ({:.1f} %)\n", role.cta.index(),
        program.roles[role.role.index()].name, role.total, sharesText(busy, whole), sharesText(role.waits, whole),
        role.idle, whole > 0 ? 100.0 * static_cast<double>(role.idle) / whole : 0.0);
}

std::string asText(const Program& program, const Stalls& stalls)
{
    std::string text;
    for (const RoleTime& role : stalls.roles)
        text += roleText(program, role);
    text += "\nengines, cycles booked without latency (of those in each quarter: the mean)\n";
    for (const EngineTime& engine : stalls.engines)
        text += fmt::format("  {:<10} {:>12}  {}\n", name(engine.engine), numberText(engine.total),
            sharesText(engine.busy, engine.total));
    return text;
}

int perform(const Options& o)
{
    const Result<Session> session = emulate(o.problem);
    if (!session)
        return fail(session.error());
    const Trace& trace = *session->run.trace;
    const Result<CtaId> cta = ctaWithEvents(trace, o.cta, "--cta");
    if (!cta)
        return fail(cta.error());
    noteTwoSteps(trace, o.problem.quiet);
    const Stalls stalls = stallsOf(session->run, *cta);
    const Program& program = *session->run.program;
    return print(o.json ? asJson(program, stalls) : asText(program, stalls));
}

} // namespace

Command addStalls(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("stalls", "where time goes: of each role, and of each engine");
    const auto o = std::make_shared<Options>();
    parser->add_option("--cta", o->cta, "of this CTA only (default: of all)")->type_name("K");
    addProblemOptions(*parser, o->problem);
    parser->add_flag("--json", o->json, "as JSON");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
