// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/critical_path.h"
#include "app/cli/causes.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/why_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string scope = "grid";
    bool json = false;
};

Json segmentJson(const Trace& trace, const PathSegment& segment)
{
    Json out;
    if (segment.kind == PathSegment::Kind::Op) {
        addOp(out, trace, segment.instance);
    } else {
        out["cta"] = segment.cta.valid() ? Json(segment.cta.index()) : Json();
        out["role"] = Json();
        out["op"] = opOf(trace, segment);
        out["i"] = Json();
        out["j"] = Json();
    }
    out["begin"] = segment.begin;
    out["end"] = segment.end;
    out["engine"] = segment.engine ? Json(std::string(name(*segment.engine))) : Json();
    return out;
}

std::string asJson(const Trace& trace, const CriticalPath& path)
{
    Json out { { "cycles", path.cycles }, { "segments", Json::array() } };
    for (const PathSegment& segment : path.segments)
        out["segments"].push_back(segmentJson(trace, segment));
    return jsonText(out);
}

std::string segmentText(const Trace& trace, const PathSegment& segment)
{
    const std::string engine = segment.stuck ? "stuck"
        : segment.engine                     ? std::string(name(*segment.engine))
                                             : std::string("latency");
    std::string what = opOf(trace, segment);
    if (segment.kind == PathSegment::Kind::Op)
        what = fmt::format("{:<24} {}", whoText(trace, segment.instance), opText(trace, segment.instance));
    else if (segment.cta.valid())
        what += fmt::format(" {}", segment.cta.index());
    return fmt::format("{:>10} {:>10} {:>8}  {:<9} {}\n", segment.begin, segment.end, segment.end - segment.begin,
        segment.kind == PathSegment::Kind::Op || segment.engine ? engine : "-", what);
}

// What the path is made of, the largest first.
std::string summary(const Trace& trace, const CriticalPath& path)
{
    std::string text = fmt::format("{} cycles in {} segments\n", path.cycles, path.segments.size());
    for (const PathPart& part : partsOf(trace, path))
        text += fmt::format("{:>10}  {:>5.1f} %  {}\n", part.cycles,
            100.0 * static_cast<double>(part.cycles) / static_cast<double>(std::max<Cycle>(1, path.cycles)),
            partText(part));
    return text;
}

std::string asText(const Trace& trace, const CriticalPath& path)
{
    std::string text = summary(trace, path) + "\n     begin        end   cycles  engine\n";
    for (const PathSegment& segment : path.segments)
        text += segmentText(trace, segment);
    return text;
}

int perform(const Options& o)
{
    const std::string prefix = "cta:";
    if (o.scope != "grid" && !o.scope.starts_with(prefix))
        return fail(Error { "'" + o.scope + "' is not accepted", "--scope", "grid or cta:K" });
    const Result<Session> session = emulate(o.problem);
    if (!session)
        return fail(session.error());
    const Trace& trace = *session->run.trace;
    Result<CtaId> cta = CtaId::none();
    if (o.scope != "grid") {
        cta = o.scope == prefix ? Result<CtaId>(Error { "there is no CTA ''", "--scope", "cta:K" })
                                : ctaWithEvents(trace, o.scope.substr(prefix.size()), "--scope");
        if (!cta)
            return fail(cta.error());
    }
    noteTwoSteps(trace, o.problem.quiet);
    const CriticalPath path = criticalPath(session->run, *cta);
    return print(o.json ? asJson(trace, path) : asText(trace, path));
}

} // namespace

Command addCriticalPath(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("critical-path", "what the end waited for, back to the start");
    const auto o = std::make_shared<Options>();
    parser->add_option("--scope", o->scope, "grid or cta:K (default grid)")->type_name("S");
    addProblemOptions(*parser, o->problem);
    parser->add_flag("--json", o->json, "as JSON");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
