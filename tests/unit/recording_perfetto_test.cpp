// SPDX-License-Identifier: Apache-2.0
#include "core/io/proto_message.h"
#include "tests/support/recording_text.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

using test::recordingOf;

// Packets by hand; field numbers as Perfetto's documentation lists them.
class Packets {
public:
    template <typename Fill> Packets& add(Fill fill)
    {
        ProtoMessage packet;
        fill(packet);
        m_bytes.message(1, packet);
        return *this;
    }
    template <typename Fill> Packets& event(std::uint64_t at, std::uint64_t type, std::uint64_t track, Fill fill)
    {
        return add([&](ProtoMessage& packet) {
            ProtoMessage event;
            event.varint(9, type);
            event.varint(11, track);
            fill(event);
            packet.varint(8, at);
            packet.varint(10, 1);
            packet.message(11, event);
        });
    }
    Packets& begin(std::uint64_t at, std::uint64_t track, std::string_view name)
    {
        return event(at, 1, track, [&](ProtoMessage& event) { event.text(23, name); });
    }
    Packets& end(std::uint64_t at, std::uint64_t track)
    {
        return event(at, 2, track, [](ProtoMessage&) {});
    }
    [[nodiscard]] std::string bytes() const { return std::string(m_bytes.bytes()); }

private:
    ProtoMessage m_bytes;
};

ProtoMessage pair(std::uint64_t iid, std::string_view text)
{
    ProtoMessage message;
    message.varint(1, iid);
    message.text(2, text);
    return message;
}

