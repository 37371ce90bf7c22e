// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/cost.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

constexpr int quarters = 4; // sub-partitions of an SM; a warp stays on one
constexpr int lanes = 32;

// Everything a cost formula needs, with the costed tile in place of the shown one.
struct CostContext {
    const GpuSpec& gpu;
    const Program& program;
    const Cta& cta;
    const Op& op;
    OpCost cost {};

    [[nodiscard]] double scaleRows() const { return static_cast<double>(program.costTile.rows) / program.tile.rows; }
    [[nodiscard]] double scaleKeys() const { return static_cast<double>(program.costTile.keys) / program.tile.keys; }
    [[nodiscard]] double queryRows() const { return program.rows(op).count() * scaleRows(); } // of this warp
    [[nodiscard]] int keys() const { return program.costTile.keys; }

    static Ticks ticks(double cycles)
    {
        return std::max<Ticks>(1, static_cast<Ticks>(std::ceil(cycles * ticksPerCycle)));
    }

    void book(Engine engine, double cycles)
    {
        if (cycles > 0)
            cost.bookings[cost.bookingCount++] = { engine, ticks(cycles) };
    }
    // Vector work of a warp: `issue` instructions for each of its elements, `alu` of them on the half-rate pipe.
    void bookVector(double elements, double issue, double alu)
    {
        const double issueCycles = elements * issue / lanes * gpu.issueCyclesPerOp * quarters / gpu.issuePerClk;
        book(Engine::Issue, issueCycles);
        book(Engine::Alu, elements * alu / (gpu.aluPerClk / quarters));
        // Accumulators and vector operands share the register file. [docs/hardware-model.md, contention]
        cost.contention = ticks(issueCycles * gpu.registerContention);
        if (gpu.registerContention == 0)
            cost.contention = 0;
    }
};

int roundUp(int value, int unit)
{
    return (value + unit - 1) / unit * unit;
}

void costMma(CostContext& c)
{
    const Problem& p = c.program.problem;
    const double rows = roundUp(static_cast<int>(std::ceil(c.queryRows())), 16);
    const int columns = roundUp(c.op.transposed ? c.keys() : paddedHeadDim(p.headDimV), 8);
    const int inner = roundUp(c.op.transposed ? paddedHeadDim(p.headDim) : c.keys(), 16);
    const double instructions = rows / 16 * (columns / 8.0) * (inner / 16.0);
    c.book(Engine::Tensor, instructions * c.gpu.mmaSyncCycles);
    // ldmatrix: B whole for every warp; A too unless it is P in registers. 2 bytes an element.
    const bool aInRegisters = c.program.buffers[c.op.in[0].index()].space == Space::Registers;
    const double bytes = 2.0 * inner * (columns + (aInRegisters ? 0.0 : rows));
    c.book(Engine::Smem, bytes / c.gpu.smemBytesPerClk);
    c.cost.latency = CostContext::ticks(c.gpu.mmaSyncLatency + c.gpu.mmaStepLatency * (inner / 16.0));
}

// Bytes that a load or store of the costed tile moves; at the edge of the sequence, the same share as shown.
double costedBytes(const CostContext& c)
{
    const OpCounts counts = countsOf(c.program, c.cta, c.op);
    const double shown = static_cast<double>(counts.globalRead + counts.globalWrite);
    switch (c.op.tensor) {
    case TensorId::K:
    case TensorId::V:
        return shown * c.scaleKeys();
    case TensorId::S:
    case TensorId::P:
        return shown * c.scaleRows() * c.scaleKeys();
    default:
        return shown * c.scaleRows();
    }
}

void costMemory(CostContext& c)
{
    const double bytes = costedBytes(c);
    const double instructions = bytes / (16.0 * lanes); // 16 bytes a thread
    c.book(Engine::Issue, std::max(1.0, instructions) * c.gpu.issueCyclesPerOp * quarters / c.gpu.issuePerClk);
    c.book(Engine::L2, bytes / c.gpu.l2BytesPerClkPerSm);
    c.cost.hbm = CostContext::ticks(bytes * c.gpu.clockMhz / (c.gpu.hbmGBps * 1e3)); // bytes / (GB/s) in cycles
    if (c.op.kind == OpKind::Load) {
        c.cost.latency = CostContext::ticks(c.gpu.copyLatency);
        if (c.program.buffers[c.op.out.index()].space == Space::Smem)
            c.cost.landing = CostContext::ticks(bytes / c.gpu.smemBytesPerClk);
    } else if (c.program.buffers[c.op.in[0].index()].space == Space::Smem) {
        c.book(Engine::Smem, bytes / c.gpu.smemBytesPerClk);
    }
}

