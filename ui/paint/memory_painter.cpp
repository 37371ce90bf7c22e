// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_painter.h"

#include "ui/paint/fonts.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/pattern.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

void paintTitle(const MemoryCanvas& canvas, const QRectF& line, const QString& title, const QString& note)
{
    canvas.painter.setPen(canvas.theme.text);
    const QFont bold = canvasFont(11.5, QFont::DemiBold);
    drawLine(canvas.painter, line, Qt::AlignLeft, bold, title);
    canvas.painter.setPen(canvas.theme.t2);
    drawElided(
        canvas.painter, line.adjusted(textWidth(bold, title) + 12, 0, 0, 0), Qt::AlignRight, canvasFont(11), note);
}

QPen dashed(const QColor& colour, double on, double off)
{
    QPen pen(colour, 1, Qt::CustomDashLine, Qt::FlatCap);
    pen.setDashPattern({ on, off });
    return pen;
}

void box(const MemoryCanvas& canvas, const QRectF& rect, const QBrush& fill, const QPen& pen)
{
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    canvas.painter.setBrush(fill);
    canvas.painter.setPen(pen);
    const double half = pen.style() == Qt::NoPen ? 0 : pen.widthF() / 2;
    canvas.painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), 2, 2);
}

namespace {

// True once every store of the tile's rows has ended.
bool stored(const MemoryCanvas& canvas, TensorId tensor, int i)
{
    const Trace& trace = *canvas.scene.trace;
    const Work& shown = canvas.work();
    const WorkId id = trace.workOfTile(shown.b, shown.h, i);
    if (!trace.ctaOf(id).valid())
        return false;
    for (const RoleRange& role : trace.streamOf(id).roles)
        for (std::uint32_t k = role.first + role.count; k-- > role.first;) {
            const Op& op = canvas.program().ops[k];
            if (op.kind == OpKind::Store && op.tensor == tensor) {
                const InstanceId instance = trace.instance(id, OpId(k));
                if (!trace.began(instance) || !trace.endedAt(instance, canvas.scene.position))
                    return false;
                break;
            }
        }
    return true;
}

// S and P of the chosen CTA's rows: stored block by block, by whichever works do it.
bool storedBlock(const MemoryCanvas& canvas, TensorId tensor, int j)
{
    constexpr std::size_t manyWorks = 4096; // beyond, looking through all of them is too slow to draw
    const Trace& trace = *canvas.scene.trace;
    const Program& program = canvas.program();
    if (program.works.size() > manyWorks)
        return false;
    const Work& shown = canvas.work();
    bool any = false;
    for (std::size_t k = 0; k < program.works.size(); ++k) {
        const Work& work = program.works[k];
        if (work.b != shown.b || work.h != shown.h || work.i != shown.i)
            continue;
        for (const RoleRange& role : trace.streamOf(WorkId(k)).roles)
            for (std::uint32_t o = role.first; o < role.first + role.count; ++o) {
                const Op& op = program.ops[o];
                if (op.kind != OpKind::Store || op.tensor != tensor || program.keyBlock(work, op) != j)
                    continue;
                if (!trace.endedAt(trace.instance(WorkId(k), OpId(o)), canvas.scene.position))
                    return false;
                any = true;
            }
    }
    return any;
}

void paintStrip(const MemoryCanvas& canvas, const MemoryLayout::Strip& strip)
{
    const std::string_view letter = name(strip.tensor);
    canvas.painter.setPen(canvas.theme.t2);
    drawLine(canvas.painter, QRectF(strip.rect.left() - 18, strip.rect.top(), 18, strip.rect.height()), Qt::AlignLeft,
        monoFont(10.5), QString::fromLatin1(letter.data(), static_cast<int>(letter.size())));
    const bool byKey = strip.tensor != TensorId::Q && strip.tensor != TensorId::O;
    const int step = std::max(1, strip.tiles / std::max(1, static_cast<int>(strip.rect.width() / 3)));
    for (int k = 0; k < strip.tiles; k += step) {
        QRectF rect = MemoryLayout::tileRect(strip, k);
        rect.setWidth(rect.width() * step);
        const TileColour& colour = canvas.theme.keyBlock(byKey ? k : -1);
        const bool between = strip.tensor == TensorId::S || strip.tensor == TensorId::P;
        const bool here = between ? storedBlock(canvas, strip.tensor, k)
                                  : strip.tensor != TensorId::O || stored(canvas, TensorId::O, k);
        if (here)
            box(canvas, rect, byKey ? colour.fill : canvas.theme.neutral.tint,
                colour.edge == colour.fill || !byKey ? QPen(Qt::NoPen) : QPen(colour.edge, 1));
        else
            box(canvas, rect, Qt::NoBrush,
                rect.width() > 8 ? dashed(canvas.theme.mid, 2, 2) : QPen(canvas.theme.line, 1));
        const Highlight& mark = canvas.scene.highlight;
        if ((byKey && k == mark.hoverJ) || (!byKey && k == mark.hoverI))
            box(canvas, rect.adjusted(-1, -1, 1, 1), Qt::NoBrush, QPen(canvas.theme.text, 2));
    }
}

// "K5", "Q6", "S 6,5": what the buffer holds.
QString holds(const MemoryCanvas& canvas, const BufferState& state)
{
    const BufferDecl& buffer = canvas.program().buffers[state.buffer.index()];
    if (state.kind == BufferState::Kind::Empty || !state.buffer.valid())
        return QString();
    const QString letter = QString::fromStdString(buffer.family); // a slot's number would read as a block's
    switch (buffer.tile) {
    case BufferDecl::Tile::Query:
        return state.i >= 0 ? letter + QString::number(state.i) : letter;
    case BufferDecl::Tile::Key:
        return state.j >= 0 ? letter + QString::number(state.j) : letter;
    case BufferDecl::Tile::Pair:
        break;
    }
    return state.j >= 0 ? QStringLiteral("%1 %2,%3").arg(letter).arg(state.i).arg(state.j) : letter;
}

} // namespace

