// SPDX-License-Identifier: Apache-2.0
// Named barriers, bar.warp.sync and fences (PTX ISA 9.7.13.1 to .4); what they do to the warps stands in cta.cpp.
#include "core/ptx/barrier_ops.h"
#include "core/ptx/decoder.h"
#include "core/ptx/lanes.h"

namespace flashstep::ptx {

namespace {

void nothing(Lanes&, const Instruction&) { }

// a: the barrier's id, b: its count of threads where one is given; predicateIn: of red; d, predicateOut: its result.
bool decodeBar(Decoder& d)
{
    Instruction& i = d.instruction();
    const bool isBar = d.statement().opcode == "bar";
    if (isBar && d.take("warp")) {
        if (!d.take("sync") || !d.atEnd() || d.count() != 1)
            return false;
        i.flow = Flow::Masked;
        i.detail = static_cast<std::uint8_t>(BarrierOp::Warp);
        i.unit = Unit::Control;
        i.execute = nothing;
        d.keepRow(d.in(0, Type::B32));
        return true;
    }
    d.take("cta");
    const int op = d.takeOneOf({ "sync", "arrive", "red" });
    if (op < 0)
        return false;
    const int reduction = op == 2 ? d.takeOneOf({ "popc", "and", "or" }) : -1;
    if (op == 2 && reduction < 0)
        return false;
    const bool aligned = d.take("aligned") || isBar;
    if (op == 2 && !d.take(reduction == 0 ? "u32" : "pred"))
        return false;
    if (!d.atEnd())
        return false;
    i.flow = Flow::Barrier;
    i.unit = Unit::Barrier;
    i.execute = nothing;
    i.detail2 = aligned ? 1 : 0;
    std::size_t at = 0;
    if (op == 2) {
        i.detail = static_cast<std::uint8_t>(reduction == 0 ? BarrierOp::Popc
                : reduction == 1                            ? BarrierOp::And
                                                            : BarrierOp::Or);
        if (reduction == 0)
            i.d = d.out(0, Type::U32);
        else
            i.predicateOut = d.predicateOut(0);
        at = 1;
    } else
        i.detail = static_cast<std::uint8_t>(op == 0 ? BarrierOp::Sync : BarrierOp::Arrive);
    const std::size_t rest = d.count() - at - (op == 2 ? 1 : 0);
    if (d.count() < at + (op == 2 ? 2 : 1) || rest > 2 || (op == 1 && rest != 2))
        return false;
    i.a = d.in(at, Type::B32);
    if (rest == 2)
        i.b = d.in(at + 1, Type::B32);
    if (op == 2)
        i.predicateIn = d.predicateIn(d.count() - 1, i.predicateInNegated);
    return true;
}

// A fence orders this thread's accesses; it takes effect on others through what it publishes afterwards.
bool decodeFence(Decoder& d)
{
    Instruction& i = d.instruction();
    d.takeOneOf({ "sc", "acq_rel", "acquire", "release" });
    if (d.takeOneOf({ "cta", "cluster", "gpu", "sys", "gl" }) < 0 || !d.atEnd() || d.count() != 0)
        return false;
    i.unit = Unit::Control;
    i.execute = [](Lanes& lanes, const Instruction&) { lanes.access->fence(lanes.mask); };
    return true;
}

constexpr Form forms[] = {
    { "bar", "bar{.cta}.sync a{, b}; bar{.cta}.arrive a, b; bar{.cta}.red.{popc.u32,and.pred,or.pred} d, a{, b}, {!}c",
        "9.7.13.1", decodeBar },
    { "barrier", "barrier{.cta}.{sync,arrive,red}{.aligned}, as bar", "9.7.13.1", decodeBar },
    { "bar", "bar.warp.sync membermask", "9.7.13.2", decodeBar },
    { "fence", "fence{.sc,.acq_rel,.acquire,.release}.{cta,cluster,gpu,sys}", "9.7.13.4", decodeFence },
    { "membar", "membar.{cta,gl,sys}", "9.7.13.4", decodeFence },
};

} // namespace

std::span<const Form> barrierForms()
{
    return forms;
}

} // namespace flashstep::ptx
