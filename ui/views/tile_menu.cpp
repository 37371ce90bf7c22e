// SPDX-License-Identifier: GPL-3.0-or-later
// The part of TileCanvas that offers what can be done with a tile; the other part shows and moves.
#include "ui/current.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/tile_canvas.h"

#include <QContextMenuEvent>
#include <QMenu>

namespace flashstep::ui {

namespace {

// Computing on the tile, not waiting for it or bringing it.
bool computes(OpKind kind)
{
    switch (kind) {
    case OpKind::Load:
    case OpKind::Wait:
    case OpKind::Sync:
    case OpKind::Commit:
    case OpKind::Arrive:
    case OpKind::Fence:
        return false;
    default:
        return true;
    }
}

} // namespace

std::optional<Moment> TileCanvas::firstOperation(int i, int j) const
{
    std::optional<Moment> first;
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    const int b = m_session.selection.batch(), h = m_session.selection.head();
    for (std::size_t w = 0; w < program.works.size(); ++w) {
        const WorkId id(w);
        const Work& work = program.work(id);
        if (work.b != b || h < work.h || h >= work.h + std::max(1, program.packed))
            continue;
        for (const RoleRange& role : trace.streamOf(id).roles)
            for (std::uint32_t k = role.first; k < role.first + role.count; ++k) {
                const Op& op = program.op(OpId(k));
                if (!computes(op.kind) || program.queryTile(work, op) != i || program.keyBlock(work, op) != j)
                    continue;
                const InstanceId at = trace.instance(id, OpId(k));
                if (trace.began(at) && (!first || trace.beginPosition(at) < first->position))
                    first = Moment { trace.beginPosition(at), trace.ctaOf(id) };
            }
    }
    return first;
}

std::unique_ptr<QMenu> TileCanvas::menuOf(int i, int j)
{
    auto menu = std::make_unique<QMenu>(this);
    if (!ready() || i < 0 || j < 0)
        return menu;
    const auto first = firstOperation(i, j);
    QAction* go = menu->addAction(tr("Go to the first operation of tile (%1, %2)").arg(i).arg(j), this, [this, first] {
        m_session.selection.chooseCta(first->cta);
        m_session.playback.seek(first->position);
    });
    QAction* keep = menu->addAction(tr("Keep that moment as a bookmark"), this,
        [this, first, i, j] { emit bookmarkAsked(first->position, tr("tile (%1, %2)").arg(i).arg(j)); });
    go->setEnabled(first.has_value()); // not where the mask skips it
    keep->setEnabled(first.has_value());
    menu->addSeparator();
    menu->addAction(
        tr("Show the numbers of tile (%1, %2)").arg(i).arg(j), this, [this, i, j] { emit tileOpened(i, j); });
    menu->addAction(tr("Fit all tiles"), this, &TileCanvas::fit);
    menu->addSeparator();
    menu->addAction(tr("Export this view …"), this, &TileCanvas::exportAsked);
    return menu;
}

void TileCanvas::contextMenuEvent(QContextMenuEvent* event)
{
    if (!ready())
        return;
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    QPoint place = event->globalPos();
    TileRef tile = tileOnShow(m_session);
    if (!byKey) {
        const paint::StageHit hit = hitAt(event->pos());
        tile = { hit.i, hit.j };
    } else if (tile.i >= 0 && tile.j >= 0) {
        const QPointF corner = paint::layoutStage(stageRect(), scene(), m_view).cellRect(tile.i, tile.j).center();
        const double scale = width() / std::max(1.0, canvasRect().width());
        place = mapToGlobal((corner * scale).toPoint());
    }
    QMenu* menu = menuOf(tile.i, tile.j).release();
    if (menu->isEmpty())
        return delete menu;
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->popup(place);
    event->accept();
}

} // namespace flashstep::ui
