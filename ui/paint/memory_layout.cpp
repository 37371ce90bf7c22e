// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_layout.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <numeric>

namespace flashstep::paint {

namespace {

constexpr double inset = 12, titleHeight = 20, sectionGap = 10;
constexpr double stripStep = 16, letterWidth = 18;
constexpr double slotHeight = 40, slotLabel = 16, smallestSlot = 3, narrowestGate = 11;
constexpr double tensorHeight = 38, tensorLabel = 14;
constexpr double registerHeight = 24, registerLabel = 16;
constexpr double roleHeight = 30, roleGap = 4,
                 evenShare = 0.8; // of the width goes to all roles alike, so that their names fit
constexpr double waitHeight = 15;

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
    // Where there is more to show below, closer together.
    const double step = program.launchOf(scene.cta).tmemColumns > 0 ? stripStep - 3 : stripStep;
    for (const TensorId tensor : tensors) {
        const bool byKey
            = tensor == TensorId::K || tensor == TensorId::V || tensor == TensorId::S || tensor == TensorId::P;
        layout.strips.push_back({ tensor, { left + letterWidth, y, width - letterWidth, step - 4 },
            byKey ? program.keyBlocks() : program.queryTiles() });
        y += step;
    }
}

void laySlots(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double y)
{
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
    for (std::size_t k = 0; k < program.buffers.size(); ++k)
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
            { slot.rect.left(), slot.rect.bottom() + slotLabel, slot.rect.width(), 2 * MemoryLayout::gateRow } };
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
        layout.roles.push_back({ k, roles[k].role, { x, y, share, roleHeight } });
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

MemoryLayout layoutMemory(const QRectF& rect, const MemoryScene& scene)
{
    MemoryLayout layout;
    if (!scene.trace || !scene.cta.valid())
        return layout;
    const double left = rect.left() + inset, width = std::max(40.0, rect.width() - 2 * inset);
    double y = rect.top() + 6;
    const bool dense = scene.trace->program().launchOf(scene.cta).tmemColumns > 0;
    const double gapBelow = dense ? 5 : sectionGap;
    const auto title = [&]() {
        const QRectF line(left, y, width, titleHeight);
        y += titleHeight + 2;
        return line;
    };
    layout.hbmTitle = title();
    layStrips(layout, scene, left, width, y);
    y += gapBelow - 2;
    layout.smemTitle = title();
    laySlots(layout, scene, left, width, y);
    layGates(layout, scene);
    y += slotHeight + slotLabel + gapBelow + (layout.gates.empty() ? 0 : 2 * MemoryLayout::gateRow + 2);
    if (scene.trace->program().launchOf(scene.cta).tmemColumns > 0) {
        layout.tensorTitle = title();
        layTensor(layout, scene, left, width, y);
        y += tensorHeight + tensorLabel + gapBelow;
    }
    layout.registerTitle = title();
    layRegisters(layout, scene, left, width, y);
    y += registerHeight + (dense ? 0 : registerLabel); // with several tiles there is no room for shapes
    layRoles(layout, scene, left, width, y + roleGap);
    y += gapBelow + (layout.roles.empty() ? 0 : roleHeight + roleGap);
    layout.waitTitle = title();
    const std::size_t roles = scene.trace->streamOf(scene.trace->workAt(scene.cta, scene.position)).roles.size();
    layout.waits = { left, y, width, waitHeight * static_cast<double>(std::max<std::size_t>(1, roles)) };
    layout.height = layout.waits.bottom() + 6 - rect.top();
    return layout;
}

Position lastWrite(const Trace& trace, CtaId cta, BufferId buffer, Position p)
{
    const auto works = trace.worksOf(cta);
    Position newest {};
    const auto lookAt = [&](WorkId work, std::size_t r, bool productsOnly) {
        const RoleRange& role = trace.streamOf(work).roles[r];
        const InstanceId current = trace.currentOp(work, role, p);
        if (!current.valid())
            return false;
        for (std::size_t k = trace.opOf(current).index() + 1; k-- > role.first;) {
            const InstanceId instance = trace.instance(work, OpId(k));
            const Op& op = trace.program().ops[k];
            if (op.out != buffer || !trace.began(instance) || (productsOnly && op.kind != OpKind::Mma))
                continue;
            newest = std::max(newest, trace.beginPosition(instance));
            return true;
        }
        return false;
    };
    for (std::size_t r = 0; !works.empty() && r < trace.streamOf(works.front()).roles.size(); ++r) {
        bool found = false;
        for (std::size_t w = works.size(); w-- > 0 && !found;) {
            found = lookAt(works[w], r, false);
            if (const WorkId products = trace.productsOf(works[w]); !found && products != works[w])
                found = lookAt(products, r, true); // of a pair's second CTA
        }
    }
    return newest;
}

bool coveredInTensor(const MemoryScene& scene, BufferId buffer)
{
    const Program& program = scene.trace->program();
    const BufferDecl& own = program.buffers[buffer.index()];
    const Position mine = lastWrite(*scene.trace, scene.cta, buffer, scene.position);
    for (std::size_t k = 0; k < program.buffers.size(); ++k) {
        const BufferDecl& other = program.buffers[k];
        const bool under = other.space == Space::Tmem && other.launch == own.launch && BufferId(k) != buffer
            && other.column <= own.column && other.column + other.columns >= own.column + own.columns;
        if (under && (mine.value == 0 || lastWrite(*scene.trace, scene.cta, BufferId(k), scene.position) > mine))
            return true;
    }
    return false;
}

double memoryHeight(const MemoryScene& scene)
{
    return layoutMemory({ 0, 0, 300, 100 }, scene).height;
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
