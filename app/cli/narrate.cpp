// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/narrate.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"

#include <memory>
#include <sstream>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string from, to, cta, level = "operation", lang = "en";
};

int perform(const Options& o)
{
    const std::optional<Level> level = levelFromName(o.level);
    if (!level)
        return fail(Error {
            "'" + o.level + "' is not accepted", "--level", "event, operation, inner-tile, outer-tile or cta" });
    if (o.lang == "zh")
        return fail(Error { "Chinese is not in this version", "--lang", "en" });
    if (o.lang != "en")
        return fail(Error { "'" + o.lang + "' is not accepted", "--lang", "en" });
    const Result<Session> session = emulate(o.problem);
    if (!session)
        return fail(session.error());
    const Trace& trace = *session->run.trace;
    const Result<Moment> from = momentOf(trace, "--from", o.from, Position {});
    if (!from)
        return fail(from.error());
    const Result<Moment> to = momentOf(trace, "--to", o.to, trace.end());
    if (!to)
        return fail(to.error());
    const Result<CtaId> cta = ctaFrom(*session->run.program, o.cta);
    if (!cta)
        return fail(cta.error());
    std::ostringstream text;
    const Status told
        = narrateMarkdown(session->run, session->labels, { from->position, to->position }, *level, *cta, o.lang, text);
    return told ? print(text.str()) : fail(told.error());
}

} // namespace

Command addNarrate(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("narrate", "each step in words, as Markdown");
    const auto o = std::make_shared<Options>();
    parser->add_option("--from", o->from, "begin behind this moment")->type_name("P");
    parser->add_option("--to", o->to, "end at this moment")->type_name("P");
    parser->add_option("--cta", o->cta, "of this CTA only (default: of all)")->type_name("K");
    parser->add_option("--level", o->level, "event, operation, inner-tile, outer-tile or cta (default operation)")
        ->type_name("L");
    parser->add_option("--lang", o->lang, "en")->type_name("LANG");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
