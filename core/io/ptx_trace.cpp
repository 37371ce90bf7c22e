// SPDX-License-Identifier: Apache-2.0
#include "core/io/ptx_trace.h"

#include "core/base/version.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/ptx_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace flashstep {

PtxTrace::PtxTrace(const GpuSpec& gpu)
    : m_builder(RecordingFormat::ChromeJson)
    , m_clockMhz(gpu.clockMhz)
    , m_sms(std::max(1U, static_cast<std::uint32_t>(gpu.sms)))
{
    // Times are in nanoseconds, as they are in other timelines of ours.
    const std::string writer = "FlashStep " + std::string(version());
    const std::string clock = fmt::format(
        "modelled time in nanoseconds, from cycles at {} MHz", numberText(m_clockMhz)); // as in our other timelines
    m_builder.setClock({ RecordingClock::Unit::Microseconds, 3, 0, true, clock });
    m_builder.setWriter(writer);
    m_builder.metadata("provenance", quoted(writer + ", the instructions of a kernel, emulated"));
    m_builder.metadata("time", quoted("modelled"));
    m_builder.metadata("emulated", "true");
    m_builder.metadata("gpu", quoted(std::string(gpu.name)));
    m_builder.metadata("clock_mhz", numberText(m_clockMhz));
    m_builder.metadata("note",
        quoted("ts and dur are microseconds; nanoseconds = cycles x 1000 / clock_mhz, rounded; begin, end and done are "
               "cycles"));
}

std::int64_t PtxTrace::nanoseconds(Cycle cycle) const
{
    return std::llround(static_cast<double>(cycle) * 1000 / m_clockMhz);
}

PtxTrace::Lane& PtxTrace::laneOf(std::uint32_t cta, std::uint32_t warp)
{
    const auto found = m_lanes.find({ cta, warp });
    if (found != m_lanes.end())
        return found->second;
    auto process = m_processes.find(cta);
    if (process == m_processes.end()) {
        process = m_processes.emplace(cta, m_builder.addProcess(m_builder.text(std::to_string(cta + 1)))).first;
        Recording::Process& made = m_builder.process(process->second);
        made.name = m_builder.text(fmt::format("CTA {} · SM {}", cta, cta % m_sms));
        made.order = cta;
    }
    Lane lane;
    lane.track = m_builder.addTrack(process->second, m_builder.text(std::to_string(warp)));
    Recording::Track& track = m_builder.track(lane.track);
    track.name = m_builder.text(fmt::format("warp {}", warp));
    track.order = warp;
    return m_lanes.emplace(std::pair(cta, warp), lane).first->second;
}

void PtxTrace::step(const ptx::Code& code, std::uint32_t launch, Cycle offset, const ptx::Step& step)
{
    m_complete = m_complete && !m_builder.full();
    if (!m_complete)
        return;
    Lane& lane = laneOf(step.cta, step.warp);
    const ptx::Statement& statement = code.statementAt(step.pc);
    if (lane.open && (lane.open->launch != launch || lane.open->location != statement.location))
        close(step.cta, step.warp, lane);
    // Lanes of a warp that have gone different ways are issued by turns: their slices follow each other.
    const Cycle issued = std::max(offset + step.issued, lane.free);
    if (!lane.open) {
        lane.open = Stretch {};
        lane.open->launch = launch;
        lane.open->location = statement.location;
        lane.open->ptxLine = statement.line;
        lane.open->begin = lane.open->last = issued;
        lane.open->code = &code;
    }
    Stretch& open = *lane.open;
    open.last = std::max(open.last, issued);
    open.done = std::max({ open.done, open.last, offset + step.done });
    ++open.warpInstructions;
    open.laneInstructions += static_cast<std::uint64_t>(std::popcount(step.mask));
}

void PtxTrace::close(std::uint32_t cta, std::uint32_t warp, Lane& lane)
{
    const Stretch& s = *lane.open;
    std::string label = fmt::format("PTX line {}", s.ptxLine);
    const auto& locations = s.code->module->locations;
    std::int64_t cudaLine = 0;
    if (s.location < locations.size() && locations[s.location].line != 0) {
        const ptx::Location& location = locations[s.location];
        const auto& files = s.code->module->files;
        cudaLine = location.line;
        label = fmt::format(
            "{}:{}", location.file < files.size() ? fileNameOf(files[location.file]) : "line", location.line);
    }
    const Cycle end = s.last + 1; // an issue takes one cycle
    m_builder.clearArguments();
    const auto number
        = [&](std::string_view key, std::int64_t value) { m_builder.integer(m_builder.text(key), value); };
    number("sm", cta % m_sms);
    number("cta", cta);
    number("warp", warp);
    number("launch", s.launch);
    if (cudaLine != 0)
        number("cuda_line", cudaLine);
    number("ptx_line", s.ptxLine);
    number("begin", static_cast<std::int64_t>(s.begin));
    number("end", static_cast<std::int64_t>(end));
    number("done", static_cast<std::int64_t>(s.done));
    number("warp_instructions", static_cast<std::int64_t>(s.warpInstructions));
    number("instructions", static_cast<std::int64_t>(s.laneInstructions));
    const std::uint32_t slice = m_builder.begin(
        lane.track, nanoseconds(s.begin), m_builder.text(label), m_builder.text("instructions"), false);
    m_builder.clearArguments();
    m_builder.end(slice, nanoseconds(end));
    lane.free = end;
    lane.open.reset();
}

Recording PtxTrace::finish(const std::string& kernel, const std::string& file) &&
{
    for (auto& [key, lane] : m_lanes)
        if (lane.open)
            close(key.first, key.second, lane);
    m_builder.metadata("kernel", Json { { "name", kernel }, { "file", file } }.dump());
    return std::move(m_builder).finish();
}

} // namespace flashstep
