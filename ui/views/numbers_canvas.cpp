// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/numbers_canvas.h"

#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/ledger_facts.h"
#include "ui/paint/tile_numbers.h"
#include "ui/playback.h"
#include "ui/selection.h"

#include <QMouseEvent>

#include <algorithm>

namespace flashstep::ui {

NumbersCanvas::NumbersCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("numbers"), tr("Numbers of one tile"), parent)
{
    connect(&session.document, &Document::changed, this, [this] {
        m_scroll = 0;
        m_fromKey = 0;
    });
    connect(&session.selection, &Selection::changed, this, &NumbersCanvas::revealKey);
}

void NumbersCanvas::setFormat(paint::NumberFormat format)
{
    m_format = format;
    update();
}

paint::StageScene NumbersCanvas::scene() const
{
    paint::StageScene scene;
    scene.trace = &m_session.document.trace();
    scene.position = m_session.playback.position();
    scene.cta = m_session.selection.cta();
    scene.batch = m_session.selection.batch();
    scene.head = m_session.selection.head();
    scene.tokens = &m_session.document.tokens();
    scene.highlight = m_session.selection.highlight();
    return scene;
}

paint::NumbersView NumbersCanvas::view() const
{
    const TileRef tile = tileOnShow(m_session);
    paint::NumbersView view;
    view.i = tile.i;
    view.j = tile.j;
    view.format = m_format;
    view.scroll = m_scroll;
    view.fromKey = m_fromKey;
    return view;
}

void NumbersCanvas::draw(QPainter& painter, const QRectF& rect)
{
    paint::paintNumbers(painter, rect, scene(), view(), m_session.appearance.theme());
}

void NumbersCanvas::mousePressEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const auto hit = paint::layoutNumbers(canvasRect(), scene(), view()).hitTest(toCanvas(event->localPos()));
    if (hit.row >= 0)
        m_session.selection.chooseElement(hit.row, hit.key);
}

// Moved just so far that a key chosen elsewhere is on show.
void NumbersCanvas::revealKey()
{
    const int key = m_session.selection.key();
    if (!ready() || key < 0 || key == m_shownKey)
        return;
    m_shownKey = key;
    const paint::NumbersLayout layout = paint::layoutNumbers(canvasRect(), scene(), view());
    const int first = layout.firstKey - layout.fromKey;
    if (key < first || key >= first + layout.tileKeys)
        return;
    m_fromKey = std::clamp(layout.fromKey, key - first - layout.keys + 1, key - first);
}

void NumbersCanvas::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    const QPoint delta = event->angleDelta();
    if (delta.x() != 0 || event->modifiers() & Qt::ShiftModifier) {
        const paint::NumbersLayout layout = paint::layoutNumbers(canvasRect(), scene(), view());
        const int by = delta.x() != 0 ? delta.x() : delta.y();
        const int keys = std::max(1, std::abs(by) / 60) * (by > 0 ? -1 : 1);
        m_fromKey = std::clamp(layout.fromKey + keys, 0, layout.tileKeys - layout.keys);
        update();
        event->accept();
        return;
    }
    const double height = paint::layoutNumbers(canvasRect(), scene(), view()).contentHeight;
    m_scroll = std::clamp(m_scroll - event->angleDelta().y() / 2.0, 0.0, std::max(0.0, height - canvasRect().height()));
    update();
    event->accept();
}

std::vector<AccessibleNode> NumbersCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const paint::NumbersView here = view();
    const paint::TileNumbers tile = paint::ledgerTile(m_session.document.trace(), m_session.selection.batch(),
        m_session.selection.head(), here.i, here.j, m_session.playback.position());
    nodes.push_back({ QAccessible::StaticText, tr("tile"), QStringLiteral("(%1, %2)").arg(here.i).arg(here.j), {} });
    const auto cells = [&](const TileValues& values, int row, const QString& name) {
        AccessibleNode line { QAccessible::Row, name, {}, {} };
        for (int c = 0; row < values.rows && c < std::min(values.cols, tile.keys); ++c)
            line.children.push_back({ QAccessible::Cell, QStringLiteral("key %1").arg(tile.firstKey + c),
                exactText(values.at(row, c)), {} });
        return line;
    };
    for (int r = 0; r < tile.rows; ++r) {
        const QString word
            = m_session.document.tokens().query(m_session.document.program().queryRow(0, tile.firstRow + r).row);
        AccessibleNode row { QAccessible::Row, QStringLiteral("row %1 %2").arg(tile.firstRow + r).arg(word).trimmed(),
            {}, {} };
        row.children.push_back(cells(tile.s, r, tr("S in log2 units")));
        row.children.push_back(cells(tile.p, r, tr("P")));
        const paint::TileNumbers::Row& line = tile.row[static_cast<std::size_t>(r)];
        for (const auto& [name, value] : { std::pair(tr("reference before, log2 units"), line.before),
                 std::pair(tr("true max, log2 units"), line.most), std::pair(tr("reference, log2 units"), line.used),
                 std::pair(tr("factor"), line.scale), std::pair(tr("ℓ"), line.l) })
            row.children.push_back({ QAccessible::Cell, name, exactText(value), {} });
        nodes.push_back(std::move(row));
    }
    return nodes;
}

} // namespace flashstep::ui
