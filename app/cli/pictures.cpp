// SPDX-License-Identifier: GPL-3.0-or-later
// The one file of the command line that knows of Qt, and only where the build has it.
#include "app/cli/pictures.h"

#include "app/cli/status.h"

#ifdef FLASHSTEP_HAS_PAINT
#include "core/base/version.h"
#include "core/io/files.h"
#include "ui/paint/picture.h"

#include <QGuiApplication>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#endif

namespace flashstep::cli {

#ifdef FLASHSTEP_HAS_PAINT

namespace {

QString qt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

std::optional<QSize> sizeFrom(const std::string& text)
{
    int width = 0;
    int height = 0;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, width);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x')
        return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, height);
    const auto fits = [](int side) { return side >= 200 && side <= 16384; };
    if (second.ec != std::errc() || second.ptr != end || !fits(width) || !fits(height))
        return std::nullopt;
    return QSize(width, height);
}

paint::PictureRequest requestFor(const Session& session, const PictureOptions& options)
{
    paint::PictureRequest request;
    request.run = &session.run;
    for (const std::string& token : session.labels.tokens)
        request.tokens.queries.append(qt(token));
    if (session.run.program->problem.seqlenK == session.run.program->problem.seqlenQ)
        request.tokens.keys = request.tokens.queries;
    request.view = qt(options.view);
    request.theme = qt(options.theme);
    request.at = options.at;
    request.cta = options.cta;
    if (options.ranged) {
        request.from = static_cast<double>(session.run.trace->timeAt(options.range.from));
        request.to = static_cast<double>(session.run.trace->timeAt(options.range.to));
    }
    request.version = qt(version());
    request.scenarioName = qt(fileNameOf(session.scenarioPath));
    return request;
}

} // namespace

int writePicture(const Session& session, const PictureOptions& options)
{
    const std::optional<QSize> size = options.size.empty() ? QSize(1440, 900) : sizeFrom(options.size);
    if (!size)
        return fail(
            Error { "'" + options.size + "' is not accepted", "--size", "WxH in pixels, each from 200 to 16384" });
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    std::array<char, 14> program { "flashstep-cli" };
    std::array<char*, 2> arguments { program.data(), nullptr };
    int count = 1;
    const QGuiApplication application(count, arguments.data());
    paint::PictureRequest request = requestFor(session, options);
    request.size = *size;
    const Status written = paint::writePicture(request, qt(options.format), qt(options.path));
    return written ? success : fail(written.error());
}

#else

int writePicture(const Session&, const PictureOptions& options)
{
    return fail(Error { options.format + ": this program was built without pictures", "--format",
                    "perfetto, chrome or csv; or a build with Qt" },
        notHere);
}

#endif

} // namespace flashstep::cli
