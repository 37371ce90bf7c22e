// SPDX-License-Identifier: Apache-2.0
#include "core/io/recording_chrome.h"

#include "core/io/json_capture.h"
#include "core/io/recording_chrome_events.h"
#include "core/io/recording_import.h"

#include <fmt/format.h>

#include <limits>

namespace flashstep {

namespace {

constexpr std::size_t deepest = 64; // of the whole document
constexpr std::size_t longestArgument = 4096; // bytes of JSON, of an argument that is a list or an object
constexpr std::size_t mostMetadata = 1U << 20U; // bytes, of all that is no event

// What nlohmann's parser finds, in the order of the file. No document is ever made.
class ChromeHandler : public nlohmann::json_sax<Json> {
public:
    ChromeHandler(RecordingBuilder& builder, std::uint64_t size, const Progress& progress)
        : m_builder(builder)
        , m_events(builder)
        , m_size(size)
        , m_progress(progress)
    {
    }

    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }
    [[nodiscard]] bool sawEvents() const { return m_eventsDepth > 0; }
    [[nodiscard]] bool endedEarly() const { return m_endedEarly; }

    bool null() override
    {
        return scalar("null", [] {});
    }
    bool boolean(bool value) override
    {
        return scalar(value ? "true" : "false", [&] { m_builder.boolean(m_argument, value); });
    }
    bool number_integer(number_integer_t value) override
    {
        return number(std::to_string(value), static_cast<double>(value), [&] { m_builder.integer(m_argument, value); });
    }
    bool number_unsigned(number_unsigned_t value) override
    {
        return number(std::to_string(value), static_cast<double>(value), [&] { m_builder.natural(m_argument, value); });
    }
    bool number_float(number_float_t value, const string_t& text) override
    {
        return number(text, value, [&] { m_builder.real(m_argument, value); });
    }
    bool string(string_t& value) override;
    bool binary(binary_t& /*value*/) override { return false; }
    bool start_object(std::size_t /*size*/) override { return open('{'); }
    bool start_array(std::size_t /*size*/) override { return open('['); }
    bool end_object() override { return close('}'); }
    bool end_array() override { return close(']'); }
    bool key(string_t& name) override;
    bool parse_error(
        std::size_t position, const std::string& /*token*/, const nlohmann::detail::exception& why) override;

private:
    enum class Member : std::uint8_t { Other, Phase, Name, Category, Pid, Tid, Ts, Dur, Id, Id2, Scope, Args };

    [[nodiscard]] bool inEvent() const { return m_eventsDepth > 0 && m_depth == m_eventsDepth + 1; }
    [[nodiscard]] bool inArgs() const
    {
        return m_eventsDepth > 0 && m_depth == m_eventsDepth + 2 && m_member == Member::Args;
    }
    bool fail(std::string what, std::string hint = {})
    {
        m_error = Error { std::move(what), fmt::format("event {}", m_count + 1), std::move(hint) };
        return false;
    }
    template <typename Add> bool scalar(std::string_view json, Add argument);
    template <typename Add> bool number(const std::string& text, double value, Add argument);
    bool open(char bracket);
    bool close(char bracket);
    bool captured();
    bool endEvent();
    void keep(ChromeEvent::Scalar& place, std::string_view text, bool isNumber);
    void takeNumber(const std::string& text);
    void takeText(const std::string& text);
    void takeMetadata();

