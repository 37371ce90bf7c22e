// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/raster.h"

#include <QBuffer>

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

QImage rasterOf(QSize pixels, double scale, const QColor& ground, const std::function<void(QPainter&)>& draw)
{
    QImage image(pixels, QImage::Format_RGB32);
    if (image.isNull())
        return image;
    image.fill(ground);
    image.setDevicePixelRatio(std::max(1.0, scale));
    {
        QPainter painter(&image);
        if (scale < 1) // a ratio below 1 is not obeyed
            painter.scale(scale, scale);
        draw(painter);
    }
    image.setDevicePixelRatio(scale);
    const int dotsPerMetre = static_cast<int>(std::lround(96 / 0.0254 * scale));
    image.setDotsPerMeterX(dotsPerMetre);
    image.setDotsPerMeterY(dotsPerMetre);
    return image;
}

QSize pixelsOf(QSize size, double scale)
{
    return { static_cast<int>(std::lround(size.width() * scale)),
        static_cast<int>(std::lround(size.height() * scale)) };
}

QByteArray pngOf(const QImage& image)
{
    QByteArray bytes;
    if (image.isNull())
        return bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

} // namespace flashstep::paint
