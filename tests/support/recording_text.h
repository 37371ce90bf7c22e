// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/json.h"
#include "core/io/recording.h"
#include "core/io/recording_read.h"
#include "core/io/recording_write.h"

#include <sstream>
#include <stdexcept>

namespace flashstep::test {

// What is in a recording that must be readable; an exception, which fails the test, where it is not.
inline Recording recordingOf(std::string_view bytes)
{
    Result<Recording> read = readRecording(bytes, "test");
    if (!read)
        throw std::runtime_error(read.error().line());
    return std::move(*read);
}
inline Recording fixture(const std::string& name)
{
    Result<Recording> read
        = readRecordingFile(std::string(FLASHSTEP_SOURCE_DIR) + "/tests/fixtures/recordings/" + name);
    if (!read)
        throw std::runtime_error(read.error().line());
    return std::move(*read);
}
inline std::string errorOf(std::string_view bytes)
{
    const Result<Recording> read = readRecording(bytes, "test");
    return read ? "" : read.error().line();
}

inline std::string written(const Recording& recording)
{
    std::ostringstream out;
    (void)writeRecording(recording, out, {});
    return out.str();
}

inline std::string argumentText(const Recording& recording, const Recording::Slice& slice)
{
    using Type = Recording::Argument::Type;
    std::string text;
    for (std::size_t k = 0; k < recording.argumentCount(slice); ++k) {
        const Recording::Argument a = recording.argument(slice, k);
        text += std::string(a.key) + '=';
        text += a.type == Type::Integer ? std::to_string(a.integer)
            : a.type == Type::Unsigned  ? std::to_string(a.natural)
            : a.type == Type::Boolean   ? std::string(a.integer ? "true" : "false")
            : a.type == Type::Real      ? numberText(a.real)
                                        : std::string(a.text);
        text += ';';
    }
    return text;
}

// "process/lane [begin end] category name {arguments}", all that a slice is, for comparing.
inline std::string sliceText(const Recording& recording, const Recording::Slice& slice, bool withLane = true)
{
    const Recording::Track& track = recording.tracks()[slice.track];
    return std::string(recording.text(recording.processes()[track.process].name)) + '/'
        + (withLane ? std::string(recording.text(track.name)) : "") + " [" + std::to_string(slice.begin) + ' '
        + std::to_string(slice.end) + "] " + std::string(recording.text(slice.category)) + ' '
        + std::string(recording.text(slice.name)) + " {" + argumentText(recording, slice) + '}';
}

inline std::vector<std::string> laneNames(const Recording& recording)
{
    std::vector<std::string> names;
    for (const Recording::Track& track : recording.tracks())
        names.push_back(recording.laneName(track));
    return names;
}

} // namespace flashstep::test
