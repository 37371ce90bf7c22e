// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace flashstep {

// An index that cannot be mixed up with an index of another kind. Default: none().
template <typename Tag, typename Rep = std::uint32_t> class Id {
public:
    constexpr Id() = default;
    constexpr explicit Id(std::size_t value)
        : m_value(static_cast<Rep>(value))
    {
    }

    static constexpr Id none() { return Id(); }
    [[nodiscard]] constexpr bool valid() const { return m_value != static_cast<Rep>(-1); }
    [[nodiscard]] constexpr std::size_t index() const { return m_value; }
    constexpr auto operator<=>(const Id&) const = default;

private:
    Rep m_value = static_cast<Rep>(-1);
};

using Cycle = std::int64_t; // cycles of the SM clock since the kernel's first CTA started
using Bytes = std::int64_t;

} // namespace flashstep
