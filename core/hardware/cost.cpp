// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/cost.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

constexpr int quarters = 4; // sub-partitions of an SM; a warp stays on one
constexpr int lanes = 32;

int roundUp(int value, int unit)
{
    return (value + unit - 1) / unit * unit;
}

// Everything a cost formula needs, with the costed tile in place of the shown one.
struct CostContext {
    const GpuSpec& gpu;
    const Program& program;
    const Work& work;
    const Op& op;
    bool swizzled;
    OpCost cost {};

    [[nodiscard]] double scaleRows() const { return static_cast<double>(program.costTile.rows) / program.tile.rows; }
    [[nodiscard]] double scaleKeys() const { return static_cast<double>(program.costTile.keys) / program.tile.keys; }
    [[nodiscard]] double queryRows() const { return program.rows(op).count() * scaleRows(); } // of this role
    [[nodiscard]] double keys() const // of the block, or of the role's share of it
    {
        return op.keys.valid() ? program.rowSets[op.keys.index()].count() * scaleKeys() : program.costTile.keys;
    }
    [[nodiscard]] const BufferDecl& decl(BufferId id) const { return program.buffers[id.index()]; }
    [[nodiscard]] const RoleDecl& role() const { return program.roles[op.role.index()]; }
    // A warpgroup's work is spread over the four quarters.
    [[nodiscard]] double perQuarter(double amount) const { return role().warpgroup() ? amount / quarters : amount; }

    static Ticks ticks(double cycles)
    {
        return std::max<Ticks>(1, static_cast<Ticks>(std::ceil(cycles * ticksPerCycle)));
    }

    void book(Engine engine, double cycles, Component component = {})
    {
        if (cycles > 0)
            cost.bookings[cost.bookingCount++] = { engine, ticks(cycles), component };
    }
    [[nodiscard]] double issueCycles(double warpInstructions) const
    {
        return perQuarter(warpInstructions) * gpu.issueCyclesPerOp * quarters / gpu.issuePerClk;
    }
    // Vector work of a role: `issue` instructions for each of its elements, `alu` of them on the half-rate pipe.
    void bookVector(double elements, double issue, double alu)
    {
        const double cycles = issueCycles(elements * issue / lanes);
        book(Engine::Issue, cycles);
        book(Engine::Alu, perQuarter(elements * alu) / (gpu.aluPerClk / quarters));
        // Accumulators and vector operands share the register file. [docs/hardware-model.md, contention]
        const double contention = cycles * (role().warpgroup() ? gpu.registerContentionWgmma : gpu.registerContention);
        cost.contention = contention > 0 ? ticks(contention) : 0;
    }
    // Compiled for packed fp32 arithmetic: two elements an instruction. [docs/hardware-model.md, packed arithmetic]
    [[nodiscard]] bool packed() const { return program.launches[work.launch].packedMath; }
    [[nodiscard]] double perPair(double instructions) const { return packed() ? instructions / 2 : instructions; }
    // ldmatrix reads 8 rows of 16 bytes at a time; without a swizzle they meet in the same banks.
    void bookSmemRead(double bytes, BufferId from)
    {
        const double conflict = swizzled ? 1 : bankConflict(decl(from).rowBytes());
        book(Engine::Smem, bytes * conflict / gpu.smemBytesPerClk, { Component::Kind::Read, from });
    }
};

struct MmaShape {
    double rows = 0, columns = 0, inner = 0; // rounded up to the instruction's
};

// K of an instruction: 32 bytes of each operand's row.
int innerOf(const CostContext& c)
{
    return 32 / c.program.problem.operandBytes();
}

// How many times as long an instruction of these operands takes as one of bf16: twice the products at up to twice the
// rate.
double intervalRatio(const CostContext& c)
{
    if (c.program.problem.dtype != DType::E4m3)
        return 1;
    return 2 * c.gpu.tensorFlopsPerClk / c.gpu.tensorFp8FlopsPerClk;
}

MmaShape mmaShape(const CostContext& c, int rowUnit)
{
    const Problem& p = c.program.problem;
    const auto keys = [&](int unit) { return roundUp(static_cast<int>(std::ceil(c.keys())), unit); };
    MmaShape shape;
    shape.rows = roundUp(static_cast<int>(std::ceil(c.queryRows())), rowUnit);
    shape.columns = c.op.transposed ? keys(8) : roundUp(c.program.padded(p.headDimV), 8);
    const int step = innerOf(c);
    shape.inner = c.op.transposed ? roundUp(c.program.padded(p.headDim), step) : keys(step);
    return shape;
}

