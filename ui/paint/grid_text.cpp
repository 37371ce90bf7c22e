// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/grid_index.h"
#include "ui/paint/text.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

QString counted(std::size_t count, const char16_t* one, const char16_t* many)
{
    return grouped(static_cast<std::int64_t>(count)) + QChar(0xa0) + QString::fromUtf16(count == 1 ? one : many);
}

QString percent(double share)
{
    return QStringLiteral("%1 %").arg(fixed(100 * share, 100 * share < 9.95 ? 1 : 0));
}

// Which way the query tiles of a head are handed out, where their lengths differ: +1 from the first, -1 from the last.
int direction(const Program& program, const LaunchDecl& launch)
{
    if (launch.workCount == 0)
        return 0;
    const auto blocks = [&](std::uint32_t w) { return program.streamOf(WorkId(w)).visitedBlocks; };
    const std::uint32_t end = launch.firstWork + launch.workCount;
    const int first = blocks(launch.firstWork);
    bool differ = false;
    for (std::uint32_t w = launch.firstWork; w < end && !differ; ++w)
        differ = blocks(w) != first;
    // A pair's two works hold neighbouring tiles, in their own order, so every other one is looked at.
    const std::uint32_t step = launch.pairs ? 2 : 1;
    for (std::uint32_t w = launch.firstWork; differ && w + step < end; w += step)
        if (program.works[w].i != program.works[w + step].i)
            return program.works[w].i < program.works[w + step].i ? 1 : -1;
    return 0;
}

} // namespace

QString name(GridState state)
{
    return state == GridState::ToCome ? QStringLiteral("to come")
        : state == GridState::Running ? QStringLiteral("running")
                                      : QStringLiteral("done");
}

QString workLabel(const Program& program, const Work& work)
{
    const LaunchDecl& launch = program.launches[work.launch];
    QString text = QStringLiteral("Q%1").arg(work.i);
    if (launch.sweep > 0)
        text += QStringLiteral(" …"); // and every sweep-th after it
    else
        for (int k = 1; k < launch.tilesPerWork && work.i + k * launch.tileStride < program.queryTiles(); ++k)
            text += QStringLiteral("+%1").arg(work.i + k * launch.tileStride);
    if (program.problem.heads > 1)
        text += program.packed > 1 ? QStringLiteral(" h%1–%2").arg(work.h).arg(work.h + program.packed - 1)
                                   : QStringLiteral(" h%1").arg(work.h);
    if (program.problem.batch > 1)
        text += QStringLiteral(" b%1").arg(work.b);
    return text;
}

QString launchLabel(const Program& program, std::size_t launch)
{
    const QString name = QString::fromStdString(program.launches[launch].name);
    const QString prefix = QString::fromStdString(program.algorithm) + QLatin1Char('_');
    return name.startsWith(prefix) ? name.mid(prefix.size()) : name;
}

QString scheduleText(const Program& program, const LaunchDecl& launch)
{
    const int way = direction(program, launch);
    const QString order = way < 0 ? QStringLiteral("longest tiles first")
        : way > 0                 ? QStringLiteral("tiles in order")
                                  : QString();
    QString who = launch.schedule == Schedule::SingleTile ? QStringLiteral("a CTA for each tile")
        : launch.schedule == Schedule::Static             ? QStringLiteral("each CTA has its share of the tiles")
                                                          : QStringLiteral("each CTA takes the next tile");
    if (launch.sweep > 0)
        who = QStringLiteral("each CTA sweeps over its query tiles");
    QString knob;
    if (program.launches.size() == 1 && launch.sweep == 0)
        knob = way < 0                                ? QStringLiteral("scheduler lpt: ")
            : launch.schedule == Schedule::Static     ? QStringLiteral("scheduler persistent: ")
            : launch.schedule == Schedule::SingleTile ? QStringLiteral("scheduler single-tile: ")
                                                      : QStringLiteral("scheduler linear: ");
    return knob + (order.isEmpty() ? who : order + QStringLiteral(", ") + who);
}