void costExp2(CostContext& c)
{
    const double elements = c.queryRows() * c.keys();
    c.bookVector(elements, 2, 0); // FFMA and EX2
    c.book(Engine::Exp, elements / (c.gpu.mufuPerClk / quarters));
}

double elementsOf(const CostContext& c, BufferId buffer)
{
    const BufferDecl& decl = c.program.buffers[buffer.index()];
    return c.queryRows() * (decl.tile == BufferDecl::Tile::Pair ? c.keys() : decl.cols);
}

} // namespace

OpCost costOf(const GpuSpec& gpu, const Program& program, const Cta& cta, const Op& op)
{
    CostContext c { gpu, program, cta, op };
    switch (op.kind) {
    case OpKind::Load:
    case OpKind::Store:
        costMemory(c);
        break;
    case OpKind::Commit: // one instruction: too little to keep an engine busy
        c.cost.latency = ticksPerCycle;
        break;
    case OpKind::Wait:
        break;
    case OpKind::Sync: // the latency is paid when the last has arrived
        c.cost.latency = CostContext::ticks(gpu.barrierLatency);
        break;
    case OpKind::Mma:
        costMma(c);
        break;
    case OpKind::Mask:
        c.bookVector(c.queryRows() * c.keys(), 2, 1);
        break;
    case OpKind::RowMax:
        c.bookVector(c.queryRows() * c.keys(), 1, 1);
        c.cost.latency = CostContext::ticks(gpu.rowReduceCycles);
        break;
    case OpKind::Rescale:
        c.bookVector(elementsOf(c, op.out) + c.queryRows(), 1, 0);
        break;
    case OpKind::Exp2:
        costExp2(c);
        break;
    case OpKind::RowSum:
        c.bookVector(c.queryRows() * c.keys(), 1, 0);
        break;
    case OpKind::Convert: // two elements an instruction
        c.bookVector(elementsOf(c, op.out), 0.5, 0.5);
        break;
    case OpKind::Normalise:
        c.bookVector((op.out.valid() ? elementsOf(c, op.out) : 0) + c.queryRows(), 1, 0);
        c.cost.latency = CostContext::ticks(gpu.rowReduceCycles);
        break;
    case OpKind::Stage:
        c.book(Engine::Issue, elementsOf(c, op.out) / 8 / lanes * gpu.issueCyclesPerOp * quarters / gpu.issuePerClk);
        c.book(Engine::Smem, elementsOf(c, op.out) * 2 / gpu.smemBytesPerClk);
        break;
    }
    return c.cost;
}

Occupancy occupancyOf(const GpuSpec& gpu, const LaunchDecl& launch)
{
    Occupancy result;
    const Bytes reserved = static_cast<Bytes>(gpu.reservedSmemPerCtaKib * 1024);
    result.neededSmem = launch.smemBytes;
    result.availableSmem = static_cast<Bytes>(gpu.smemPerCtaKib * 1024);
    const auto limit = [&](double ctas, std::string_view what) {
        const int whole = static_cast<int>(ctas);
        if (result.limit.empty() || whole < result.ctasPerSm) {
            result.ctasPerSm = whole;
            result.limit = what;
        }
    };
    limit(gpu.maxCtasPerSm, "CTA slots");
    limit(gpu.maxThreadsPerSm / launch.threads, "threads");
    limit(gpu.registersPerSm / (static_cast<double>(launch.threads) * roundUp(launch.registersPerThread, 8)),
        "registers");
    if (launch.smemBytes > result.availableSmem)
        limit(0, "shared memory");
    else
        limit(gpu.smemPerSmKib * 1024 / static_cast<double>(launch.smemBytes + reserved), "shared memory");
    return result;
}

} // namespace flashstep