    RecordingBuilder& m_builder;
    ChromeEvents m_events;
    std::uint64_t m_size;
    const Progress& m_progress;
    std::size_t m_depth = 0, m_eventsDepth = 0;
    bool m_list = false; // the document is a list of events
    bool m_endedEarly = false;
    Member m_member = Member::Other;
    std::string m_topKey;
    ChromeEvent m_event;
    Recording::Text m_argument = 0; // the key in force, of arguments
    bool m_isName = false, m_isSortIndex = false, m_isLocal = false;
    JsonCapture m_capture;
    std::size_t m_metadataBytes = 0;
    std::uint64_t m_count = 0;
    std::optional<Error> m_error;
};

bool ChromeHandler::parse_error(
    std::size_t position, const std::string& /*token*/, const nlohmann::detail::exception& why)
{
    const std::string text = why.what();
    const bool atEnd = text.find("unexpected end of input") != std::string::npos;
    if (m_list && m_depth == 1 && atEnd) { // as tools leave it that are ended from outside
        m_endedEarly = true;
        return false;
    }
    const std::size_t colon = text.rfind("; ");
    if (atEnd)
        m_error = Error { "the file ends in the middle of event " + std::to_string(m_count + 1), "", "" };
    else
        m_error = Error { "no JSON: "
                + (colon == std::string::npos ? text.substr(text.find("] ") + 2) : text.substr(colon + 2)),
            fmt::format("byte {}", std::min<std::uint64_t>(position, m_size)), "Chrome-trace JSON" };
    return false;
}

bool ChromeHandler::key(string_t& name)
{
    if (m_capture.active()) {
        m_capture.key(name);
    } else if (inArgs()) {
        m_argument = m_builder.text(name);
        m_isName = name == "name";
        m_isSortIndex = name == "sort_index";
    } else if (inEvent()) {
        constexpr std::array<std::pair<std::string_view, Member>, 11> members { { { "ph", Member::Phase },
            { "name", Member::Name }, { "cat", Member::Category }, { "pid", Member::Pid }, { "tid", Member::Tid },
            { "ts", Member::Ts }, { "dur", Member::Dur }, { "id", Member::Id }, { "id2", Member::Id2 },
            { "scope", Member::Scope }, { "args", Member::Args } } };
        m_member = Member::Other;
        for (const auto& [word, member] : members)
            if (word == name)
                m_member = member;
    } else if (m_eventsDepth > 0 && m_depth == m_eventsDepth + 2 && m_member == Member::Id2) {
        m_isLocal = name == "local";
    } else {
        m_topKey = name;
    }
    return true;
}

bool ChromeHandler::open(char bracket)
{
    if (m_depth >= deepest)
        return fail("nested deeper than 64", "Chrome-trace JSON");
    if (m_capture.active()) {
        m_capture.open(bracket);
        ++m_depth;
        return true;
    }
    if (m_depth == 0) {
        m_list = bracket == '[';
        m_eventsDepth = m_list ? 1 : 0;
    } else if (m_depth == 1 && !m_list && m_topKey == "traceEvents") {
        if (bracket != '[')
            return fail("traceEvents is no list");
        m_eventsDepth = 2;
    } else if (m_eventsDepth > 0 && m_depth == m_eventsDepth) {
        if (bracket != '{')
            return fail("an event is no object");
        m_event = {};
        m_member = Member::Other;
        m_builder.clearArguments();
    } else if (!(inEvent() && bracket == '{' && (m_member == Member::Args || m_member == Member::Id2))) {
        m_capture.start(inArgs() ? longestArgument : mostMetadata - m_metadataBytes);
        m_capture.open(bracket);
    }
    ++m_depth;
    return true;
}

bool ChromeHandler::close(char bracket)
{
    --m_depth;
    if (m_capture.active())
        return !m_capture.close(bracket) || captured();
    if (m_eventsDepth > 0 && m_depth == m_eventsDepth)
        return endEvent();
    if (m_eventsDepth == 2 && m_depth == 1)
        m_eventsDepth = 3 + deepest; // the list is over; another member of that name would be read as metadata
    return true;
}

bool ChromeHandler::endEvent()
{
    if (m_builder.full())
        return fail("too many events, lanes or texts to be numbered", "a smaller recording");
    if (const Status status = m_events.take(m_event); !status)
        return fail(status.error().what, status.error().hint);
    if ((++m_count & 4095U) == 0 && m_progress.cancelled()) {
        m_error = Error { "cancelled", "", "" };
        return false;
    }
    return true;
}

// A list or an object that is an argument, a member of an event that is not looked at, or metadata.
bool ChromeHandler::captured()
{
    if (inArgs()) {
        if (m_capture.over())
            m_builder.lose(RecordingBuilder::Loss::CutArgument);
        else
            m_builder.word(m_argument, m_builder.text(m_capture.text()), true);
    } else if (m_depth == 1 && !m_list) {
        takeMetadata();
    }
    return true;
}

void ChromeHandler::takeMetadata()
{
    m_metadataBytes = std::min(mostMetadata, m_metadataBytes + m_capture.text().size());
    if (m_capture.over()) {
        m_builder.note("'" + m_topKey.substr(0, 64) + "' is too long and was left out");
        return;
    }
    if (m_topKey == "traceEvents" || m_topKey == "displayTimeUnit" || m_topKey == "stackFrames"
        || m_topKey == "samples")
        return;
    if (m_topKey != "metadata") {
        m_builder.metadata(m_topKey, m_capture.text());
        return;
    }
    const Json json = Json::parse(m_capture.text(), nullptr, false);
    if (json.is_object())
        for (const auto& [name, value] : json.items())
            m_builder.metadata(name, value.dump());
    if (const Json* import
        = json.is_object() && json.contains("flashstep_import") ? &json["flashstep_import"] : nullptr)
        beginImported(m_builder, *import);
}

template <typename Add> bool ChromeHandler::scalar(std::string_view json, Add argument)
{
    if (m_depth == 0)
        return fail("the document is a single value", "a list of events, or an object with \"traceEvents\"");
    if (m_capture.active()) {
        m_capture.value(json);
    } else if (inArgs()) {
        argument();
    } else if (m_depth == 1 && !m_list) {
        m_capture.start(mostMetadata - m_metadataBytes);
        m_capture.value(json);
        takeMetadata();
    } else if (m_eventsDepth > 0 && m_depth == m_eventsDepth) {
        return fail("an event is no object");
    }
    return true;
}

template <typename Add> bool ChromeHandler::number(const std::string& text, double value, Add argument)
{
    if (m_capture.active() || m_depth < 2)
        return scalar(text, argument);
    if (inArgs()) {
        argument();
        m_event.series.emplace_back(m_argument, value);
        if (m_isSortIndex && value >= -9e15 && value <= 9e15)
            m_event.sortIndex = static_cast<std::int64_t>(value);
        return true;
    }
    if (m_eventsDepth > 0 && m_depth == m_eventsDepth)
        return fail("an event is no object");
    takeNumber(text);
    return true;
}

void ChromeHandler::keep(ChromeEvent::Scalar& place, std::string_view text, bool isNumber)
{
    place.kind = isNumber ? ChromeEvent::Scalar::Kind::Number : ChromeEvent::Scalar::Kind::Text;
    place.text = m_builder.text(text);
}

void ChromeHandler::takeNumber(const std::string& text)
{
    const auto time = [&](ChromeEvent::Scalar& place) {
        if (const auto number = decimalFrom(text)) {
            place.kind = ChromeEvent::Scalar::Kind::Number;
            place.number = *number;
        }
    };
    if (m_depth == m_eventsDepth + 2 && m_member == Member::Id2)
        keep(m_isLocal ? m_event.localId : m_event.id, text, true);
    if (!inEvent())
        return;
    switch (m_member) {
    case Member::Pid:
        return keep(m_event.pid, text, true);
    case Member::Tid:
        return keep(m_event.tid, text, true);
    case Member::Id:
        return keep(m_event.id, text, true);
    case Member::Ts:
        return time(m_event.ts);
    case Member::Dur:
        return time(m_event.dur);
    default:
        return;
    }
}

void ChromeHandler::takeText(const std::string& text)
{
    if (m_depth == m_eventsDepth + 2 && m_member == Member::Id2)
        keep(m_isLocal ? m_event.localId : m_event.id, text, false);
    if (!inEvent())
        return;
    switch (m_member) {
    case Member::Phase:
        m_event.phase = text.size() == 1 ? text.front() : '?';
        return;
    case Member::Name:
        m_event.name = m_builder.text(text);
        return;
    case Member::Category:
        m_event.category = m_builder.text(text);
        return;
    case Member::Scope:
        m_event.scope = m_builder.text(text);
        return;
    case Member::Pid:
        return keep(m_event.pid, text, false);
    case Member::Tid:
        return keep(m_event.tid, text, false);
    case Member::Id:
        return keep(m_event.id, text, false);
    case Member::Ts: // some writers put numbers in quotes
    case Member::Dur:
        return takeNumber(text);
    default:
        return;
    }
}

bool ChromeHandler::string(string_t& value)
{
    if (m_capture.active() || m_depth < 2)
        return scalar(m_capture.active() || m_depth == 1 ? flashstep::quoted(value) : value, [] {});
    if (inArgs()) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (value == "inf" || value == "-inf") // JSON has no infinities: this is how they are written
            m_builder.real(m_argument, value.front() == '-' ? -infinity : infinity);
        else if (value == "nan")
            m_builder.real(m_argument, std::numeric_limits<double>::quiet_NaN());
        else
            m_builder.word(m_argument, m_builder.text(value));
        if (m_isName)
            m_event.newName = m_builder.text(value);
        return true;
    }
    if (m_eventsDepth > 0 && m_depth == m_eventsDepth)
        return fail("an event is no object");
    takeText(value);
    return true;
}

} // namespace

Result<Recording> readChromeJson(
    std::istream& in, std::uint64_t size, const std::string& where, const Progress& progress)
{
    RecordingBuilder builder(RecordingFormat::ChromeJson);
    builder.expect(size / 2);
    ChromeHandler handler(builder, size, progress);
    const bool whole = Json::sax_parse(in, &handler);
    if (!whole && !handler.endedEarly()) {
        Error error = handler.error().value_or(Error { "no JSON", "", "Chrome-trace JSON" });
        error.where = error.where.empty() ? where : where + ", " + error.where;
        return error;
    }
    if (!handler.sawEvents())
        return Error { "no timeline: there is no \"traceEvents\"", where, "Chrome-trace JSON or a Perfetto protobuf" };
    if (handler.endedEarly())
        builder.note("the list of events is not closed, as the format allows: what comes after the last is not known");
    if (const Status status = describeChrome(builder); !status)
        return Error { status.error().what, where, status.error().hint };
    return std::move(builder).finish();
}

} // namespace flashstep
