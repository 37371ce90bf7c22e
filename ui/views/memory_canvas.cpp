// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/memory_canvas.h"

#include "core/emulation/run.h"
#include "core/trace/state.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace flashstep::ui {

MemoryCanvas::MemoryCanvas(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("memory"), tr("Memory and waits of the chosen CTA"), parent)
{
}

paint::MemoryScene MemoryCanvas::scene() const
{
    paint::MemoryScene scene;
    scene.trace = &m_session.document.trace();
    scene.gpu = &m_session.document.run()->gpu;
    scene.position = m_session.playback.position();
    scene.cta = m_session.selection.cta();
    scene.highlight = m_session.selection.highlight();
    return scene;
}

QRectF MemoryCanvas::contentRect() const
{
    const QRectF area = canvasRect();
    const double height = std::max(area.height(), paint::memoryHeight(scene()));
    return { 0, -std::min(m_scroll, height - area.height()), area.width(), height };
}

void MemoryCanvas::draw(QPainter& painter, const QRectF& rect)
{
    painter.setClipRect(rect);
    paint::paintMemory(painter, contentRect(), scene(), m_session.appearance.theme());
}

void MemoryCanvas::mousePressEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::MemoryHit hit = paint::hitTestMemory(contentRect(), scene(), toCanvas(event->localPos()));
    if (hit.buffer.valid())
        m_session.selection.chooseBuffer(hit.buffer);
    else if (hit.i >= 0)
        m_session.selection.chooseTile({ hit.i, -1 });
}

void MemoryCanvas::mouseMoveEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const paint::MemoryHit hit = paint::hitTestMemory(contentRect(), scene(), toCanvas(event->localPos()));
    m_session.selection.hoverTile({ hit.i, hit.j });
}

void MemoryCanvas::leaveEvent(QEvent* /*event*/)
{
    m_session.selection.hoverTile({});
}

void MemoryCanvas::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    const double spare = std::max(0.0, paint::memoryHeight(scene()) - canvasRect().height());
    m_scroll = std::clamp(m_scroll - event->angleDelta().y() / 2.0, 0.0, spare);
    update();
    event->accept();
}

std::vector<AccessibleNode> MemoryCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!ready())
        return nodes;
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    const CtaId cta = m_session.selection.cta();
    const Position p = m_session.playback.position();
    for (const BufferState& state : buffersAt(trace, cta, p)) {
        const BufferDecl& buffer = program.buffers[state.buffer.index()];
        QString what = fromView(name(state.kind));
        if (state.i >= 0)
            what += QStringLiteral(", i %1").arg(state.i);
        if (state.j >= 0)
            what += QStringLiteral(", j %1").arg(state.j);
        nodes.push_back({ QAccessible::Cell,
            fromView(name(buffer.space)) + QLatin1Char(' ') + QString::fromStdString(buffer.name), what, {} });
    }
    for (const BarrierState& state : barriersAt(trace, cta, p)) {
        const BarrierDecl& barrier = program.barriers[state.barrier.index()];
        nodes.push_back({ QAccessible::Cell, tr("barrier ") + QString::fromStdString(barrier.name),
            tr("turn %1, %2 of %3 %4 have arrived")
                .arg(state.phase)
                .arg(state.arrived)
                .arg(state.expected)
                .arg(QString::fromStdString(barrier.unit)),
            {} });
    }
    for (const RoleState& role : rolesAt(trace, cta, p)) {
        QString what = fromView(name(role.kind));
        if (!role.waitingFor.empty())
            what += tr(" for ") + QString::fromStdString(role.waitingFor);
        nodes.push_back(
            { QAccessible::StaticText, QString::fromStdString(program.roles[role.role.index()].name), what, {} });
    }
    return nodes;
}

} // namespace flashstep::ui
