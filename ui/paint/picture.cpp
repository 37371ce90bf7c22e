// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/picture.h"

#include "core/io/files.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/svg.h"

#include <QBuffer>

#include <cmath>
#include <ostream>

namespace flashstep::paint {

namespace {

constexpr int largestSide = 32767; // of an image, device pixels
constexpr double largestArea = 256e6;

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
    return { QStringLiteral("timeline"), QStringLiteral("tiles"), QStringLiteral("memory"), QStringLiteral("ledger") };
}

Status checkPicture(const PictureRequest& request)
{
    if (!request.run || !request.run->trace)
        return Error { "there is no run to draw", "picture", "" };
    if (!pictureViews().contains(request.view))
        return Error { "no view " + request.view.toStdString(), "picture",
            pictureViews().join(QStringLiteral(", ")).toStdString() };
    const double width = request.size.width() * request.scale, height = request.size.height() * request.scale;
    if (request.size.width() < 200 || request.size.height() < 150 || width > largestSide || height > largestSide
        || width * height > largestArea)
        return Error { "a picture of " + std::to_string(request.size.width()) + "x"
                + std::to_string(request.size.height()) + " is out of range",
            "picture", "200x150 up to 32767 on a side and 256 million pixels" };
    return Nothing {};
}

Status writePicture(const PictureRequest& request, const QString& format, const QString& path)
{
    if (format != QStringLiteral("svg") && format != QStringLiteral("png"))
        return Error { "no picture format " + format.toStdString(), "picture", "svg, png" };
    if (Status status = checkPicture(request); !status)
        return status;
    const QByteArray bytes = format == QStringLiteral("svg") ? renderSvg(request) : pngOf(request);
    if (bytes.isEmpty())
        return Error { "not enough memory for the picture", path.toStdString(), "a smaller size" };
    return writeFileAtomically(path.toStdString(), [&](std::ostream& out) -> Status {
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
    image.setDevicePixelRatio(request.scale);
    QPainter painter(&image);
    paintPicture(painter, request);
    return image;
}

QByteArray renderSvg(const PictureRequest& request)
{
    return svgOf(request.size, pictureTitle(request), provenance(request),
        [&](QPainter& painter) { paintPicture(painter, request); });
}

} // namespace flashstep::paint
