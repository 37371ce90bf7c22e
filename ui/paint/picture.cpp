// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/picture.h"

#include "core/io/files.h"
#include "ui/paint/figure.h"
#include "ui/paint/pdf.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/svg.h"

#include <QBuffer>

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

QByteArray pngOf(const PictureRequest& request)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    renderPicture(request).save(&buffer, "PNG");
    return bytes;
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
                                                             : pngOf(request);
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
    const QSize pixels(static_cast<int>(std::lround(request.size.width() * request.scale)),
        static_cast<int>(std::lround(request.size.height() * request.scale)));
    QImage image(pixels, QImage::Format_RGB32);
    if (image.isNull())
        return image;
    image.fill(Theme::byName(request.theme).panel);
    image.setDevicePixelRatio(std::max(1.0, request.scale));
    {
        QPainter painter(&image);
        if (request.scale < 1) // a ratio below 1 is not obeyed
            painter.scale(request.scale, request.scale);
        paintPicture(painter, request);
    }
    image.setDevicePixelRatio(request.scale);
    // As large on paper as on a screen of 96 dots an inch, whatever the one at hand has.
    const int dotsPerMetre = static_cast<int>(std::lround(96 / 0.0254 * request.scale));
    image.setDotsPerMeterX(dotsPerMetre);
    image.setDotsPerMeterY(dotsPerMetre);
    return image;
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