void paintHolding(const MemoryCanvas& canvas, const QRectF& rect, const BufferState& state)
{
    const Theme& theme = canvas.theme;
    const TileColour& colour = theme.keyBlock(state.j);
    switch (state.kind) {
    case BufferState::Kind::Empty:
        box(canvas, rect, theme.panel, QPen(theme.line, 1));
        break;
    case BufferState::Kind::Loading: {
        QRectF arrived = rect.adjusted(1, 1, -1, -1);
        arrived.setTop(arrived.bottom() - arrived.height() * std::clamp(state.fraction, 0.0, 1.0));
        canvas.painter.fillRect(arrived, colour.tint);
        box(canvas, rect, Qt::NoBrush, dashed(colour.edge, 4, 3));
        break;
    }
    case BufferState::Kind::Valid:
        box(canvas, rect, colour.tint, QPen(colour.edge, 2));
        break;
    case BufferState::Kind::Writing:
        box(canvas, rect, colour.fill, QPen(theme.text, 2));
        break;
    }
    const QString text = holds(canvas, state);
    QFont font = canvasFont(11.5, QFont::DemiBold);
    if (textWidth(font, text) + 6 > rect.width())
        font = canvasFont(9.5, QFont::DemiBold);
    if (textWidth(font, text) + 3 > rect.width())
        return;
    canvas.painter.setPen(state.kind == BufferState::Kind::Writing ? colour.ink : theme.text);
    drawLine(canvas.painter, rect, Qt::AlignHCenter, font, text);
}

