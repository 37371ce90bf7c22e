// SPDX-License-Identifier: Apache-2.0
#include "core/io/perfetto_packets.h"

#include <algorithm>
#include <cstring>

namespace flashstep {

namespace {

constexpr std::size_t bufferSize = 1U << 20U;
constexpr std::uint64_t largestPacket = 256U << 20U;
constexpr std::uint64_t packetField = 1, asBytes = 2;

} // namespace

bool PerfettoPackets::have(std::size_t bytes)
{
    if (m_filled - m_at >= bytes)
        return true;
    std::memmove(m_buffer.data(), m_buffer.data() + m_at, m_filled - m_at);
    m_filled -= m_at;
    m_at = 0;
    if (m_buffer.size() < std::max(bytes, bufferSize))
        m_buffer.resize(std::max(bytes, static_cast<std::size_t>(std::min<std::uint64_t>(bufferSize, m_size))));
    while (m_filled < bytes && m_in) {
        m_in.read(m_buffer.data() + m_filled, static_cast<std::streamsize>(m_buffer.size() - m_filled));
        m_filled += static_cast<std::size_t>(m_in.gcount());
    }
    return m_filled >= bytes;
}

std::optional<std::uint64_t> PerfettoPackets::varint()
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && have(1); shift += 7) {
        const auto byte = static_cast<unsigned char>(m_buffer[m_at++]);
        ++m_taken;
        if (shift < 64)
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80)
            return value;
    }
    return std::nullopt;
}

bool PerfettoPackets::next(std::string_view& packet)
{
    for (;;) {
        m_offset = m_taken;
        if (!have(1))
            return false;
        const auto tag = varint();
        const auto length = tag && (*tag & 7U) == asBytes ? varint() : std::nullopt;
        if (!tag || (*tag >> 3U) == 0 || ((*tag & 7U) == asBytes && !length))
            return fail("it is damaged");
        if ((*tag & 7U) != asBytes)
            return fail("there is something else than packets");
        if (*length > m_size - std::min(m_size, m_taken))
            return fail("the file ends in the middle of it");
        if (*length > largestPacket)
            return fail("it is longer than 256 MiB");
        if (!have(static_cast<std::size_t>(*length)))
            return fail("the file ends in the middle of it");
        packet = std::string_view(m_buffer).substr(m_at, static_cast<std::size_t>(*length));
        m_at += static_cast<std::size_t>(*length);
        m_taken += *length;
        if ((*tag >> 3U) == packetField)
            return true;
    }
}

} // namespace flashstep