// mma.sync: operands come to registers by ldmatrix first. B whole for every warp; A too unless it is in registers.
void costMmaSync(CostContext& c)
{
    const MmaShape s = mmaShape(c, 16);
    const double steps = s.inner / innerOf(c);
    const double bytes = c.program.problem.operandBytes();
    c.book(Engine::Tensor, s.rows / 16 * (s.columns / 8) * steps * c.gpu.mmaSyncCycles * intervalRatio(c));
    c.bookSmemRead(bytes * s.inner * s.columns, c.op.in[1]);
    if (c.decl(c.op.in[0]).space != Space::Registers)
        c.bookSmemRead(bytes * s.inner * s.rows, c.op.in[0]);
    c.cost.latency = CostContext::ticks(c.gpu.mmaSyncLatency + c.gpu.mmaStepLatency * steps);
}

// wgmma: m64nNk16 (k32 of 8-bit operands) on all four quarters at once; the tensor core reads its operands from SMEM
// itself, B always, A unless it is in registers. That the interval never falls below 16 + N / 4 cycles with both in
// SMEM is the port's doing.
void costWgmma(CostContext& c)
{
    const MmaShape s = mmaShape(c, 64);
    const double steps = s.inner / innerOf(c);
    const double bytes = c.program.problem.operandBytes();
    c.book(Engine::Tensor, s.rows / 64 * steps * s.columns * c.gpu.wgmmaCyclesPerColumn * intervalRatio(c));
    c.book(Engine::Smem, bytes * s.inner * s.columns / c.gpu.smemBytesPerClk, { Component::Kind::Read, c.op.in[1] });
    if (c.decl(c.op.in[0]).space != Space::Registers)
        c.book(Engine::Smem, bytes * s.inner * s.rows / c.gpu.smemBytesPerClk, { Component::Kind::Read, c.op.in[0] });
    c.cost.issue = CostContext::ticks(steps * c.gpu.issueCyclesPerOp);
    c.cost.latency = CostContext::ticks(c.gpu.wgmmaLatency);
}

// tcgen05.mma m128nNk16, issued by one thread for the whole SM: A from SMEM or tensor memory, B from SMEM, D in tensor
// memory. A pair of CTAs multiplies 256 rows, and each reads its half of B. That m128n64k16 takes 48 cycles with both
// operands in SMEM, and not 32, is the port's doing. 8-bit operands go at the rate of their type.
void costUmma(CostContext& c)
{
    const MmaShape s = mmaShape(c, 128);
    const double steps = s.inner / innerOf(c);
    const int element = c.program.problem.operandBytes();
    const double halves = c.op.reach == Reach::Both ? 2 : 1;
    c.book(Engine::Tensor, s.rows / 128 * steps * s.columns * c.gpu.ummaCyclesPerColumn * intervalRatio(c));
    c.book(Engine::Smem, element * s.inner * s.columns / halves / c.gpu.smemBytesPerClk,
        { Component::Kind::Read, c.op.in[1] });
    const bool fromSmem = c.decl(c.op.in[0]).space == Space::Smem;
    if (fromSmem)
        c.book(Engine::Smem, element * s.inner * s.rows / c.gpu.smemBytesPerClk, { Component::Kind::Read, c.op.in[0] });
    c.cost.issue = CostContext::ticks(steps * c.gpu.issueCyclesPerOp);
    // The measured latencies are from issue to the waiter of the commit's mbarrier.
    const bool pair = c.op.reach == Reach::Both;
    const double latency = fromSmem ? (pair ? c.gpu.ummaLatencySsPair : c.gpu.ummaLatencySs)
                                    : (pair ? c.gpu.ummaLatencyTsPair : c.gpu.ummaLatencyTs);
    c.cost.latency = CostContext::ticks(std::max(1.0, latency - c.gpu.mbarrierLatency));
}

