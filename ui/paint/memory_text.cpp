// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_parts.h"
#include "ui/paint/memory_traffic.h"
#include "ui/paint/text.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

QString words(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<int>(text.size()));
}

QString describeBuffer(const MemoryScene& scene, CtaId cta, BufferId id)
{
    const Trace& trace = *scene.trace;
    const Program& program = trace.program();
    const BufferDecl& decl = program.buffers[id.index()];
    QString text = QStringLiteral("%1 in %2 of CTA %3: %4 × %5 %6")
                       .arg(QString::fromStdString(decl.name), words(name(decl.space)).toUpper())
                       .arg(cta.index())
                       .arg(decl.rows)
                       .arg(decl.cols)
                       .arg(words(name(decl.dtype)));
    if (decl.space == Space::Registers)
        text.replace(QStringLiteral("REGISTERS"), QStringLiteral("registers"));
    if (decl.costedBytes > 0)
        text += QStringLiteral(", takes %1").arg(byteCount(static_cast<double>(decl.costedBytes)));
    if (decl.space == Space::Tmem)
        text += QStringLiteral(", columns %1–%2").arg(decl.column).arg(decl.column + decl.columns - 1);
    for (const BufferState& state : buffersAt(trace, cta, scene.position)) {
        if (state.buffer != id)
            continue;
        text += QStringLiteral("; ") + words(name(state.kind));
        if (state.i >= 0)
            text += QStringLiteral(", query tile %1").arg(state.i);
        if (state.j >= 0)
            text += QStringLiteral(", key block %1").arg(state.j);
    }
    return text;
}

} // namespace

QString clusterNote(const Program& program, const LaunchDecl& launch, int rank)
{
    for (const BufferDecl& buffer : program.buffers)
        if (buffer.half == BufferDecl::Half::Rows && buffer.rows > 0)
            return QStringLiteral("here keys %1–%2 of each K, half the columns of V")
                .arg((1 - rank) * buffer.rows)
                .arg((2 - rank) * buffer.rows - 1);
    const bool multicast = std::any_of(program.ops.begin(), program.ops.end(),
        [](const Op& op) { return op.kind == OpKind::Load && op.reach == Reach::Both; });
    return launch.clusterSize > 1 && multicast ? QStringLiteral("each fetches half of K and V for both") : QString();
}

QString describeBarrier(const Program& program, const BarrierState& state)
{
    const BarrierDecl& barrier = program.barriers[state.barrier.index()];
    return QStringLiteral("%1: phase %2, parity %3, %4 of %5 %6 have arrived")
        .arg(QString::fromStdString(barrier.name))
        .arg(state.phase)
        .arg(state.phase % 2)
        .arg(state.arrived)
        .arg(state.expected)
        .arg(QString::fromStdString(barrier.unit));
}

QString describeMemory(const MemoryScene& scene, const MemoryHit& hit)
{
    const Trace& trace = *scene.trace;
    const Program& program = trace.program();
    if (hit.l2) {
        if (scene.traffic == nullptr || !scene.traffic->known())
            return {};
        const MemoryTraffic::Bytes bytes = scene.traffic->at(scene.position);
        return QStringLiteral("Read so far by all CTAs: %1 bytes, of which L2 had %2 and HBM gave %3; %4 bytes written "
                              "back to HBM")
            .arg(grouped(static_cast<std::int64_t>(bytes.served)), grouped(static_cast<std::int64_t>(bytes.hits())),
                grouped(static_cast<std::int64_t>(bytes.fromHbm)), grouped(static_cast<std::int64_t>(bytes.toHbm)));
    }
    if (hit.registerFile) {
        QStringList parts;
        const auto& roles = trace.streamOf(trace.workAt(scene.cta, scene.position)).roles;
        for (const RegisterShare& share : registerShares(trace, scene.cta, scene.position))
            parts << QStringLiteral("%1: %2 × 32 × %3 = %4")
                         .arg(share.role == RegisterShare::nobody
                                 ? QStringLiteral("warps without a role")
                                 : QString::fromStdString(program.roles[roles[share.role].role.index()].name))
                         .arg(share.warps)
                         .arg(share.registers)
                         .arg(grouped(share.all()));
        return QStringLiteral("Warps × 32 threads × registers of a thread; the SM has %1\n%2")
            .arg(grouped(registersOfSm), parts.join(QLatin1Char('\n')));
    }
    if (hit.buffer.valid()) {
        QString text = describeBuffer(scene, hit.peer ? program.peerOf(scene.cta) : scene.cta, hit.buffer);
        if (hit.peer)
            return text;
        const std::string& family = program.buffers[hit.buffer.index()].name;
        for (const MemoryLayout::Gate& gate : layoutMemory({ 0, 0, 900, 900 }, scene).gates)
            if (program.buffers[gate.buffer.index()].name == family)
                for (const BarrierState& state : barriersAt(trace, scene.cta, scene.position))
                    if (state.barrier == gate.full || state.barrier == gate.empty)
                        text += QLatin1Char('\n') + describeBarrier(program, state);
        return text;
    }
    if (hit.tensor != TensorId::None)
        return QStringLiteral("%1 in HBM, tile %2").arg(words(name(hit.tensor))).arg(hit.i >= 0 ? hit.i : hit.j);
    return {};
}

} // namespace flashstep::paint
