// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/picture.h"

#include "core/io/files.h"
#include "ui/paint/figure.h"
#include "ui/paint/pdf.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/raster.h"
#include "ui/paint/svg.h"

#include <algorithm>
#include <cmath>
#include <ostream>

namespace flashstep::paint {

namespace {

constexpr int largestSide = 32767; // of an image, device pixels
constexpr double largestArea = 256e6;

QString titleOf(const PictureRequest& request)
{
    const bool figure = request.view == QStringLiteral("figure") && request.panels.isEmpty();
    return figure ? figureText(request).title : pictureTitle(request);
}

} // namespace

QStringList pictureViews()
{
    return { QStringLiteral("timeline"), QStringLiteral("tiles"), QStringLiteral("memory"), QStringLiteral("ledger"),
        QStringLiteral("grid"), QStringLiteral("figure") };
}

Status checkPicture(const PictureRequest& request)
{
    if (!request.run || !request.run->trace)
        return Error { "there is no run to draw", "picture", "" };
    if (!pictureViews().contains(request.view))
        return Error { "no view " + request.view.toStdString(), "picture",
            pictureViews().join(QStringLiteral(", ")).toStdString() };
    for (const QString& panel : request.panels)
        if (panel == QStringLiteral("figure") || !pictureViews().contains(panel))
            return Error { "no panel " + panel.toStdString(), "picture", "timeline, tiles, memory, ledger, grid" };
    const double width = request.size.width() * request.scale, height = request.size.height() * request.scale;
    if (request.size.width() < 200 || request.size.height() < 150 || width > largestSide || height > largestSide
        || width * height > largestArea)
        return Error { "a picture of " + std::to_string(request.size.width()) + "x"
                + std::to_string(request.size.height()) + " is out of range",
            "picture", "200x150 up to 32767 on a side and 256 million pixels" };
    return Nothing {};
}

Status writePicture(const PictureRequest& request, const QString& format, const QString& path, const Progress& progress)
{
    if (format != QStringLiteral("svg") && format != QStringLiteral("pdf") && format != QStringLiteral("png"))
        return Error { "no picture format " + format.toStdString(), "picture", "svg, pdf, png" };
    if (Status status = checkPicture(request); !status)
        return status;
    const QByteArray bytes = format == QStringLiteral("svg") ? renderSvg(request)
        : format == QStringLiteral("pdf")                    ? renderPdf(request)
                                                             : pngOf(renderPicture(request));
    if (bytes.isEmpty())
        return Error { "not enough memory for the picture", path.toStdString(), "a smaller size" };
    return writeFileAtomically(path.toStdString(), [&](std::ostream& out) -> Status {
        if (progress.cancelled())
            return Error { "cancelled", "", "" };
        out.write(bytes.constData(), bytes.size());
        return Nothing {};
    });
}

QImage renderPicture(const PictureRequest& request)
{
    return rasterOf(pixelsOf(request.size, request.scale), request.scale, Theme::byName(request.theme).panel,
        [&](QPainter& painter) { paintPicture(painter, request); });
}

QByteArray renderSvg(const PictureRequest& request)
{
    const QString fault = faultLine(*request.run);
    return svgOf(request.size, titleOf(request),
        fault.isEmpty() ? provenance(request) : fault + QLatin1Char(' ') + provenance(request),
        [&](QPainter& painter) { paintPicture(painter, request); });
}

QByteArray renderPdf(const PictureRequest& request)
{
    return pdfOf(request.size, titleOf(request), Theme::byName(request.theme).panel,
        [&](QPainter& painter) { paintPicture(painter, request); });
}

} // namespace flashstep::paint