// tcgen05.ld and .st: a warp's quarter of the lanes, some columns of 32 bits.
double tmemBytes(const CostContext& c, BufferId buffer, double rows, double elements)
{
    const BufferDecl& decl = c.decl(buffer);
    const bool fp32 = decl.tile == BufferDecl::Tile::Query || decl.family == "S";
    return rows * elements * (fp32 ? 4 : c.program.problem.operandBytes());
}

// Bytes that a load or store of the costed tile moves; at the edge of the sequence, the same share as shown.
double costedBytes(const CostContext& c, double shown)
{
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
    const OpCounts counts = countsOf(c.program, c.work, c.op);
    // Of a multicast, each CTA fetches its half and the two share it.
    const double receivers = c.op.reach == Reach::Both ? 2 : 1;
    c.cost.shownBytes = static_cast<double>(counts.globalRead + counts.globalWrite) / receivers;
    if (c.op.cached) {
        c.book(Engine::Issue, c.issueCycles(1));
        c.cost.latency = CostContext::ticks(c.gpu.smemLatency); // L1 and SMEM are one memory
        return;
    }
    const double bytes = costedBytes(c, c.cost.shownBytes);
    c.cost.memoryBytes = bytes;
    const bool load = c.op.kind == OpKind::Load;
    const bool tma = c.op.via == Via::Tma;
    if (tma) { // one thread, one instruction
        c.book(Engine::Tma, c.gpu.tmaIssueCycles);
        c.cost.issue = CostContext::ticks(c.gpu.issueCyclesPerOp);
    } else {
        const double instructions = std::max(1.0, bytes / (16.0 * lanes)); // 16 bytes a thread
        c.book(Engine::Issue, c.issueCycles(instructions));
    }
    c.book(Engine::L2, bytes / c.gpu.l2BytesPerClkPerSm);
    if (load) {
        c.cost.latency = CostContext::ticks(tma ? c.gpu.tmaLatency : c.gpu.copyLatency);
        const Component write { tma ? Component::Kind::TmaWrite : Component::Kind::CopyWrite, c.op.out };
        if (c.decl(c.op.out).space == Space::Smem && !c.op.async) {
            c.book(Engine::Smem, bytes / c.gpu.smemBytesPerClk, write);
        } else if (c.decl(c.op.out).space == Space::Smem) {
            c.cost.landing = CostContext::ticks(bytes / c.gpu.smemBytesPerClk);
            c.cost.landingComponent = write;
        }
        return;
    }
    if (c.decl(c.op.in[0]).space == Space::Smem)
        c.book(Engine::Smem, bytes / c.gpu.smemBytesPerClk, { Component::Kind::Read, c.op.in[0] });
    if (tma)
        c.cost.latency = CostContext::ticks(c.gpu.tmaStoreLatency);
}

// The kernels that have a row in a thread go through it fragment by fragment: each is converted under the exponentials
// of the next, so of four only the last takes time of its own.
constexpr double convertedUnder = 0.75;

void costExp2(CostContext& c)
{
    const double elements = c.queryRows() * c.keys();
    const SoftmaxForm& form = c.program.softmax;
    const double share = static_cast<double>(form.emulatedKeys(0, static_cast<int>(form.emulated.size())))
        / c.program.tile.keys; // of the polynomial
    // FFMA, and EX2 or the polynomial: of a pair of elements 2 max, 3 additions, `degree` FMA, 2 shifts and 2 integer
    // additions, 6 of them on the ALU; packed where fp32. [docs/hardware-model.md, exponentials by polynomial]
    const double emulated = (c.gpu.polynomialInstructions + form.polynomialDegree) / 2;
    const double converted = c.packed() ? convertedUnder : 0;
    c.bookVector(
        elements, c.perPair(1) + (1 - share) + emulated * share + 0.5 * converted, 3 * share + 0.5 * converted);
    c.book(Engine::Exp, c.perQuarter(elements * (1 - share)) / (c.gpu.mufuPerClk / quarters));
}

double elementsOf(const CostContext& c, BufferId buffer)
{
    const BufferDecl& decl = c.decl(buffer);
    return c.queryRows() * (decl.tile == BufferDecl::Tile::Pair && decl.cols > 1 ? c.keys() : decl.cols);
}

// Two elements an instruction.
void costConvert(CostContext& c)
{
    const bool fragments = c.packed() && c.decl(c.op.out).tile == BufferDecl::Tile::Pair;
    c.bookVector(elementsOf(c, c.op.out) * (fragments ? 1 - convertedUnder : 1), 0.5, 0.5);
}

