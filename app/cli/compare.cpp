// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare.h"

#include "app/cli/causes.h"
#include "app/cli/commands.h"
#include "app/cli/report.h"
#include "app/cli/status.h"

#include <fmt/format.h>

#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem; // what stands here holds for both runs
    std::vector<std::string> files;
    bool json = false;
};

// The options beside a file are the same for both runs, so an error says whose scenario does not go with them.
Result<Stated> state(Result<ScenarioFile> file, const std::string& path, const Options& o)
{
    if (!file)
        return file.error();
    ProblemOptions options = o.problem;
    options.scenario = path;
    Result<Stated> stated = stateProblem(std::move(*file), options);
    if (stated)
        return stated;
    const Error& error = stated.error();
    return Error { error.what, error.where.empty() ? path : path + ", " + error.where, error.hint };
}

// Two files; or one, whose key "compare" says what differs in the other run.
Result<std::array<Stated, 2>> stateBoth(const Options& o)
{
    std::vector<std::string> files = o.files;
    if (!o.problem.scenario.empty())
        files.insert(files.begin(), o.problem.scenario);
    if (files.empty() || files.size() > 2)
        return Error { files.empty() ? "no scenario given" : "more than two scenarios given", "compare",
            "A.json B.json, or one file with a key \"compare\"" };
    Result<Stated> a = state(readScenario(files.front()), files.front(), o);
    if (!a)
        return a.error();
    const bool one = files.size() == 1;
    Result<Stated> b = state(one ? readOtherScenario(files.front()) : readScenario(files.back()),
        files.back() + (one ? " with its \"compare\"" : ""), o);
    if (!b)
        return b.error();
    if (Status status = checkComparable(a->prepared.program->problem, b->prepared.program->problem); !status)
        return status.error();
    return std::array<Stated, 2> { std::move(*a), std::move(*b) };
}

int perform(const Options& o)
{
    Result<std::array<Stated, 2>> stated = stateBoth(o);
    if (!stated)
        return fail(stated.error());
    Result<Session> a = emulate(std::move((*stated)[0]), o.problem.quiet);
    if (!a)
        return fail(a.error());
    Result<Session> b = emulate(std::move((*stated)[1]), o.problem.quiet);
    if (!b)
        return fail(b.error());
    Result<Comparison> comparison = compareRuns(a->run, b->run);
    if (!comparison)
        return fail(comparison.error());
    const Compared compared { { std::move(*a), std::move(*b) }, std::move(*comparison) };
    const int status = print(o.json ? comparisonJson(compared) : comparisonText(compared));
    bool bad = false;
    for (const Session& session : compared.sessions)
        bad = bad || failed(session.run.report, *session.run.trace);
    return status == success && bad ? failedCheck : status;
}

} // namespace

std::vector<std::string> comparisonNotes(const Compared& compared)
{
    std::vector<std::string> notes;
    for (std::size_t k = 0; k < 2; ++k) {
        const Trace& trace = *compared.sessions[k].run.trace;
        const char* const whose = k == 0 ? "A" : "B";
        if (!trace.wholeGrid())
            notes.push_back(
                fmt::format("{} is timed in two steps: {} of {} CTAs are known event by event; its phases and barriers "
                            "are theirs, and tiles of other CTAs have no cycles",
                    whose, ctasWithEvents(trace), trace.program().ctaCount()));
        if (!trace.deadlock().empty())
            notes.push_back(fmt::format("{} stands still: what never ended is cut at its last cycle", whose));
    }
    const Report& a = compared.sessions[0].run.report;
    const Report& b = compared.sessions[1].run.report;
    if (a.clockMhz != b.clockMhz)
        notes.push_back(fmt::format(
            "cycles are each run's own: {:.0f} MHz in A, {:.0f} MHz in B; only times compare", a.clockMhz, b.clockMhz));
    return notes;
}

std::string tileOpText(const TileOp& op)
{
    const std::string kind(name(op.kind));
    return op.kind == OpKind::Mma ? kind + (op.scores ? " S" : " O") : kind;
}

Command addCompare(CLI::App& app)
{
    CLI::App* parser
        = app.add_subcommand("compare", "two scenarios side by side, aligned by the ranges of rows and keys");
    const auto o = std::make_shared<Options>();
    parser
        ->add_option("files", o->files,
            "two scenarios; or one, whose key \"compare\" says what differs in the other run. Options given beside "
            "hold for both")
        ->type_name("A.json B.json")
        ->expected(0, 2);
    addProblemOptions(*parser, o->problem);
    parser->add_flag("--json", o->json, "as JSON");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
