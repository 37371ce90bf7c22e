// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>
#include <QPainter>
#include <QString>

namespace flashstep::paint {

// Lines of text whose glyphs have been looked up: most of a frame's texts were in the frame before, and looking for
// their glyphs costs more than drawing them. Kept for the application's thread, which paints the window; other threads
// shape anew.

[[nodiscard]] double shapedWidth(const QFont& font, const QString& text);
// With the pen's colour, the base line at `origin`. Not for vectors, where text stays text.
void drawShaped(QPainter& painter, const QPointF& origin, const QFont& font, const QString& text);

} // namespace flashstep::paint
