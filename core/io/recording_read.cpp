// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_read.h"

#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/recording_chrome.h"
#include "core/io/recording_perfetto.h"

#include <algorithm>
#include <fstream>
#include <istream>
#include <streambuf>

namespace flashstep {

namespace {

constexpr std::size_t firstLook = 1U << 16U;

// A stream over bytes that are there already.
class Memory : public std::streambuf {
public:
    explicit Memory(std::string_view bytes)
    {
        char* begin = const_cast<char*>(bytes.data()); // NOLINT: streambuf's get area; never written
        setg(begin, begin, begin + bytes.size());
    }
};

std::size_t pastSpace(std::string_view bytes)
{
    std::size_t at = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (at < bytes.size() && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\n' || bytes[at] == '\r'))
        ++at;
    return at;
}

// Whether the first packets are framed as packets are: a JSON text may begin with the byte that they do, a line feed.
bool framedAsPackets(std::string_view bytes)
{
    constexpr char packetTag = 0x0A;
    std::size_t at = 0;
    int packets = 0;
    while (at < bytes.size() && packets < 4) {
        if (bytes[at++] != packetTag)
            return false;
        std::size_t length = 0;
        unsigned shift = 0;
        for (; at < bytes.size() && shift < 35; shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes[at++]);
            length |= static_cast<std::size_t>(byte & 0x7FU) << shift;
            if (byte < 0x80)
                break;
        }
        at += length;
        ++packets;
    }
    // One that goes on beyond what is there tells nothing.
    const std::size_t text = pastSpace(bytes);
    const bool mayBeText = text < bytes.size() && (bytes[text] == '{' || bytes[text] == '[');
    return packets > (at > bytes.size() && mayBeText ? 1 : 0);
}

enum class Format : std::uint8_t { Json, Perfetto, Compressed, Empty, Unknown };

Format formatOf(std::string_view first)
{
    if (first.empty())
        return Format::Empty;
    if (first.starts_with("\x1F\x8B") || first.starts_with("PK\x03\x04"))
        return Format::Compressed;
    if (framedAsPackets(first))
        return Format::Perfetto;
    const std::size_t at = pastSpace(first);
    return at < first.size() && (first[at] == '{' || first[at] == '[') ? Format::Json : Format::Unknown;
}

Result<Recording> readStream(
    std::istream& in, std::string_view first, std::uint64_t size, const std::string& where, const Progress& progress)
{
    constexpr const char* accepted = "Chrome-trace JSON or a Perfetto protobuf";
    switch (formatOf(first)) {
    case Format::Empty:
        return Error { "the file is empty", where, accepted };
    case Format::Compressed:
        return Error { "the file is compressed", where, "unpack it first; then " + std::string(accepted) };
    case Format::Json:
        return readChromeJson(in, size, where, progress);
    case Format::Perfetto:
        return readPerfetto(in, size, where, progress);
    case Format::Unknown:
        break;
    }
    return Error { "no timeline that is known", where, accepted };
}

// Looks at the members of a document's outermost object, no further than it must.
class KindHandler : public nlohmann::json_sax<Json> {
public:
    FileKind kind = FileKind::Scenario;

    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
    bool string(string_t& /*value*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_object(std::size_t /*size*/) override { return ++m_depth > 0; }
    bool end_object() override { return --m_depth > 0; }
    bool start_array(std::size_t /*size*/) override
    {
        if (m_depth++ > 0)
            return true;
        kind = FileKind::Recording;
        return false;
    }
    bool end_array() override { return --m_depth > 0; }
    bool key(string_t& name) override
    {
        if (m_depth != 1)
            return true;
        if (name == "traceEvents")
            kind = FileKind::Recording;
        return name != "traceEvents" && name != "flashstep" && name != "problem" && name != "algorithm";
    }
    bool parse_error(
        std::size_t /*position*/, const std::string& /*token*/, const nlohmann::detail::exception& /*why*/) override
    {
        return false;
    }

private:
    int m_depth = 0;
};

FileKind kindIn(std::istream& in, std::string_view first)
{
    switch (formatOf(first)) {
    case Format::Perfetto:
    case Format::Compressed:
        return FileKind::Recording;
    case Format::Json:
        break;
    case Format::Empty:
    case Format::Unknown:
        return FileKind::Scenario;
    }
    KindHandler handler;
    (void)Json::sax_parse(in, &handler);
    return handler.kind;
}

} // namespace

Result<Recording> readRecording(std::string_view bytes, const std::string& where)
{
    Memory memory(bytes);
    std::istream in(&memory);
    return readStream(in, bytes.substr(0, firstLook), bytes.size(), where, {});
}

Result<Recording> readRecordingFile(const std::string& path, const Progress& progress)
{
    const Result<std::uint64_t> size = fileSize(path);
    if (!size)
        return size.error();
    if (*size > largestRecordingFile)
        return Error { "the file is larger than " + bytesInWords(static_cast<double>(largestRecordingFile)), path,
            "a smaller recording" };
    std::ifstream in(path, std::ios::binary);
    std::string first(static_cast<std::size_t>(std::min<std::uint64_t>(*size, firstLook)), '\0');
    if (!in.read(first.data(), static_cast<std::streamsize>(first.size())))
        return Error { "the file cannot be read", path, "" };
    in.seekg(0);
    return readStream(in, first, *size, path, progress);
}

FileKind kindOf(std::string_view bytes)
{
    Memory memory(bytes);
    std::istream in(&memory);
    return kindIn(in, bytes.substr(0, firstLook));
}

FileKind kindOfFile(const std::string& path)
{
    const Result<std::uint64_t> size = fileSize(path);
    std::ifstream in(path, std::ios::binary);
    if (!size || !in)
        return FileKind::Scenario; // whose reader says why it cannot be read
    std::string first(static_cast<std::size_t>(std::min<std::uint64_t>(*size, firstLook)), '\0');
    in.read(first.data(), static_cast<std::streamsize>(first.size()));
    in.clear();
    in.seekg(0);
    return kindIn(in, first);
}

} // namespace flashstep
