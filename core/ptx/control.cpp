// SPDX-License-Identifier: Apache-2.0
// Branches and ends (PTX ISA 9.7.12); what the loop of a warp does with them stands in warp.cpp.
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

namespace flashstep::ptx {

namespace {

void nothing(Lanes&, const Instruction&) { }

bool decodeBranch(Decoder& d)
{
    d.take("uni");
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != 1 || d.statement().operands[0].kind != Operand::Kind::Label)
        return false;
    i.flow = Flow::Branch;
    i.unit = Unit::Control;
    i.target = d.statement().operands[0].index; // a statement; load() makes an instruction of it
    i.execute = nothing;
    return true;
}
template <Flow flow> bool decodeEnd(Decoder& d)
{
    d.take("uni");
    Instruction& i = d.instruction();
    if (!d.atEnd() || d.count() != 0)
        return false;
    i.flow = flow;
    i.unit = Unit::Control;
    i.execute = nothing;
    return true;
}
// Hints and pauses: nothing a result could depend on.
bool decodeNothing(Decoder& d)
{
    while (!d.atEnd())
        d.skip();
    d.instruction().unit = Unit::Control;
    d.instruction().execute = nothing;
    return true;
}
bool decodePmevent(Decoder& d)
{
    d.take("mask");
    return d.atEnd() && d.count() == 1 && d.isImmediate(0) && decodeNothing(d);
}
bool decodeNanosleep(Decoder& d)
{
    return d.take("u32") && d.atEnd() && d.count() == 1 && decodeNothing(d);
}
bool decodeGriddepcontrol(Decoder& d)
{
    return d.takeOneOf({ "launch_dependents", "wait" }) >= 0 && d.atEnd() && d.count() == 0 && decodeNothing(d);
}

constexpr Form forms[] = {
    { "bra", "bra{.uni} label", "9.7.12.3", decodeBranch },
    { "ret", "ret{.uni}", "9.7.12.6", decodeEnd<Flow::Exit> },
    { "exit", "exit", "9.7.12.7", decodeEnd<Flow::Exit> },
    { "trap", "trap", "9.7.19.4", decodeEnd<Flow::Trap> },
    { "brkpt", "brkpt (stops as trap does)", "9.7.19.1", decodeEnd<Flow::Trap> },
    { "pmevent", "pmevent{.mask} a", "9.7.19.3", decodePmevent },
    { "nanosleep", "nanosleep.u32 t", "9.7.19.2", decodeNanosleep },
    { "griddepcontrol", "griddepcontrol.{launch_dependents,wait}", "9.7.13.13", decodeGriddepcontrol },
};

} // namespace

std::span<const Form> controlForms()
{
    return forms;
}

} // namespace flashstep::ptx