TEST(PerfettoRecording, ReadsWhatFlashInfersProfilerWrites)
{
    const Recording r = test::fixture("flashinfer.pftrace");
    EXPECT_EQ(r.writer(), "FlashInfer's profiler");
    EXPECT_EQ(test::laneNames(r),
        (std::vector<std::string> { "SM_000 / blk0_g0", "SM_000 / blk0_g1", "SM_001 / blk1_g0", "SM_001 / blk1_g1" }));
    EXPECT_EQ(r.slices().size(), 64U);
    EXPECT_EQ(r.text(r.slices()[0].name), "load_kv");
    EXPECT_EQ(r.slices()[0].begin, 3'918'273'645);
    EXPECT_EQ(r.slices()[0].end, 3'918'273'645 + 416);
    EXPECT_EQ(r.instants().size(), 4U);
    EXPECT_EQ(r.clock().unitName(), "ns");
    EXPECT_FALSE(r.measured());
    EXPECT_TRUE(r.notes().empty());
}

TEST(PerfettoRecording, KnowsNamesUntilTheStateIsCleared)
{
    Packets packets;
    const auto intern = [&](std::uint64_t flags, std::string_view name) {
        packets.add([&](ProtoMessage& packet) {
            ProtoMessage interned;
            interned.message(2, pair(7, name));
            interned.message(1, pair(1, "kind"));
            packet.varint(10, 1);
            packet.message(12, interned);
            packet.varint(13, flags);
        });
    };
    const auto slice = [&](std::uint64_t at) {
        packets.event(at, 1, 5, [](ProtoMessage& event) {
            event.varint(10, 7);
            event.varint(3, 1);
        });
        packets.end(at + 1, 5);
    };
    intern(1, "first");
    slice(10);
    intern(2, "second");
    slice(20);
    packets.add([](ProtoMessage& packet) {
        packet.varint(10, 1);
        packet.varint(13, 1);
    });
    slice(30);
    const Recording r = recordingOf(packets.bytes());
    EXPECT_EQ(r.text(r.slices()[0].name), "first");
    EXPECT_EQ(r.text(r.slices()[0].category), "kind");
    EXPECT_EQ(r.text(r.slices()[1].name), "second");
    EXPECT_EQ(r.text(r.slices()[2].name), "#7");
    EXPECT_EQ(r.notes(), (std::vector<std::string> { "1 names are given by a number that the file does not explain" }));
}

TEST(PerfettoRecording, FollowsIncrementalClocks)
{
    Packets packets;
    packets.add([](ProtoMessage& packet) {
        ProtoMessage snapshot, own, boot;
        own.varint(1, 64);
        own.varint(2, 1000);
        own.varint(3, 1);
        own.varint(4, 10);
        boot.varint(1, 6);
        boot.varint(2, 50'000);
        snapshot.message(1, own);
        snapshot.message(1, boot);
        packet.varint(10, 1);
        packet.message(6, snapshot);
        ProtoMessage defaults;
        defaults.varint(58, 64);
        packet.message(59, defaults);
    });
    packets.begin(1, 5, "a").end(2, 5);
    const Recording r = recordingOf(packets.bytes());
    // 1000 + 1, then + 2, in units of 10 ns; 10 000 ns of that clock are 50 000 of the file's.
    EXPECT_EQ(r.slices()[0].begin, 50'010);
    EXPECT_EQ(r.slices()[0].end, 50'030);
}

TEST(PerfettoRecording, ReadsEveryKindOfArgument)
{
    Packets packets;
    packets.event(1, 1, 5, [](ProtoMessage& event) {
        const auto add = [&](std::string_view name, auto fill) {
            ProtoMessage annotation;
            annotation.text(10, name);
            fill(annotation);
            event.message(4, annotation);
        };
        add("bool", [](ProtoMessage& a) { a.varint(2, 1); });
        add("uint", [](ProtoMessage& a) { a.varint(3, ~0ULL); });
        add("int", [](ProtoMessage& a) { a.signedVarint(4, -5); });
        add("double", [](ProtoMessage& a) { a.real(5, 0.25); });
        add("text", [](ProtoMessage& a) { a.text(6, "word \xFF"); });
        add("list", [](ProtoMessage& a) {
            ProtoMessage one, two, inner;
            one.signedVarint(4, 1);
            inner.text(10, "k");
            inner.text(6, "v");
            two.message(11, inner);
            a.message(12, one);
            a.message(12, two);
        });
    });
    packets.end(2, 5);
    const Recording r = recordingOf(packets.bytes());
    EXPECT_EQ(test::argumentText(r, r.slices()[0]),
        "bool=true;uint=18446744073709551615;int=-5;double=0.25;text=word \xEF\xBF\xBD;list=[1,{\"k\":\"v\"}];");
    EXPECT_TRUE(sameContent(r, recordingOf(test::written(r))));
}

TEST(PerfettoRecording, PutsTracksUnderTheirParentsWheneverTheyAreDescribed)
{
    Packets packets;
    packets.begin(1, 30, "s").end(2, 30).begin(1, 20, "t").end(2, 20);
    const auto describe = [&](std::uint64_t uuid, std::uint64_t parent, std::string_view name, auto fill) {
        packets.add([&](ProtoMessage& packet) {
            ProtoMessage descriptor;
            descriptor.varint(1, uuid);
            if (parent != 0)
                descriptor.varint(5, parent);
            descriptor.text(2, name);
            fill(descriptor);
            packet.message(60, descriptor);
        });
    };
    describe(30, 25, "lane", [](ProtoMessage&) {});
    describe(25, 10, "group", [](ProtoMessage& d) { d.varint(12, 2); });
    describe(20, 10, "early", [](ProtoMessage& d) { d.varint(12, 1); });
    describe(10, 0, "process", [](ProtoMessage& d) {
        ProtoMessage process;
        process.varint(1, 77);
        d.message(3, process);
    });
    const Recording r = recordingOf(packets.bytes());
    EXPECT_EQ(
        test::laneNames(r), (std::vector<std::string> { "process / early", "process / group \xE2\x80\xBA lane" }));
    EXPECT_EQ(r.text(r.processes()[0].pid), "77");
}

TEST(PerfettoRecording, ReadsPackedFlowsAndSkipsGroups)
{
    Packets packets;
    const auto flow = [](std::uint64_t id) {
        return [id](ProtoMessage& event) {
            ProtoMessage packed; // 8 bytes each, without tags
            packed.fixed64(1, id);
            event.text(47, packed.bytes().substr(1));
            event.raw(std::string_view("\xA3\x06\x08\x01\xA4\x06", 6)); // group 100 { 1: 1 }
        };
    };
    packets.event(1, 1, 5, flow(9)).end(4, 5).event(2, 1, 6, flow(9)).end(3, 6);
    const Recording r = recordingOf(packets.bytes());
    ASSERT_EQ(r.flowEnds().size(), 2U);
    EXPECT_EQ(r.flowEnds()[0].kind, Recording::FlowEnd::Kind::Start);
    EXPECT_EQ(r.flowEnds()[1].kind, Recording::FlowEnd::Kind::End);
    EXPECT_NE(r.flowEnds()[0].slice, r.flowEnds()[1].slice);
}

TEST(PerfettoRecording, ReadsLegacyEvents)
{
    Packets packets;
    packets.add([](ProtoMessage& packet) {
        ProtoMessage thread;
        thread.varint(1, 3);
        thread.varint(2, 4);
        thread.text(5, "worker");
        thread.varint(6, 100);
        packet.varint(10, 1);
        packet.message(44, thread);
    });
    packets.add([](ProtoMessage& packet) {
        ProtoMessage event, legacy;
        legacy.varint(2, 'X');
        legacy.varint(3, 25);
        event.varint(1, 7);
        event.text(23, "old");
        event.message(6, legacy);
        packet.varint(10, 1);
        packet.message(11, event);
    });
    const Recording r = recordingOf(packets.bytes());
    EXPECT_EQ(test::laneNames(r), (std::vector<std::string> { "3 / worker" }));
    EXPECT_EQ(r.slices()[0].begin, 107'000);
    EXPECT_EQ(r.slices()[0].end, 132'000);
}

TEST(PerfettoRecording, SaysWhatTheFileLostAndWhatIsNotRead)
{
    Packets packets;
    packets.add([](ProtoMessage& packet) { packet.text(1, "ftrace"); });
    packets.add([](ProtoMessage& packet) { packet.text(50, "zlib"); });
    packets.add([](ProtoMessage& packet) {
        ProtoMessage event;
        event.varint(9, 1);
        packet.varint(8, 5);
        packet.varint(42, 1);
        packet.message(11, event);
    });
    packets.end(9, 77);
    const Recording r = recordingOf(packets.bytes());
    EXPECT_EQ(r.notes(),
        (std::vector<std::string> { "1 times the writer says that it dropped packets before one",
            "1 compressed packets were not read", "1 packets of other kinds were not read",
            "1 slices never ended: they reach to the end of the file's time",
            "1 ends without a begin were left out" }));
}

} // namespace
} // namespace flashstep