// ldmatrix with its 16-bit transposition, byte permutations in registers that part the pairs of keys, stmatrix.
void costTranspose(CostContext& c)
{
    const double bytes = c.program.rows(c.op).count() * c.scaleKeys() * paddedHeadDim(c.decl(c.op.out).cols)
        * c.program.problem.operandBytes();
    const double words = bytes / 4; // a register of one lane each
    c.book(Engine::Issue, c.issueCycles((words + 2 * bytes / 16) / lanes)); // 16 bytes a lane to load, and to store
    c.book(Engine::Alu, c.perQuarter(words) / (c.gpu.aluPerClk / quarters));
    c.bookSmemRead(bytes, c.op.in[0]);
    c.book(Engine::Smem, bytes / c.gpu.smemBytesPerClk, { Component::Kind::Stage, c.op.out });
    c.cost.latency = CostContext::ticks(2 * c.gpu.smemLatency);
}

void costStage(CostContext& c)
{
    if (transposes(c.program, c.op)) {
        costTranspose(c);
        return;
    }
    const BufferDecl& to = c.decl(c.op.out);
    if (c.op.in[0].valid() && (to.space == Space::Tmem || c.decl(c.op.in[0]).space == Space::Tmem)) {
        const bool load = to.space != Space::Tmem;
        const BufferId memory = load ? c.op.in[0] : c.op.out;
        const bool pair = c.decl(memory).tile == BufferDecl::Tile::Pair;
        const int cols = c.decl(memory).cols;
        const double columns = pair ? c.keys() : cols > 1 ? c.program.padded(cols) : 1; // or a number of each row
        const double bytes = tmemBytes(c, memory, c.queryRows(), columns);
        c.book(Engine::Issue, c.issueCycles(std::max(1.0, bytes / (16.0 * 4 * lanes)))); // 16 columns of 32 lanes
        c.book(Engine::Tmem, bytes / c.gpu.tmemBytesPerClk);
        c.cost.latency = load ? CostContext::ticks(c.gpu.tmemLoadLatency) : 0;
        return;
    }
    if (to.space == Space::Registers) { // ldmatrix
        const bool tile = to.cols > 2; // else a number of each row
        const double bytes
            = tile ? c.program.rows(c.op).count() * c.scaleKeys() * paddedHeadDim(to.cols) * 2 : c.queryRows() * 4;
        c.book(Engine::Issue, c.issueCycles(std::max(1.0, bytes / (16.0 * lanes))));
        c.bookSmemRead(bytes, c.op.in[0]);
        c.cost.latency = CostContext::ticks(c.gpu.smemLatency);
        return;
    }
    const double bytes = elementsOf(c, c.op.out)
        * (!to.single && to.dtype == c.program.problem.dtype ? bytesOf(c.program.problem.costedDtype())
                                                             : bytesOf(to.dtype));
    const double conflict = c.swizzled ? 1 : bankConflict(to.rowBytes());
    c.book(Engine::Issue, c.issueCycles(std::max(1.0, bytes / (16.0 * lanes))));
    c.book(Engine::Smem, bytes * conflict / c.gpu.smemBytesPerClk, { Component::Kind::Stage, c.op.out });
    c.cost.latency = CostContext::ticks(c.gpu.smemLatency);
}

void costReduce(CostContext& c)
{
    const int copies = c.decl(c.op.in[0]).rows / c.program.launches[c.work.launch].queryRows;
    const double elements = elementsOf(c, c.op.out) * copies;
    c.bookVector(elements, 1, c.op.maximum ? 1 : 0);
    if (c.decl(c.op.in[0]).space == Space::Registers)
        return;
    c.book(Engine::Smem, elements * 4 / c.gpu.smemBytesPerClk, { Component::Kind::Reduce, c.op.in[0] });
    c.cost.latency = CostContext::ticks(c.gpu.smemLatency);
}

} // namespace

int bankConflict(Bytes rowBytes)
{
    // 32 banks of 4 bytes: 8 groups of 16 bytes. Rows that fall on the same group wait for each other.
    std::array<int, 8> group {};
    for (Bytes row = 0; row < 8; ++row)
        ++group[static_cast<std::size_t>(row * rowBytes / 16 % 8)];
    return *std::max_element(group.begin(), group.end());
}

