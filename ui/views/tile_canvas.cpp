// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/tile_canvas.h"

#include "core/emulation/run.h"

#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/paint/stage_painter.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/part_terms.h"
#include "ui/views/term_card.h"

#include <QApplication>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

TileCanvas::TileCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("tiles"), tr("Tiles of the score matrix"), parent)
{
    connect(&session.document, &Document::changed, this, &TileCanvas::restart);
}

paint::StageScene TileCanvas::scene() const
{
    paint::StageScene scene;
    scene.trace = &m_session.document.trace();
    scene.position = m_session.playback.position();
    scene.cta = m_session.selection.cta();
    scene.batch = m_session.selection.batch();
    scene.head = m_session.selection.head();
    scene.tokens = &m_session.document.tokens();
    scene.highlight = m_session.selection.highlight();
    scene.hazards = &m_session.document.run()->report.hazardList;
    return scene;
}

void TileCanvas::fit()
{
    const bool path = m_view.path;
    m_view = {};
    m_view.path = path;
    update();
}

void TileCanvas::setPath(bool path)
{
    m_pathByHand = true;
    m_view.path = path;
    update();
    emit pathChanged();
}

// Where a CTA sweeps over several query tiles the order is what there is to see; elsewhere the arrow above says it.
void TileCanvas::restart()
{
    if (!m_pathByHand && !m_session.document.empty())
        m_view.path = m_session.document.program().launches.back().sweep > 0;
    fit();
    emit pathChanged();
}

QString TileCanvas::emptyText() const
{
    return tr("Nothing is open yet. Choose a sample above, or drop a scenario file here.");
}

// A small matrix in a wide canvas stands in its middle.
QRectF TileCanvas::stageRect() const
{
    const QRectF area = canvasRect();
    const paint::StageLayout layout = paint::layoutStage(area, scene(), m_view);
    const double used = std::max({ layout.outputs.right(), std::min(layout.matrix.right(), layout.window.right()),
                            area.left() + 300 })
        + 16;
    const double spare = std::max(0.0, area.right() - used);
    return area.adjusted(std::floor(spare / 2), 0, 0, 0);
}

void TileCanvas::draw(QPainter& painter, const QRectF& /*rect*/)
{
    paint::paintStage(painter, stageRect(), scene(), m_view, m_session.appearance.theme());
}

paint::StageHit TileCanvas::hitAt(const QPointF& point) const
{
    const paint::StageScene here = scene();
    return paint::hitTest(paint::layoutStage(stageRect(), here, m_view), here, toCanvas(point));
}

bool TileCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && ready()) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        const paint::StageHit hit = hitAt(help->pos());
        if (hit.i >= 0 && hit.j >= 0)
            QToolTip::showText(help->globalPos(),
                paint::describeTile(
                    scene(), hit.i, hit.j, hit.row < 0 ? -1 : hit.row - hit.i * m_session.document.program().tile.rows),
                this);
        else if (const QString card = termCardHtml(
                     termOfStage(paint::layoutStage(stageRect(), scene(), m_view), hit, toCanvas(help->pos())),
                     m_session);
                 !card.isEmpty())
            QToolTip::showText(help->globalPos(), card, this);
        else
            QToolTip::hideText();
        return true;
    }
    return Canvas::event(event);
}

void TileCanvas::mousePressEvent(QMouseEvent* event)
{
    m_pressed = m_last = event->localPos();
    m_dragging = false;
}

void TileCanvas::mouseMoveEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    if (event->buttons() & Qt::LeftButton) {
        m_dragging
            = m_dragging || (event->localPos() - m_pressed).manhattanLength() > QApplication::startDragDistance();
        if (m_dragging) {
            m_view = paint::panned(stageRect(), scene(), m_view, toCanvas(event->localPos() - m_last));
            m_last = event->localPos();
            update();
        }
        return;
    }
    const paint::StageHit hit = hitAt(event->localPos());
    m_session.selection.hoverTile({ hit.i, hit.j });
}

void TileCanvas::mouseReleaseEvent(QMouseEvent* event)
{
    if (!ready() || m_dragging || event->button() != Qt::LeftButton) {
        m_dragging = false;
        return;
    }
    const paint::StageHit hit = hitAt(event->localPos());
    if (hit.part == paint::StageHit::Part::Nothing) {
        m_session.selection.clear();
        return;
    }
    m_session.selection.chooseTile({ hit.i, hit.j });
    if (hit.row >= 0)
        m_session.selection.chooseElement(hit.row, hit.key);
}

void TileCanvas::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::StageHit hit = hitAt(event->localPos());
    if (hit.i >= 0 && hit.j >= 0)
        emit tileOpened(hit.i, hit.j);
}

void TileCanvas::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    if (event->modifiers() & Qt::ControlModifier) {
        const double factor = std::pow(1.0015, event->angleDelta().y());
        m_view = paint::zoomed(stageRect(), scene(), m_view, factor, toCanvas(event->position()));
    } else {
        m_view = paint::panned(stageRect(), scene(), m_view, QPointF(event->angleDelta()) / 2);
    }
    update();
    event->accept();
}

void TileCanvas::leaveEvent(QEvent* /*event*/)
{
    m_session.selection.hoverTile({});
}

// A node per query tile with its tiles below; past ten thousand tiles, the chosen CTA's row alone.
std::vector<AccessibleNode> TileCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const paint::StageScene here = scene();
    const Program& program = m_session.document.program();
    const Work& chosen = program.work(here.trace->workAt(here.cta, here.position));
    nodes.push_back({ QAccessible::StaticText, tr("now"), paint::stageCaption(here), {} });
    const bool all = program.queryTiles() * program.keyBlocks() <= 10000;
    for (int i = all ? 0 : chosen.i; i < (all ? program.queryTiles() : chosen.i + 1); ++i) {
        AccessibleNode row { QAccessible::Row, QStringLiteral("Q%1").arg(i), {}, {} };
        for (int j = 0; j < program.keyBlocks(); ++j)
            row.children.push_back(
                { QAccessible::Cell, QStringLiteral("(%1, %2)").arg(i).arg(j), paint::describeTile(here, i, j), {} });
        nodes.push_back(std::move(row));
    }
    return nodes;
}

} // namespace flashstep::ui
