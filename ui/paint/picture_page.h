// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QFont>
#include <QPainter>
#include <QRectF>
#include <QSizeF>
#include <QStringList>

namespace flashstep::paint {

// What every picture says of itself.
struct PageText {
    QString title, subtitle, provenance;
    QString fault {}; // why nothing of it may be believed; empty: the run is sound
};

// How small and how large a sheet may be before it is made smaller or larger as a whole, type and all.
struct PageRange {
    QSizeF least, most;
};

// A sheet with its words in place; `body` is for what it shows.
struct Page {
    double zoom = 1;
    QSizeF size; // before the zoom
    double margin = 30;
    QStringList title, subtitle, fault, provenance; // lines
    QRectF body;
};
[[nodiscard]] Page layoutPage(QSizeF size, const PageText& text, const PageRange& range);
// The height around the body at a width, so that a picture can be as high as what it shows.
[[nodiscard]] double pageHeightBeyondBody(double width, const PageText& text);
// Ground and words; the painter is left zoomed.
void paintPage(QPainter& painter, const Page& page, const Theme& theme);

// Broken between words; what is longer than `most` lines ends in …
[[nodiscard]] QStringList wrapped(const QString& text, const QFont& font, double width, int most);

// "b   Two key blocks in detail", on a line of 20 px; without a letter the words alone. Elided where it is too long.
void paintPanelTitle(
    QPainter& painter, const QRectF& line, const QString& letter, const QString& words, const Theme& theme);
constexpr double panelTitleHeight = 24;

} // namespace flashstep::paint
