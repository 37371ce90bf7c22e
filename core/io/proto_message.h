// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

namespace flashstep {

// A protobuf message under construction, by field numbers. Cleared and used again, so its memory is taken once.
class ProtoMessage {
public:
    void clear() { m_size = 0; }
    [[nodiscard]] std::string_view bytes() const { return { reinterpret_cast<const char*>(m_bytes.data()), m_size }; }
    [[nodiscard]] bool empty() const { return m_size == 0; }

    void varint(int field, std::uint64_t value)
    {
        using Coded = google::protobuf::io::CodedOutputStream;
        std::uint8_t* at = room(20);
        at = Coded::WriteTagToArray(tag(field, Wire::WIRETYPE_VARINT), at);
        commit(Coded::WriteVarint64ToArray(value, at));
    }
    void signedVarint(int field, std::int64_t value) { varint(field, static_cast<std::uint64_t>(value)); }
    void fixed64(int field, std::uint64_t value)
    {
        using Coded = google::protobuf::io::CodedOutputStream;
        std::uint8_t* at = room(16);
        at = Coded::WriteTagToArray(tag(field, Wire::WIRETYPE_FIXED64), at);
        commit(Coded::WriteLittleEndian64ToArray(value, at));
    }
    void real(int field, double value) { fixed64(field, std::bit_cast<std::uint64_t>(value)); }
    void text(int field, std::string_view value)
    {
        using Coded = google::protobuf::io::CodedOutputStream;
        std::uint8_t* at = room(20 + value.size());
        at = Coded::WriteTagToArray(tag(field, Wire::WIRETYPE_LENGTH_DELIMITED), at);
        at = Coded::WriteVarint64ToArray(value.size(), at);
        commit(Coded::WriteRawToArray(value.data(), static_cast<int>(value.size()), at));
    }
    void message(int field, const ProtoMessage& value) { text(field, value.bytes()); }
    // Fields that were encoded before.
    void raw(std::string_view fields)
    {
        using Coded = google::protobuf::io::CodedOutputStream;
        commit(Coded::WriteRawToArray(fields.data(), static_cast<int>(fields.size()), room(fields.size())));
    }

private:
    using Wire = google::protobuf::internal::WireFormatLite;

    static std::uint32_t tag(int field, Wire::WireType type)
    {
        return (static_cast<std::uint32_t>(field) << 3U) | static_cast<std::uint32_t>(type);
    }
    std::uint8_t* room(std::size_t more)
    {
        if (m_size + more > m_bytes.size())
            m_bytes.resize(2 * (m_size + more));
        return m_bytes.data() + m_size;
    }
    void commit(const std::uint8_t* end) { m_size = static_cast<std::size_t>(end - m_bytes.data()); }

    std::vector<std::uint8_t> m_bytes;
    std::size_t m_size = 0;
};

} // namespace flashstep
