// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/machine.h"

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::ptx {

namespace {

constexpr std::uint64_t mostCtas = 1U << 24;
// A CTA that spins for another one must let it run some time.
constexpr std::uint64_t smTurn = 1U << 20;
constexpr std::uint64_t shortTurn = 64; // with an order by chance
constexpr std::size_t activeByChance = 4;

std::uint64_t mixed(std::uint64_t x) // splitmix64
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
}

std::uint64_t sharedEnd(const Code& code, const Launch& launch)
{
    return launch.dynamicShared == 0 ? sharedStart + code.sharedBytes : code.dynamicShared + launch.dynamicShared;
}

int residentCtas(const GpuSpec* gpu, std::uint64_t sharedBytes, std::uint32_t threads)
{
    if (gpu == nullptr)
        return 1;
    const double bySmem
        = gpu->smemPerSmKib * 1024 / (static_cast<double>(sharedBytes) + gpu->reservedSmemPerCtaKib * 1024);
    const double byThreads = gpu->maxThreadsPerSm / static_cast<double>((threads + 31) / 32 * 32);
    return std::max(1, static_cast<int>(std::min({ bySmem, byThreads, static_cast<double>(gpu->maxCtasPerSm) })));
}

Status checkLaunch(const Code& code, const Launch& launch, const RunOptions& options)
{
    const std::uint64_t threads = std::uint64_t { launch.block[0] } * launch.block[1] * launch.block[2];
    const auto limit = [](std::uint64_t value) { return fmt::format("{}", value); };
    for (int k = 0; k < 3; ++k) {
        if (launch.grid[static_cast<std::size_t>(k)] == 0 || launch.block[static_cast<std::size_t>(k)] == 0)
            return Error { "an empty grid or block", {}, "each of its sizes is at least 1" };
    }
    if (threads > 1024 || launch.block[0] > 1024 || launch.block[1] > 1024 || launch.block[2] > 64)
        return Error { "a block of " + limit(threads) + " threads", {}, "at most 1024, 64 along z" };
    if (std::uint64_t { launch.grid[0] } * launch.grid[1] > mostCtas
        || std::uint64_t { launch.grid[0] } * launch.grid[1] * launch.grid[2] > mostCtas)
        return Error { "a grid of more CTAs than this emulator runs", {}, "at most " + limit(mostCtas) };
    const Function& f = *code.function;
    const std::uint64_t most
        = std::uint64_t { f.maxThreads[0] } * std::max(1U, f.maxThreads[1]) * std::max(1U, f.maxThreads[2]);
    if (most != 0 && threads > most)
        return Error { "a block of " + limit(threads) + " threads", f.name, "its launch bounds allow " + limit(most) };
    for (std::size_t k = 0; k < 3; ++k) {
        if (f.requiredThreads[0] != 0 && launch.block[k] != std::max(1U, f.requiredThreads[k]))
            return Error { "a block that is not the one the kernel requires", f.name,
                fmt::format("{}x{}x{}", f.requiredThreads[0], std::max(1U, f.requiredThreads[1]),
                    std::max(1U, f.requiredThreads[2])) };
    }
    if (launch.parameters.size() != f.parameterBytes)
        return Error { limit(launch.parameters.size()) + " bytes of parameters", f.name,
            "it takes " + limit(f.parameterBytes) };
    const std::uint64_t shared = sharedEnd(code, launch) - sharedStart;
    const double most2 = options.gpu != nullptr ? options.gpu->smemPerCtaKib * 1024 : 232448;
    if (static_cast<double>(shared) > most2)
        return Error { limit(shared) + " bytes of shared memory", f.name,
            "a CTA has at most " + limit(static_cast<std::uint64_t>(most2)) };
    if (threads * code.localBytes > (std::uint64_t { 1 } << 30U))
        return Error { "more local memory than this emulator gives a CTA", f.name, "at most 1 GiB" };
    return Nothing {};
}

} // namespace

