// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_words.h"

#include "ui/kernel/code_views.h"
#include "ui/paint/text.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <bit>
#include <map>

namespace flashstep::ui {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("flashstep::ui::KernelWords", text);
}

QString ranges(std::uint32_t mask)
{
    QStringList parts;
    for (int lane = 0; lane < 32; ++lane) {
        if ((mask >> lane & 1U) == 0)
            continue;
        const int first = lane;
        while (lane + 1 < 32 && (mask >> (lane + 1) & 1U) != 0)
            ++lane;
        parts.append(
            first == lane ? QString::number(first) : QStringLiteral("%1%2%3").arg(first).arg(QChar(0x2013)).arg(lane));
    }
    return parts.join(QStringLiteral(", "));
}

QString registerName(const ptx::Code& code, std::uint32_t number)
{
    return QString::fromStdString(code.function->registers[number].name);
}

// When the groups of copies that a wait is for will have landed, as modelled; 0 where none is under way.
Cycle landing(const ptx::Cta& cta, std::uint32_t warp)
{
    Cycle last = 0;
    for (const ptx::Copy& copy : cta.copies) {
        if (!copy.landed && copy.thread / 32 == warp)
            last = std::max<Cycle>(last, copy.lands);
    }
    return last;
}

// The operand that comes last, where it comes after the warp could otherwise go on.
QString operandsText(const KernelState& state, const ptx::Warp& warp, const ptx::Instruction& i, Cycle ready)
{
    const ptx::Code& code = *state.now().code;
    Cycle latest = ready;
    std::uint32_t which = ptx::none;
    const auto look = [&](std::uint32_t first, std::uint32_t count) {
        for (std::uint32_t k = 0; k < count; ++k) {
            const std::uint32_t number = code.uses[first + k];
            if (warp.available[number] > latest) {
                latest = warp.available[number];
                which = number;
            }
        }
    };
    look(i.readsFirst, i.readsCount);
    const std::uint32_t read = which;
    look(i.writesFirst, i.writesCount);
    if (which == ptx::none)
        return {};
    return (which == read ? tr("its operand %1 comes at cycle %2")
                          : tr("an earlier result still comes into %1, at cycle %2"))
        .arg(registerName(code, which), paint::grouped(latest));
}

} // namespace

QString lanesText(std::uint32_t mask)
{
    if (mask == ptx::allLanes)
        return tr("all 32 lanes");
    if (mask == 0)
        return tr("no lane");
    return tr("%1 of 32 lanes: %2").arg(std::popcount(mask)).arg(ranges(mask));
}

QString placeText(const SourcePlace& place)
{
    if (place.file.empty())
        return tr("no line");
    return QStringLiteral("%1 %2").arg(
        QString::fromStdString(place.file.substr(place.file.rfind('/') + 1)), QString::number(place.line));
}

