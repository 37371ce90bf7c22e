// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/part_terms.h"

#include <array>
#include <utility>

namespace flashstep::ui {

QString termOfRole(const QString& role)
{
    // By how the kernels call their roles; the first that fits.
    static constexpr std::array<std::pair<const char*, const char*>, 10> names { {
        { "producer", "producer" },
        { "consumer", "warpgroup" },
        { "load", "producer" },
        { "mma", "tcgen05" },
        { "softmax", "online softmax" },
        { "correction", "rescale" },
        { "epilogue", "warp specialisation" },
        { "store", "warp specialisation" },
        { "transpos", "warp specialisation" },
        { "warp", "warp" },
    } };
    for (const auto& [part, term] : names)
        if (role.contains(QLatin1String(part), Qt::CaseInsensitive))
            return QString::fromLatin1(term);
    return QStringLiteral("warp specialisation");
}

QString termOfEngine(Engine engine, const QString& label)
{
    switch (engine) {
    case Engine::Tensor:
        return QStringLiteral("tensor core");
    case Engine::Exp:
        return QStringLiteral("MUFU");
    case Engine::Alu:
        return QStringLiteral("ALU");
    case Engine::Issue:
        return QStringLiteral("issue");
    case Engine::Smem:
        return QStringLiteral("SMEM");
    case Engine::L2:
        return QStringLiteral("L2");
    case Engine::Hbm:
        return QStringLiteral("HBM");
    case Engine::Tma:
        return label.contains(QLatin1String("cp.async")) ? QStringLiteral("cp.async") : QStringLiteral("TMA");
    case Engine::Registers:
        return QStringLiteral("registers");
    case Engine::Tmem:
        return QStringLiteral("TMEM");
    }
    return {};
}

QString termOfLane(const paint::Lane& lane, const paint::TimelineIndex* index)
{
    switch (lane.kind) {
    case paint::LaneKind::Role:
        return termOfRole(lane.label);
    case paint::LaneKind::Engine:
        return index != nullptr ? termOfEngine(index->engines()[lane.index].engine, lane.label) : QString();
    case paint::LaneKind::Counter:
        switch (static_cast<paint::CounterLane>(lane.index)) {
        case paint::CounterLane::TensorUse:
            return QStringLiteral("tensor core");
        case paint::CounterLane::ExpUse:
            return QStringLiteral("MUFU");
        case paint::CounterLane::GlobalRate:
            return QStringLiteral("L2");
        }
        return {};
    case paint::LaneKind::Title:
        return QStringLiteral("CTA");
    case paint::LaneKind::Source:
        break;
    }
    return {};
}

QString termOfMemory(const paint::MemoryLayout& layout, const QPointF& point)
{
    const auto in = [&](const QRectF& rect) { return rect.contains(point); };
    if (in(layout.hbmTitle))
        return QStringLiteral("HBM");
    if (in(layout.l2Title) || in(layout.l2))
        return QStringLiteral("L2");
    for (const auto& gate : layout.gates)
        if (in(gate.rect))
            return QStringLiteral("mbarrier");
    if (in(layout.smemTitle) || in(layout.freeSmem))
        return QStringLiteral("SMEM");
    if (in(layout.peerTitle))
        return QStringLiteral("DSMEM");
    if (in(layout.tensorTitle) || in(layout.tensorFree))
        return QStringLiteral("TMEM");
    for (const auto& life : layout.lives)
        if (in(life.rect))
            return QStringLiteral("TMEM");
    if (in(layout.registerTitle) || in(layout.registerFile))
        return QStringLiteral("registers");
    for (const auto& role : layout.roles)
        if (in(role.rect))
            return QStringLiteral("setmaxnreg");
    return {};
}

QString termOfStage(const paint::StageLayout& layout, const paint::StageHit& hit, const QPointF& point)
{
    switch (hit.part) {
    case paint::StageHit::Part::KeyHeader:
        return QStringLiteral("key block");
    case paint::StageHit::Part::RowLabel:
        return layout.brackets.contains(point) ? QStringLiteral("CTA") : QStringLiteral("query tile");
    case paint::StageHit::Part::Output:
        return QStringLiteral("O");
    default:
        break;
    }
    // The heading of the strip of outputs stands over it.
    const QRectF heading(
        layout.outputs.left(), layout.header.top(), layout.outputs.width(), layout.outputs.top() - layout.header.top());
    return !layout.outputs.isEmpty() && heading.contains(point) ? QStringLiteral("O") : QString();
}

QString termOfGrid(const paint::GridLayout& layout, const QPointF& point)
{
    if (layout.sentence.contains(point))
        return QStringLiteral("grid");
    if (layout.marks.contains(point))
        return QStringLiteral("wave");
    if (layout.gutter.contains(point))
        return QStringLiteral("SM");
    return layout.ruler.contains(point) ? QStringLiteral("modelled time") : QString();
}

} // namespace flashstep::ui