QString gridSentence(const GridIndex& index)
{
    const GridSummary& s = index.summary();
    const Program& program = index.trace().program();
    QString text = s.usedSms == s.sms
        ? counted(static_cast<std::size_t>(s.sms), u"SM", u"SMs")
        : QStringLiteral("%1 of %2 used").arg(s.usedSms).arg(counted(static_cast<std::size_t>(s.sms), u"SM", u"SMs"));
    text += QStringLiteral(", ") + counted(s.ctas, u"CTA", u"CTAs");
    if (s.launches > 1)
        text += QStringLiteral(" of %1 launches").arg(s.launches);
    text += QStringLiteral(" in ") + counted(static_cast<std::size_t>(s.waves), u"wave", u"waves");
    if (s.launches > 1 && s.waves > 1)
        text += QStringLiteral(" at most");
    if (s.works != s.ctas)
        text += QStringLiteral(", ") + counted(s.works, u"work tile", u"work tiles");
    if (s.stuck > 0)
        text += QStringLiteral("; deadlock: %1 never %2")
                    .arg(counted(s.stuck, u"CTA", u"CTAs"))
                    .arg(s.stuck == 1 ? QStringLiteral("ends") : QStringLiteral("end"));
    else if (s.usedSms == 1)
        text += QStringLiteral("; no tail: one SM does everything");
    else if (s.launches > 1 && s.lastSms < s.usedSms)
        text += QStringLiteral("; %1 of %2 %3 in the last launch, %4 of the time%5")
                    .arg(s.lastSms)
                    .arg(counted(static_cast<std::size_t>(s.usedSms), u"SM", u"SMs"))
                    .arg(s.lastSms == 1 ? QStringLiteral("works") : QStringLiteral("work"))
                    .arg(percent(s.lastShare))
                    .arg(s.tailSms > 0       ? QStringLiteral("; tail of it %1 of the time").arg(percent(s.tailShare))
                            : s.lastSms == 1 ? QString()
                                             : QStringLiteral("; they end together"));
    else if (s.tailSms == 0)
        text += QStringLiteral("; no tail: all SMs end together");
    else
        text += QStringLiteral("; tail%1 %2 of the time: %3 in it")
                    .arg(s.launches > 1 ? QStringLiteral(" of the last launch") : QString(), percent(s.tailShare))
                    .arg(s.tailSms == 1 ? QStringLiteral("1 SM works")
                                        : QStringLiteral("on average %1 of %2 SMs work")
                                              .arg(fixed(s.tailBusy, s.tailBusy < 9.95 ? 1 : 0))
                                              .arg(s.lastSms));
    if (!program.launches.empty())
        text += QStringLiteral("; ") + scheduleText(program, program.launches.back());
    return text;
}

QString describeStay(const GridIndex& index, const GridIndex::Stay& stay, const GridIndex::Part* part, Position p)
{
    const Trace& trace = index.trace();
    const Program& program = trace.program();
    const CtaSpan& span = trace.span(stay.cta);
    const auto range = [&](std::uint32_t begin, std::uint32_t end) {
        return QStringLiteral("cycles %1–%2 (%3)")
            .arg(grouped(begin), grouped(end), duration(static_cast<double>(end) - begin, trace.clockMhz()));
    };
    QString text = QStringLiteral("CTA %1 on SM %2").arg(stay.cta.index()).arg(span.sm);
    if (index.slotsPerSm() > 1)
        text += QStringLiteral(", place %1").arg(span.slot + 1);
    if (program.launches.size() > 1)
        text += QStringLiteral(", launch “%1”").arg(QString::fromStdString(program.launches[stay.launch].name));
    text += QStringLiteral(", wave %1: %2, ").arg(stay.wave).arg(name(index.stateOf(stay, p)));
    text += stay.ends ? range(stay.begin, stay.end) : QStringLiteral("from cycle %1 on, never ends").arg(stay.begin);
    const auto works = trace.worksOf(stay.cta);
    if (works.size() == 1) {
        const Work& work = program.work(works.front());
        text += QStringLiteral("; %1, %2")
                    .arg(workLabel(program, work))
                    .arg(counted(
                        static_cast<std::size_t>(program.streamOf(works.front()).visitedBlocks), u"block", u"blocks"));
    } else {
        text += QStringLiteral("; ") + counted(works.size(), u"work tile", u"work tiles");
        if (part != nullptr) {
            const auto at = std::find(works.begin(), works.end(), part->work) - works.begin() + 1;
            text += QStringLiteral("; here tile %1 of them: %2, %3, ")
                        .arg(at)
                        .arg(workLabel(program, program.work(part->work)))
                        .arg(name(GridIndex::stateOf(*part, p)))
                + range(part->begin, part->end);
        } else if (index.partsOf(stay).size() != works.size())
            text += QStringLiteral("; when it came to each was not kept");
    }
    return text;
}

} // namespace flashstep::paint
