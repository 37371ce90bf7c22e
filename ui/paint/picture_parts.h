// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/picture.h"

#include <QPainter>

namespace flashstep::paint {

// Everything on the sheet: title, view, legend, scale, provenance.
void paintPicture(QPainter& painter, const PictureRequest& request);

// Whether there is a run, such a view, and the size is one that can be drawn.
[[nodiscard]] Status checkPicture(const PictureRequest& request);

[[nodiscard]] QString pictureTitle(const PictureRequest& request);
[[nodiscard]] QString pictureSubtitle(const PictureRequest& request);
[[nodiscard]] QString provenance(const PictureRequest& request);
[[nodiscard]] QString shortProvenance(const PictureRequest& request); // one line, for a film

} // namespace flashstep::paint
