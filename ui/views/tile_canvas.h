// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_layout.h"
#include "ui/views/canvas.h"

#include "core/trace/query.h"

#include <memory>
#include <optional>

class QMenu;

namespace flashstep::ui {

// The score matrix of one head as tiles: hover, choose, zoom with Ctrl and the wheel, drag.
class TileCanvas : public Canvas {
    Q_OBJECT
public:
    TileCanvas(const Session& session, QWidget* parent);

    [[nodiscard]] const paint::StageView& view() const { return m_view; }
    [[nodiscard]] paint::StageScene scene() const;
    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override;

    // Where somebody first computes on a tile of the head on show; nothing where nobody does.
    [[nodiscard]] std::optional<Moment> firstOperation(int i, int j) const;
    [[nodiscard]] std::unique_ptr<QMenu> menuOf(int i, int j);
    [[nodiscard]] bool path() const { return m_view.path; }

public slots:
    void fit();
    void setPath(bool path); // the order of visits, drawn over the tiles

signals:
    void tileOpened(int i, int j); // asked to be seen with its numbers
    void bookmarkAsked(flashstep::Position position, const QString& name);
    void pathChanged();
    void exportAsked();

protected:
    void draw(QPainter& painter, const QRectF& rect) override;
    [[nodiscard]] QString emptyText() const override;
    bool event(QEvent* event) override; // tool tips
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    [[nodiscard]] QRectF stageRect() const; // the canvas, less what would be empty on the left
    [[nodiscard]] paint::StageHit hitAt(const QPointF& point) const;

    void restart();

    paint::StageView m_view;
    bool m_pathByHand = false;
    QPointF m_pressed, m_last;
    bool m_dragging = false;
};

} // namespace flashstep::ui
