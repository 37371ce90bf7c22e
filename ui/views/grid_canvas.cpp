// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/grid_canvas.h"

#include "core/emulation/run.h"
#include "ui/appearance.h"
#include "ui/document.h"
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

namespace {

constexpr std::size_t toldSms = 256, toldCtas = 64; // a screen reader is told so many, and how many more there are

} // namespace

GridCanvas::GridCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("grid"), tr("The whole run over the SMs"), parent)
{
    connect(&session.document, &Document::changed, this, &GridCanvas::fit);
}

GridCanvas::~GridCanvas() = default;

const paint::GridIndex* GridCanvas::index() const
{
    if (m_session.document.empty())
        return nullptr;
    const std::shared_ptr<const Trace>& trace = m_session.document.run()->trace;
    if (!m_index || &m_index->trace() != trace.get())
        m_index = std::make_unique<paint::GridIndex>(trace);
    return m_index.get();
}

paint::GridLayout GridCanvas::layoutNow() const
{
    return paint::layoutGrid(canvasRect(), *index(), m_view);
}

QString GridCanvas::emptyText() const
{
    return tr("Nothing is open yet. Here the whole run will lie over the SMs: who runs which tile, and when.");
}

void GridCanvas::fit()
{
    m_view = {};
    m_hovered = CtaId::none();
    update();
}

void GridCanvas::draw(QPainter& painter, const QRectF& rect)
{
    const paint::GridScene scene { index(), m_session.playback.position(), m_session.selection.cta(), m_hovered };
    paint::paintGridView(painter, rect, scene, m_view, m_session.appearance.theme());
}

paint::GridHit GridCanvas::hitAt(const QPointF& point) const
{
    return paint::hitTest(layoutNow(), *index(), toCanvas(point));
}

bool GridCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && ready()) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        const paint::GridHit hit = hitAt(help->pos());
        if (hit.stay != nullptr)
            QToolTip::showText(help->globalPos(),
                paint::describeStay(*index(), *hit.stay, hit.work, m_session.playback.position()), this);
        else if (const QString card = termCardHtml(termOfGrid(layoutNow(), toCanvas(help->pos())), m_session);
                 !card.isEmpty())
            QToolTip::showText(help->globalPos(), card, this);
        else
            QToolTip::hideText();
        return true;
    }
    return Canvas::event(event);
}

void GridCanvas::seekTo(const QPointF& point)
{
    const double cycle = std::max(0.0, std::round(layoutNow().xToTime(toCanvas(point).x())));
    m_session.playback.seek(m_session.document.trace().positionAt(static_cast<Cycle>(cycle)));
}

// The CTA, and the work tile under the pointer: its head, and its query tile where it is one alone.
void GridCanvas::choose(const paint::GridHit& hit)
{
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    const WorkId id = hit.work != nullptr ? hit.work->work : trace.worksOf(hit.stay->cta).front();
    const Work& work = program.work(id);
    m_session.selection.chooseCta(hit.stay->cta);
    m_session.selection.chooseHead(work.b, work.h);
    if (!program.launches[work.launch].severalTiles() && trace.ctaOfTile(work.b, work.h, work.i) == hit.stay->cta)
        m_session.selection.chooseTile({ work.i, -1 });
    m_session.selection.chooseCta(hit.stay->cta); // where the head alone leads to another one of its CTAs
}

void GridCanvas::hover(const paint::GridHit& hit)
{
    const CtaId cta = hit.stay != nullptr ? hit.stay->cta : CtaId::none();
    if (cta != m_hovered) {
        m_hovered = cta;
        update();
    }
    TileRef tile;
    if (hit.work != nullptr) {
        const Work& work = m_session.document.program().work(hit.work->work);
        if (work.b == m_session.selection.batch() && work.h == m_session.selection.head())
            tile.i = work.i;
    }
    m_session.selection.hoverTile(tile);
}

