// SPDX-License-Identifier: Apache-2.0
#include "tests/support/timeline_reader.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <string_view>

namespace flashstep::test {
namespace {

// ---- protobuf, as little of it as a trace needs ----

struct Value {
    std::uint64_t number = 0;
    std::string_view bytes;
};
using Fields = std::multimap<int, Value>;

std::uint64_t varint(std::string_view& bytes)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

Fields fieldsOf(std::string_view bytes)
{
    Fields fields;
    while (!bytes.empty()) {
        const std::uint64_t tag = varint(bytes);
        Value value;
        switch (tag & 7U) {
        case 0:
            value.number = varint(bytes);
            break;
        case 1:
            std::memcpy(&value.number, bytes.data(), 8);
            bytes.remove_prefix(8);
            break;
        case 2: {
            const std::uint64_t size = varint(bytes);
            EXPECT_LE(size, bytes.size());
            value.bytes = bytes.substr(0, size);
            bytes.remove_prefix(std::min<std::size_t>(size, bytes.size()));
            break;
        }
        default:
            ADD_FAILURE() << "wire type " << (tag & 7U);
            return fields;
        }
        fields.emplace(static_cast<int>(tag >> 3U), value);
    }
    return fields;
}

std::uint64_t number(const Fields& fields, int field)
{
    const auto found = fields.find(field);
    return found == fields.end() ? 0 : found->second.number;
}

std::string text(const Fields& fields, int field)
{
    const auto found = fields.find(field);
    return found == fields.end() ? "" : std::string(found->second.bytes);
}

struct PerfettoTrack {
    std::string name;
    std::uint64_t parent = 0;
    bool isCounter = false, isProcess = false;
};

std::string numberText(double value)
{
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
}

double realOf(const Fields& fields, int field)
{
    double real = 0;
    const std::uint64_t bits = number(fields, field);
    std::memcpy(&real, &bits, 8);
    return real;
}

class PerfettoReader {
public:
    ReadTimeline read(const std::string& bytes)
    {
        for (std::string_view rest = bytes; !rest.empty();) {
            EXPECT_EQ(varint(rest), (1U << 3U) | 2U); // a packet
            const std::uint64_t size = varint(rest);
            if (size > rest.size()) {
                ADD_FAILURE() << "cut short";
                break;
            }
            readPacket(fieldsOf(rest.substr(0, size)));
            rest.remove_prefix(size);
            ++m_place;
        }
        for (const auto& [uuid, open] : m_open)
            EXPECT_TRUE(open.empty()) << "a slice that never ends on " << m_tracks[uuid].name;
        return m_out;
    }

private:
    void readPacket(const Fields& packet)
    {
        EXPECT_NE(number(packet, 10), 0U);
        if (packet.count(12) != 0)
            for (const auto& [field, name] : fieldsOf(packet.find(12)->second.bytes)) {
                EXPECT_EQ(field, 3);
                const Fields interned = fieldsOf(name.bytes);
                m_names[number(interned, 1)] = text(interned, 2);
            }
        if (packet.count(60) != 0)
            readTrack(fieldsOf(packet.find(60)->second.bytes));
        if (packet.count(11) != 0)
            readEvent(number(packet, 8), fieldsOf(packet.find(11)->second.bytes));
    }

    void readTrack(const Fields& descriptor)
    {
        const std::uint64_t uuid = number(descriptor, 1);
        EXPECT_EQ(m_tracks.count(uuid), 0U) << "described twice: " << uuid;
        m_tracks[uuid]
            = { text(descriptor, 2), number(descriptor, 5), descriptor.count(8) != 0, descriptor.count(3) != 0 };
        EXPECT_FALSE(m_tracks[uuid].name.empty());
        EXPECT_TRUE(m_tracks[uuid].isProcess || m_tracks.count(m_tracks[uuid].parent) == 1) << "a track of nothing";
    }

