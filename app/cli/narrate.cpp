// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/narrate.h"
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/files.h"

#include <iostream>
#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string from, to, cta, level = "operation", lang = "en", out;
};

struct Told {
    Range range;
    Level level;
    CtaId cta;
};

Result<Told> understand(const Options& o, const Trace& trace, Level level)
{
    const Result<Moment> from = momentOf(trace, "--from", o.from, Position {});
    if (!from)
        return from.error();
    const Result<Moment> to = momentOf(trace, "--to", o.to, trace.end());
    if (!to)
        return to.error();
    if (to->position < from->position)
        return Error { "the end lies before the beginning", "--to",
            "from " + std::to_string(from->position.value) + " on" };
    const Result<CtaId> cta = ctaFrom(trace.program(), o.cta);
    if (!cta)
        return cta.error();
    return Told { { from->position, to->position }, level, cta->valid() ? *cta : from->cta };
}

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
    const Result<Told> told = understand(o, *session->run.trace, *level);
    if (!told)
        return fail(told.error());
    const ProgressLine line("telling", o.problem.quiet || o.out.empty());
    const auto tell = [&](std::ostream& out) {
        return narrateMarkdown(
            session->run, session->labels, told->range, told->level, told->cta, o.lang, out, line.progress());
    };
    if (!o.out.empty()) {
        const Status written = writeFileAtomically(o.out, tell);
        return written ? success : fail(written.error());
    }
    const Status written = tell(std::cout);
    if (!written)
        return fail(written.error());
    return std::cout.flush() ? success : fail(Error { "cannot write to standard output", "", "" });
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
    parser->add_option("--out", o->out, "write it to this file (default: standard output)")->type_name("FILE.md");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
