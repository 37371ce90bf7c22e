// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QColor>
#include <QPainter>
#include <QSize>
#include <QString>

#include <functional>

namespace flashstep::paint {

// What is drawn as a PDF page of that size in pixels at 96 an inch, rounded up to whole points: lines stay lines, text
// stays text in the fonts used, of which what is needed comes along. Dates and ids are fixed: on one machine the bytes
// are a function of the drawing.
[[nodiscard]] QByteArray pdfOf(
    QSize size, const QString& title, const QColor& ground, const std::function<void(QPainter&)>& draw);

} // namespace flashstep::paint