WarpStanding standingOf(const KernelState& state, std::uint32_t w)
{
    WarpStanding out;
    const KernelState::Now& now = state.now();
    if (now.block == nullptr || w >= now.block->warps.size()) {
        out.ended = !state.nextStepOf(w).has_value();
        out.state = out.ended ? tr("has left the kernel") : tr("has not begun");
        return out;
    }
    const ptx::Warp& warp = now.block->warps[w];
    if (warp.finished()) {
        out.ended = true;
        out.state = tr("has left the kernel");
        return out;
    }
    const std::uint32_t pc = state.pcOf(w);
    if (pc == ptx::none || pc >= now.code->instructions.size())
        return out;
    const ptx::Instruction& i = now.code->instructions[pc];
    out.where = QStringLiteral("%1 · %2").arg(
        placeText(state.ownPlace(pc)), QString::fromStdString(now.code->statementAt(pc).text()));
    const auto next = state.nextStepOf(w);
    const auto atBarrier = std::find_if(warp.splits.begin(), warp.splits.end(),
        [](const ptx::Split& s) { return s.state == ptx::Split::State::AtBarrier; });
    const auto ready = std::find_if(warp.splits.begin(), warp.splits.end(),
        [](const ptx::Split& s) { return s.state == ptx::Split::State::Ready; });
    if (atBarrier != warp.splits.end()) {
        const ptx::NamedBarrier& barrier = now.block->barriers[atBarrier->barrier];
        out.waits = true;
        out.state = tr("waits at barrier %1: %2 of %3 threads have come")
                        .arg(atBarrier->barrier)
                        .arg(barrier.arrived)
                        .arg(barrier.expected);
    } else if (ready == warp.splits.end()) {
        out.waits = true;
        out.state = tr("waits for other lanes of its own");
    } else if (next) {
        const Cycle issue = state.session().step(*next).issued;
        const Cycle landed = landing(*now.block, w);
        const QString operands = operandsText(state, warp, i, ready->ready);
        const std::uint64_t past = state.session().newestStep(now.position, now.cta, w);
        const bool afterWait = past != ptx::none && now.position > 0
            && now.code->instructions[state.session().step(past).pc].flow == ptx::Flow::Wait
            && ready->ready > state.session().step(past).issued + 1;
        QString why;
        if (!operands.isEmpty())
            why = operands;
        else if (afterWait)
            why = tr("the copies it waited for have landed at cycle %1").arg(paint::grouped(ready->ready));
        else if (issue > ready->ready)
            why = tr("its unit or its issue slot is taken until then");
        out.waits = !why.isEmpty();
        out.state = tr("issues at cycle %1").arg(paint::grouped(issue))
            + (why.isEmpty() ? QString() : QStringLiteral(": ") + why);
        if (i.flow == ptx::Flow::Wait && landed > 0)
            out.state += tr("; its copies under way land by cycle %1").arg(paint::grouped(landed));
    }
    if (!next) {
        out.stuck = true;
        out.state = out.state.isEmpty() ? tr("waits for ever") : out.state + tr(", for ever");
    }
    return out;
}

QStringList barrierLines(const KernelState& state)
{
    QStringList lines;
    const KernelState::Now& now = state.now();
    if (now.block == nullptr)
        return lines;
    for (std::size_t id = 0; id < now.block->barriers.size(); ++id) {
        const ptx::NamedBarrier& barrier = now.block->barriers[id];
        std::set<std::uint32_t> come, partly;
        for (std::uint32_t w = 0; w < now.block->warps.size(); ++w) {
            if ((barrier.warps >> w & 1U) != 0)
                come.insert(w);
            else if (w < barrier.lanes.size() && barrier.lanes[w] != 0)
                partly.insert(w);
        }
        if (come.empty() && partly.empty())
            continue;
        std::set<std::uint32_t> missing;
        for (std::uint32_t w = 0; w < now.block->warps.size(); ++w) {
            if (come.count(w) == 0 && !now.block->warps[w].finished())
                missing.insert(w);
        }
        QString line = tr("barrier %1: %2 of %3 threads have come (%4)")
                           .arg(id)
                           .arg(barrier.arrived)
                           .arg(barrier.expected)
                           .arg(come.empty() ? tr("no whole warp") : warpNames(come));
        if (!missing.empty())
            line += tr(", not yet %1").arg(warpNames(missing));
        lines.append(line);
    }
    if (lines.isEmpty())
        lines.append(tr("no warp is at a barrier"));
    return lines;
}

QStringList copyLines(const KernelState& state)
{
    const KernelState::Now& now = state.now();
    if (now.block == nullptr)
        return {};
    struct Group {
        int copies = 0, bytes = 0;
        Cycle lands = 0;
        bool open = false;
    };
    std::map<std::pair<std::uint32_t, std::uint32_t>, Group> groups; // by warp and group
    for (const ptx::Copy& copy : now.block->copies) {
        if (copy.landed)
            continue;
        Group& group = groups[{ copy.thread / 32, copy.group }];
        ++group.copies;
        group.bytes += copy.bytes;
        group.lands = std::max<Cycle>(group.lands, copy.lands);
        group.open = copy.thread < now.block->groups.size() && copy.group >= now.block->groups[copy.thread];
    }
    QStringList lines;
    for (const auto& [key, group] : groups)
        lines.append(tr("warp %1, group %2%3: %4 copies, %5, land by cycle %6")
                         .arg(key.first)
                         .arg(key.second)
                         .arg(group.open ? tr(" (not committed)") : QString())
                         .arg(group.copies)
                         .arg(paint::byteCount(group.bytes), paint::grouped(group.lands)));
    if (lines.isEmpty())
        lines.append(tr("no cp.async is on its way"));
    return lines;
}

} // namespace flashstep::ui
