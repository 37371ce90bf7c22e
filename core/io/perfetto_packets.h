// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/proto_reader.h"

#include <istream>
#include <optional>
#include <string>

namespace flashstep {

// The packets of a Perfetto trace, one after the other: each lies in memory in a row, the file never does.
class PerfettoPackets {
public:
    PerfettoPackets(std::istream& in, std::uint64_t size)
        : m_in(in)
        , m_size(size)
    {
    }

    // False at the end, and where the file is damaged: then error() says how.
    [[nodiscard]] bool next(std::string_view& packet);
    [[nodiscard]] const std::optional<std::string>& error() const { return m_error; }
    [[nodiscard]] std::uint64_t offset() const { return m_offset; } // where the packet in hand begins

private:
    [[nodiscard]] bool have(std::size_t bytes); // so many more lie in the buffer
    [[nodiscard]] std::optional<std::uint64_t> varint();
    bool fail(std::string why)
    {
        m_error = std::move(why);
        return false;
    }

    std::istream& m_in;
    std::uint64_t m_size;
    std::uint64_t m_taken = 0; // bytes of the file before m_at
    std::uint64_t m_offset = 0;
    std::string m_buffer;
    std::size_t m_at = 0, m_filled = 0;
    std::optional<std::string> m_error;
};

} // namespace flashstep
