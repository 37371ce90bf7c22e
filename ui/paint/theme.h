// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <QColor>
#include <QPalette>
#include <QString>

#include <array>

namespace flashstep::paint {

// One entry of the tile palette. Colour names a tile (its key block); pattern and outline name its state.
struct TileColour {
    QColor fill;
    QColor edge; // fill moved away from the panel until it stands out 3.2:1
    QColor ink; // black or white, whichever reads better on fill
    QColor tint; // 38 % fill over panel
};

// Every colour of the window and of pictures. Views and painters take colours from here, never from literals.
struct Theme {
    QString name; // "light", "dark", "print"
    bool isDark = false;

    QColor win, panel, alt, line, mid, text, t2, t3;
    QColor selectedText; // on `text` as ground
    QColor highlight; // current row or source line, always with a 1 px `mid` outline
    QColor fault; // hazard, deadlock, wrong number; nothing else
    QColor waitGround, hatch; // waiting, masked

    std::array<TileColour, 10> tiles;
    TileColour neutral; // Q and O tiles: mid over panel, so that the hues stay with the key blocks
    std::array<QColor, engineCount> engines;
    std::array<QColor, 5> diverging, sequential; // stops at 0, 1/4, 1/2, 3/4, 1

    // The colour of key block j; j < 0: the neutral one of Q and O.
    [[nodiscard]] const TileColour& keyBlock(int j) const;
    [[nodiscard]] const QColor& engine(Engine e) const { return engines[static_cast<std::size_t>(e)]; }

    static const Theme& light();
    static const Theme& dark();
    static const Theme& print(); // light on white ground, for exports
    static const Theme& byName(const QString& name); // light for a name it does not know
};

[[nodiscard]] QPalette makePalette(const Theme& theme);

// Contrast ratio of WCAG 2: 1 … 21.
[[nodiscard]] double contrast(const QColor& a, const QColor& b);
// `share` of `over` laid over `ground`, both opaque.
[[nodiscard]] QColor mix(const QColor& over, const QColor& ground, double share);
// Black or white, whichever reads better on `ground`.
[[nodiscard]] QColor inkOn(const QColor& ground);

// Value maps, interpolated between their stops in sRGB. t in 0…1, clamped.
[[nodiscard]] QColor mapColour(const std::array<QColor, 5>& stops, double t);
// value in -limit … +limit on the diverging map.
[[nodiscard]] QColor divergingColour(const Theme& theme, double value, double limit);
// value in 0 … maximum on the sequential map, by its square root (the scale must say so).
[[nodiscard]] QColor sequentialColour(const Theme& theme, double value, double maximum);

} // namespace flashstep::paint
