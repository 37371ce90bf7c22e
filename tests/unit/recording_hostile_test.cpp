// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/recording_text.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

std::string fixtureBytes(const std::string& name)
{
    return test::bytesOfFile(std::string(FLASHSTEP_SOURCE_DIR) + "/tests/fixtures/recordings/" + name);
}

// What a reader may make of any bytes: a recording whose parts fit together, or one line of error.
void check(std::string_view bytes)
{
    const Result<Recording> read = readRecording(bytes, "test");
    if (!read) {
        const std::string line = read.error().line();
        ASSERT_EQ(line.rfind("test", 0), 0U) << line;
        ASSERT_EQ(line.find('\n'), std::string::npos) << line;
        ASSERT_LT(line.size(), 500U);
        return;
    }
    ASSERT_LE(read->bytes(), 64 * bytes.size() + 65536);
    for (const Recording::Track& track : read->tracks())
        for (const Recording::Slice& slice : read->slicesOf(track)) {
            ASSERT_LE(slice.begin, slice.end);
            ASSERT_LE(slice.end, read->end());
            ASSERT_LT(slice.row, track.rows);
            (void)test::sliceText(*read, slice);
        }
    for (const Recording::FlowEnd& end : read->flowEnds())
        ASSERT_LT(end.slice, read->slices().size());
}

TEST(HostileRecording, CutAnywhereItIsReadOrRefused)
{
    for (const char* name : { "own.json", "proton.json", "chrome_tracing.json", "flashinfer.pftrace" }) {
        const std::string whole = fixtureBytes(name);
        for (std::size_t size = 0; size<whole.size(); size += whole.size()> 4096 ? 7 : 1) {
            SCOPED_TRACE(std::string(name) + " cut at " + std::to_string(size));
            check(std::string_view(whole).substr(0, size));
            if (HasFatalFailure())
                return;
        }
    }
}

TEST(HostileRecording, WithAnyBytesChangedItIsReadOrRefused)
{
    test::Draws draws(11);
    for (const char* name : { "own.json", "proton.json", "chrome_tracing.json", "flashinfer.pftrace" }) {
        const std::string whole = fixtureBytes(name);
        for (int round = 0; round < 400; ++round) {
            std::string bytes = whole;
            for (int k = draws.between(1, 6); k > 0; --k)
                bytes[static_cast<std::size_t>(draws.between(0, static_cast<int>(bytes.size()) - 1))]
                    = static_cast<char>(draws.between(0, 255));
            SCOPED_TRACE(std::string(name) + " round " + std::to_string(round));
            check(bytes);
            if (HasFatalFailure())
                return;
        }
    }
}

TEST(HostileRecording, NestedDeepIsRefusedOrLeftOut)
{
    const std::string deep(100'000, '[');
    EXPECT_NE(test::errorOf(deep), "");
    EXPECT_NE(test::errorOf(R"([{"ph":"i","ts":1,"args":{"a":)" + deep), "");
    EXPECT_NE(test::errorOf(R"({"metadata":)" + deep), "");
    // Annotations in annotations.
    std::string message;
    const auto wrap = [](char field, const std::string& inside) {
        std::string bytes(1, field);
        std::size_t size = inside.size();
        for (; size >= 128; size >>= 7U)
            bytes += static_cast<char>(0x80U | (size & 0x7FU));
        return bytes + static_cast<char>(size) + inside;
    };
    for (int k = 0; k < 2000; ++k)
        message = wrap(0x62, message); // array_values = 12
    const std::string event = std::string("\x48\x01", 2) + wrap(0x22, message);
    check(wrap(0x0A, std::string("\x40\x05", 2) + wrap(0x5A, event)));
}

TEST(HostileRecording, LengthsBeyondTheFileTakeNoMemory)
{
    using namespace std::string_literals;
    EXPECT_NE(test::errorOf("\x0A\xFF\xFF\xFF\xFF\x0F"s).find("packet 1, byte 0"), std::string::npos);
    EXPECT_NE(test::errorOf("\x0A\x02\x08\x01\x0A\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s), "");
    EXPECT_NE(test::errorOf("\x0A\x06\x5A\xFF\xFF\xFF\xFF\x07"s), ""); // inside a packet
    EXPECT_NE(test::errorOf("\x0A\x02\x08\x01\x03"s), ""); // a group in place of a packet
}

TEST(HostileRecording, ManySmallThingsStayWithinTheStatedBound)
{
    std::string begins, tracks, sequences, events = "[";
    for (int k = 0; k < 20'000; ++k) {
        begins += std::string("\x0A\x06\x40\x00\x5A\x02\x48\x01", 8); // no track, no name
        tracks += std::string("\x0A\x09\x40\x00\x5A\x05\x48\x01\x58", 9) + static_cast<char>(0x80 | (k & 0x7F))
            + static_cast<char>(k >> 7 & 0x7F);
        sequences += std::string("\x0A\x04\x50", 3) + static_cast<char>(0x80 | (k & 0x7F))
            + static_cast<char>(0x80 | (k >> 7 & 0x7F)) + static_cast<char>(k >> 14 & 1);
        events += "{\"ph\":\"B\",\"ts\":1},";
    }
    for (const std::string& bytes : { begins, tracks, sequences, events })
        check(bytes);
    EXPECT_EQ(test::recordingOf(begins).slices().size(), 20'000U);
    EXPECT_EQ(test::recordingOf(events).slices().size(), 20'000U);
}

TEST(HostileRecording, LongTextsAreCut)
{
    const Recording r = test::recordingOf(R"([{"ph":"i","ts":1,"name":")" + std::string(1'000'000, 'x')
        + R"(","args":{"a":[)" + std::string(20'000, ' ') + "\"" + std::string(20'000, 'y') + "\"]}}]");
    EXPECT_EQ(r.text(r.instants()[0].name).size(), 4096U);
    EXPECT_EQ(r.argumentCount(r.instants()[0]), 0U);
    EXPECT_EQ(r.notes(),
        (std::vector<std::string> {
            "1 texts longer than 4096 bytes were cut", "1 arguments were left out: too many or too long" }));
}

} // namespace
} // namespace flashstep
