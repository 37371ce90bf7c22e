// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/module.h"

#include <algorithm>

namespace flashstep::ptx {

std::string Statement::text() const
{
    std::string whole = opcode;
    for (const std::string& modifier : modifiers)
        whole += "." + modifier;
    return whole;
}

const Function* Module::find(std::string_view name) const
{
    const auto found = std::ranges::find_if(
        functions, [&](const Function& function) { return function.defined && function.name == name; });
    return found == functions.end() ? nullptr : &*found;
}

std::string_view Module::inlined(const Location& location) const
{
    if (location.function >= strings.size())
        return {};
    const std::string_view rest = std::string_view(strings).substr(location.function);
    return rest.substr(0, rest.find('\0'));
}

} // namespace flashstep::ptx
