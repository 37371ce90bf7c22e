// SPDX-License-Identifier: GPL-3.0-or-later
// What tensor memory held when, around the position: S written, P over it, O taking in one block after the other.
#include "ui/paint/fonts.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double blocksShown = 3;

// Ops of a role that may touch [from, to], by when they begin, each told to `visit`.
template <typename Visit>
void forEachOp(const Trace& trace, WorkId performer, const RoleRange& role, Cycle from, Cycle to, Visit visit)
{
    if (!trace.hasEvents(performer))
        return;
    const auto begunBy = [&](Cycle cycle) { // how many of the role's ops
        const InstanceId last = trace.currentOp(performer, role, trace.positionAt(cycle));
        return last.valid() ? trace.opOf(last).index() + 1 - role.first : 0;
    };
    for (std::size_t k = begunBy(from); k < begunBy(to); ++k)
        if (const InstanceId instance = trace.instance(performer, OpId(role.first + k)); trace.began(instance))
            visit(instance, trace.program().ops[role.first + k]);
}

bool inside(const Program& program, BufferId inner, BufferId outer)
{
    const BufferDecl &own = program.buffers[inner.index()], &other = program.buffers[outer.index()];
    return inner != outer && other.column <= own.column && other.column + other.columns >= own.column + own.columns;
}

} // namespace

std::vector<TensorLife> tensorLives(const Trace& trace, CtaId cta, Cycle from, Cycle to)
{
    const Program& program = trace.program();
    std::vector<TensorLife> lives;
    const auto touch = [&](BufferId buffer, WorkId work, const Op& op, InstanceId instance, bool writes) {
        if (!buffer.valid() || program.buffers[buffer.index()].space != Space::Tmem)
            return;
        const int i = program.queryTile(program.work(work), op), j = program.keyBlock(program.work(work), op);
        auto life = std::find_if(lives.rbegin(), lives.rend(),
            [&](const TensorLife& l) { return l.buffer == buffer && l.work == work && l.i == i && l.j == j; });
        if (life == lives.rend()) {
            lives.push_back({ buffer, work, i, j, 0, 0, 0, 0 });
            life = lives.rbegin();
        }
        const Cycle begin = trace.beginCycle(instance), end = trace.endCycle(instance);
        Cycle& first = writes ? life->writeBegin : life->readBegin;
        Cycle& last = writes ? life->writeEnd : life->readEnd;
        first = last == 0 ? begin : std::min(first, begin);
        last = std::max(last, end);
    };
    const auto works = trace.worksOf(cta);
    const Cycle reach = to - from; // what began before may still be there
    const Cycle early = from > reach ? from - reach : 0;
    const auto indexAt = [&](Cycle cycle) {
        return std::find(works.begin(), works.end(), trace.workAt(cta, trace.positionAt(cycle))) - works.begin();
    };
    for (auto w = indexAt(early); w <= indexAt(to) && w < static_cast<std::ptrdiff_t>(works.size()); ++w) {
        const WorkId work = works[static_cast<std::size_t>(w)];
        const auto addOf = [&](WorkId performer, bool productsOnly) {
            for (const RoleRange& role : trace.streamOf(performer).roles)
                forEachOp(trace, performer, role, early, to, [&](InstanceId instance, const Op& op) {
                    if (op.kind == OpKind::Allocate || op.kind == OpKind::Free
                        || (productsOnly && op.kind != OpKind::Mma))
                        return;
                    touch(op.out, work, op, instance, true);
                    for (const BufferId in : op.in)
                        if (in != op.out)
                            touch(in, work, op, instance, false);
                });
        };
        addOf(work, false);
        if (const WorkId products = trace.productsOf(work); products != work)
            addOf(products, true);
    }
    std::erase_if(lives, [&](const TensorLife& l) {
        return l.writeEnd == 0 || std::max(l.writeEnd, l.readEnd) < from || l.writeBegin > to;
    });
    return lives;
}