Result<Machine> Machine::start(std::shared_ptr<const Code> code, Launch launch, GlobalMemory memory, RunOptions options,
    std::shared_ptr<Checker> checker)
{
    if (Status fits = checkLaunch(*code, launch, options); !fits)
        return fits.error();
    return Machine(std::move(code), std::move(launch), std::move(memory), options, std::move(checker));
}

Machine::Machine(std::shared_ptr<const Code> code, Launch launch, GlobalMemory memory, RunOptions options,
    std::shared_ptr<Checker> checker)
    : m_code(std::move(code))
    , m_launch(std::move(launch))
    , m_memory(std::move(memory))
    , m_options(options)
    , m_checker(std::move(checker))
    , m_findings(m_code)
    , m_random(options.orderSeed)
{
    m_ctaCount = m_launch.grid[0] * m_launch.grid[1] * m_launch.grid[2];
    m_smCount = options.gpu != nullptr ? static_cast<int>(options.gpu->sms) : 1;
    const std::uint32_t threads = m_launch.block[0] * m_launch.block[1] * m_launch.block[2];
    m_ctasPerSm = residentCtas(options.gpu, sharedEnd(*m_code, m_launch) - sharedStart, threads);
    if (m_checker)
        m_checker->beginLaunch();
    startSms();
}

std::uint64_t Machine::chance(std::uint64_t below)
{
    m_random = mixed(m_random);
    return below == 0 ? 0 : m_random % below;
}

void Machine::startSms()
{
    const std::uint32_t count = std::min(static_cast<std::uint32_t>(m_smCount), m_ctaCount);
    for (std::uint32_t k = count; k-- > 0;)
        m_waitingSms.push_back(k);
    if (m_options.orderSeed != 0) {
        for (std::size_t k = m_waitingSms.size(); k > 1; --k)
            std::swap(m_waitingSms[k - 1], m_waitingSms[chance(k)]);
    }
}

void Machine::startNextSm()
{
    Sm sm;
    sm.next = m_waitingSms.back();
    sm.clock = SmClock(m_options.gpu);
    m_waitingSms.pop_back();
    m_sms.push_back(std::move(sm));
    refill(m_sms.back());
}

void Machine::refill(Sm& sm)
{
    while (static_cast<int>(sm.residents.size()) < m_ctasPerSm && sm.next < m_ctaCount) {
        sm.residents.push_back(makeCta(sm.next, sm.now));
        if (m_checker)
            m_checker->beginCta(sm.next, sm.residents.back().threads, sharedEnd(*m_code, m_launch));
        sm.next = m_ctaCount - sm.next > static_cast<std::uint32_t>(m_smCount)
            ? sm.next + static_cast<std::uint32_t>(m_smCount)
            : m_ctaCount;
    }
}

Cta Machine::makeCta(std::uint32_t id, Cycle begin) const
{
    Cta cta;
    cta.id = id;
    cta.index
        = { id % m_launch.grid[0], id / m_launch.grid[0] % m_launch.grid[1], id / m_launch.grid[0] / m_launch.grid[1] };
    cta.threads = m_launch.block[0] * m_launch.block[1] * m_launch.block[2];
    cta.begin = begin;
    cta.shared.assign(sharedEnd(*m_code, m_launch) - sharedStart, poison);
    cta.local.assign(cta.threads * m_code->localBytes, poison);
    cta.groups.assign((cta.threads + 31) / 32 * 32, 0);
    const std::uint32_t warps = (cta.threads + 31) / 32;
    for (NamedBarrier& barrier : cta.barriers)
        barrier.lanes.assign(warps, 0);
    for (std::uint32_t w = 0; w < warps; ++w) {
        Warp warp;
        warp.cells.assign(std::size_t { m_code->rowCount } * warpSize, 0xcbcbcbcbU);
        warp.predicates.assign(m_code->predicateCount + 1, 0);
        warp.defined.assign(m_code->places.size(), 0);
        warp.available.assign(m_code->places.size(), begin);
        const std::uint32_t lanes = std::min(32U, cta.threads - 32 * w);
        warp.live = lanes == 32 ? allLanes : (1U << lanes) - 1;
        Split first;
        first.mask = warp.live;
        first.ready = begin;
        warp.splits.push_back(first);
        fillSpecials(cta, warp, w, id % static_cast<std::uint32_t>(m_smCount));
        cta.warps.push_back(std::move(warp));
    }
    return cta;
}

