// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/globals.h"

#include <algorithm>

namespace flashstep::ptx {
namespace {

bool isGlobal(Space space)
{
    return space == Space::Global || space == Space::Const;
}

// What a pointer in an initialiser holds. Addresses in global and constant memory are generic ones here; others are
// offsets in their space unless the text asks for generic(name).
std::uint64_t addressOf(const Symbol& symbol, const Variable::Relocation& relocation)
{
    std::uint64_t address = symbol.address + static_cast<std::uint64_t>(relocation.addend);
    if (relocation.generic && symbol.space == Space::Shared)
        address += sharedWindow;
    return address;
}

} // namespace

void placeVariables(GlobalMemory& memory, const Code& code)
{
    const std::vector<Variable>& variables = code.module->variables;
    for (std::size_t k = 0; k < variables.size(); ++k) {
        const Variable& variable = variables[k];
        if (!isGlobal(variable.space) || variable.bytes == 0
            || memory.find(code.moduleSymbols[k].address, variable.bytes) != none)
            continue;
        std::vector<std::byte> bytes(variable.bytes);
        std::copy_n(variable.initial.begin(), std::min(variable.initial.size(), bytes.size()), bytes.begin());
        for (const Variable::Relocation& relocation : variable.relocations) {
            if (relocation.variable == none)
                continue;
            const std::uint64_t address = addressOf(code.moduleSymbols[relocation.variable], relocation);
            for (std::uint64_t i = 0; i < 8 && relocation.offset + i < bytes.size(); ++i)
                bytes[relocation.offset + i] = static_cast<std::byte>(address >> (8 * i));
        }
        memory.place(variable.name, code.moduleSymbols[k].address, std::move(bytes));
    }
}

} // namespace flashstep::ptx
