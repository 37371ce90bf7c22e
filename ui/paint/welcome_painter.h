// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/overview.h"
#include "ui/paint/theme.h"

#include <QPainter>
#include <QRectF>
#include <QString>

#include <array>
#include <vector>

namespace flashstep::paint {

// A version on a GPU: what it is predicted to reach, and which engines it keeps busy. Null: not known yet.
struct WelcomeCard {
    QString algorithm, gpu; // "fa2", "h100"
    const OverviewRow* dense = nullptr;
    const OverviewRow* causal = nullptr;
};

// A version: what it is called, what is new in it, and the GPUs it is shown on, side by side with the others.
struct WelcomeColumn {
    QString title, idea;
    std::vector<WelcomeCard> cards;
};

struct WelcomeScene {
    std::vector<WelcomeColumn> columns;
    QString pending; // in the place of numbers that are not there yet
    int hovered = -1, chosen = -1; // cards, counted through all columns
    bool ring = false; // the chosen one has the focus
};

// Where columns and cards are; the height that is needed may be more than the rectangle has.
struct WelcomeLayout {
    std::vector<QRectF> columns, ideas, cards;
    double height = 0;
};
[[nodiscard]] WelcomeLayout layoutWelcome(const QRectF& rect, const WelcomeScene& scene);
[[nodiscard]] int cardAt(const WelcomeLayout& layout, const QPointF& point); // -1: none

void paintWelcome(QPainter& painter, const QRectF& rect, const WelcomeScene& scene, const Theme& theme);

// Engines whose utilisation is told, in this order: those of `run --json`.
[[nodiscard]] const std::array<Engine, 6>& toldEngines();
// "389", "16 %", "published 370, +5 %", "none published": as the cards and the screen reader have them.
[[nodiscard]] QString rateText(const OverviewRow& row);
[[nodiscard]] QString shareText(double share);
[[nodiscard]] QString publishedText(const OverviewRow& row);

} // namespace flashstep::paint
