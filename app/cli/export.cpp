// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/export.h"

#include "app/cli/beside.h"
#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/status.h"
#include "core/io/export_request.h"
#include "core/io/files.h"
#include "core/io/input_files.h"

#include <filesystem>
#include <memory>

#include <unistd.h>

namespace flashstep::cli {

namespace {

int perform(const ExportJob& job)
{
    if (const int status = checkJob(job); status != success)
        return status;
    if (isOfWidgets(job.written))
        return performOfWidgets(job);
    const Result<Session> session = emulate(job.problem);
    return session ? performOn(*session, job) : fail(session.error());
}

} // namespace

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

int checkJob(const ExportJob& job)
{
    if (Status status = checkExport(job.written); !status)
        return fail(status.error());
    if (Status status = checkTarget(job.written.out); !status)
        return fail(status.error());
    if (Status status = checkHere(*findExportFormat(job.written.format)); !status)
        return fail(status.error(), notHere);
    return success;
}

bool isOfWidgets(const ExportOptions& written)
{
    return findExportFormat(written.format)->hasViews && needsWidgets(written.view);
}

int performOfWidgets(const ExportJob& job)
{
    const ExportOptions& e = job.written;
    std::vector<std::string> words { e.view == "window" ? "--shot" : "--charts", e.out };
    if (e.view == "charts")
        words.insert(words.end(), { "--format", e.format });
    if (!e.theme.empty()) // a window is on a screen: it has no colours for paper
        words.push_back("--theme=" + (e.view == "window" && e.theme == "print" ? std::string("light") : e.theme));
    for (const auto& [option, value] :
        { std::pair("--at", &e.at), std::pair("--size", &e.size), std::pair("--scale", &e.scale) })
        if (!value->empty())
            words.insert(words.end(), { option, *value });
    const std::vector<std::string> problem = problemWords(job.problem);
    words.insert(words.end(), problem.begin(), problem.end());
    return startBeside("the view " + e.view, words);
}

int performOn(const Session& session, const ExportJob& job)
{
    if (const Status status = checkNotRead(job.written.out, inputFilesOf(session.file.scenario, session.scenarioPath));
        !status)
        return fail(status.error());
    const Result<ExportRequest> request = understandExport(job.written, *session.run.trace);
    if (!request)
        return fail(request.error());
    const ProgressLine line("exporting", job.problem.quiet);
    return writeExport(session, *request, job.written.out, line.progress());
}

Command addExport(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("export", "write a run as a timeline, a table, a picture, a film or a page");
    const auto o = std::make_shared<ExportJob>();
    ExportOptions& e = o->written;
    parser->add_option("--format", e.format, exportFormatNames(true))->required()->type_name("F");
    parser->add_option("--out", e.out, "the file to write")->required()->type_name("FILE");
    parser->add_option("--at", e.at, "moment a picture shows (default: the end); npz: whose buffers")->type_name("P");
    parser->add_option("--from", e.from, "leave out what ended before")->type_name("P");
    parser->add_option("--to", e.to, "leave out what begins after")->type_name("P");
    parser
        ->add_option("--cta", e.cta,
            "CTA a picture shows, or a film tells of (default: the moment's own, else the one with most key blocks)")
        ->type_name("K");
    parser
        ->add_option("--view", e.view,
            "pictures: timeline, tiles, memory, ledger, grid, figure, charts or window (default timeline; html: tiles)")
        ->type_name("V");
    parser->add_option("--panels", e.panels, "view figure: views on one page in place of the pipeline, with commas")
        ->type_name("V,V");
    parser->add_option("--size", e.size, "pictures: logical pixels (default: as its content needs)")->type_name("WxH");
    parser->add_option("--scale", e.scale, "pixels for each logical one (default 1)")->type_name("X");
    parser->add_option("--theme", e.theme, "pictures: light, dark or print (default print)")->type_name("T");
    parser->add_option("--table", e.table, "csv: events, spans, counters or ledger (default events)")->type_name("T");
    parser
        ->add_option(
            "--level", e.level, "films and pages: event, operation, inner-tile, outer-tile or cta (default inner-tile)")
        ->type_name("L");
    parser->add_option("--fps", e.fps, "films: frames a second (default 2)")->type_name("N");
    addProblemOptions(*parser, o->problem);
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
