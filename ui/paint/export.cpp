// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/export.h"

#include "core/base/version.h"
#include "core/io/data_export.h"
#include "ui/paint/gif.h"
#include "ui/paint/html_page.h"
#include "ui/paint/mp4.h"
#include "ui/paint/text.h"

#include <QStandardPaths>

#include <mutex>

namespace flashstep::paint {

namespace {

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

} // namespace

PictureRequest pictureOf(const ExportSource& source, const ExportRequest& request)
{
    const Trace& trace = *source.run->trace;
    PictureRequest picture;
    picture.run = source.run;
    picture.tokens = tokensOf(*source.run, *source.labels);
    picture.view = qt(request.view);
    for (const std::string& panel : request.panels)
        picture.panels << qt(panel);
    picture.theme = qt(request.theme);
    picture.scale = request.scale;
    picture.at = request.at.value_or(trace.end());
    picture.cta = request.cta;
    if (request.ranged) {
        picture.from = static_cast<double>(trace.timeAt(request.range.from));
        picture.to = static_cast<double>(trace.timeAt(request.range.to));
    }
    picture.version = qt(version());
    picture.scenarioName = source.scenarioName;
    picture.size = request.width > 0 ? QSize(request.width, request.height) : fittingSize(picture);
    return picture;
}

Tokens tokensOf(const Run& run, const Labels& labels)
{
    Tokens tokens;
    for (const std::string& token : labels.tokens)
        tokens.queries.append(qt(token));
    if (run.program->problem.seqlenK == run.program->problem.seqlenQ)
        tokens.keys = tokens.queries;
    return tokens;
}

Status writeExport(
    const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress)
{
    if (!request.format->drawn)
        return writeData(*source.run, request, path.toStdString(), progress);
    const std::string_view name = request.format->name;
    if (name == "gif")
        return writeGif(source, request, path, progress);
    if (name == "mp4")
        return writeMp4(source, request, path, progress);
    if (name == "html")
        return writeHtmlPage(source, request, path, progress);
    return writePicture(pictureOf(source, request), qt(name), path, progress);
}

Status checkHere(const ExportFormat& format)
{
    if (format.name != "mp4")
        return Nothing {};
    // A dialog asks again and again, and each time a program would be started: one that could is taken to be able
    // still.
    static std::mutex mutex;
    static QString able;
    const std::lock_guard lock(mutex);
    const QString program = QStandardPaths::findExecutable(QStringLiteral("ffmpeg"));
    if (!program.isEmpty() && program == able)
        return Nothing {};
    const Result<Encoder> encoder = findEncoder();
    if (!encoder)
        return encoder.error();
    able = encoder->program;
    return Nothing {};
}

} // namespace flashstep::paint
