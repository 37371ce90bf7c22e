// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>

namespace flashstep::paint {

// Registers the shipped fonts with Qt, once; the functions below do it on first use. False if one could not be read
// (then the system's faces stand in).
bool loadFonts();

// The shipped sans and mono faces at a size in pixels of the canvas (fractions allowed), the same on every screen.
[[nodiscard]] QFont canvasFont(double px, QFont::Weight weight = QFont::Normal);
[[nodiscard]] QFont monoFont(double px, QFont::Weight weight = QFont::Normal);

} // namespace flashstep::paint