namespace {

// What lies in a slot: of all buffers with memory in common the one written last (O on its way out lies where Q was).
BufferState newestIn(const MemoryCanvas& canvas, BufferId slot)
{
    const Program& program = canvas.program();
    const auto end = [](const BufferDecl& b) { return b.regionByte + b.rows * b.rowBytes(); };
    const BufferDecl& host = program.buffers[slot.index()];
    std::vector<BufferState> candidates;
    for (std::size_t k = 0; k < program.buffers.size(); ++k) {
        const BufferDecl& other = program.buffers[k];
        const bool shares = BufferId(k) == slot
            || (other.launch == host.launch && other.space == Space::Smem && other.region == host.region
                && other.regionByte < end(host) && host.regionByte < end(other));
        if (shares && canvas.state(BufferId(k)).kind != BufferState::Kind::Empty)
            candidates.push_back(canvas.state(BufferId(k)));
    }
    if (candidates.empty())
        return canvas.state(slot);
    if (candidates.size() == 1)
        return candidates.front();
    return *std::max_element(candidates.begin(), candidates.end(), [&](const BufferState& a, const BufferState& b) {
        const auto written = [&](const BufferState& state) {
            return lastWrite(*canvas.scene.trace, canvas.scene.cta, state.buffer, canvas.scene.position);
        };
        return written(a) < written(b);
    });
}

// A lamp for each of a slot's barriers, lit while it lets pass: completed turns, and how far the turn under way is.
void paintGates(const MemoryCanvas& canvas)
{
    const std::vector<BarrierState> all = barriersAt(*canvas.scene.trace, canvas.scene.cta, canvas.scene.position);
    const auto stateOf = [&](BarrierId barrier) {
        const auto found
            = std::find_if(all.begin(), all.end(), [&](const BarrierState& b) { return b.barrier == barrier; });
        return found == all.end() ? BarrierState {} : *found;
    };
    const QFont font = canvasFont(9.5);
    for (const MemoryLayout::Gate& gate : canvas.layout.gates) {
        const bool ring = gate.empty.valid();
        const int fills = stateOf(gate.full).phase, frees = ring ? stateOf(gate.empty).phase : 0;
        const auto row = [&](int k, BarrierId barrier, const QString& word, bool lit) {
            const BarrierState state = stateOf(barrier);
            const QRectF line(gate.rect.left() + 2, gate.rect.top() + k * MemoryLayout::gateRow, gate.rect.width() - 2,
                MemoryLayout::gateRow);
            canvas.painter.setRenderHint(QPainter::Antialiasing, true);
            canvas.painter.setPen(QPen(canvas.theme.t2, 1));
            canvas.painter.setBrush(lit ? QBrush(canvas.theme.t2) : QBrush(canvas.theme.panel));
            canvas.painter.drawEllipse(QPointF(line.left() + 3.5, line.center().y()), 2.75, 2.75);
            const QString turns = QString::number(state.phase);
            QString underWay;
            if (state.arrived > 0)
                underWay = canvas.program().barriers[barrier.index()].countsBytes()
                    ? QStringLiteral(" · %1 %").arg(100LL * state.arrived / std::max(1, state.expected))
                    : QStringLiteral(" · %1/%2").arg(state.arrived).arg(state.expected);
            const double room = line.width() - 9;
            QString text = word + QLatin1Char(' ') + turns + underWay;
            if (textWidth(font, text) > room)
                text = word + QLatin1Char(' ') + turns;
            if (textWidth(font, text) > room)
                text = turns;
            if (textWidth(font, text) > room)
                return;
            canvas.painter.setPen(lit ? canvas.theme.text : canvas.theme.t3);
            drawLine(canvas.painter, line.adjusted(9, 0, 0, 0), Qt::AlignLeft, font, text);
        };
        row(0, gate.full, QStringLiteral("full"), fills > frees);
        if (ring)
            row(1, gate.empty, QStringLiteral("empty"), fills <= frees);
    }
}

// Each role with the registers it has and the key block it is at.
void paintRoles(const MemoryCanvas& canvas)
{
    const Trace& trace = *canvas.scene.trace;
    const Program& program = canvas.program();
    for (const MemoryLayout::RoleBox& place : canvas.layout.roles) {
        const InstanceId current = trace.currentOp(canvas.scene.cta, place.place, canvas.scene.position);
        int j = -1;
        if (current.valid()) {
            const WorkId work = trace.workOf(current);
            const RoleRange& range = trace.streamOf(work).roles[place.place];
            for (std::size_t k = trace.opOf(current).index() + 1; k-- > range.first && j < 0;)
                j = program.keyBlock(program.work(work), program.ops[k]);
        }
        const TileColour& colour = canvas.theme.keyBlock(j);
        const QRectF rect = place.rect.adjusted(1, 0, -1, 0);
        box(canvas, rect, j < 0 ? QBrush(canvas.theme.panel) : QBrush(colour.tint),
            QPen(j < 0 ? canvas.theme.line : colour.edge, 1));
        const RoleDecl& role = program.roles[place.role.index()];
        const QRectF words = rect.adjusted(3, 0, -3, 0);
        const QString title = QString::fromStdString(role.name);
        canvas.painter.setPen(canvas.theme.text);
        drawElided(canvas.painter, QRectF(words.left(), words.top() + 2, words.width(), 13), Qt::AlignHCenter,
            canvasFont(
                textWidth(canvasFont(10.5, QFont::DemiBold), title) <= words.width() ? 10.5 : 9, QFont::DemiBold),
            title);
        canvas.painter.setPen(canvas.theme.t2);
        const QFont font = canvasFont(10);
        const QString registers = role.registers > 0 ? QString::number(role.registers) : QString();
        QString text = j < 0 ? registers : QStringLiteral("%1 · K%2").arg(registers).arg(j);
        if (role.warps > 1 && textWidth(font, text + QStringLiteral(" a thread")) <= words.width())
            text.replace(registers, registers + QStringLiteral(" a thread"));
        if (textWidth(font, text) > words.width())
            text = registers; // the colour still says which block
        drawElided(
            canvas.painter, QRectF(words.left(), words.top() + 15, words.width(), 13), Qt::AlignHCenter, font, text);
    }
}

void paintSlots(const MemoryCanvas& canvas)
{
    for (const MemoryLayout::Box& slot : canvas.layout.shared) {
        const BufferDecl& decl = canvas.program().buffers[slot.buffer.index()];
        paintHolding(canvas, slot.rect.adjusted(1, 0, -1, 0), newestIn(canvas, slot.buffer));
        const QString label = byteCount(static_cast<double>(decl.costedBytes));
        canvas.painter.setPen(canvas.theme.t2);
        const QFont font = canvasFont(10);
        if (textWidth(font, label) <= slot.rect.width())
            drawLine(canvas.painter, QRectF(slot.rect.left(), slot.rect.bottom() + 1, slot.rect.width(), 14),
                Qt::AlignHCenter, font, label);
    }
    if (canvas.layout.freeSmem.width() > 4) {
        box(canvas, canvas.layout.freeSmem.adjusted(1, 0, 0, 0), Qt::NoBrush, QPen(canvas.theme.line, 1));
        canvas.painter.setPen(canvas.theme.t3);
        drawElided(canvas.painter, canvas.layout.freeSmem.adjusted(4, 0, -4, 0), Qt::AlignHCenter, canvasFont(10),
            QStringLiteral("not taken by this CTA"));
    }
}

void paintRegisters(const MemoryCanvas& canvas)
{
    for (const MemoryLayout::Box& place : canvas.layout.registers) {
        const BufferDecl& decl = canvas.program().buffers[place.buffer.index()];
        const QRectF rect = place.rect.adjusted(0.5, 0, -0.5, 0);
        if (rect.width() < 1)
            continue;
        if (rect.width() < 5) {
            canvas.painter.fillRect(rect, canvas.theme.neutral.tint);
            continue;
        }
        paintHolding(canvas, rect, canvas.state(place.buffer));
        const QString label = QStringLiteral("%1 × %2").arg(decl.rows).arg(decl.cols);
        const QFont font = monoFont(10);
        canvas.painter.setPen(canvas.theme.t2);
        if (canvas.layout.tensor.empty() && textWidth(font, label) <= rect.width())
            drawLine(canvas.painter, QRectF(rect.left(), rect.bottom() + 1, rect.width(), 14), Qt::AlignHCenter, font,
                label);
    }
}

void paintWaits(const MemoryCanvas& canvas)
{
    QPainter& painter = canvas.painter;
    const QFont font = canvasFont(11);
    double y = canvas.layout.waits.top();
    double names = 72;
    for (const RoleDecl& role : canvas.program().roles)
        names = std::max(names, 17 + textWidth(font, QString::fromStdString(role.name)) + 8);
    for (const RoleState& role : rolesAt(*canvas.scene.trace, canvas.scene.cta, canvas.scene.position)) {
        if (role.kind != RoleState::Kind::Waiting && role.kind != RoleState::Kind::Stuck)
            continue;
        const QRectF line(canvas.layout.waits.left(), y, canvas.layout.waits.width(), 15);
        if (role.kind == RoleState::Kind::Stuck)
            fillFault(painter, QRectF(line.left(), line.top() + 3, 10, 10), canvas.theme);
        else
            fillWait(painter, QRectF(line.left(), line.top() + 3, 10, 10), canvas.theme);
        const QFont mono = monoFont(10.5);
        const QString since = grouped(role.since);
        painter.setPen(canvas.theme.text);
        drawLine(painter, line.adjusted(17, 0, 0, 0), Qt::AlignLeft, font,
            QString::fromStdString(canvas.program().roles[role.role.index()].name));
        drawLine(painter, line, Qt::AlignRight, mono, since);
        painter.setPen(canvas.theme.t2);
        drawElided(painter, line.adjusted(names, 0, -textWidth(mono, since) - 8, 0), Qt::AlignLeft, font,
            QString::fromStdString(role.waitingFor).replace(QLatin1Char('_'), QLatin1Char(' ')));
        y += 15;
    }
    if (y == canvas.layout.waits.top()) {
        painter.setPen(canvas.theme.t3);
        drawLine(painter, QRectF(canvas.layout.waits.left(), y, canvas.layout.waits.width(), 15), Qt::AlignLeft, font,
            QStringLiteral("nothing waits"));
    }
}

} // namespace

