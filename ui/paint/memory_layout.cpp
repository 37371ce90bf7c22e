// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_layout.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

constexpr double inset = 12, titleHeight = 20, sectionGap = 10;
constexpr double stripHeight = 12, stripStep = 16, letterWidth = 18;
constexpr double slotHeight = 40, slotLabel = 16;
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

void layStrips(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double& y)
{
    const Program& program = scene.trace->program();
    const bool scores = std::any_of(program.ops.begin(), program.ops.end(),
        [](const Op& op) { return op.kind == OpKind::Store && op.tensor == TensorId::S; });
    std::vector<TensorId> tensors { TensorId::K, TensorId::V, TensorId::Q, TensorId::O };
    if (scores)
        tensors.insert(tensors.end(), { TensorId::S, TensorId::P });
    for (const TensorId tensor : tensors) {
        const bool byKey
            = tensor == TensorId::K || tensor == TensorId::V || tensor == TensorId::S || tensor == TensorId::P;
        layout.strips.push_back({ tensor, { left + letterWidth, y, width - letterWidth, stripHeight },
            byKey ? program.keyBlocks() : program.queryTiles() });
        y += stripStep;
    }
}

void laySlots(MemoryLayout& layout, const MemoryScene& scene, double left, double width, double y)
{
    const Program& program = scene.trace->program();
    const LaunchDecl& launch = program.launchOf(scene.cta);
    const auto index = static_cast<std::size_t>(&launch - program.launches.data());
    const double capacity = scene.gpu ? scene.gpu->smemPerSmKib * 1024.0 : static_cast<double>(launch.smemBytes);
    double x = left;
    for (std::size_t k = 0; k < program.buffers.size(); ++k) {
        const BufferDecl& buffer = program.buffers[k];
        if (buffer.space != Space::Smem || buffer.launch != index || buffer.aliases.valid())
            continue;
        const double share = capacity > 0 ? static_cast<double>(buffer.costedBytes) / capacity : 0;
        layout.shared.push_back({ BufferId(k), { x, y, std::max(3.0, share * width), slotHeight } });
        x += layout.shared.back().rect.width();
    }
    layout.freeSmem = { x, y, std::max(0.0, left + width - x), slotHeight };
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
        const auto load = std::find_if(first, last,
            [&](const Op& op) { return op.kind == OpKind::Load && op.out == slot.buffer && op.barrier.valid(); });
        if (load == last)
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
    const double least = evenShare * width / static_cast<double>(roles.size()), spare = (1 - evenShare) * width;
    double x = left;
    for (std::size_t k = 0; k < roles.size(); ++k) {
        const double share = least + spare * declOf(k).warps * declOf(k).registers / total;
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
    const auto title = [&]() {
        const QRectF line(left, y, width, titleHeight);
        y += titleHeight + 2;
        return line;
    };
    layout.hbmTitle = title();
    layStrips(layout, scene, left, width, y);
    y += sectionGap - 2;
    layout.smemTitle = title();
    laySlots(layout, scene, left, width, y);
    layGates(layout, scene);
    y += slotHeight + slotLabel + sectionGap + (layout.gates.empty() ? 0 : 2 * MemoryLayout::gateRow + 2);
    layout.registerTitle = title();
    layRegisters(layout, scene, left, width, y);
    y += registerHeight + registerLabel;
    layRoles(layout, scene, left, width, y + roleGap);
    y += sectionGap + (layout.roles.empty() ? 0 : roleHeight + roleGap);
    layout.waitTitle = title();
    const std::size_t roles = scene.trace->streamOf(scene.trace->workAt(scene.cta, scene.position)).roles.size();
    layout.waits = { left, y, width, waitHeight * static_cast<double>(std::max<std::size_t>(1, roles)) };
    layout.height = layout.waits.bottom() + 6 - rect.top();
    return layout;
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
    for (const auto* boxes : { &layout.shared, &layout.registers })
        for (const MemoryLayout::Box& box : *boxes)
            if (box.rect.contains(point)) {
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
