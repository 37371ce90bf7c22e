// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/formats.h"
#include "app/cli/pictures.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/chrome_json.h"
#include "core/io/csv.h"
#include "core/io/files.h"
#include "core/io/perfetto.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <unistd.h>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string format, out, at, from, to, cta, view = "timeline", size, theme = "print", table = "events", level, fps;
};

Status checkNames(const Options& o)
{
    if (isLaterFormat(o.format))
        return Error { "the format " + o.format + " is not in this version", "--format",
            "perfetto, chrome, csv, svg or png" };
    const Format* format = findFormat(o.format);
    if (format == nullptr)
        return Error { "'" + o.format + "' is not accepted", "--format", "perfetto, chrome, csv, svg or png" };
    const View* view = findView(o.view);
    if (format->hasViews && isLaterView(o.view))
        return Error { "the view " + o.view + " is not in this version", "--view",
            "timeline, tiles, memory or ledger" };
    if ((view == nullptr && !isLaterView(o.view)) || (format->hasViews && !view->picture))
        return Error { "'" + o.view + "' is not accepted", "--view", "timeline, tiles, memory or ledger" };
    if (!csvTableFromName(o.table))
        return Error { "'" + o.table + "' is not accepted", "--table", "events, spans, counters or ledger" };
    if (o.theme != "light" && o.theme != "dark" && o.theme != "print")
        return Error { "'" + o.theme + "' is not accepted", "--theme", "light, dark or print" };
    if (!o.level.empty() || !o.fps.empty())
        return Error { "animations are not in this version", o.level.empty() ? "--fps" : "--level", "leave it out" };
    return Nothing {};
}

// Before a long run: a target that cannot be written is known at once.
Status checkTarget(const std::string& path)
{
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::is_directory(path, error))
        return Error { "it is a directory", path, "name a file" };
    const std::string directory = directoryOf(path).empty() ? "." : directoryOf(path);
    if (!fs::is_directory(directory, error))
        return Error { "there is no such directory", directory, "make it first" };
    if (!fs::exists(path, error) && access(directory.c_str(), W_OK) != 0)
        return Error { "the directory cannot be written", directory, "" };
    return Nothing {};
}

Result<Range> rangeOf(const Trace& trace, const Options& o)
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
    return Range { from->position, to->position };
}

int writeData(const Session& session, const Options& o, const Range& range)
{
    const ProgressLine line("exporting", o.problem.quiet);
    const Status written = writeFileAtomically(o.out, [&](std::ostream& out) {
        if (o.format == "perfetto")
            return writePerfetto(session.run, range, out, line.progress());
        if (o.format == "chrome")
            return writeChromeJson(session.run, range, out, line.progress());
        return writeCsv(session.run, *csvTableFromName(o.table), range, out, line.progress());
    });
    return written ? success : fail(written.error());
}

int write(const Session& session, const Options& o)
{
    const Trace& trace = *session.run.trace;
    const Result<Range> range = rangeOf(trace, o);
    if (!range)
        return fail(range.error());
    const Result<Moment> at = momentOf(trace, "--at", o.at, trace.end());
    if (!at)
        return fail(at.error());
    const Result<CtaId> cta = ctaFrom(*session.run.program, o.cta);
    if (!cta)
        return fail(cta.error());
    if (!findFormat(o.format)->hasViews)
        return writeData(session, o, *range);
    PictureOptions picture { o.format, o.out, o.view, o.theme, o.size, at->position, cta->valid() ? *cta : at->cta,
        *range, false };
    picture.ranged = !o.from.empty() || !o.to.empty();
    return writePicture(session, picture);
}

int perform(const Options& o)
{
    if (Status status = checkNames(o); !status)
        return fail(status.error());
    if (Status status = checkTarget(o.out); !status)
        return fail(status.error());
    if (!findFormat(o.format)->available)
        return fail(Error { o.format + ": this program was built without pictures", "--format",
                        "perfetto, chrome or csv; or a build with Qt" },
            notHere);
    const Result<Session> session = emulate(o.problem);
    return session ? write(*session, o) : fail(session.error());
}

} // namespace

Command addExport(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("export", "write a run as a timeline, a table or a picture");
    const auto o = std::make_shared<Options>();
    parser->add_option("--format", o->format, "perfetto, chrome, csv, svg or png")->required()->type_name("F");
    parser->add_option("--out", o->out, "the file to write")->required()->type_name("FILE");
    parser->add_option("--at", o->at, "moment a picture shows (default: the end)")->type_name("P");
    parser->add_option("--from", o->from, "leave out what ended before")->type_name("P");
    parser->add_option("--to", o->to, "leave out what begins after")->type_name("P");
    parser->add_option("--cta", o->cta, "CTA a picture shows (default: the moment's own, else the first)")
        ->type_name("K");
    parser->add_option("--view", o->view, "pictures: timeline, tiles, memory or ledger (default timeline)")
        ->type_name("V");
    parser->add_option("--size", o->size, "pictures: pixels (default 1440x900)")->type_name("WxH");
    parser->add_option("--theme", o->theme, "pictures: light, dark or print (default print)")->type_name("T");
    parser->add_option("--table", o->table, "csv: events, spans, counters or ledger (default events)")->type_name("T");
    parser->add_option("--level", o->level, "for animations, which are not in this version")->group("");
    parser->add_option("--fps", o->fps, "for animations, which are not in this version")->group("");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