    void readEvent(std::uint64_t time, const Fields& event)
    {
        const std::uint64_t uuid = number(event, 11);
        ASSERT_EQ(m_tracks.count(uuid), 1U) << "an event before its track";
        EXPECT_GE(time, m_newest[uuid]) << "back in time on " << m_tracks[uuid].name;
        m_newest[uuid] = time;
        const auto at = static_cast<std::int64_t>(time);
        const std::uint64_t type = number(event, 9);
        if (type == 1)
            begin(uuid, at, event);
        if (type == 1 || type == 3)
            flows(uuid, at, event);
        if (type == 2) {
            ASSERT_FALSE(m_open[uuid].empty()) << "an end without a beginning";
            m_open[uuid].back().end = at;
            m_out.slices.push_back(m_open[uuid].back());
            m_open[uuid].pop_back();
        } else if (type == 3 && text(event, 22) != "flow") {
            m_out.marks[m_tracks[m_tracks[uuid].parent].name + "/" + m_tracks[uuid].name].emplace_back(
                at, text(event, 23));
        } else if (type == 4) {
            EXPECT_TRUE(m_tracks[uuid].isCounter);
            m_out.counters[m_tracks[uuid].name].emplace_back(at, realOf(event, 44));
        }
    }

    void begin(std::uint64_t uuid, std::int64_t at, const Fields& event)
    {
        ReadSlice slice { m_tracks[m_tracks[uuid].parent].name, m_tracks[uuid].name, text(event, 23), at, 0, {} };
        EXPECT_TRUE(m_tracks[m_tracks[uuid].parent].isProcess);
        EXPECT_TRUE(m_open[uuid].empty()) << "slices of a line do not overlap";
        for (auto [each, end] = event.equal_range(4); each != end; ++each) {
            const Fields argument = fieldsOf(each->second.bytes);
            const bool isNew
                = slice.arguments
                      .emplace(m_names.at(number(argument, 1)),
                          argument.count(6) != 0       ? text(argument, 6)
                              : argument.count(5) != 0 ? numberText(realOf(argument, 5))
                                                       : std::to_string(static_cast<std::int64_t>(number(argument, 4))))
                      .second;
            EXPECT_TRUE(isNew) << "an argument twice: " << m_names.at(number(argument, 1));
        }
        m_open[uuid].push_back(slice);
    }

    void flows(std::uint64_t uuid, std::int64_t at, const Fields& event)
    {
        const auto record = [&](int field, std::multimap<std::uint64_t, ReadFlowEnd>& ends) {
            for (auto [each, end] = event.equal_range(field); each != end; ++each) {
                ASSERT_FALSE(m_open[uuid].empty()) << "a flow end outside of any slice";
                const ReadSlice& in = m_open[uuid].back();
                ends.emplace(
                    each->second.number, ReadFlowEnd { at, m_place, in.process + "/" + in.track + "/" + in.name });
            }
        };
        record(47, m_out.flowStarts);
        record(48, m_out.flowEnds);
    }

    ReadTimeline m_out;
    std::size_t m_place = 0;
    std::map<std::uint64_t, PerfettoTrack> m_tracks;
    std::map<std::uint64_t, std::string> m_names;
    std::map<std::uint64_t, std::uint64_t> m_newest;
    std::map<std::uint64_t, std::vector<ReadSlice>> m_open;
};

std::int64_t nanoseconds(const nlohmann::json& microseconds)
{
    const double ns = microseconds.get<double>() * 1000;
    EXPECT_NEAR(ns, std::round(ns), 1e-3) << "no whole nanosecond";
    return std::llround(ns);
}

class ChromeReader {
public:
    ReadTimeline read(const std::string& text)
    {
        const nlohmann::json document = nlohmann::json::parse(text);
        EXPECT_EQ(document["metadata"]["time"], "modelled");
        for (const auto& event : document["traceEvents"])
            if (event["ph"] == "M")
                readName(event);
        for (const auto& event : document["traceEvents"])
            readSlice(event);
        for (const auto& [id, open] : m_open)
            EXPECT_TRUE(open.empty()) << "asynchronous, and never ends: " << id.second;
        std::size_t place = 0;
        for (const auto& event : document["traceEvents"])
            readOther(event, place++);
        return m_out;
    }

private:
    using Thread = std::pair<int, int>;
    static Thread threadOf(const nlohmann::json& event) { return { event["pid"], event["tid"] }; }

