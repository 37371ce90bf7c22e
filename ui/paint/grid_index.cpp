// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/grid_index.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

// Asynchronous ops of a role end out of order, but never so many behind its newest one.
constexpr std::uint32_t inFlight = 256;

} // namespace

GridIndex::GridIndex(std::shared_ptr<const Trace> trace)
    : m_trace(std::move(trace))
{
    addStays();
    summarise();
    m_sentence = gridSentence(*this);
}

void GridIndex::addStays()
{
    const Program& program = m_trace->program();
    m_places.resize(program.ctaCount());
    std::vector<std::uint32_t> rowOfSm;
    for (std::size_t c = 0; c < m_places.size(); ++c) {
        if (m_trace->worksOf(CtaId(c)).empty())
            continue;
        const CtaSpan& span = m_trace->span(CtaId(c));
        rowOfSm.resize(std::max<std::size_t>(rowOfSm.size(), span.sm + 1U), never);
        rowOfSm[span.sm] = 0;
        m_slots = std::max(m_slots, span.slot + 1);
    }
    for (std::size_t sm = 0; sm < rowOfSm.size(); ++sm)
        if (rowOfSm[sm] != never) {
            rowOfSm[sm] = static_cast<std::uint32_t>(m_rows.size());
            m_rows.push_back({ static_cast<int>(sm), std::vector<Lane>(static_cast<std::size_t>(m_slots)), 0 });
        }
    for (std::size_t c = 0; c < m_places.size(); ++c) {
        const CtaId cta(c);
        if (m_trace->worksOf(cta).empty())
            continue;
        const CtaSpan& span = m_trace->span(cta);
        const LaunchDecl& launch = program.launchOf(cta);
        const auto which = static_cast<std::uint8_t>(&launch - program.launches.data());
        const bool ends = span.end > 0;
        Row& row = m_rows[rowOfSm[span.sm]];
        row.lanes[span.slot].stays.push_back(
            { cta, span.begin, ends ? span.end : static_cast<std::uint32_t>(m_trace->cycles()), 0, 0, 1, which, ends });
    }
    for (std::size_t r = 0; r < m_rows.size(); ++r)
        for (std::size_t l = 0; l < m_rows[r].lanes.size(); ++l) {
            std::vector<Stay>& stays = m_rows[r].lanes[l].stays;
            std::stable_sort(
                stays.begin(), stays.end(), [](const Stay& a, const Stay& b) { return a.begin < b.begin; });
            for (std::size_t k = 0; k < stays.size(); ++k) {
                if (k > 0 && stays[k - 1].launch == stays[k].launch)
                    stays[k].wave = stays[k - 1].wave + 1;
                m_places[stays[k].cta.index()]
                    = { static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(l), static_cast<std::uint32_t>(k) };
                m_rows[r].end = std::max(m_rows[r].end, stays[k].end);
                addParts(stays[k]);
            }
        }
}

void GridIndex::addParts(Stay& stay)
{
    const Trace& trace = *m_trace;
    stay.firstPart = static_cast<std::uint32_t>(m_parts.size());
    for (const WorkId work : trace.worksOf(stay.cta)) {
        if (!trace.hasEvents(work))
            continue;
        Part part { work, never, 0, never, 0 };
        for (const RoleRange& role : trace.streamOf(work).roles) {
            const std::size_t first = trace.instance(work, OpId(role.first)).index();
            for (std::size_t k = first; k < first + role.count; ++k)
                if (const InstanceId at(k); trace.began(at)) {
                    part.begin = std::min(part.begin, static_cast<std::uint32_t>(trace.beginCycle(at)));
                    part.beginPosition = std::min(part.beginPosition, trace.beginPosition(at).value);
                    break;
                }
            std::uint32_t seen = 0;
            for (std::size_t k = first + role.count; k-- > first && seen < inFlight;) {
                const InstanceId at(k);
                if (!trace.began(at))
                    continue;
                ++seen;
                const bool ended = trace.ended(at);
                part.end = std::max(part.end, ended ? static_cast<std::uint32_t>(trace.endCycle(at)) : stay.end);
                part.endPosition = std::max(part.endPosition, ended ? trace.endPosition(at).value : never);
            }
        }
        if (part.begin != never)
            m_parts.push_back(part);
    }
    stay.partCount = static_cast<std::uint32_t>(m_parts.size()) - stay.firstPart;
}