void paintMemory(QPainter& painter, const QRectF& rect, const MemoryScene& scene, const Theme& theme)
{
    painter.save();
    painter.setClipRect(rect, Qt::IntersectClip);
    painter.fillRect(rect, theme.panel);
    if (scene.trace && scene.cta.valid()) {
        const MemoryLayout layout = layoutMemory(rect, scene);
        const std::vector<BufferState> buffers = buffersAt(*scene.trace, scene.cta, scene.position);
        const MemoryCanvas canvas { painter, scene, layout, buffers, theme };
        const LaunchDecl& launch = canvas.program().launchOf(scene.cta);
        const double read = scene.trace->counter(Counter::GlobalRead, scene.position);
        paintTitle(canvas, layout.hbmTitle, QStringLiteral("HBM"),
            QStringLiteral("%1 read so far by all CTAs").arg(byteCount(read)));
        for (const MemoryLayout::Strip& strip : layout.strips)
            paintStrip(canvas, strip);
        const QString capacity
            = scene.gpu ? QStringLiteral(" of ") + byteCount(scene.gpu->smemPerSmKib * 1024.0) : QString();
        paintTitle(canvas, layout.smemTitle, QStringLiteral("SMEM of SM %1").arg(scene.trace->span(scene.cta).sm),
            byteCount(static_cast<double>(launch.smemBytes)) + capacity);
        paintSlots(canvas);
        paintGates(canvas);
        if (!layout.tensor.empty())
            paintTensor(canvas);
        paintTitle(canvas, layout.registerTitle, QStringLiteral("Registers of CTA %1").arg(scene.cta.index()),
            QStringLiteral("%1 threads, up to %2 each").arg(launch.threads).arg(launch.registersPerThread));
        paintRegisters(canvas);
        paintRoles(canvas);
        paintTitle(canvas, layout.waitTitle, QStringLiteral("Waiting now"), QStringLiteral("since cycle"));
        paintWaits(canvas);
    }
    painter.restore();
}

} // namespace flashstep::paint
