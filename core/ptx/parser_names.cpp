// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_names.h"

#include <string>

namespace flashstep::ptx {

namespace {

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

} // namespace

void Names::open()
{
    m_symbols.open();
    m_ranges.open();
}

void Names::close()
{
    m_symbols.close();
    m_ranges.close();
}

void Names::startFunction()
{
    m_declarations.clear();
    m_registers.clear();
}

bool Names::declareRegister(std::string_view name, Type type, std::uint32_t width)
{
    const auto index = static_cast<std::uint32_t>(m_declarations.size());
    m_declarations.push_back({ type, width, 1 });
    return m_symbols.declare(name, Symbol { Symbol::Kind::Registers, true, index, 0 });
}

bool Names::declareRange(std::string_view stem, Type type, std::uint32_t width, std::uint32_t count)
{
    const auto index = static_cast<std::uint32_t>(m_declarations.size());
    m_declarations.push_back({ type, width, count });
    return m_ranges.declare(stem, index);
}

std::optional<Names::Found> Names::find(std::string_view name)
{
    std::optional<Found> found;
    std::uint32_t depth = 0;
    if (const auto single = m_symbols.find(name)) {
        depth = single->depth;
        found = Found { *single->value, {} };
        if (single->value->kind == Symbol::Kind::Registers)
            found->registerName = { single->value->index, 0, m_declarations[single->value->index].width };
    }
    // %r12 may be of %r<20>, and of %r1<4>.
    std::uint64_t number = 0, place = 1;
    for (std::size_t stem = name.size(); stem > 1 && isDigit(name[stem - 1]) && place < mostRegistersInRange * 10ULL;
         place *= 10) {
        --stem;
        number += place * static_cast<std::uint64_t>(name[stem] - '0');
        if (name[stem] == '0' && stem + 1 < name.size()) // no number begins with 0
            continue;
        const auto range = m_ranges.find(
            name.substr(0, stem), [&](std::uint32_t index) { return number < m_declarations[index].count; });
        if (!range || (found && range->depth <= depth))
            continue;
        depth = range->depth;
        found = Found { { Symbol::Kind::Registers, true, *range->value, 0 },
            { *range->value, static_cast<std::uint32_t>(number), m_declarations[*range->value].width } };
    }
    return found;
}

std::uint32_t Names::registerOf(
    const RegisterName& name, std::string_view text, std::uint32_t component, Function& function)
{
    const std::uint64_t key = (std::uint64_t(name.declaration) << 32U) | (std::uint64_t(name.number) << 2U) | component;
    const auto [place, isNew] = m_registers.try_emplace(key, static_cast<std::uint32_t>(function.registers.size()));
    if (isNew) {
        std::string whole(text);
        if (name.width > 1)
            whole += std::string(".") + "xyzw"[component];
        function.registers.push_back({ std::move(whole), m_declarations[name.declaration].type });
    }
    return place->second;
}

} // namespace flashstep::ptx