void GridIndex::summarise()
{
    const Program& program = m_trace->program();
    GridSummary& s = m_summary;
    s.sms = m_trace->smCount();
    s.usedSms = static_cast<int>(m_rows.size());
    s.begin = never;
    m_launchBegins.assign(program.launches.size(), never);
    const std::size_t last = program.launches.empty() ? 0 : program.launches.size() - 1;
    std::vector<bool> ran(program.launches.size(), false);
    for (const Row& row : m_rows)
        for (const Lane& lane : row.lanes)
            for (const Stay& stay : lane.stays) {
                ++s.ctas;
                s.stuck += stay.ends ? 0 : 1;
                s.works += m_trace->worksOf(stay.cta).size();
                s.waves = std::max(s.waves, stay.wave);
                s.begin = std::min<Cycle>(s.begin, stay.begin);
                s.end = std::max<Cycle>(s.end, stay.end);
                ran[stay.launch] = true;
                m_launchBegins[stay.launch] = std::min(m_launchBegins[stay.launch], stay.begin);
                if (stay.launch != last)
                    continue;
                const auto wave = static_cast<std::size_t>(stay.wave);
                m_waveBegins.resize(std::max(m_waveBegins.size(), wave), never);
                m_waveBegins[wave - 1] = std::min(m_waveBegins[wave - 1], stay.begin);
            }
    s.launches = static_cast<std::size_t>(std::count(ran.begin(), ran.end(), true));
    if (m_rows.empty()) {
        s.begin = 0;
        return;
    }
    // Of the last launch that ran: an SM that only an earlier one used says nothing of how this one ends.
    const auto launch = static_cast<std::size_t>(std::find(ran.rbegin(), ran.rend(), true).base() - ran.begin()) - 1;
    std::vector<Cycle> ends; // of its SMs
    for (const Row& row : m_rows) {
        Cycle end = 0;
        for (const Lane& lane : row.lanes)
            for (const Stay& stay : lane.stays)
                if (stay.launch == launch)
                    end = std::max<Cycle>(end, stay.end);
        if (end > 0)
            ends.push_back(end);
    }
    s.lastSms = static_cast<int>(ends.size());
    if (m_trace->cycles() > 0)
        s.lastShare = static_cast<double>(s.end - std::min<Cycle>(s.end, m_launchBegins[launch]))
            / static_cast<double>(m_trace->cycles());
    s.tailBegin = ends.empty() ? s.end : *std::min_element(ends.begin(), ends.end());
    double busy = 0; // SM cycles
    for (const Cycle end : ends) {
        s.tailSms += end > s.tailBegin ? 1 : 0;
        busy += static_cast<double>(end - s.tailBegin);
    }
    if (s.end > s.tailBegin)
        s.tailBusy = busy / static_cast<double>(s.end - s.tailBegin);
    if (m_trace->cycles() > 0)
        s.tailShare = static_cast<double>(s.end - s.tailBegin) / static_cast<double>(m_trace->cycles());
}

const GridIndex::Stay* GridIndex::find(CtaId cta) const
{
    if (!cta.valid() || cta.index() >= m_places.size() || m_places[cta.index()].row == never)
        return nullptr;
    const Place& place = m_places[cta.index()];
    return &m_rows[place.row].lanes[place.lane].stays[place.stay];
}

Cycle GridIndex::timeAt(Position p) const
{
    return p < m_trace->end() ? m_trace->timeAt(p) : std::max<Cycle>(m_trace->timeAt(p), m_trace->cycles());
}

GridState GridIndex::stateOf(const Part& part, Position p)
{
    return p.value < part.beginPosition ? GridState::ToCome
        : p.value < part.endPosition    ? GridState::Running
                                        : GridState::Done;
}

GridState GridIndex::stateOf(const Stay& stay, Position p) const
{
    const auto parts = partsOf(stay);
    if (!parts.empty() && parts.size() == m_trace->worksOf(stay.cta).size()) {
        const GridState first = stateOf(parts.front(), p);
        const bool over = std::all_of(
            parts.begin(), parts.end(), [&](const Part& part) { return stateOf(part, p) == GridState::Done; });
        return first == GridState::ToCome ? first : over ? GridState::Done : GridState::Running;
    }
    const Cycle now = timeAt(p); // its events are not kept: by the clock
    return p.value == 0 || now < stay.begin ? GridState::ToCome
        : now < stay.end || !stay.ends      ? GridState::Running
                                            : GridState::Done;
}

} // namespace flashstep::paint
