// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_painter.h"

#include "ui/paint/fonts.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/memory_traffic.h"
#include "ui/paint/pattern.h"

#include <algorithm>
#include <array>
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
    if (!trace.hasEvents(id)) // of a grid timed in two steps: known no closer than when its CTA ended
        return trace.span(trace.ctaOf(id)).end <= trace.timeAt(canvas.scene.position);
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
        monoFont(strip.rect.height() >= 8 ? 10.5 : 9.5),
        QString::fromLatin1(letter.data(), static_cast<int>(letter.size())));
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

} // namespace

QString holds(const MemoryCanvas& canvas, const BufferState& state)
{
    if (state.kind == BufferState::Kind::Empty || !state.buffer.valid())
        return QString();
    const BufferDecl& buffer = canvas.program().buffers[state.buffer.index()];
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
    if (textWidth(font, text) + 6 > rect.width() || rect.height() < 17)
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

// A lamp for each of a slot's barriers, lit while it lets pass: its phase, which is the turns it has completed, the
// parity bit that waits ask for, and how far the turn under way is.
void paintGates(const MemoryCanvas& canvas)
{
    const std::vector<BarrierState> all = barriersAt(*canvas.scene.trace, canvas.scene.cta, canvas.scene.position);
    const auto stateOf = [&](BarrierId barrier) {
        const auto found
            = std::find_if(all.begin(), all.end(), [&](const BarrierState& b) { return b.barrier == barrier; });
        return found == all.end() ? BarrierState {} : *found;
    };
    const QFont font = canvasFont(9.5);
    const double height = canvas.layout.measures.gateRow;
    // From the most words to the fewest.
    const auto textsOf = [&](BarrierId barrier, const QString& word) {
        const int turns = stateOf(barrier).phase;
        const QString phase = QString::number(turns), parity = QString::number(turns % 2);
        return std::array<QString, 4> { QStringLiteral("%1 phase %2 parity %3").arg(word, phase, parity),
            QStringLiteral("%1 %2:%3").arg(word, phase, parity), QStringLiteral("%1:%2").arg(phase, parity), phase };
    };
    const auto roomOf = [](const MemoryLayout::Gate& gate) { return gate.rect.width() - 11; };
    // As many words in every slot of a row as fit in all of them.
    std::array<std::size_t, 2> words {};
    const std::array<QString, 2> names { QStringLiteral("full"), QStringLiteral("empty") };
    for (const MemoryLayout::Gate& gate : canvas.layout.gates)
        for (std::size_t k = 0; k < 2; ++k)
            if (const BarrierId barrier = k == 0 ? gate.full : gate.empty; barrier.valid()) {
                const auto texts = textsOf(barrier, names[k]);
                while (words[k] + 1 < texts.size() && textWidth(font, texts[words[k]]) > roomOf(gate))
                    ++words[k];
            }
    for (const MemoryLayout::Gate& gate : canvas.layout.gates) {
        const bool ring = gate.empty.valid();
        const int fills = stateOf(gate.full).phase, frees = ring ? stateOf(gate.empty).phase : 0;
        const auto row = [&](int k, BarrierId barrier, bool lit) {
            const BarrierState state = stateOf(barrier);
            const QRectF line(gate.rect.left() + 2, gate.rect.top() + k * height, gate.rect.width() - 2, height);
            canvas.painter.setRenderHint(QPainter::Antialiasing, true);
            canvas.painter.setPen(QPen(canvas.theme.t2, 1));
            canvas.painter.setBrush(lit ? QBrush(canvas.theme.t2) : QBrush(canvas.theme.panel));
            canvas.painter.drawEllipse(QPointF(line.left() + 3.5, line.center().y()), 2.75, 2.75);
            QString underWay;
            if (state.arrived > 0)
                underWay = canvas.program().barriers[barrier.index()].countsBytes()
                    ? QStringLiteral(" · %1 %").arg(100LL * state.arrived / std::max(1, state.expected))
                    : QStringLiteral(" · %1/%2").arg(state.arrived).arg(state.expected);
            const auto place = static_cast<std::size_t>(k);
            const QString text = textsOf(barrier, names[place])[words[place]];
            canvas.painter.setPen(lit ? canvas.theme.text : canvas.theme.t3);
            for (const QString& shown : { text + underWay, text })
                if (textWidth(font, shown) <= roomOf(gate)) {
                    drawLine(canvas.painter, line.adjusted(9, 0, 0, 0), Qt::AlignLeft, font, shown);
                    break;
                }
        };
        row(0, gate.full, fills > frees);
        if (ring)
            row(1, gate.empty, fills <= frees);
    }
}

// What of all that was read so far L2 had, and what HBM had to give: a bar, and the bytes in its title.
void paintL2(const MemoryCanvas& canvas)
{
    const MemoryTraffic* traffic = canvas.scene.traffic;
    const QRectF& bar = canvas.layout.l2;
    const Theme& theme = canvas.theme;
    const QString title = QStringLiteral("L2 of the GPU");
    if (traffic == nullptr || !traffic->known()) {
        paintTitle(canvas, canvas.layout.l2Title, title,
            traffic == nullptr ? QStringLiteral("being counted …")
                               : QStringLiteral("not known where a part of the grid is kept"));
        canvas.painter.fillRect(bar, theme.alt);
        return;
    }
    const MemoryTraffic::Bytes bytes = traffic->at(canvas.scene.position);
    const QString words
        = QStringLiteral("%1 found there, %2 from HBM").arg(byteCount(bytes.hits()), byteCount(bytes.fromHbm));
    const QString brief = QStringLiteral("%1 here, %2 HBM").arg(byteCount(bytes.hits()), byteCount(bytes.fromHbm));
    const double room = canvas.layout.l2Title.width() - textWidth(canvasFont(11.5, QFont::DemiBold), title) - 14;
    paintTitle(canvas, canvas.layout.l2Title, title, textWidth(canvasFont(11), words) <= room ? words : brief);
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    canvas.painter.fillRect(bar, theme.alt);
    if (bytes.served > 0) {
        const double hits = std::round(bar.width() * bytes.hits() / bytes.served);
        canvas.painter.fillRect(QRectF(bar.left(), bar.top(), hits, bar.height()), theme.engine(Engine::L2));
        fillWait(canvas.painter, QRectF(bar.left() + hits, bar.top(), bar.width() - hits, bar.height()), theme);
        canvas.painter.setPen(QPen(theme.engine(Engine::Hbm), 1));
        canvas.painter.setBrush(Qt::NoBrush);
        canvas.painter.drawRect(
            QRectF(bar.left() + hits, bar.top(), bar.width() - hits, bar.height()).adjusted(0.5, 0.5, -0.5, -0.5));
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
            drawLine(canvas.painter,
                QRectF(
                    slot.rect.left(), slot.rect.bottom() + 1, slot.rect.width(), canvas.layout.measures.slotLabel - 2),
                Qt::AlignHCenter, font, label);
    }
    if (canvas.layout.freeSmem.width() > 4) {
        const QFont font = canvasFont(10);
        const double room = canvas.layout.freeSmem.width() - 8;
        const QString words = QStringLiteral("not taken by this CTA");
        box(canvas, canvas.layout.freeSmem.adjusted(1, 0, 0, 0), Qt::NoBrush, QPen(canvas.theme.line, 1));
        canvas.painter.setPen(canvas.theme.t3);
        for (const QString& text : { words, QStringLiteral("not taken"), QStringLiteral("free") })
            if (textWidth(font, text) <= room) {
                drawLine(canvas.painter, canvas.layout.freeSmem, Qt::AlignHCenter, font, text);
                break;
            }
    }
}

// The other CTA of the cluster: what its slots hold, and what the two fetch for each other.
void paintPeer(const MemoryCanvas& canvas)
{
    if (canvas.layout.peer.empty())
        return;
    const CtaId peer = canvas.program().peerOf(canvas.scene.cta);
    const int rank = canvas.scene.trace->rankOf(canvas.scene.cta);
    paintTitle(canvas, canvas.layout.peerTitle,
        QStringLiteral("DSMEM: CTA %1 on SM %2").arg(peer.index()).arg(canvas.scene.trace->span(peer).sm),
        clusterNote(canvas.program(), canvas.program().launchOf(peer), rank));
    const std::vector<BufferState> states = buffersAt(*canvas.scene.trace, peer, canvas.scene.position);
    const MemoryScene theirs { canvas.scene.trace, canvas.scene.gpu, canvas.scene.position, peer, {} };
    const MemoryCanvas other { canvas.painter, theirs, canvas.layout, states, canvas.theme };
    for (const MemoryLayout::Box& slot : canvas.layout.peer)
        paintHolding(other, slot.rect.adjusted(1, 0, -1, 0), newestIn(other, slot.buffer));
}

void paintWaits(const MemoryCanvas& canvas)
{
    QPainter& painter = canvas.painter;
    const QFont font = canvasFont(11);
    double y = canvas.layout.waits.top();
    const double height = canvas.layout.measures.wait;
    double names = 72;
    for (const RoleDecl& role : canvas.program().roles)
        names = std::max(names, 17 + textWidth(font, QString::fromStdString(role.name)) + 8);
    for (const RoleState& role : rolesAt(*canvas.scene.trace, canvas.scene.cta, canvas.scene.position)) {
        if (role.kind != RoleState::Kind::Waiting && role.kind != RoleState::Kind::Stuck)
            continue;
        const QRectF line(canvas.layout.waits.left(), y, canvas.layout.waits.width(), height);
        if (role.kind == RoleState::Kind::Stuck)
            fillFault(painter, QRectF(line.left(), std::round(line.center().y()) - 5, 10, 10), canvas.theme);
        else
            fillWait(painter, QRectF(line.left(), std::round(line.center().y()) - 5, 10, 10), canvas.theme);
        const QFont mono = monoFont(10.5);
        const QString since = grouped(role.since);
        painter.setPen(canvas.theme.text);
        drawLine(painter, line.adjusted(17, 0, 0, 0), Qt::AlignLeft, font,
            QString::fromStdString(canvas.program().roles[role.role.index()].name));
        drawLine(painter, line, Qt::AlignRight, mono, since);
        painter.setPen(canvas.theme.t2);
        const QRectF room = line.adjusted(names, 0, -textWidth(mono, since) - 8, 0);
        QString what = QString::fromStdString(role.waitingFor);
        if (textWidth(font, what) > room.width())
            what.remove(QStringLiteral(" have arrived")); // the numbers say it
        drawElided(painter, room, Qt::AlignLeft, font, what);
        y += height;
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
        paintL2(canvas);
        const QString capacity
            = scene.gpu ? QStringLiteral(" of ") + byteCount(scene.gpu->smemPerSmKib * 1024.0) : QString();
        paintTitle(canvas, layout.smemTitle, QStringLiteral("SMEM of SM %1").arg(scene.trace->span(scene.cta).sm),
            byteCount(static_cast<double>(launch.smemBytes)) + capacity
                + (layout.gates.empty() || rect.width() < 400 ? QString()
                                                              : QStringLiteral("; lamps: phase:parity of a barrier")));
        paintSlots(canvas);
        paintGates(canvas);
        paintPeer(canvas);
        if (!layout.tensor.empty())
            paintTensor(canvas);
        paintLives(canvas);
        paintRegisterFile(canvas);
        paintTitle(canvas, layout.waitTitle, QStringLiteral("Waiting now"), QStringLiteral("since cycle"));
        paintWaits(canvas);
        paintFlights(canvas);
    }
    painter.restore();
}

} // namespace flashstep::paint