    void readName(const nlohmann::json& event)
    {
        if (event["name"] == "process_name")
            m_processes[event["pid"]] = event["args"]["name"];
        if (event["name"] == "thread_name") {
            EXPECT_TRUE(m_threads.emplace(threadOf(event), event["args"]["name"]).second) << "named twice";
        }
    }

    void readSlice(const nlohmann::json& event)
    {
        const std::string phase = event["ph"];
        if (phase == "X") {
            const std::int64_t begin = nanoseconds(event["ts"]);
            add(event, begin, begin + nanoseconds(event["dur"]));
        } else if (phase == "b") {
            m_open[{ event["cat"], event["id"] }].push_back(event);
        } else if (phase == "e") {
            auto& open = m_open[{ event["cat"], event["id"] }];
            ASSERT_EQ(open.size(), 1U) << "an end that matches no beginning";
            EXPECT_EQ(open.back()["name"], event["name"]);
            EXPECT_EQ(threadOf(open.back()), threadOf(event));
            add(open.back(), nanoseconds(open.back()["ts"]), nanoseconds(event["ts"]));
            ++m_out.asynchronous;
            open.pop_back();
        }
    }
    void add(const nlohmann::json& event, std::int64_t begin, std::int64_t end)
    {
        const Thread thread = threadOf(event);
        ReadSlice slice { m_processes.at(thread.first), m_threads.at(thread), event["name"], begin, end, {} };
        for (const auto& [key, value] : event["args"].items())
            slice.arguments[key] = value.is_string() ? value.get<std::string>()
                : value.is_number_integer()          ? std::to_string(value.get<std::int64_t>())
                                                     : numberText(value.get<double>());
        auto& busy = m_busy[thread];
        EXPECT_TRUE(busy.empty() || begin >= busy.back().end) << "slices of a line do not overlap";
        busy.push_back(slice);
        m_out.slices.push_back(std::move(slice));
    }

    void readOther(const nlohmann::json& event, std::size_t place)
    {
        const std::string phase = event["ph"];
        const Thread thread = threadOf(event);
        if (phase == "C") {
            for (const auto& [unit, value] : event["args"].items())
                m_out.counters[event["name"]].emplace_back(nanoseconds(event["ts"]), value.get<double>());
        } else if (phase == "i") {
            m_out.marks[m_processes.at(thread.first) + "/" + m_threads.at(thread)].emplace_back(
                nanoseconds(event["ts"]), event["name"]);
        } else if (phase == "s" || phase == "f") {
            EXPECT_EQ(event["bp"], "e");
            const std::int64_t at = nanoseconds(event["ts"]);
            const auto& slices = m_busy[thread];
            const auto in = std::find_if(slices.begin(), slices.end(),
                [&](const ReadSlice& slice) { return slice.begin <= at && at <= slice.end; });
            ASSERT_NE(in, slices.end()) << "a flow end outside of any slice";
            (phase == "s" ? m_out.flowStarts : m_out.flowEnds)
                .emplace(std::stoull(event["id"].get<std::string>(), nullptr, 16), ReadFlowEnd { at, place, "" });
        }
    }

    ReadTimeline m_out;
    std::map<int, std::string> m_processes;
    std::map<Thread, std::string> m_threads;
    std::map<Thread, std::vector<ReadSlice>> m_busy;
    std::map<std::pair<std::string, std::string>, std::vector<nlohmann::json>> m_open; // by category and id
};

} // namespace

ReadTimeline readPerfettoBytes(const std::string& bytes)
{
    return PerfettoReader().read(bytes);
}

ReadTimeline readChromeText(const std::string& text)
{
    return ChromeReader().read(text);
}

void expectFlowsMatch(const ReadTimeline& timeline)
{
    EXPECT_EQ(timeline.flowStarts.size(), timeline.flowEnds.size());
    for (const auto& [id, start] : timeline.flowStarts) {
        ASSERT_EQ(timeline.flowStarts.count(id), 1U) << id;
        ASSERT_EQ(timeline.flowEnds.count(id), 1U) << id;
        EXPECT_LT(start, timeline.flowEnds.find(id)->second) << "a reader meets the end of " << id << " first";
    }
}

} // namespace flashstep::test
