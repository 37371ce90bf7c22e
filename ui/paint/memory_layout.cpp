// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_layout.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flashstep::paint {

namespace {

constexpr double inset = 12;
constexpr double letterWidth = 18;
constexpr double smallestSlot = 3, narrowestGate = 11;
constexpr double roleGap = 4,
                 evenShare = 0.8; // of the width goes to all roles alike, so that their names fit
constexpr double besides = 560; // from this width on what waits stands beside the registers
constexpr double lifeLetters = 40, mostLife = 15;

constexpr MemoryMeasures levels[] {
    {},
    { .title = 21,
        .gap = 7,
        .strip = 14,
        .l2 = 9,
        .slot = 36,
        .slotLabel = 14,
        .peer = 18,
        .tensor = 32,
        .life = 11,
        .registers = 22,
        .registerLabel = 14 },
    { .title = 20,
        .gap = 5,
        .strip = 13,
        .l2 = 8,
        .slot = 34,
        .slotLabel = 13,
        .peer = 16,
        .tensor = 30,
        .tensorLabel = 13,
        .life = 9,
        .bar = 8,
        .registers = 20,
        .registerLabel = 0,
        .role = 28 },
    { .title = 19,
        .gap = 4,
        .strip = 12,
        .l2 = 8,
        .slot = 30,
        .slotLabel = 12,
        .peer = 15,
        .tensor = 26,
        .tensorLabel = 13,
        .life = 8,
        .bar = 8,
        .registers = 16,
        .registerLabel = 0,
        .role = 26,
        .wait = 14 },
    { .title = 18,
        .gap = 3,
        .strip = 11,
        .l2 = 7,
        .slot = 28,
        .slotLabel = 11,
        .gateRow = 11,
        .peer = 0,
        .tensor = 26,
        .tensorLabel = 12,
        .life = 8,
        .bar = 7,
        .registers = 16,
        .registerLabel = 0,
        .role = 26,
        .wait = 13.5 },
    { .title = 17,
        .gap = 2,
        .strip = 10,
        .l2 = 6,
        .slot = 26,
        .slotLabel = 11,
        .gateRow = 11,
        .peer = 0,
        .tensor = 24,
        .tensorLabel = 12,
        .life = 8,
        .bar = 6,
        .registers = 14,
        .registerLabel = 0,
        .role = 26,
        .wait = 12 },
    { .title = 18,
        .gap = 3,
        .strip = 11,
        .l2 = 7,
        .slot = 28,
        .slotLabel = 11,
        .gateRow = 11,
        .peer = 0,
        .tensor = 26,
        .tensorLabel = 12,
        .life = 0,
        .bar = 7,
        .registers = 16,
        .registerLabel = 0,
        .role = 26,
        .wait = 13.5 },
    { .title = 17,
        .gap = 2,
        .strip = 10,
        .l2 = 6,
        .slot = 24,
        .slotLabel = 11,
        .gateRow = 11,
        .peer = 0,
        .tensor = 22,
        .tensorLabel = 12,
        .life = 0,
        .bar = 6,
        .registers = 0,
        .registerLabel = 0,
        .role = 26,
        .wait = 13 },
};

Bytes registerBytes(const BufferDecl& buffer, const Program& program)
{
    // Registers are not budgeted by buffer: the tile's own size, scaled to the costed tile where that differs.
    const bool query = buffer.tile != BufferDecl::Tile::Key, wide = buffer.tile == BufferDecl::Tile::Pair;
    const Bytes rows = query && program.tile.rows > 0
        ? Bytes { buffer.rows } * program.costTile.rows / program.tile.rows
        : buffer.rows;
    const Bytes cols = wide && program.tile.keys > 0 ? Bytes { buffer.cols } * program.costTile.keys / program.tile.keys
                                                     : buffer.cols;
    return rows * cols * 4;
}

// Whether S goes to HBM. The streams of a launch store the same tensors, and all of them together are many ops.
bool storesScores(const Program& program)
{
    return std::any_of(program.launches.begin(), program.launches.end(), [&](const LaunchDecl& launch) {
        if (launch.workCount == 0)
            return false;
        const Stream& last = program.streams[program.works[launch.firstWork + launch.workCount - 1].stream.index()];
        const auto first = program.ops.begin() + last.firstOp;
        return std::any_of(first, first + last.opCount,
            [](const Op& op) { return op.kind == OpKind::Store && op.tensor == TensorId::S; });
    });
}

void layStrips(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double& y)
{
    const Program& program = scene.trace->program();
    const bool scores = storesScores(program);
    std::vector<TensorId> tensors { TensorId::K, TensorId::V, TensorId::Q, TensorId::O };
    if (scores)
        tensors.insert(tensors.end(), { TensorId::S, TensorId::P });
    const double step = layout.measures.strip;
    for (const TensorId tensor : tensors) {
        const bool byKey
            = tensor == TensorId::K || tensor == TensorId::V || tensor == TensorId::S || tensor == TensorId::P;
        layout.strips.push_back({ tensor, { left + letterWidth, y, width - letterWidth, step - (step >= 12 ? 4 : 3) },
            byKey ? program.keyBlocks() : program.queryTiles() });
        y += step;
    }
}

void laySlots(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double y)
{
    const double slotHeight = layout.measures.slot;
    const Program& program = scene.trace->program();
    const LaunchDecl& launch = program.launchOf(scene.cta);
    const auto index = static_cast<std::size_t>(&launch - program.launches.data());
    const double capacity = scene.gpu ? scene.gpu->smemPerSmKib * 1024.0 : static_cast<double>(launch.smemBytes);
    double x = left;
    const auto shareOf = [&](const BufferDecl& buffer) {
        return capacity > 0 ? static_cast<double>(buffer.costedBytes) / capacity * width : 0;
    };
    const auto counts = [&](const BufferDecl& buffer) {
        return buffer.space == Space::Smem && buffer.launch == index && !buffer.aliases.valid();
    };
    // What is too small to be seen is drawn larger, and the rest so much smaller.
    double least = 0, rest = 0;
    for (const BufferDecl& buffer : program.buffers)
        if (counts(buffer))
            (shareOf(buffer) < smallestSlot ? least : rest) += std::max(smallestSlot, shareOf(buffer));
    const double scale = rest > 0 ? std::min(1.0, (width - least) / rest) : 1;
    for (std::size_t k = 0; k < program.buffers.size(); ++k) {
        const BufferDecl& buffer = program.buffers[k];
        if (!counts(buffer))
            continue;
        const double own = shareOf(buffer);
        layout.shared.push_back({ BufferId(k), { x, y, own < smallestSlot ? smallestSlot : own * scale, slotHeight } });
        x += layout.shared.back().rect.width();
    }
    layout.freeSmem = { x, y, std::max(0.0, left + width - x), slotHeight };
}

// To scale: all columns of the SM across, all lanes down.
void layTensor(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double y)
{
    const double tensorHeight = layout.measures.tensor;
    const Program& program = scene.trace->program();
    const LaunchDecl& launch = program.launchOf(scene.cta);
    const auto index = static_cast<std::size_t>(&launch - program.launches.data());
    const double column = width / tensorColumns;
    std::vector<MemoryLayout::Box> over;
    for (std::size_t k = 0; k < program.buffers.size(); ++k) {
        const BufferDecl& buffer = program.buffers[k];
        if (buffer.space != Space::Tmem || buffer.launch != index)
            continue;
        const MemoryLayout::Box box { BufferId(k),
            { left + buffer.column * column, y, buffer.columns * column, tensorHeight } };
        const bool inside = std::any_of(program.buffers.begin(), program.buffers.end(), [&](const BufferDecl& other) {
            return other.space == Space::Tmem && other.launch == index && &other != &buffer
                && other.column <= buffer.column && other.column + other.columns >= buffer.column + buffer.columns;
        });
        (inside ? over : layout.tensor).push_back(box);
    }
    layout.tensor.insert(layout.tensor.end(), over.begin(), over.end());
    const double taken = launch.tmemColumns * column;
    layout.tensorFree = { left + taken, y, std::max(0.0, width - taken), tensorHeight };
}

// A row for each stretch of columns: what lies inside another's columns shares its row.
void layLives(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double& y)
{
    const Program& program = scene.trace->program();
    std::vector<BufferId> outer;
    for (const MemoryLayout::Box& box : layout.tensor) {
        const BufferDecl& own = program.buffers[box.buffer.index()];
        const bool inside = std::any_of(outer.begin(), outer.end(), [&](BufferId other) {
            const BufferDecl& decl = program.buffers[other.index()];
            return decl.column <= own.column && decl.column + decl.columns >= own.column + own.columns;
        });
        if (!inside)
            outer.push_back(box.buffer);
    }
    std::stable_sort(outer.begin(), outer.end(),
        [&](BufferId a, BufferId b) { return program.buffers[a.index()].column < program.buffers[b.index()].column; });
    for (const BufferId buffer : outer) {
        layout.lives.push_back({ buffer, { left + lifeLetters, y, width - lifeLetters, layout.measures.life } });
        y += layout.measures.life;
    }
}

void layRegisters(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double y)
{
    const Program& program = scene.trace->program();
    const auto launch = static_cast<std::size_t>(&program.launchOf(scene.cta) - program.launches.data());
    double total = 0;
    const auto held = [&](const BufferDecl& b) { return b.space == Space::Registers && b.launch == launch; };
    for (const BufferDecl& buffer : program.buffers)
        if (held(buffer))
            total += static_cast<double>(registerBytes(buffer, program));
    double x = left;
    const double registerHeight = layout.measures.registers;
    for (std::size_t k = 0; k < program.buffers.size() && registerHeight > 0; ++k)
        if (held(program.buffers[k]) && total > 0) {
            const double share = static_cast<double>(registerBytes(program.buffers[k], program)) / total;
            layout.registers.push_back({ BufferId(k), { x, y, share * width, registerHeight } });
            x += share * width;
        }
}

// A slot is guarded by the barrier on which its loads arrive, and by the one of the same ring that frees it.
void layGates(MemoryLayout& layout, const MemoryScene& scene)
{
    const Program& program = scene.trace->program();
    const Stream& stream = scene.trace->streamOf(scene.trace->workAt(scene.cta, scene.position));
    const auto first = program.ops.begin() + stream.firstOp, last = first + stream.opCount;
    if (std::all_of(program.barriers.begin(), program.barriers.end(), [](const BarrierDecl& b) { return b.named; }))
        return;
    for (const MemoryLayout::Box& slot : layout.shared) {
        const auto load = std::find_if(first, last, [&](const Op& op) {
            return op.kind == OpKind::Load && op.barrier.valid()
                && (op.out == slot.buffer || program.buffers[op.out.index()].aliases == slot.buffer);
        });
        if (load == last || slot.rect.width() < narrowestGate)
            continue;
        MemoryLayout::Gate gate { slot.buffer, load->barrier, BarrierId::none(),
            { slot.rect.left(), slot.rect.bottom() + layout.measures.slotLabel, slot.rect.width(),
                2 * layout.measures.gateRow } };
        std::string other = program.barriers[load->barrier.index()].name;
        if (const std::size_t at = other.find("full"); at != std::string::npos) {
            other.replace(at, 4, "empty");
            for (std::size_t b = 0; b < program.barriers.size(); ++b)
                if (program.barriers[b].name == other
                    && program.barriers[b].launch == program.barriers[load->barrier.index()].launch)
                    gate.empty = BarrierId(b);
        }
        layout.gates.push_back(gate);
    }
}

// Boxes as wide as the registers that a role has, where some have given theirs to others.
void layRoles(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double y)
{
    const Program& program = scene.trace->program();
    const auto& roles = scene.trace->streamOf(scene.trace->workAt(scene.cta, scene.position)).roles;
    const auto declOf = [&](std::size_t k) -> const RoleDecl& { return program.roles[roles[k].role.index()]; };
    double total = 0;
    bool moved = false;
    for (std::size_t k = 0; k < roles.size(); ++k) {
        total += declOf(k).warps * declOf(k).registers;
        moved = moved || declOf(k).registers > 0;
    }
    if (!moved)
        return;
    // So that each has room for its name; where all names together have none, all alike.
    std::vector<double> least;
    double names = 0;
    for (std::size_t k = 0; k < roles.size(); ++k) {
        least.push_back(textWidth(canvasFont(10.5, QFont::DemiBold), QString::fromStdString(declOf(k).name)) + 10);
        names += least.back();
    }
    for (double& each : least)
        each = std::max(evenShare * width / static_cast<double>(roles.size()) * (names > 0.9 * width ? 0 : 1), each);
    const double needed = std::accumulate(least.begin(), least.end(), 0.0);
    const double shrink = std::min(1.0, width / needed), spare = width - needed * shrink;
    double x = left;
    for (std::size_t k = 0; k < roles.size(); ++k) {
        const double share = least[k] * shrink + spare * declOf(k).warps * declOf(k).registers / total;
        layout.roles.push_back({ k, roles[k].role, { x, y, share, layout.measures.role } });
        x += share;
    }
}

} // namespace

