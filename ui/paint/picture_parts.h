// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/picture.h"

#include <QPainter>

namespace flashstep::paint {

// Everything on the sheet: title, view, legend, scale, provenance.
void paintPicture(QPainter& painter, const PictureRequest& request);

[[nodiscard]] QString pictureTitle(const PictureRequest& request);
[[nodiscard]] QString pictureSubtitle(const PictureRequest& request);
[[nodiscard]] QString provenance(const PictureRequest& request);

} // namespace flashstep::paint
