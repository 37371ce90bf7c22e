// SPDX-License-Identifier: Apache-2.0
// The conformance suite on the emulated GPU: one test per form.
#include "core/cuda/conform/conform.h"
#include "core/ptx/globals.h"
#include "core/ptx/machine.h"
#include "core/ptx/parser.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <set>

namespace {

using namespace flashstep;
using conform::Case;

// Parameters lie one after the other, each at a multiple of its alignment.
std::vector<std::byte> parametersOf(
    const ptx::Function& entry, const Case& test, const std::vector<std::uint64_t>& addresses)
{
    std::vector<std::byte> bytes(entry.parameterBytes);
    for (std::size_t k = 0; k < entry.parameters.size(); ++k) {
        const void* from = k < addresses.size() ? static_cast<const void*>(&addresses[k])
                                                : test.values.at(k - addresses.size()).data();
        std::memcpy(bytes.data() + entry.parameters[k].offset, from, entry.parameters[k].bytes);
    }
    return bytes;
}

// Empty, or one line about what is wrong.
std::string emulated(const Case& test, const ptx::RunOptions& options)
{
    auto parsed = ptx::parse(test.ptx, test.name);
    if (!parsed)
        return parsed.error().line();
    const auto module = std::make_shared<const ptx::Module>(std::move(*parsed));
    auto loaded = ptx::load(module, test.entry, test.name);
    if (!loaded)
        return loaded.error().line();
    const auto code = std::make_shared<const ptx::Code>(std::move(*loaded));
    ptx::GlobalMemory memory;
    ptx::placeVariables(memory, *code);
    std::vector<std::uint64_t> addresses;
    for (const conform::Buffer& buffer : test.buffers) {
        std::vector<std::byte> bytes(buffer.in.size());
        std::memcpy(bytes.data(), buffer.in.data(), bytes.size());
        addresses.push_back(memory.allocate(buffer.name, std::move(bytes), false));
    }
    ptx::Launch launch;
    std::copy(test.grid, test.grid + 3, launch.grid.begin());
    std::copy(test.block, test.block + 3, launch.block.begin());
    launch.dynamicShared = test.sharedBytes;
    launch.parameters = parametersOf(*module->find(test.entry), test, addresses);
    auto machine = ptx::Machine::start(code, std::move(launch), std::move(memory), options,
        options.checks ? std::make_shared<ptx::Checker>() : nullptr);
    if (!machine)
        return machine.error().line();
    machine->run({});
    if (!machine->deadlock().empty())
        return "warp " + std::to_string(machine->deadlock()[0].warp)
            + " waits for ever: " + machine->deadlock()[0].waitingFor;
    if (!machine->findings().empty())
        return "finding: " + machine->findings().all()[0].text + " at "
            + code->statementAt(machine->findings().all()[0].party.pc).text();
    std::vector<std::vector<std::uint8_t>> outputs;
    for (std::size_t n = 0; n < addresses.size(); ++n) {
        const std::uint32_t index = machine->memory().find(addresses[n], test.buffers[n].in.size());
        const auto& bytes = machine->memory().allocation(index).bytes;
        outputs.emplace_back(bytes.size());
        std::memcpy(outputs.back().data(), bytes.data(), bytes.size());
    }
    return conform::verdict(test, outputs);
}

// Forms that the emulated GPU does not have (docs/kernel-instructions.md): it says so at load, with the line.
bool isLeftOut(const std::string& form)
{
    const auto ends = [&form](const std::string& end) {
        return form.size() >= end.size() && form.compare(form.size() - end.size(), end.size(), end) == 0;
    };
    const bool directedDouble = ends(".rz.f64") || ends(".rm.f64") || ends(".rp.f64");
    return directedDouble || form == "brx.idx" || form == "fns.b32";
}

class PtxConform : public testing::TestWithParam<std::size_t> { };

TEST_P(PtxConform, LeavesWhatTheManualSays)
{
    const Case test = conform::forms()[GetParam()].make();
    SCOPED_TRACE("PTX ISA " + test.section);
    if (isLeftOut(test.name)) {
        EXPECT_NE(emulated(test, {}).find("the instruction is not covered"), std::string::npos);
        GTEST_SKIP() << "the emulated GPU does not have it, and says so";
    }
    EXPECT_EQ(emulated(test, {}), "");
    ptx::RunOptions other; // another order of warps and CTAs, copies that land by chance
    other.orderSeed = 7;
    other.landing = ptx::Landing::Either;
    EXPECT_EQ(emulated(test, other), "");
}

TEST(PtxConformSuite, HasACaseForEveryOpcodeOfTheCoveredSet)
{
    std::set<std::string, std::less<>> opcodes;
    for (const conform::Form& form : conform::forms()) {
        const auto module = ptx::parse(form.make().ptx, form.name);
        ASSERT_TRUE(module) << module.error().line();
        for (const ptx::Function& function : module->functions) {
            for (const ptx::Statement& statement : function.statements)
                opcodes.insert(statement.opcode);
        }
    }
    for (const ptx::FormRow& row : ptx::coveredForms())
        EXPECT_TRUE(opcodes.count(row.syntax.substr(0, row.syntax.find_first_of(".{ "))) != 0) << row.syntax;
}

// A form's name in letters that a test's name may have.
std::string letters(const testing::TestParamInfo<std::size_t>& info)
{
    std::string name;
    for (const char c : conform::forms()[info.param].name) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            name += c;
        else if (c == '!')
            name += "not";
        else if (!name.empty() && name.back() != '_')
            name += '_';
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(Form, PtxConform, testing::Range<std::size_t>(0, conform::forms().size()), letters);

} // namespace