QRectF MemoryLayout::tileRect(const Strip& strip, int k)
{
    const double width = strip.rect.width() / std::max(1, strip.tiles);
    const double gap = width >= 6 ? 1 : 0;
    return { strip.rect.left() + k * width + gap, strip.rect.top(), width - 2 * gap, strip.rect.height() };
}

namespace {

MemoryLayout layWith(const MemoryMeasures& measures, const QRectF& rect, const MemoryScene& scene)
{
    MemoryLayout layout;
    layout.measures = measures;
    const Program& program = scene.trace->program();
    const double left = rect.left() + inset, width = std::max(40.0, rect.width() - 2 * inset);
    double y = rect.top() + (measures.gap > 4 ? 6 : 2);
    const auto title = [&](double x, double length) {
        const QRectF line(x, y, length, measures.title - 2);
        y += measures.title;
        return line;
    };
    layout.hbmTitle = title(left, width);
    layStrips(layout, scene, left, width, y);
    y += measures.gap - 2;
    layout.l2Title = title(left, width);
    layout.l2 = { left, y, width, measures.l2 - 2 };
    y += measures.l2 + measures.gap;
    layout.smemTitle = title(left, width);
    laySlots(layout, scene, left, width, y);
    layGates(layout, scene);
    y += measures.slot + measures.slotLabel + (layout.gates.empty() ? 0 : 2 * measures.gateRow + 2);
    if (measures.peer > 0 && program.peerOf(scene.cta) != scene.cta) {
        layout.peerTitle = title(left, width);
        for (const MemoryLayout::Box& slot : layout.shared)
            layout.peer.push_back({ slot.buffer, { slot.rect.left(), y, slot.rect.width(), measures.peer } });
        y += measures.peer + 4;
    }
    y += measures.gap;
    if (program.launchOf(scene.cta).tmemColumns > 0) {
        layout.tensorTitle = title(left, width);
        layTensor(layout, scene, left, width, y);
        y += measures.tensor + measures.tensorLabel + (measures.life > 0 ? 3 : 0);
        if (measures.life > 0)
            layLives(layout, scene, left, width, y);
        y += measures.gap;
    }
    const bool side = rect.width() >= besides;
    const double registersWidth = side ? std::floor(width * 0.54) : width;
    const double top = y;
    layout.registerTitle = title(left, registersWidth);
    layout.registerFile = { left, y, registersWidth, measures.bar };
    y += measures.bar + 3;
    layRoles(layout, scene, left, registersWidth, y);
    y += layout.roles.empty() ? 0 : measures.role + roleGap;
    layRegisters(layout, scene, left, registersWidth, y);
    y += measures.registers + measures.registerLabel;
    const double bottom = y;
    const double waitsLeft = side ? left + registersWidth + 20 : left;
    y = side ? top : y + measures.gap;
    layout.waitTitle = title(waitsLeft, left + width - waitsLeft);
    const std::size_t roles = scene.trace->streamOf(scene.trace->workAt(scene.cta, scene.position)).roles.size();
    layout.waits = { waitsLeft, y, left + width - waitsLeft,
        measures.wait * static_cast<double>(std::max<std::size_t>(1, roles)) };
    layout.height = std::max(side ? bottom : 0, layout.waits.bottom()) + (measures.gap > 4 ? 6 : 2) - rect.top();
    return layout;
}

} // namespace

