// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>

namespace flashstep::paint {

// Registers the shipped fonts with Qt, once; the functions below do it on first use. False if one could not be read
// (then the system's faces stand in).
bool loadFonts();

// The shipped sans and mono faces at a size in pixels of the canvas, rounded half up to whole ones: in pixels and not
// in points, so that a picture is the same whatever the screen's resolution.
[[nodiscard]] QFont canvasFont(double px, QFont::Weight weight = QFont::Normal);
[[nodiscard]] QFont monoFont(double px, QFont::Weight weight = QFont::Normal);

} // namespace flashstep::paint