void GridCanvas::mousePressEvent(QMouseEvent* event)
{
    if (!ready() || event->button() != Qt::LeftButton)
        return;
    m_pressed = m_last = event->localPos();
    const bool seeks = hitAt(m_pressed).part == paint::GridHit::Part::Ruler;
    m_drag = seeks ? Drag::Playhead : Drag::Pressed;
    if (seeks)
        seekTo(m_pressed);
}

void GridCanvas::mouseMoveEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const QPointF here = event->localPos();
    if (m_drag == Drag::Pressed && (here - m_pressed).manhattanLength() > QApplication::startDragDistance())
        m_drag = Drag::Pan;
    if (m_drag == Drag::Playhead) {
        seekTo(here);
    } else if (m_drag == Drag::Pan) {
        m_view = paint::panned(canvasRect(), *index(), m_view, toCanvas(here - m_last));
        m_last = here;
        update();
    } else if (m_drag == Drag::None) {
        hover(hitAt(here));
    }
}

void GridCanvas::mouseReleaseEvent(QMouseEvent* event)
{
    const bool clicked = m_drag == Drag::Pressed;
    m_drag = Drag::None;
    if (!clicked || !ready())
        return;
    const paint::GridHit hit = hitAt(event->localPos());
    if (hit.stay != nullptr)
        choose(hit);
}

void GridCanvas::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::GridHit hit = hitAt(event->localPos());
    if (hit.stay == nullptr)
        return;
    const Trace& trace = m_session.document.trace();
    const auto parts = index()->partsOf(*hit.stay);
    m_session.playback.seek(
        parts.empty() ? trace.positionAt(hit.stay->begin) : Position { parts.front().beginPosition });
}

void GridCanvas::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    if (event->modifiers() & Qt::ControlModifier)
        m_view = paint::zoomed(
            canvasRect(), *index(), m_view, std::pow(1.0015, event->angleDelta().y()), toCanvas(event->position()));
    else
        m_view = paint::panned(canvasRect(), *index(), m_view, QPointF(event->angleDelta()) / 2);
    update();
    event->accept();
}

void GridCanvas::leaveEvent(QEvent* /*event*/)
{
    m_hovered = CtaId::none();
    m_session.selection.hoverTile({});
    update();
}

// The sentence, and a node per SM with its CTAs below.
std::vector<AccessibleNode> GridCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const Position p = m_session.playback.position();
    const paint::GridIndex& grid = *index();
    nodes.push_back({ QAccessible::StaticText, tr("grid"), grid.sentence(), {} });
    const auto& rows = grid.rows();
    for (std::size_t r = 0; r < std::min(rows.size(), toldSms); ++r) {
        AccessibleNode node { QAccessible::Row, tr("SM %1").arg(rows[r].sm), {}, {} };
        std::size_t ctas = 0;
        for (const auto& lane : rows[r].lanes)
            for (const auto& stay : lane.stays)
                if (++ctas <= toldCtas)
                    node.children.push_back({ QAccessible::Cell, tr("CTA %1").arg(stay.cta.index()),
                        paint::describeStay(grid, stay, nullptr, p).section(QStringLiteral(", "), 1), {} });
        if (ctas > toldCtas)
            node.children.push_back({ QAccessible::StaticText, tr("and more"),
                tr("%1 more CTAs").arg(static_cast<qulonglong>(ctas - toldCtas)), {} });
        node.value
            = (ctas == 1 ? tr("%1 CTA, idle for good from cycle %2") : tr("%1 CTAs, idle for good from cycle %2"))
                  .arg(static_cast<qulonglong>(ctas))
                  .arg(rows[r].end);
        nodes.push_back(std::move(node));
    }
    if (rows.size() > toldSms)
        nodes.push_back({ QAccessible::StaticText, tr("and more"),
            tr("%1 more SMs").arg(static_cast<qulonglong>(rows.size() - toldSms)), {} });
    return nodes;
}

} // namespace flashstep::ui
