// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/icons.h"

#include <QIconEngine>
#include <QPainter>

namespace flashstep::ui {

namespace {

QPainterPath polygon(std::initializer_list<QPointF> points)
{
    QPainterPath path;
    bool first = true;
    for (const QPointF& point : points) {
        first ? path.moveTo(point) : path.lineTo(point);
        first = false;
    }
    path.closeSubpath();
    return path;
}

QPainterPath right(qreal x)
{
    return polygon({ { x, 3 }, { x + 8, 8 }, { x, 13 } });
}
QPainterPath left(qreal x)
{
    return polygon({ { x + 8, 3 }, { x, 8 }, { x + 8, 13 } });
}

QPainterPath bar(qreal x)
{
    QPainterPath path;
    path.addRect(x, 3, 2, 10);
    return path;
}

QPainterPath lines(std::initializer_list<QLineF> segments)
{
    QPainterPath path;
    for (const QLineF& segment : segments) {
        path.moveTo(segment.p1());
        path.lineTo(segment.p2());
    }
    return path;
}

QPainterPath frames(const QRectF& a, const QRectF& b)
{
    QPainterPath path;
    path.addRoundedRect(a, 1.5, 1.5);
    if (!b.isEmpty())
        path.addRoundedRect(b, 1.5, 1.5);
    return path;
}

QPainterPath pauseBars()
{
    QPainterPath path;
    path.addRect(4, 3, 3, 10);
    path.addRect(9, 3, 3, 10);
    return path;
}

QPainterPath glass()
{
    QPainterPath path;
    path.addEllipse(QPointF(7, 7), 4.5, 4.5);
    path.moveTo(10.5, 10.5);
    path.lineTo(14, 14);
    return path;
}

QPainterPath question()
{
    QPainterPath path;
    path.addEllipse(QPointF(8, 8), 6.5, 6.5);
    path.moveTo(6, 6.4);
    path.cubicTo(6, 3.8, 10, 3.8, 10, 6.4);
    path.cubicTo(10, 8, 8, 8, 8, 9.6);
    path.moveTo(8, 11.6);
    path.lineTo(8, 11.7);
    return path;
}

class SymbolEngine : public QIconEngine {
public:
    SymbolEngine(Symbol symbol, const QColor& normal, const QColor& active, const QColor& disabled)
        : m_symbol(symbol)
        , m_normal(normal)
        , m_active(active)
        , m_disabled(disabled)
    {
    }

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override
    {
        const QColor color = mode == QIcon::Disabled      ? m_disabled
            : mode == QIcon::Active || state == QIcon::On ? m_active
                                                          : m_normal;
        const qreal side = std::min(rect.width(), rect.height());
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->translate(QRectF(rect).center() - QPointF(side / 2, side / 2));
        painter->scale(side / 16, side / 16);
        if (symbolFilled(m_symbol)) {
            painter->fillPath(symbolPath(m_symbol), color);
        } else {
            painter->setPen(QPen(color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
            painter->drawPath(symbolPath(m_symbol));
        }
        painter->restore();
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap map(size);
        map.fill(Qt::transparent);
        QPainter painter(&map);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return map;
    }

    [[nodiscard]] QIconEngine* clone() const override { return new SymbolEngine(*this); }

private:
    Symbol m_symbol;
    QColor m_normal, m_active, m_disabled;
};

} // namespace

bool symbolFilled(Symbol symbol)
{
    return symbol <= Symbol::Last;
}

QPainterPath symbolPath(Symbol symbol)
{
    switch (symbol) {
    case Symbol::First:
        return bar(3) + left(5);
    case Symbol::Back:
        return left(4);
    case Symbol::Play:
        return polygon({ { 4, 2.5 }, { 13, 8 }, { 4, 13.5 } });
    case Symbol::Pause:
        return pauseBars();
    case Symbol::Forward:
        return right(4);
    case Symbol::Last:
        return right(3) + bar(11);
    case Symbol::Search:
        return glass();
    case Symbol::Float:
        return frames({ 2.5, 5, 8, 8 }, { 5.5, 2.5, 8, 8 });
    case Symbol::Close:
        return lines({ { 4, 4, 12, 12 }, { 12, 4, 4, 12 } });
    case Symbol::Copy:
        return frames({ 2.5, 2.5, 8, 9 }, { 5.5, 5, 8, 9 });
    case Symbol::Open:
        return polygon({ { 1.5, 4 }, { 6, 4 }, { 7.5, 6 }, { 14.5, 6 }, { 14.5, 13 }, { 1.5, 13 } });
    case Symbol::Save:
        return frames({ 2.5, 2.5, 11, 11 }, { 5, 2.5, 6, 4 }) + lines({ { 5, 10, 11, 10 } });
    case Symbol::Help:
        return question();
    }
    return {};
}

QIcon symbolIcon(Symbol symbol, const QColor& normal, const QColor& active, const QColor& disabled)
{
    return QIcon(new SymbolEngine(symbol, normal, active, disabled));
}

} // namespace flashstep::ui