// The roomiest that fits; where even the tightest does not, that one, and the view scrolls.
MemoryLayout layoutMemory(const QRectF& rect, const MemoryScene& scene)
{
    if (!scene.trace || !scene.cta.valid())
        return {};
    MemoryLayout layout;
    for (const MemoryMeasures& measures : levels) {
        layout = layWith(measures, rect, scene);
        if (layout.height <= rect.height())
            break;
    }
    // What is left over goes to the rows of time, which have most to say.
    const double spare = rect.height() - layout.height;
    if (spare >= static_cast<double>(layout.lives.size()) && !layout.lives.empty() && layout.measures.life < mostLife) {
        MemoryMeasures measures = layout.measures;
        measures.life
            = std::min(mostLife, measures.life + std::floor(spare / static_cast<double>(layout.lives.size())));
        layout = layWith(measures, rect, scene);
    }
    return layout;
}

double memoryHeight(const MemoryScene& scene, QSizeF room)
{
    return layoutMemory({ QPointF(), room }, scene).height;
}

double memoryHeight(const MemoryScene& scene)
{
    return scene.trace && scene.cta.valid() ? layWith(levels[0], { 0, 0, 300, 100 }, scene).height : 0;
}

MemoryHit hitTestMemory(const QRectF& rect, const MemoryScene& scene, QPointF point)
{
    const MemoryLayout layout = layoutMemory(rect, scene);
    MemoryHit hit;
    for (const MemoryLayout::Strip& strip : layout.strips)
        if (strip.rect.contains(point)) {
            const int k
                = std::clamp(static_cast<int>((point.x() - strip.rect.left()) / strip.rect.width() * strip.tiles), 0,
                    strip.tiles - 1);
            hit.tensor = strip.tensor;
            const bool byQuery = strip.tensor == TensorId::Q || strip.tensor == TensorId::O;
            (byQuery ? hit.i : hit.j) = k;
        }
    hit.l2 = layout.l2Title.united(layout.l2).contains(point);
    hit.registerFile = layout.registerTitle.united(layout.registerFile).contains(point);
    for (const MemoryLayout::Box& box : layout.peer)
        if (box.rect.contains(point)) {
            hit.buffer = box.buffer;
            hit.peer = true;
            return hit;
        }
    for (const auto* boxes : { &layout.shared, &layout.tensor, &layout.registers })
        for (const MemoryLayout::Box& box : *boxes)
            if (box.rect.contains(point) && (boxes != &layout.tensor || !coveredInTensor(scene, box.buffer))) {
                hit.buffer = box.buffer;
                for (const BufferState& state : buffersAt(*scene.trace, scene.cta, scene.position))
                    if (state.buffer == box.buffer) {
                        hit.i = state.i;
                        hit.j = state.j;
                    }
            }
    return hit;
}

} // namespace flashstep::paint
