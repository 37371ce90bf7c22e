// SPDX-License-Identifier: GPL-3.0-or-later
// Tensor memory: which columns hold what.
#include "ui/paint/fonts.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/text.h"

#include <set>

namespace flashstep::paint {

namespace {

enum class Held { NotYet, Yes, GivenBack };

// Whether the CTA has its columns: what it asked for first, and gave back last.
Held heldBy(const Trace& trace, CtaId cta, Position p)
{
    Held held = Held::NotYet;
    for (const WorkId work : trace.worksOf(cta)) {
        const Stream& stream = trace.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const OpKind kind = trace.program().ops[k].kind;
            const InstanceId instance = trace.instance(work, OpId(k));
            if ((kind != OpKind::Allocate && kind != OpKind::Free) || !trace.began(instance)
                || !trace.endedAt(instance, p))
                continue;
            held = kind == OpKind::Allocate ? Held::Yes : Held::GivenBack;
        }
    }
    return held;
}

QString lifeWords(const MemoryCanvas& canvas)
{
    const LifeWindow window = lifeWindow(canvas.scene);
    return QStringLiteral("; below, %1 cycles around now")
        .arg(grouped(static_cast<std::int64_t>(window.to - window.from)));
}

// Column numbers where regions begin.
void paintColumns(const MemoryCanvas& canvas)
{
    std::set<int> edges { 0, tensorColumns };
    for (const MemoryLayout::Box& place : canvas.layout.tensor) {
        const BufferDecl& decl = canvas.program().buffers[place.buffer.index()];
        edges.insert({ decl.column, decl.column + decl.columns });
    }
    const QRectF& first = canvas.layout.tensor.front().rect;
    const QFont font = monoFont(9.5);
    double right = first.left() - 8;
    canvas.painter.setPen(canvas.theme.t2);
    for (const int edge : edges) {
        const QString text = QString::number(edge);
        const double width = textWidth(font, text);
        const double x = canvas.layout.tensorTitle.left() + canvas.layout.tensorTitle.width() * edge / tensorColumns;
        const double left = std::clamp(x - width / 2, first.left(), canvas.layout.tensorTitle.right() - width);
        if (left < right + 5)
            continue;
        drawLine(canvas.painter, QRectF(left, first.bottom() + 1, width, 13), Qt::AlignLeft, font, text);
        right = left + width;
    }
}

} // namespace

void paintTensor(const MemoryCanvas& canvas)
{
    const Trace& trace = *canvas.scene.trace;
    const LaunchDecl& launch = canvas.program().launchOf(canvas.scene.cta);
    const Held held = heldBy(trace, canvas.scene.cta, canvas.scene.position);
    const QString columns = QStringLiteral("%1 of %2 columns").arg(launch.tmemColumns).arg(tensorColumns);
    paintTitle(canvas, canvas.layout.tensorTitle, QStringLiteral("TMEM of SM %1").arg(trace.span(canvas.scene.cta).sm),
        held == Held::NotYet          ? columns + QStringLiteral(", not there yet")
            : held == Held::GivenBack ? columns + QStringLiteral(", given back")
                                      : columns + QStringLiteral(" × %1 lanes").arg(tensorLanes)
                + (canvas.layout.lives.empty() ? QString() : lifeWords(canvas)));
    for (const MemoryLayout::Box& place : canvas.layout.tensor) {
        if (coveredInTensor(canvas.scene, place.buffer))
            continue;
        QRectF rect = place.rect; // what lies over it now takes its columns
        for (const MemoryLayout::Box& over : canvas.layout.tensor)
            if (over.buffer != place.buffer && rect.contains(over.rect) && !coveredInTensor(canvas.scene, over.buffer))
                rect.setRight(over.rect.left());
        paintHolding(
            canvas, rect.adjusted(1, 0, -1, 0), held == Held::Yes ? canvas.state(place.buffer) : BufferState {});
    }
    if (canvas.layout.tensorFree.width() > 4) {
        box(canvas, canvas.layout.tensorFree.adjusted(1, 0, 0, 0), Qt::NoBrush, QPen(canvas.theme.line, 1));
        canvas.painter.setPen(canvas.theme.t3);
        drawElided(canvas.painter, canvas.layout.tensorFree.adjusted(4, 0, -4, 0), Qt::AlignHCenter, canvasFont(10),
            QStringLiteral("not asked for"));
    }
    paintColumns(canvas);
}

} // namespace flashstep::paint
