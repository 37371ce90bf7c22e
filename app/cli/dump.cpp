// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/dump.h"
#include "app/cli/commands.h"
#include "app/cli/dump_state.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/json.h"
#include "core/io/spans.h"

#include <fmt/format.h>

#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string what, at, cta, level = "inner-tile";
    std::vector<std::string> buffers;
    bool json = false;
};

Json programJson(const Program& program)
{
    Json out;
    out["algorithm"] = program.algorithm;
    out["pass"] = program.pass;
    out["source"] = program.source;
    out["ctas"] = program.ctaCount();
    out["text"] = Json::array();
    const std::string text = dumpProgram(program);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out["text"].push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

std::string tileText(const Op& op, int i, int j)
{
    return op.j < 0 ? fmt::format("({})", i) : fmt::format("({}, {})", i, j);
}

// One line, or one object, per event.
std::string dumpTrace(const Trace& trace, CtaId only, bool json)
{
    const Program& program = trace.program();
    std::string text;
    Json list = Json::array();
    for (std::size_t k = 0; k < trace.end().value; ++k) {
        const Event event = trace.eventAt(k);
        const CtaId ctaId = trace.ctaOf(event.instance);
        if (only.valid() && ctaId != only)
            continue;
        const Work& work = program.work(trace.workOf(event.instance));
        const Op& op = trace.op(event.instance);
        const std::string& role = program.roles[op.role.index()].name;
        const Cycle cycle = trace.timeAt(Position { static_cast<std::uint32_t>(k + 1) });
        const int i = program.queryTile(work, op);
        const int j = program.keyBlock(work, op);
        if (json)
            list.push_back({ { "event", k }, { "cycle", cycle }, { "cta", ctaId.index() }, { "role", role },
                { "op", std::string(name(op.kind)) }, { "what", event.ends ? "ends" : "begins" },
                { "label", labelOf(program, op) }, { "i", i }, { "j", j < 0 ? Json() : Json(j) },
                { "source", program.sourceOf(op.line) } });
        else
            text += fmt::format("{:>8} {:>10} cy  CTA {:<4} {:<10} {} {:<10} {} {}  {}\n", k, cycle, ctaId.index(),
                role, event.ends ? "ends  " : "begins", name(op.kind), labelOf(program, op), tileText(op, i, j),
                program.sourceOf(op.line));
    }
    return json ? jsonText({ { "cycles", trace.cycles() }, { "events", list } }) : text;
}

std::string dumpSteps(const Trace& trace, Level level, CtaId only, bool json)
{
    const Program& program = trace.program();
    std::string text;
    Json list = Json::array();
    int number = 0;
    for (Position p; p < trace.end();) {
        p = trace.next(p, level, only);
        if (!completesStep(trace, p, level, only)) // nothing any more: next() gave the end
            break;
        ++number;
        const InstanceId instance = trace.eventAt(p.value - 1).instance;
        const CtaId ctaId = trace.ctaOf(instance);
        const Work& work = program.work(trace.workOf(instance));
        const Op& op = trace.op(instance);
        const int i = program.queryTile(work, op);
        const int j = program.keyBlock(work, op);
        if (json)
            list.push_back(
                { { "step", number }, { "position", p.value }, { "cycle", trace.timeAt(p) }, { "cta", ctaId.index() },
                    { "i", i }, { "j", j < 0 ? Json() : Json(j) }, { "op", std::string(name(op.kind)) } });
        else
            text += fmt::format("{:>6}  position {:>8}  {:>10} cy  CTA {:<4} {:<24} {}\n", number, p.value,
                trace.timeAt(p), ctaId.index(), labelOf(program, op), tileText(op, i, j));
    }
    return json ? jsonText({ { "level", std::string(name(level)) }, { "steps", list } }) : text;
}

int perform(const Options& options)
{
    const std::optional<Level> level = levelFromName(options.level);
    if (!level)
        return fail(Error {
            "'" + options.level + "' is not accepted", "--level", "event, operation, inner-tile, outer-tile or cta" });
    Result<Stated> stated = stateProblem(options.problem);
    if (!stated)
        return fail(stated.error());
    const std::shared_ptr<const Program> program = stated->prepared.program;
    if (options.what == "program")
        return print(options.json ? jsonText(programJson(*program)) : dumpProgram(*program));
    const Result<CtaId> cta = ctaFrom(*program, options.cta);
    if (!cta)
        return fail(cta.error());
    if (Status status = checkBufferNames(*program, options.buffers); !status)
        return fail(status.error());
    const Result<Session> session = emulate(std::move(*stated), options.problem.quiet);
    if (!session)
        return fail(session.error());
    const Trace& trace = *session->run.trace;
    if (options.what == "trace")
        return print(dumpTrace(trace, *cta, options.json));
    if (options.what == "steps")
        return print(dumpSteps(trace, *level, *cta, options.json));
    const Result<Moment> at = momentOf(trace, "--at", options.at, trace.end());
    if (!at)
        return fail(at.error());
    const StateRequest request { at->position, cta->valid() ? *cta : at->cta, options.buffers };
    return print(options.json ? stateJson(session->run, request) : stateText(session->run, request));
}

} // namespace

Command addDump(CLI::App& app)
{
    CLI::App* parser
        = app.add_subcommand("dump", "program, trace, steps or the state at a moment, as readable text or JSON");
    const auto options = std::make_shared<Options>();
    parser->add_option("--what", options->what, "program, trace, steps or state")
        ->required()
        ->check(CLI::IsMember({ "program", "trace", "steps", "state" }));
    parser
        ->add_option(
            "--at", options->at, "moment: event index, end, 1200cy, 3.4us, first(…), last(…), nth(…), block(i=I, n=N)")
        ->type_name("P");
    parser->add_option("--cta", options->cta, "of this CTA only (default: the moment's own, else all)")->type_name("K");
    parser->add_option("--buffer", options->buffers, "values of these buffers, or all")->type_name("NAME");
    parser->add_option("--level", options->level, "steps: event, operation, inner-tile, outer-tile or cta")
        ->type_name("L");
    addProblemOptions(*parser, options->problem);
    parser->add_flag("--json", options->json, "as JSON");
    return { parser, [options] { return perform(*options); } };
}

} // namespace flashstep::cli
