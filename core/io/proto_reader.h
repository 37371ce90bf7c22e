// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <bit>
#include <cstdint>
#include <string_view>

namespace flashstep {

// Goes through the fields of a protobuf message that lies in memory, by their numbers:
//     while (message.next()) switch (message.field()) …
// Groups are skipped. damaged(): it does not end with its last field.
class ProtoReader {
public:
    explicit ProtoReader(std::string_view bytes)
        : m_in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()))
    {
    }

    [[nodiscard]] bool next()
    {
        for (;;) {
            const std::uint32_t tag = m_in.ReadTag();
            if (tag == 0) {
                m_damaged = m_damaged || !m_in.ConsumedEntireMessage();
                return false;
            }
            m_field = static_cast<int>(tag >> 3U);
            m_bytes = {};
            if (m_field == 0)
                return damage();
            switch (tag & 7U) {
            case Wire::WIRETYPE_VARINT:
                return m_in.ReadVarint64(&m_value) || damage();
            case Wire::WIRETYPE_FIXED64:
                return m_in.ReadLittleEndian64(&m_value) || damage();
            case Wire::WIRETYPE_FIXED32: {
                std::uint32_t value = 0;
                if (!m_in.ReadLittleEndian32(&value))
                    return damage();
                m_value = value;
                return true;
            }
            case Wire::WIRETYPE_LENGTH_DELIMITED:
                return readBytes() || damage();
            default:
                if (!Wire::SkipField(&m_in, tag))
                    return damage();
            }
        }
    }

    [[nodiscard]] int field() const { return m_field; }
    [[nodiscard]] std::uint64_t value() const { return m_value; } // 0 of a field of bytes
    [[nodiscard]] std::int64_t integer() const { return static_cast<std::int64_t>(m_value); }
    [[nodiscard]] double real() const { return std::bit_cast<double>(m_value); }
    [[nodiscard]] std::string_view bytes() const { return m_bytes; } // empty of a field that is a number
    [[nodiscard]] bool damaged() const { return m_damaged; }

private:
    using Wire = google::protobuf::internal::WireFormatLite;

    bool damage()
    {
        m_damaged = true;
        return false;
    }
    bool readBytes()
    {
        int length = 0;
        if (!m_in.ReadVarintSizeAsInt(&length))
            return false;
        const void* data = nullptr;
        int there = 0;
        m_in.GetDirectBufferPointerInline(&data, &there);
        if (length > there)
            return false;
        m_bytes = { static_cast<const char*>(data), static_cast<std::size_t>(length) };
        m_value = 0;
        return m_in.Skip(length);
    }

    google::protobuf::io::CodedInputStream m_in;
    int m_field = 0;
    std::uint64_t m_value = 0;
    std::string_view m_bytes;
    bool m_damaged = false;
};

} // namespace flashstep
