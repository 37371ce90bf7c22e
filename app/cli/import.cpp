// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/status.h"
#include "core/io/files.h"
#include "core/io/recording_read.h"
#include "core/io/recording_write.h"

#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    std::string in, out;
    RecordingPicture picture;
    bool json = false, quiet = false;
};

int perform(const Options& o)
{
    if (!o.picture.out.empty())
        if (const Status here = checkHere(*findExportFormat("svg")); !here)
            return fail(here.error(), notHere);
    if (!o.out.empty() && o.out == o.picture.out)
        return fail({ "the recording is written there", "--picture " + o.out, "another name" });
    Result<Recording> recording = Error {};
    {
        const ProgressLine line("reading", o.quiet);
        recording = readRecordingFile(o.in, line.progress());
    }
    if (!recording)
        return fail(recording.error(), stopRequested() ? interrupted : badUsage);
    if (!o.out.empty()) {
        const ProgressLine line("writing", o.quiet);
        const Status written = writeFileAtomically(
            o.out, [&](std::ostream& out) { return writeRecording(*recording, out, line.progress()); });
        if (!written)
            return fail(written.error(), stopRequested() ? interrupted : badUsage);
    }
    if (!o.picture.out.empty())
        if (const int status = writeRecordingPicture(*recording, fileNameOf(o.in), o.picture); status != success)
            return status;
    return print(o.json ? recordingAccountJson(*recording) : recordingAccount(*recording));
}

} // namespace

Command addImport(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand(
        "import", "read a timeline back: a recording of ours, Chrome-trace JSON, a Perfetto protobuf");
    const auto o = std::make_shared<Options>();
    parser->add_option("files", o->in, "the file to read")->required()->type_name("");
    parser->add_option("--out", o->out, "write it as a recording, Chrome-trace JSON")->type_name("G.json");
    parser->add_option("--picture", o->picture.out, "draw its lanes: .svg or .png")->type_name("FILE");
    parser->add_option("--size", o->picture.size, "of the picture, in logical pixels")->type_name("WxH");
    parser->add_option("--theme", o->picture.theme, "of the picture: light, dark or print (default print)")
        ->type_name("T");
    parser->add_flag("--json", o->json, "the account of what was read as JSON");
    parser->add_flag("--quiet", o->quiet, "no progress on standard error");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
