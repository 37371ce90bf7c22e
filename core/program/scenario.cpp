// SPDX-License-Identifier: Apache-2.0
#include "core/program/scenario.h"

#include <charconv>

namespace flashstep {

std::string Record::text() const
{
    switch (kind) {
    case Kind::Automatic:
        return "auto";
    case Kind::All:
        return "all";
    case Kind::OneCta:
        return "cta:" + std::to_string(cta);
    case Kind::None:
        break;
    }
    return "none";
}

std::optional<Record> recordFromText(std::string_view text)
{
    if (text == "all")
        return Record { Record::Kind::All };
    if (text == "none")
        return Record { Record::Kind::None };
    if (!text.starts_with("cta:"))
        return std::nullopt;
    text.remove_prefix(4);
    std::uint32_t cta = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cta);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return Record { Record::Kind::OneCta, cta };
}

} // namespace flashstep
