// SPDX-License-Identifier: GPL-3.0-or-later
// The one file of the command line that knows of Qt, and only where the build has it.
#include "app/cli/pictures.h"

#include "app/cli/status.h"
#include "core/io/files.h"

#ifdef FLASHSTEP_HAS_PAINT
#include "ui/paint/export.h"
#include "ui/paint/recording_picture.h"

#include <QGuiApplication>

#include <array>
#include <cstdio>
#else
#include "core/io/data_export.h"
#endif

namespace flashstep::cli {

#ifdef FLASHSTEP_HAS_PAINT

namespace {

// What draws. A batch draws more than once, and the fonts that Qt was given go with its application: so there is one,
// from the first drawing on.
void startDrawing()
{
    if (QCoreApplication::instance() != nullptr)
        return;
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    // Its remarks on the desktop are nothing to whoever asked for a file.
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& message) {
        if (type == QtCriticalMsg || type == QtFatalMsg)
            std::fprintf(stderr, "flashstep-cli: %s\n", qPrintable(message));
    });
    static std::array<char, 14> program { "flashstep-cli" };
    static std::array<char*, 2> arguments { program.data(), nullptr };
    static int count = 1;
    static const auto* application = new QGuiApplication(count, arguments.data()); // NOLINT: never taken apart
    static_cast<void>(application);
}

} // namespace

int writeExport(const Session& session, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    if (request.format->drawn)
        startDrawing();
    const paint::ExportSource source { &session.run, &session.labels,
        QString::fromStdString(fileNameOf(session.scenarioPath)) };
    const Status written = paint::writeExport(source, request, QString::fromStdString(path), progress);
    return written ? success : fail(written.error());
}

int writeRecordingPicture(const Recording& recording, const std::string& name, const RecordingPicture& picture)
{
    startDrawing();
    // What an export of a picture accepts is accepted here.
    ExportOptions stated;
    stated.format = "svg";
    stated.size = picture.size;
    stated.theme = picture.theme;
    if (const Status status = checkExport(stated); !status)
        return fail(status.error());
    paint::RecordingPictureRequest request;
    request.lanes = std::make_shared<const paint::RecordingLanes>(
        std::shared_ptr<const Recording>(std::shared_ptr<const Recording>(), &recording), QString::fromStdString(name));
    if (!picture.theme.empty())
        request.theme = QString::fromStdString(picture.theme);
    if (const std::size_t cross = picture.size.find('x'); cross != std::string::npos) {
        request.sized = true;
        request.size = QSize(std::stoi(picture.size.substr(0, cross)), std::stoi(picture.size.substr(cross + 1)));
    }
    const Status written = paint::writeRecordingPicture(request, QString::fromStdString(picture.out));
    return written ? success : fail(written.error());
}

Status checkHere(const ExportFormat& format)
{
    return paint::checkHere(format);
}

#else

Status checkHere(const ExportFormat& format)
{
    if (!format.drawn)
        return Nothing {};
    return Error { std::string(format.name) + ": this program was built without pictures", "--format",
        exportFormatNames(false) + "; or a build with Qt" };
}

int writeExport(const Session& session, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    const Status written = writeData(session.run, request, path, progress);
    return written ? success : fail(written.error());
}

int writeRecordingPicture(
    const Recording& /*recording*/, const std::string& /*name*/, const RecordingPicture& /*picture*/)
{
    return fail(checkHere(*findExportFormat("svg")).error(), notHere);
}

#endif

} // namespace flashstep::cli
