// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStyledItemDelegate>

namespace flashstep::ui {

class Appearance;

// A model says with this role that its row is the current one.
constexpr int rowMarkedRole = Qt::UserRole + 100;

// Cells without the style's own selection: the current row has the theme's highlight with an outline round all of it.
class RowDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    RowDelegate(const Appearance& appearance, QObject* parent);
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    const Appearance& m_appearance;
};

} // namespace flashstep::ui
