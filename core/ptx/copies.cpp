// SPDX-License-Identifier: Apache-2.0
// cp.async: copies from global to shared memory that a thread does not wait for until it says so (PTX ISA 9.7.9.25.3).
#include "core/ptx/access.h"
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

namespace flashstep::ptx {

namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

// d: none; a: source address, b: destination address, c: bytes to take from the source (the rest is zeros).
// detail: the destination's address has 64 bits; predicateIn: true copies nothing and fills with zeros.
void copy(Lanes& lanes, const Instruction& i)
{
    Access& access = *lanes.access;
    forLanes(lanes.mask, [&](int l) {
        Copy c;
        c.bytes = i.bytes;
        U32 taken = i.bytes;
        if (i.c.valid())
            taken = std::min<U32>(lanes.words(i.c)[l], i.bytes);
        if (i.predicateIn != none
            && ((lanes.predicates[i.predicateIn] ^ (i.predicateInNegated ? allLanes : 0U)) >> l & 1U) != 0)
            taken = 0;
        c.sourceBytes = static_cast<std::uint8_t>(taken);
        const U64 source = (i.wide ? lanes.wides(i.a)[l] : lanes.words(i.a)[l]) + static_cast<U64>(i.offset);
        c.source = source;
        const Row offset = lanes.code->rows[i.rowsFirst]; // of the destination
        const U64 to = (i.detail != 0 ? lanes.wides(i.b)[l] : lanes.words(i.b)[l]) + lanes.wides(offset)[l];
        c.destination = static_cast<U32>(to);
        access.issue(c, l);
    });
}

bool decodeCopy(Decoder& d)
{
    Instruction& i = d.instruction();
    const int level = d.takeOneOf({ "ca", "cg" });
    if (level < 0 || d.takeOneOf({ "shared", "shared::cta" }) < 0 || !d.take("global"))
        return false;
    d.takeOneOf({ "L2::64B", "L2::128B", "L2::256B" });
    if (!d.atEnd() || d.count() < 3 || d.count() > 4)
        return false;
    const std::int64_t bytes = d.immediate(2);
    if (bytes != 16 && (level == 1 || (bytes != 4 && bytes != 8)))
        return d.fail("a copy of neither 4, 8 nor 16 bytes (.cg: 16)");
    i.bytes = static_cast<std::uint8_t>(bytes);
    i.unit = Unit::Copy;
    i.execute = copy;
    // The destination first, so that `a`, `wide` and `offset` end as the source's.
    d.address(0, Space::Shared);
    i.b = i.a;
    i.detail = i.wide ? 1 : 0;
    i.rowsFirst = d.keepRow(d.constant(static_cast<U64>(i.offset), 8));
    d.address(1, Space::Global);
    if (d.count() == 4) {
        const Operand& size = d.statement().operands[3];
        if (size.kind == Operand::Kind::Register && d.bytesOfRegister(size) == 1)
            i.predicateIn = d.predicateIn(3, i.predicateInNegated);
        else
            i.c = d.in(3, Type::B32);
    }
    return true;
}

void commit(Lanes& lanes, const Instruction&)
{
    lanes.access->commit(lanes.mask);
}
bool decodeCommit(Decoder& d)
{
    if (!d.take("commit_group") || !d.atEnd() || d.count() != 0)
        return false;
    d.instruction().execute = commit;
    d.instruction().unit = Unit::Control;
    return true;
}
void wait(Lanes& lanes, const Instruction& i)
{
    if (i.detail != 0) { // wait_all: what is not committed yet belongs to it
        lanes.access->commit(lanes.mask);
        lanes.access->wait(lanes.mask, 0);
        return;
    }
    lanes.access->wait(lanes.mask, static_cast<U32>(i.offset));
}
bool decodeWait(Decoder& d)
{
    Instruction& i = d.instruction();
    const int which = d.takeOneOf({ "wait_group", "wait_all" });
    if (which < 0 || !d.atEnd() || d.count() != (which == 0 ? 1U : 0U))
        return false;
    i.detail = static_cast<std::uint8_t>(which);
    i.offset = which == 0 ? d.immediate(0) : 0;
    i.execute = wait;
    i.flow = Flow::Wait;
    i.unit = Unit::Control;
    return true;
}

bool decode(Decoder& d)
{
    if (!d.take("async"))
        return false;
    if (d.next() == "commit_group")
        return decodeCommit(d);
    if (d.next() == "wait_group" || d.next() == "wait_all")
        return decodeWait(d);
    return decodeCopy(d);
}

constexpr Form forms[] = {
    { "cp",
        "cp.async.{ca,cg}.shared{::cta}.global{.L2::64B,.L2::128B,.L2::256B} [dst], [src], {4,8,16}{, src-size | "
        "ignore-src}; "
        "cp.async.commit_group; cp.async.wait_group N; cp.async.wait_all",
        "9.7.9.25.3", decode },
};

} // namespace

std::span<const Form> copyForms()
{
    return forms;
}

} // namespace flashstep::ptx
