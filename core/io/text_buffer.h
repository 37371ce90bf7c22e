// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <string_view>
#include <vector>

namespace flashstep {

// Text on its way to a stream, put together in a piece of memory of fixed size. A few nanoseconds a call, where a
// formatting library takes a few tens.
class TextBuffer {
public:
    explicit TextBuffer(std::ostream& out)
        : m_out(out)
        , m_bytes(size)
    {
    }
    TextBuffer(const TextBuffer&) = delete;
    TextBuffer& operator=(const TextBuffer&) = delete;
    ~TextBuffer() { flush(); }

    TextBuffer& operator<<(std::string_view text)
    {
        if (text.size() > size - m_used)
            flush();
        if (text.size() > size) {
            m_out.write(text.data(), static_cast<std::streamsize>(text.size()));
            return *this;
        }
        std::memcpy(m_bytes.data() + m_used, text.data(), text.size());
        m_used += text.size();
        return *this;
    }
    TextBuffer& operator<<(char c)
    {
        room(1);
        m_bytes[m_used++] = c;
        return *this;
    }
    TextBuffer& integer(std::int64_t value, int base = 10)
    {
        room(24);
        char* const at = m_bytes.data() + m_used;
        m_used += static_cast<std::size_t>(std::to_chars(at, at + 24, value, base).ptr - at);
        return *this;
    }
    // Whole thousandths as a decimal with three places: nanoseconds as microseconds.
    TextBuffer& thousandths(std::int64_t value)
    {
        integer(value / 1000);
        const auto rest = static_cast<int>(value % 1000);
        room(4);
        char* const at = m_bytes.data() + m_used;
        at[0] = '.';
        at[1] = static_cast<char>('0' + rest / 100);
        at[2] = static_cast<char>('0' + rest / 10 % 10);
        at[3] = static_cast<char>('0' + rest % 10);
        m_used += 4;
        return *this;
    }
    // The shortest text that reads back equal; whole numbers without an exponent.
    TextBuffer& number(double value)
    {
        constexpr double exact = 9007199254740992.0; // 2^53
        if (value > -exact && value < exact && value == std::trunc(value) && !(value == 0 && std::signbit(value)))
            return integer(static_cast<std::int64_t>(value));
        return *this << std::string_view(numberText(value));
    }
    void flush()
    {
        m_out.write(m_bytes.data(), static_cast<std::streamsize>(m_used));
        m_used = 0;
    }

private:
    static constexpr std::size_t size = 1U << 16U;

    void room(std::size_t more)
    {
        if (more > size - m_used)
            flush();
    }

    std::ostream& m_out;
    std::vector<char> m_bytes;
    std::size_t m_used = 0;
};

} // namespace flashstep