void Machine::fillSpecials(const Cta& cta, Warp& warp, std::uint32_t index, std::uint32_t sm) const
{
    const auto set = [&](Special special, auto&& valueOf) {
        const std::uint32_t row = m_code->specialRows[static_cast<std::size_t>(special)];
        if (row == none)
            return;
        for (std::uint32_t l = 0; l < 32; ++l)
            warp.cells[std::size_t { row } * warpSize + l] = valueOf(l);
    };
    const auto constant = [&](Special special, std::uint64_t value) {
        set(special, [&](std::uint32_t) { return static_cast<std::uint32_t>(value); });
    };
    const auto& block = m_launch.block;
    const auto thread = [&](std::uint32_t l) { return 32 * index + l; };
    set(Special::TidX, [&](std::uint32_t l) { return thread(l) % block[0]; });
    set(Special::TidY, [&](std::uint32_t l) { return thread(l) / block[0] % block[1]; });
    set(Special::TidZ, [&](std::uint32_t l) { return thread(l) / block[0] / block[1]; });
    set(Special::Laneid, [](std::uint32_t l) { return l; });
    set(Special::LanemaskEq, [](std::uint32_t l) { return 1U << l; });
    set(Special::LanemaskLt, [](std::uint32_t l) { return (1U << l) - 1; });
    set(Special::LanemaskLe, [](std::uint32_t l) { return ((1U << l) - 1) | 1U << l; });
    set(Special::LanemaskGe, [](std::uint32_t l) { return ~((1U << l) - 1); });
    set(Special::LanemaskGt, [](std::uint32_t l) { return ~(((1U << l) - 1) | 1U << l); });
    for (std::size_t k = 0; k < 3; ++k) {
        const auto along = [&](Special x) { return static_cast<Special>(static_cast<std::size_t>(x) + k); };
        constant(along(Special::NtidX), block[k]);
        constant(along(Special::CtaidX), cta.index[k]);
        constant(along(Special::NctaidX), m_launch.grid[k]);
        constant(along(Special::NclusteridX), m_launch.grid[k]);
        constant(along(Special::ClusteridX), cta.index[k]);
        constant(along(Special::ClusterCtaidX), 0);
        constant(along(Special::ClusterNctaidX), 1);
    }
    constant(Special::Warpid, index);
    constant(Special::Nwarpid, (cta.threads + 31) / 32);
    constant(Special::Smid, sm);
    constant(Special::Nsmid, static_cast<std::uint64_t>(m_smCount));
    constant(Special::Gridid, m_options.launch);
    constant(Special::DynamicSmemSize, m_launch.dynamicShared);
    constant(Special::TotalSmemSize, cta.shared.size());
    constant(Special::ClusterCtarank, 0);
    constant(Special::ClusterNctarank, 1);
    constant(Special::IsExplicitCluster, 0);
}

const Cta* Machine::resident(std::uint32_t cta) const
{
    for (const Sm& sm : m_sms) {
        for (const Cta& c : sm.residents) {
            if (c.id == cta)
                return &c;
        }
    }
    return nullptr;
}

std::size_t Machine::bytes() const
{
    std::size_t sum = sizeof *this;
    for (std::size_t k = 0; k < m_memory.count(); ++k)
        sum += m_memory.allocation(k).bytes.size();
    for (const Sm& sm : m_sms) {
        for (const Cta& cta : sm.residents) {
            sum += cta.shared.size() + cta.local.size() + cta.copies.size() * sizeof(Copy);
            for (const Warp& warp : cta.warps)
                sum += warp.cells.size() * 4 + warp.available.size() * 8 + warp.defined.size() * 4;
        }
    }
    return sum;
}

