// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QColor>
#include <QImage>
#include <QPainter>
#include <QSize>

#include <functional>

namespace flashstep::paint {

// `pixels` of what `draw` paints in logical ones, `scale` of them to each; below 1 too, which a device pixel ratio does
// not do. As large on paper as on a screen of 96 dots an inch, whatever the one at hand has, so that the same calls
// give the same bytes. Null where there is not enough memory.
[[nodiscard]] QImage rasterOf(
    QSize pixels, double scale, const QColor& ground, const std::function<void(QPainter&)>& draw);
// The pixels of a size in logical ones.
[[nodiscard]] QSize pixelsOf(QSize size, double scale);

[[nodiscard]] QByteArray pngOf(const QImage& image); // empty for a null image

} // namespace flashstep::paint
