// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/marks.h"

namespace flashstep::paint {

void paintMark(QPainter& painter, QPointF centre, RowMark mark, const Theme& theme)
{
    if (mark == RowMark::None)
        return;
    const double x = centre.x(), y = centre.y();
    const QPolygonF triangle(QVector<QPointF> { { x - 4, y + 3.5 }, { x + 4, y + 3.5 }, { x, y - 3.5 } });
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.text, 1, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin));
    painter.setBrush(mark == RowMark::Rescaled ? QBrush(theme.text) : QBrush(Qt::NoBrush));
    painter.drawPolygon(triangle);
}

void paintVoteMark(QPainter& painter, QPointF centre, const Theme& theme)
{
    const double x = centre.x(), y = centre.y();
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.text, 1.2, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin));
    painter.setBrush(theme.panel);
    painter.drawPolygon(QPolygonF(QVector<QPointF> { { x - 4, y }, { x, y - 4 }, { x + 4, y }, { x, y + 4 } }));
    painter.setRenderHint(QPainter::Antialiasing, false);
}

} // namespace flashstep::paint