LifeWindow lifeWindow(const MemoryScene& scene)
{
    const Trace& trace = *scene.trace;
    const WorkId work = trace.workAt(scene.cta, scene.position);
    const auto& steps = trace.streamOf(trace.productsOf(work)).steps;
    const auto own = [](const StepDecl& step) { return step.i == 0; };
    const auto count = std::count_if(steps.begin(), steps.end(), own);
    Cycle first = 0, last = 0; // the first and the last block of one query tile land
    if (count > 1) {
        const auto from = trace.block(work, 0, std::find_if(steps.begin(), steps.end(), own)->n);
        const auto to = trace.block(work, 0, std::find_if(steps.rbegin(), steps.rend(), own)->n);
        if (from && to) {
            first = trace.timeAt(*from);
            last = trace.timeAt(*to);
        }
    }
    const CtaSpan& span = trace.span(scene.cta);
    const auto spanEnd = static_cast<double>(span.end > 0 ? span.end : trace.cycles()); // 0: it never ends
    const double block = last > first ? static_cast<double>(last - first) / static_cast<double>(count - 1)
                                      : (spanEnd - span.begin) / blocksShown;
    const double length = std::max(64.0, std::round(block * blocksShown));
    const auto now = static_cast<double>(trace.timeAt(scene.position));
    // Around now, but where the CTA lives: before and after it there is nothing to see.
    const double from = std::max<double>(span.begin, std::min(now - length / 2, spanEnd - length));
    return { from, from + length };
}

void paintLives(const MemoryCanvas& canvas)
{
    if (canvas.layout.lives.empty())
        return;
    const Trace& trace = *canvas.scene.trace;
    const Program& program = canvas.program();
    const Theme& theme = canvas.theme;
    const LifeWindow window = lifeWindow(canvas.scene);
    const QRectF& any = canvas.layout.lives.front().rect;
    const auto x = [&](double cycle) {
        return std::clamp(
            any.left() + (cycle - window.from) / (window.to - window.from) * any.width(), any.left(), any.right());
    };
    const std::vector<TensorLife> lives = tensorLives(trace, canvas.scene.cta,
        static_cast<Cycle>(std::max(0.0, window.from)), static_cast<Cycle>(std::max(0.0, window.to)));
    const QFont font = canvasFont(9.5, QFont::Medium);
    for (const MemoryLayout::Box& row : canvas.layout.lives) {
        QString title = QString::fromStdString(program.buffers[row.buffer.index()].name);
        for (const MemoryLayout::Box& other : canvas.layout.tensor)
            if (inside(program, other.buffer, row.buffer))
                title += QLatin1Char(' ') + QString::fromStdString(program.buffers[other.buffer.index()].name);
        canvas.painter.setPen(theme.t2);
        drawElided(canvas.painter, QRectF(any.left() - 40, row.rect.top(), 37, row.rect.height()), Qt::AlignLeft,
            canvasFont(9.5), title);
        canvas.painter.setRenderHint(QPainter::Antialiasing, false);
        canvas.painter.fillRect(row.rect.adjusted(0, 1, 0, 0), theme.alt);
        for (const TensorLife& life : lives) {
            const bool over = inside(program, life.buffer, row.buffer);
            if (life.buffer != row.buffer && !over)
                continue;
            const TileColour& colour = theme.keyBlock(life.j);
            // What lies over half of the columns takes half of the row.
            const double top = row.rect.top() + 1 + (over ? std::floor((row.rect.height() - 1) / 2) : 0);
            const double bottom = row.rect.bottom();
            const auto bar = [&](Cycle from, Cycle to) {
                return QRectF(QPointF(std::round(x(static_cast<double>(from))), top),
                    QPointF(
                        std::max(std::round(x(static_cast<double>(from))) + 1, std::round(x(static_cast<double>(to)))),
                        bottom));
            };
            const QRectF held = bar(life.writeBegin, std::max(life.writeEnd, life.readEnd));
            canvas.painter.fillRect(held, colour.tint);
            canvas.painter.fillRect(bar(life.writeBegin, life.writeEnd), colour.fill);
            if (life.readEnd > 0)
                canvas.painter.fillRect(
                    bar(life.readBegin, life.readEnd).adjusted(0, bottom - top - 2, 0, 0), colour.edge);
            const QString label = QString::fromStdString(program.buffers[life.buffer.index()].family)
                + (life.j >= 0 ? QString::number(life.j) : QString());
            const QRectF rest = bar(life.writeEnd, std::max(life.writeEnd, life.readEnd));
            if (!over && rest.height() >= 9 && textWidth(font, label) + 4 <= rest.width()) {
                canvas.painter.setPen(theme.text);
                drawLine(canvas.painter, rest, Qt::AlignHCenter, font, label);
            }
        }
    }
    const double now = std::round(x(static_cast<double>(trace.timeAt(canvas.scene.position))));
    canvas.painter.fillRect(
        QRectF(now - 1, any.top(), 2, canvas.layout.lives.back().rect.bottom() - any.top()), theme.text);
}

} // namespace flashstep::paint
