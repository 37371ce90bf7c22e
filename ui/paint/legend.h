// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QPainter>
#include <QRectF>
#include <QString>

#include <functional>
#include <vector>

namespace flashstep::paint {

// Samples with their words, group by group, over as many lines as the width asks for: nothing is left out, which a
// picture that explains itself cannot afford.
class Legend {
public:
    using Sample = std::function<void(QPainter&, const QRectF&)>; // in a box 14 px high
    static constexpr double lineHeight = 26;

    // Begins a line of its own, with its name in front.
    void group(const QString& name);
    void add(double sampleWidth, const QString& words, Sample sample);

    [[nodiscard]] double height(double width) const;
    void paint(QPainter& painter, const QRectF& rect, const Theme& theme) const;

private:
    struct Entry {
        double width = 0;
        QString words;
        Sample sample;
    };
    struct Group {
        QString name;
        std::vector<Entry> entries;
    };
    // Where each entry goes; the number of lines.
    template <typename Place> int place(double width, Place place) const;
    [[nodiscard]] double indent(double width) const;

    std::vector<Group> m_groups;
};

// A box of a tile's colour, with its edge where it has one.
void paintSwatch(QPainter& painter, const QRectF& rect, const QColor& fill, const QColor& edge);

} // namespace flashstep::paint