std::string componentName(const Program& program, const Op& op, const Component& component)
{
    constexpr std::array<std::string_view, 6> prefixes { "",
        "read:", "stage:", "reduce:", "tma_write:", "copy_write:" };
    if (component.kind == Component::Kind::Op) {
        if (op.kind == OpKind::Mma)
            return op.transposed ? "S" : "O"; // the product it makes
        if (op.kind == OpKind::Load || op.kind == OpKind::Store)
            return std::string(name(op.kind)) + ":" + std::string(name(op.tensor));
        return std::string(name(op.kind));
    }
    return std::string(prefixes[static_cast<std::size_t>(component.kind)])
        + program.buffers[component.buffer.index()].family;
}

OpCost costOf(const GpuSpec& gpu, const Program& program, const Work& work, const Op& op, bool swizzled)
{
    CostContext c { gpu, program, work, op, swizzled };
    switch (op.kind) {
    case OpKind::Load:
    case OpKind::Store:
        costMemory(c);
        break;
    case OpKind::Commit: // one instruction: too little to keep an engine busy
    case OpKind::Arrive:
        c.cost.latency = ticksPerCycle;
        break;
    case OpKind::Wait: // the latency is paid when the last has arrived
        if (op.barrier.valid())
            c.cost.latency = CostContext::ticks(gpu.mbarrierLatency);
        break;
    case OpKind::Sync:
        c.cost.latency = CostContext::ticks(gpu.barrierLatency);
        break;
    case OpKind::Fence: // what was written has to have arrived
        c.cost.latency = CostContext::ticks(gpu.smemLatency);
        break;
    case OpKind::NextTile: // by an atomic, or from SMEM
        c.cost.latency = CostContext::ticks(op.in[0].valid() ? gpu.smemLatency : gpu.atomicLatency);
        break;
    case OpKind::SetRegisters:
        c.cost.latency = CostContext::ticks(gpu.setmaxnregCycles);
        break;
    case OpKind::Mma:
        if (c.decl(op.out).space == Space::Tmem)
            costUmma(c);
        else if (op.async)
            costWgmma(c);
        else
            costMmaSync(c);
        break;
    case OpKind::Mask:
        // A row of one thread: a select by a predicate; the predicates of 32 keys come from one word.
        c.bookVector(c.queryRows() * c.keys(), c.perPair(2), 1);
        break;
    case OpKind::RowMax:
        c.bookVector(c.queryRows() * c.keys(), c.perPair(1), c.perPair(1));
        // A row of one thread needs no shuffles. [docs/hardware-model.md, packed arithmetic]
        c.cost.latency = CostContext::ticks(c.packed() ? 0 : static_cast<double>(gpu.rowReduceCycles));
        break;
    case OpKind::Rescale:
        c.bookVector(elementsOf(c, op.out) + c.queryRows(), c.perPair(1), 0);
        if (c.decl(op.out).space == Space::Tmem) { // there and back
            c.book(Engine::Tmem,
                2 * tmemBytes(c, op.out, c.queryRows(), program.padded(c.decl(op.out).cols)) / gpu.tmemBytesPerClk);
            c.cost.latency = CostContext::ticks(gpu.tmemLoadLatency);
        }
        break;
    case OpKind::Exp2:
        costExp2(c);
        break;
    case OpKind::RowSum:
        c.bookVector(c.queryRows() * c.keys(), c.perPair(1), 0);
        break;
    case OpKind::Convert:
        costConvert(c);
        break;
    case OpKind::Normalise:
        c.bookVector((op.out.valid() ? elementsOf(c, op.out) : 0) + c.queryRows(), c.perPair(1), 0);
        c.cost.latency = CostContext::ticks((c.packed() ? 0.0 : static_cast<double>(gpu.rowReduceCycles))
            + (op.out.valid() && c.role().warpgroup() ? static_cast<double>(gpu.tileEpilogueCycles) : 0.0));
        break;
    case OpKind::Reduce:
        costReduce(c);
        break;
    case OpKind::Stage:
        costStage(c);
        break;
    case OpKind::Allocate:
    case OpKind::Free: // nothing is published: as an access to SMEM
        c.cost.latency = CostContext::ticks(gpu.smemLatency);
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
