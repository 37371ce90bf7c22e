// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/io/export_request.h"
#include "core/io/files.h"

#include <filesystem>
#include <memory>

#include <unistd.h>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    ExportOptions written;
};

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

int perform(const Options& o)
{
    if (Status status = checkExport(o.written); !status)
        return fail(status.error());
    if (Status status = checkTarget(o.written.out); !status)
        return fail(status.error());
    if (!hasPictures && findExportFormat(o.written.format)->drawn)
        return fail(withoutPictures(o.written.format), notHere);
    const Result<Session> session = emulate(o.problem);
    if (!session)
        return fail(session.error());
    const Result<ExportRequest> request = understandExport(o.written, *session->run.trace);
    if (!request)
        return fail(request.error());
    const ProgressLine line("exporting", o.problem.quiet);
    return writeExport(*session, *request, o.written.out, line.progress());
}

} // namespace

Command addExport(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("export", "write a run as a timeline, a table or a picture");
    const auto o = std::make_shared<Options>();
    ExportOptions& e = o->written;
    parser->add_option("--format", e.format, exportFormatNames(true))->required()->type_name("F");
    parser->add_option("--out", e.out, "the file to write")->required()->type_name("FILE");
    parser->add_option("--at", e.at, "moment a picture shows (default: the end)")->type_name("P");
    parser->add_option("--from", e.from, "leave out what ended before")->type_name("P");
    parser->add_option("--to", e.to, "leave out what begins after")->type_name("P");
    parser
        ->add_option(
            "--cta", e.cta, "CTA a picture shows (default: the moment's own, else the one with most key blocks)")
        ->type_name("K");
    parser->add_option("--view", e.view, "pictures: timeline, tiles, memory, ledger, grid or figure (default timeline)")
        ->type_name("V");
    parser->add_option("--panels", e.panels, "view figure: views on one page in place of the pipeline, with commas")
        ->type_name("V,V");
    parser->add_option("--size", e.size, "pictures: logical pixels (default: as its content needs)")->type_name("WxH");
    parser->add_option("--scale", e.scale, "pixels for each logical one (default 1)")->type_name("X");
    parser->add_option("--theme", e.theme, "pictures: light, dark or print (default print)")->type_name("T");
    parser->add_option("--table", e.table, "csv: events, spans, counters or ledger (default events)")->type_name("T");
    parser->add_option("--level", e.level, "films and documents: event, operation, inner-tile, outer-tile or cta")
        ->type_name("L");
    parser->add_option("--fps", e.fps, "films: frames a second")->type_name("N");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
