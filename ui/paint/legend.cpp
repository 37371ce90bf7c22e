// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/legend.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double gap = 7, apart = 20; // between a sample and its words, and to the next
constexpr double narrow = 420; // below it names stand over their samples

QFont nameFont()
{
    return canvasFont(11.5, QFont::DemiBold);
}

} // namespace

void Legend::group(const QString& name)
{
    m_groups.push_back({ name, {} });
}

void Legend::add(double sampleWidth, const QString& words, Sample sample)
{
    if (m_groups.empty())
        group(QString());
    m_groups.back().entries.push_back({ sampleWidth, words, std::move(sample) });
}

double Legend::indent(double width) const
{
    double widest = 0;
    for (const Group& group : m_groups)
        widest = std::max(widest, textWidth(nameFont(), group.name));
    return width < narrow || widest <= 0 ? 0 : std::max(76.0, std::ceil(widest) + 14);
}

template <typename Place> int Legend::place(double width, Place place) const
{
    const QFont font = canvasFont(11);
    const double left = indent(width);
    int line = 0;
    for (const Group& group : m_groups) {
        if (group.entries.empty())
            continue;
        if (left <= 0 && !group.name.isEmpty())
            ++line;
        double x = left;
        for (const Entry& entry : group.entries) {
            const double need = entry.width + (entry.words.isEmpty() ? 0 : gap + textWidth(font, entry.words));
            if (x > left && x + need > width) {
                x = left;
                ++line;
            }
            place(group, entry, x, line);
            x += need + apart;
        }
        ++line;
    }
    return line;
}

double Legend::height(double width) const
{
    return lineHeight * place(width, [](const Group&, const Entry&, double, int) {});
}

void Legend::paint(QPainter& painter, const QRectF& rect, const Theme& theme) const
{
    const Group* named = nullptr;
    const double left = indent(rect.width());
    painter.save();
    place(rect.width(), [&](const Group& group, const Entry& entry, double x, int line) {
        const QRectF row(rect.left(), rect.top() + lineHeight * line, rect.width(), lineHeight);
        if (named != &group && !group.name.isEmpty()) {
            painter.setPen(theme.text);
            drawElided(painter, left > 0 ? row : row.translated(0, -lineHeight), Qt::AlignLeft, nameFont(), group.name);
        }
        named = &group;
        entry.sample(painter, QRectF(row.left() + x, std::round(row.center().y() - 7), entry.width, 14));
        painter.setPen(theme.t2);
        drawElided(painter,
            QRectF(row.left() + x + entry.width + gap, row.top(), row.width() - x - entry.width - gap, row.height()),
            Qt::AlignLeft, canvasFont(11), entry.words);
    });
    painter.restore();
}

void paintSwatch(QPainter& painter, const QRectF& rect, const QColor& fill, const QColor& edge)
{
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setBrush(fill);
    painter.setPen(edge == fill ? QPen(Qt::NoPen) : QPen(edge, 1));
    painter.drawRoundedRect(edge == fill ? rect : rect.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
}

} // namespace flashstep::paint
