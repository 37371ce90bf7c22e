// SPDX-License-Identifier: GPL-3.0-or-later
// The one file of the command line that knows of Qt, and only where the build has it.
#include "app/cli/pictures.h"

#include "app/cli/status.h"
#include "core/io/files.h"

#ifdef FLASHSTEP_HAS_PAINT
#include "ui/paint/export.h"

#include <QGuiApplication>

#include <array>
#else
#include "core/io/data_export.h"
#endif

namespace flashstep::cli {

Error withoutPictures(const std::string& format)
{
    return Error { format + ": this program was built without pictures", "--format",
        exportFormatNames(false) + "; or a build with Qt" };
}

#ifdef FLASHSTEP_HAS_PAINT

int writeExport(const Session& session, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    std::array<char, 14> program { "flashstep-cli" };
    std::array<char*, 2> arguments { program.data(), nullptr };
    int count = 1;
    std::optional<QGuiApplication> application;
    if (request.format->drawn)
        application.emplace(count, arguments.data());
    const paint::ExportSource source { &session.run, &session.labels,
        QString::fromStdString(fileNameOf(session.scenarioPath)) };
    const Status written = paint::writeExport(source, request, QString::fromStdString(path), progress);
    return written ? success : fail(written.error());
}

int writeRecordingPicture(const Recording&, const std::string&, const RecordingPicture&)
{
    return success;
}

#else

int writeExport(const Session& session, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    if (request.format->drawn)
        return fail(withoutPictures(std::string(request.format->name)), notHere);
    const Status written = writeData(session.run, request, path, progress);
    return written ? success : fail(written.error());
}

#endif

} // namespace flashstep::cli
