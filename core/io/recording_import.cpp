// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_import.h"

#include "core/io/recording_write.h"

#include <fmt/format.h>

#include <algorithm>

namespace flashstep {

namespace {

RecordingClock::Unit unitFrom(const std::string& word)
{
    return word == "ticks" ? RecordingClock::Unit::Ticks : RecordingClock::Unit::Microseconds;
}

RecordingClock clockOf(int decimals, bool known, std::string statement)
{
    RecordingClock clock;
    clock.decimals = decimals;
    clock.known = known;
    clock.statement = std::move(statement);
    return clock;
}

bool hasArgument(const Recording& recording, std::string_view key)
{
    // One slice stands for all: a tool gives each the same arguments.
    for (const Recording::Slice& slice : recording.slices().first(std::min<std::size_t>(recording.slices().size(), 64)))
        for (std::size_t k = 0; k < recording.argumentCount(slice); ++k)
            if (recording.argument(slice, k).key == key)
                return true;
    return false;
}

std::string ratePhrase(double hertz)
{
    const auto whole = static_cast<std::int64_t>(std::min(hertz, 9e18));
    return fmt::format("ticks of the device, {} of them a second (tick_rate_hz of the file)",
        static_cast<double>(whole) == hertz ? groupedNumber(whole) : numberText(hertz));
}

bool ownExport(RecordingBuilder& builder)
{
    const std::string provenance = builder.metadataText("provenance");
    if (!provenance.starts_with("FlashStep "))
        return false;
    builder.setWriter(provenance.substr(0, provenance.find(',')));
    builder.metadata("time", "\"modelled\"");
    builder.setClock(clockOf(builder.soFar().clock().decimals, true,
        "modelled time in nanoseconds, from cycles at " + builder.metadataText("clock_mhz") + " MHz"));
    return true;
}

Status restore(RecordingBuilder& builder, const Json& import)
{
    if (!import.is_object() || !import.contains("version") || !import["version"].is_number_integer())
        return Error { "flashstep_import has no version", "", "what 'flashstep-cli import' writes" };
    if (import["version"].get<std::int64_t>() > importVersion)
        return Error { fmt::format("it was written by a newer version of 'flashstep-cli import' ({})",
                           import["version"].get<std::int64_t>()),
            "", fmt::format("versions up to {}", importVersion) };
    for (const RecordingFormat source :
        { RecordingFormat::OwnRecording, RecordingFormat::ChromeJson, RecordingFormat::Perfetto })
        if (import.value("source", Json()) == name(source))
            builder.setSource(source);
    if (const Json writer = import.value("writer", Json()); writer.is_string())
        builder.setWriter(writer.get<std::string>());
    if (const Json clock = import.value("clock", Json()); clock.is_object()) {
        RecordingClock read = builder.soFar().clock();
        if (const Json unit = clock.value("unit", Json()); unit.is_string())
            read.unit = unitFrom(unit.get<std::string>());
        if (const Json rate = clock.value("tick_rate_hz", Json()); rate.is_number())
            read.tickRateHz = rate.get<double>();
        if (const Json known = clock.value("known", Json()); known.is_boolean())
            read.known = known.get<bool>();
        if (const Json statement = clock.value("statement", Json()); statement.is_string())
            read.statement = statement.get<std::string>();
        if (read.unit == RecordingClock::Unit::Ticks && !(read.tickRateHz > 0))
            return Error { "a clock of ticks has no tick_rate_hz", "", "what 'flashstep-cli import' writes" };
        if (read.unit == RecordingClock::Unit::Ticks)
            builder.useTicks(read.tickRateHz);
        builder.setClock(read);
    }
    if (const Json notes = import.value("notes", Json()); notes.is_array()) {
        std::vector<std::string> lines;
        for (const Json& line : notes)
            if (line.is_string())
                lines.push_back(line.get<std::string>());
        builder.setNotes(std::move(lines));
    }
    return Nothing {};
}

} // namespace

Json importedAs(const Recording& recording)
{
    const RecordingClock& clock = recording.clock();
    Json import;
    import["version"] = importVersion;
    import["source"] = std::string(name(recording.source()));
    import["writer"] = recording.writer();
    import["clock"]["unit"] = clock.unit == RecordingClock::Unit::Ticks ? "ticks" : "microseconds";
    import["clock"]["decimals"] = clock.decimals;
    if (clock.unit == RecordingClock::Unit::Ticks)
        import["clock"]["tick_rate_hz"] = clock.tickRateHz;
    import["clock"]["known"] = clock.known;
    import["clock"]["statement"] = clock.statement;
    import["notes"] = recording.notes();
    return import;
}

void beginImported(RecordingBuilder& builder, const Json& import)
{
    if (!import.is_object() || !import.contains("clock") || !import["clock"].is_object())
        return;
    if (const Json decimals = import["clock"].value("decimals", Json());
        decimals.is_number_integer() && decimals.get<std::int64_t>() > 3 && decimals.get<std::int64_t>() <= 9)
        (void)builder.finer(decimals.get<int>());
}

Status describeChrome(RecordingBuilder& builder)
{
    const std::string import = builder.takeMetadata("flashstep_import");
    if (!import.empty())
        return restore(builder, Json::parse(import, nullptr, false));
    const int decimals = builder.soFar().clock().decimals;
    const Json version = Json::parse(builder.metadataText("flashstep"), nullptr, false);
    if (version.is_number() && version.get<double>() > 1)
        return Error { "the recording is of a newer version (flashstep " + builder.metadataText("flashstep") + ")", "",
            "version 1" };
    const std::string rate = builder.metadataText("tick_rate_hz");
    if (!rate.empty() || (!builder.metadataText("device").empty() && !builder.metadataText("kernel").empty())) {
        builder.setSource(RecordingFormat::OwnRecording);
        const Json hertz = Json::parse(rate, nullptr, false);
        if (!hertz.is_number() || !(hertz.get<double>() > 0)) {
            builder.setClock(
                clockOf(decimals, false, "unknown: the file has no tick_rate_hz, so what its ts counts is not said"));
            return Nothing {};
        }
        (void)builder.finer(6); // of what has no ticks of its own
        RecordingClock clock = clockOf(builder.soFar().clock().decimals, true, ratePhrase(hertz.get<double>()));
        clock.unit = RecordingClock::Unit::Ticks;
        clock.tickRateHz = hertz.get<double>();
        builder.useTicks(clock.tickRateHz);
        builder.setClock(clock);
        return Nothing {};
    }
    if (ownExport(builder))
        return Nothing {};
    if (hasArgument(builder.soFar(), "Frequency (MHz)")) {
        builder.setWriter("Proton");
        builder.setClock(clockOf(decimals, false,
            "unknown: Proton divided cycles by a clock that it assumed (argument Frequency (MHz)); the device's own is "
            "not in the file"));
        return Nothing {};
    }
    if (!builder.metadataText("schemaVersion").empty() && !builder.metadataText("deviceProperties").empty())
        builder.setWriter("PyTorch");
    builder.setClock(
        clockOf(decimals, true, "microseconds, as Chrome's trace format has them; the file does not say which clock"));
    return Nothing {};
}

void describePerfetto(RecordingBuilder& builder, bool declaredClock)
{
    if (ownExport(builder))
        return;
    const Recording& recording = builder.soFar();
    bool flashInfer = !recording.processes().empty() && !recording.tracks().empty();
    for (const Recording::Process& process : recording.processes())
        flashInfer = flashInfer && (process.name == 0 || recording.text(process.name).starts_with("SM_"));
    for (const Recording::Track& track : recording.tracks())
        flashInfer = flashInfer
            && (recording.text(track.name).starts_with("blk") || recording.text(track.name).starts_with("SM_"));
    if (flashInfer)
        builder.setWriter("FlashInfer's profiler");
    builder.setClock(clockOf(3, true,
        declaredClock ? "nanoseconds, as the clock snapshot of the file has them; it does not say of which device"
                      : "nanoseconds, as Perfetto's format has them; the file does not say which clock"));
}

} // namespace flashstep
