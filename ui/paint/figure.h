// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/picture.h"
#include "ui/paint/picture_page.h"

#include <QPainter>

namespace flashstep::paint {

// The pipeline figure of a version, in the manner of a paper: one CTA whole, two of its key blocks in detail with the
// period between them, legend and provenance. One layout for all versions, so that their figures are a series.
void paintFigure(QPainter& painter, const PictureRequest& request);

constexpr QSizeF figureSize { 1440, 900 }; // that it is designed for
[[nodiscard]] PageText figureText(const PictureRequest& request);

} // namespace flashstep::paint
