// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/row_delegate.h"

#include "ui/appearance.h"
#include "ui/paint/text.h"

#include <QPainter>

namespace flashstep::ui {

RowDelegate::RowDelegate(const Appearance& appearance, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_appearance(appearance)
{
}

void RowDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const paint::Theme& theme = m_appearance.theme();
    painter->save();
    if (index.data(rowMarkedRole).toBool()) {
        painter->fillRect(option.rect, theme.highlight);
        painter->setPen(theme.mid);
        const QRect r = option.rect;
        painter->drawLine(r.topLeft(), r.topRight());
        painter->drawLine(r.bottomLeft(), r.bottomRight());
        if (index.column() == 0)
            painter->drawLine(r.topLeft(), r.bottomLeft());
        if (index.column() + 1 == index.model()->columnCount())
            painter->drawLine(r.topRight(), r.bottomRight());
    }
    const QVariant font = index.data(Qt::FontRole);
    const QVariant ink = index.data(Qt::ForegroundRole);
    painter->setPen(ink.isValid() ? ink.value<QColor>() : theme.text);
    const auto alignment = static_cast<Qt::Alignment>(index.data(Qt::TextAlignmentRole).toInt());
    paint::drawElided(*painter, QRectF(option.rect).adjusted(4, 0, -4, 0), alignment,
        font.isValid() ? font.value<QFont>() : option.font, index.data(Qt::DisplayRole).toString());
    painter->restore();
}

} // namespace flashstep::ui