std::optional<Machine::Choice> Machine::choose(Sm& sm)
{
    std::optional<Choice> best;
    Cycle bestReady = 0;
    std::uint64_t seen = 0;
    for (std::size_t c = 0; c < sm.residents.size(); ++c) {
        Cta& cta = sm.residents[c];
        for (std::size_t w = 0; w < cta.warps.size(); ++w) {
            Warp& warp = cta.warps[w];
            if (warp.finished())
                continue;
            const std::uint32_t s = warp.readySplit();
            if (s == none)
                continue;
            if (m_options.orderSeed != 0) {
                // Each with the same chance, without a list of them.
                if (chance(++seen) == 0)
                    best = Choice { c, w, 0 };
                continue;
            }
            const Cycle ready = warp.splits[s].ready;
            if (!best || ready < bestReady) {
                best = Choice { c, w, ready };
                bestReady = ready;
            }
        }
    }
    return best;
}

// The SM whose next instruction is the earliest; one that stands still comes last.
std::optional<Machine::Choice> Machine::chooseInTime()
{
    std::optional<Choice> best;
    m_active = 0;
    for (std::size_t k = 0; k < m_sms.size(); ++k) {
        const std::optional<Choice> choice = choose(m_sms[k]);
        if (choice && (!best || choice->ready < best->ready)) {
            best = choice;
            m_active = k;
        }
    }
    return best;
}

std::optional<Step> Machine::step()
{
    while (!m_over) {
        const bool byChance = m_options.orderSeed != 0;
        const std::size_t wanted = byChance ? activeByChance : std::max(1U, m_options.smsTogether);
        std::erase_if(m_sms, [](const Sm& sm) { return sm.residents.empty(); });
        while (m_sms.size() < wanted && !m_waitingSms.empty())
            startNextSm();
        if (m_sms.empty()) {
            m_over = true;
            break;
        }
        m_active = std::min(m_active, m_sms.size() - 1);
        const std::optional<Choice> choice
            = !byChance && m_options.smsTogether > 1 ? chooseInTime() : choose(m_sms[m_active]);
        Sm& sm = m_sms[m_active];
        if (!choice) {
            if (!unstick(sm))
                retire(sm);
            continue;
        }
        const std::uint64_t before = m_steps;
        const Step done = execute(sm, sm.residents[choice->cta], static_cast<std::uint32_t>(choice->warp));
        if (m_instructions >= m_options.maxInstructions && !m_over) {
            m_access.report(
                Fault::Limit, -1, 0, fmt::format("more than {} lane-instructions", m_options.maxInstructions));
            m_over = true;
        }
        afterStep(sm, sm.residents[choice->cta], sm.residents[choice->cta].warps[choice->warp]);
        if (++m_sms[m_active].turn > (m_options.orderSeed != 0 ? shortTurn : smTurn)) {
            m_sms[m_active].turn = 0;
            if (m_sms.size() == 1 && !m_waitingSms.empty())
                startNextSm(); // what it waits for may be another CTA's to do
            m_active = (m_active + 1) % m_sms.size();
        }
        if (m_steps != before)
            return done;
    }
    return std::nullopt;
}

// A CTA whose warps have all left makes room for the next one.
void Machine::afterStep(Sm& sm, Cta& cta, Warp& warp)
{
    if (!warp.finished())
        return;
    recheckBarriers(sm, cta);
    if (!cta.finished())
        return;
    for (const Warp& w : cta.warps)
        cta.end = std::max(cta.end, w.lastDone);
    m_cycles = std::max(m_cycles, cta.end);
    sm.now = std::max(sm.now, cta.end);
    const std::uint32_t id = cta.id;
    std::erase_if(sm.residents, [&](const Cta& c) { return c.id == id; });
    if (m_checker)
        m_checker->endCta(id);
    refill(sm);
}

void Machine::run(const Progress& progress, const std::function<void(const Step&)>& each)
{
    while (const std::optional<Step> done = step()) {
        if (each)
            each(*done);
        if (m_steps % 65536 == 0) {
            if (progress.cancelled())
                return;
            progress.at(static_cast<double>(m_ctaCount - m_waitingSms.size()) / std::max(1U, m_ctaCount));
        }
    }
}

} // namespace flashstep::ptx
