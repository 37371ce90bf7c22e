// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QPainter>
#include <QSize>
#include <QString>

#include <functional>

namespace flashstep::paint {

// SVG text of what `draw` paints on a canvas of that size: the same bytes for the same calls, nothing external; texts
// stay texts and name the faces that may stand in for ours.
[[nodiscard]] QByteArray svgOf(
    QSize size, const QString& title, const QString& description, const std::function<void(QPainter&)>& draw);

} // namespace flashstep::paint
