// SPDX-License-Identifier: Apache-2.0
#include "launch.h"

#include "profile.h"

#include <algorithm>
#include <cmath>

namespace flashstep::cuda {

namespace {

constexpr int Br = 64, Bc = 64; // the same tile in every kernel: four warps of 16 rows
constexpr int warpThreads = 32, ctaThreads = 128;
constexpr int mostTokens = 1 << 24, mostHeads = 65535;
constexpr std::int64_t mostElements = std::int64_t { 1 } << 40;
constexpr int freeSharedBytes = 48 * 1024; // without asking for more
constexpr int sharedBytes80 = 163 * 1024; // the most that a CTA of sm_80 may have; later ones have as much
constexpr int mostStamps = 65536;

std::vector<KernelPlan> makePlans()
{
    struct Form {
        const char* names[6];
        const char* file;
        const char* algorithm;
    };
    const Form forms[] = {
        { { "standard_d64", "standard_d128", "standard_d64_fp16", "standard_d128_fp16", "standard_d64_traced",
              "standard_d128_traced" },
            "core/cuda/standard.cu", "standard" },
        { { "fa1_forward_d64", "fa1_forward_d128", "fa1_forward_d64_fp16", "fa1_forward_d128_fp16",
              "fa1_forward_d64_traced", "fa1_forward_d128_traced" },
            "core/cuda/fa1_forward.cu", "fa1" },
        { { "fa2_forward_d64", "fa2_forward_d128", "fa2_forward_d64_fp16", "fa2_forward_d128_fp16",
              "fa2_forward_d64_traced", "fa2_forward_d128_traced" },
            "core/cuda/fa2_forward.cu", "fa2" },
    };
    std::vector<KernelPlan> plans;
    for (const Form& form : forms)
        for (int k = 0; k < 6; ++k)
            plans.push_back({ form.names[k], form.file, form.algorithm, "forward", "sm_80",
                k / 2 == 1 ? ElementType::Fp16 : ElementType::Bf16, k % 2 == 0 ? 64 : 128, Br, Bc, ctaThreads,
                k >= 4 });
    return plans;
}

std::string refusalOf(const KernelPlan& kernel, const LaunchProblem& p)
{
    const std::string who = kernel.name;
    const auto number = [](auto n) { return std::to_string(n); };
    if (p.headDim != kernel.headDim)
        return who + " is made for head_dim " + number(kernel.headDim) + ", not " + number(p.headDim);
    if (p.headDimV != p.headDim)
        return who + " wants head_dim_v equal to head_dim, not " + number(p.headDimV);
    if (p.dtype != kernel.dtype)
        return who + " is made for " + name(kernel.dtype) + ", not " + name(p.dtype);
    if (p.mask == LaunchMask::Window)
        return who + " has no window mask (none or causal)";
    if (p.batch < 1 || p.batch > mostHeads || p.heads < 1 || p.heads > mostHeads || p.kvHeads < 1)
        return who + " takes batch and heads from 1 to " + number(mostHeads);
    if (p.heads % p.kvHeads != 0)
        return number(p.heads) + " heads cannot share " + number(p.kvHeads) + " K/V heads (heads must be a multiple)";
    if (p.seqlenQ < 1 || p.seqlenQ > mostTokens || p.seqlenK < 1 || p.seqlenK > mostTokens)
        return who + " takes seqlen_q and seqlen_k from 1 to " + number(mostTokens);
    if (!(p.softmaxScale >= 0) || !std::isfinite(p.softmaxScale))
        return who + " wants a finite softmax_scale above 0";
    if (p.shares < 1 || p.shares > mostHeads || p.stamps < 0 || p.stamps > (1 << 24))
        return who + ": shares from 1 to " + number(mostHeads) + ", stamps from 0 to " + number(1 << 24);
    return {};
}

class Planner {
public:
    Planner(const KernelPlan& kernel, const LaunchProblem& problem)
        : m_kernel(kernel)
        , p(problem)
        , tiles((problem.seqlenQ + Br - 1) / Br)
        , blocks((problem.seqlenK + Bc - 1) / Bc)
    {
        m_plan.refusal = refusalOf(kernel, problem);
    }

    LaunchPlan make()
    {
        if (!m_plan.ok())
            return std::move(m_plan);
        const std::string_view algorithm = m_kernel.algorithm;
        Q = tensor(BufferRole::Q, "q", p.heads, p.seqlenQ, BufferUse::Input);
        K = tensor(BufferRole::K, "k", p.kvHeads, p.seqlenK, BufferUse::Input);
        V = tensor(BufferRole::V, "v", p.kvHeads, p.seqlenK, BufferUse::Input);
        O = tensor(BufferRole::O, "o", p.heads, p.seqlenQ, BufferUse::Output);
        lse = rows(BufferRole::Lse, "lse", BufferUse::Output);
        if (algorithm == "standard")
            standard();
        else if (algorithm == "fa1")
            fa1();
        else
            fa2();
        for (const LaunchBuffer& buffer : m_plan.buffers)
            if (m_plan.ok() && buffer.elements() > mostElements)
                m_plan.refusal
                    = std::string(m_kernel.name) + ": " + buffer.name + " would have more than 2^40 elements";
        if (!m_plan.ok()) {
            m_plan.buffers.clear();
            m_plan.launches.clear();
        }
        return std::move(m_plan);
    }

private:
    int add(BufferRole role, const char* name, ElementType type, std::array<std::int64_t, 4> shape, BufferUse use)
    {
        m_plan.buffers.push_back({ role, name, type, shape, use });
        return static_cast<int>(m_plan.buffers.size()) - 1;
    }
    int tensor(BufferRole role, const char* name, int heads, int seqlen, BufferUse use)
    {
        return add(role, name, p.dtype, { p.batch, heads, seqlen, p.headDim }, use);
    }
    int rows(BufferRole role, const char* name, BufferUse use)
    {
        return add(role, name, ElementType::F32, { p.batch, p.heads, p.seqlenQ, 1 }, use);
    }

    static LaunchArgument buffer(const char* name, int index)
    {
        return { LaunchArgument::Kind::Buffer, name, index, 0, 0 };
    }
    static LaunchArgument i32(const char* name, int value) { return { LaunchArgument::Kind::I32, name, -1, value, 0 }; }
    LaunchArgument causal() const { return i32("causal", p.mask == LaunchMask::Causal ? 1 : 0); }
    LaunchArgument scale() const
    {
        constexpr double log2e = 1.4426950408889634;
        const double scale = p.softmaxScale > 0 ? p.softmaxScale : 1 / std::sqrt(static_cast<double>(p.headDim));
        return { LaunchArgument::Kind::F32, "scaleLog2", -1, 0, static_cast<float>(scale * log2e) };
    }

    // `stamps`: the most that a warp makes.
    void launch(const std::string& entry, std::array<std::int64_t, 3> grid, int threads, int shared,
        std::vector<LaunchArgument> arguments, std::int64_t stamps)
    {
        if (grid[0] > 0x7fffffff) {
            m_plan.refusal = entry + " would need more than 2^31 - 1 CTAs in a row";
            return;
        }
        Launch made { entry,
            { static_cast<std::uint32_t>(grid[0]), static_cast<std::uint32_t>(grid[1]),
                static_cast<std::uint32_t>(grid[2]) },
            { static_cast<std::uint32_t>(threads), 1, 1 }, static_cast<std::uint32_t>(shared), std::move(arguments) };
        if (m_kernel.traced) {
            made.stamps = p.stamps > 0 ? p.stamps : static_cast<int>(std::min<std::int64_t>(stamps, mostStamps));
            made.profile = add(BufferRole::Profile, "profile", ElementType::Byte,
                { grid[0] * grid[1] * grid[2], threads / warpThreads, 1,
                    static_cast<std::int64_t>(profileBytesOfWarp(made.stamps)) },
                BufferUse::Output);
            made.arguments.push_back(buffer("profile", made.profile));
            made.arguments.push_back(i32("capacity", made.stamps));
        }
        m_plan.launches.push_back(std::move(made));
    }

    // The kernel's name with another beginning: entries differ in what stands behind it.
    [[nodiscard]] std::string suffix() const
    {
        const std::string_view name = m_kernel.name;
        return std::string(name.substr(name.find("_d")));
    }
    [[nodiscard]] int tileBytes(int columns) const { return Br * columns * 2; }

    void standard()
    {
        const std::int64_t pitch = std::int64_t { blocks } * Bc;
        const int S = add(BufferRole::S, "s", p.dtype, { p.batch, p.heads, p.seqlenQ, pitch }, BufferUse::Scratch);
        const int P = add(BufferRole::P, "p", p.dtype, { p.batch, p.heads, p.seqlenQ, pitch }, BufferUse::Scratch);
        launch("standard_scores" + suffix(), { std::int64_t { tiles } * blocks, p.batch, p.heads }, ctaThreads,
            2 * tileBytes(p.headDim) + tileBytes(Bc),
            { buffer("Q", Q), buffer("K", K), buffer("S", S), i32("heads", p.heads), i32("kvHeads", p.kvHeads),
                i32("seqlenQ", p.seqlenQ), i32("seqlenK", p.seqlenK) },
            10);

        // A warp keeps a row of scores in shared memory: fewer warps where rows are long.
        int warps = ctaThreads / warpThreads;
        while (warps > 1 && warps * pitch * 4 > freeSharedBytes)
            warps /= 2;
        if (pitch * 4 > sharedBytes80) {
            m_plan.refusal = std::string(m_kernel.name) + " keeps a row of scores in shared memory: seqlen_k up to "
                + std::to_string(sharedBytes80 / 4 / Bc * Bc);
            return;
        }
        const char* form = m_kernel.traced ? "_traced" : p.dtype == ElementType::Fp16 ? "_fp16" : "";
        launch(std::string("standard_softmax") + form, { (p.seqlenQ + warps - 1) / warps, p.batch, p.heads },
            warps * warpThreads, static_cast<int>(warps * pitch * 4),
            { buffer("S", S), buffer("P", P), buffer("LSE", lse), i32("heads", p.heads), i32("seqlenQ", p.seqlenQ),
                i32("seqlenK", p.seqlenK), causal(), scale() },
            std::int64_t { 9 } * blocks + 2);
        launch("standard_output" + suffix(), { tiles, p.batch, p.heads }, ctaThreads,
            tileBytes(Bc) + 2 * tileBytes(p.headDim),
            { buffer("P", P), buffer("V", V), buffer("O", O), i32("heads", p.heads), i32("kvHeads", p.kvHeads),
                i32("seqlenQ", p.seqlenQ), i32("seqlenK", p.seqlenK) },
            std::int64_t { 7 } * blocks + 4);
    }

    void fa1()
    {
        const int Otmp = add(BufferRole::OTmp, "o_tmp", ElementType::F32, { p.batch, p.heads, p.seqlenQ, p.headDim },
            BufferUse::Scratch);
        const int l = rows(BufferRole::L, "l", BufferUse::Scratch);
        const int m = rows(BufferRole::M, "m", BufferUse::Scratch);
        const int shares = std::min(p.shares, tiles);
        const std::int64_t visits = std::int64_t { (tiles + shares - 1) / shares } * blocks;
        launch(m_kernel.name, { p.batch, p.heads, shares }, ctaThreads, 3 * tileBytes(p.headDim),
            { buffer("Q", Q), buffer("K", K), buffer("V", V), buffer("O", O), buffer("LSE", lse), buffer("Otmp", Otmp),
                buffer("lTmp", l), buffer("mTmp", m), i32("heads", p.heads), i32("kvHeads", p.kvHeads),
                i32("seqlenQ", p.seqlenQ), i32("seqlenK", p.seqlenK), causal(), scale() },
            31 * visits + (tiles + shares - 1) / shares);
    }

    void fa2()
    {
        launch(m_kernel.name, { tiles, p.batch, p.heads }, ctaThreads, 3 * tileBytes(p.headDim),
            { buffer("Q", Q), buffer("K", K), buffer("V", V), buffer("O", O), buffer("LSE", lse), i32("heads", p.heads),
                i32("kvHeads", p.kvHeads), i32("seqlenQ", p.seqlenQ), i32("seqlenK", p.seqlenK), causal(), scale() },
            std::int64_t { 16 } * blocks + 9);
    }

    const KernelPlan& m_kernel;
    const LaunchProblem& p;
    int tiles, blocks;
    int Q = 0, K = 0, V = 0, O = 0, lse = 0;
    LaunchPlan m_plan;
};

} // namespace

std::size_t bytesOf(ElementType type)
{
    return type == ElementType::F32 ? 4 : type == ElementType::Byte ? 1 : 2;
}

const char* name(ElementType type)
{
    constexpr const char* names[] = { "bf16", "fp16", "fp32", "u8" };
    return names[static_cast<std::size_t>(type)];
}

const std::vector<KernelPlan>& kernelPlans()
{
    static const std::vector<KernelPlan> plans = makePlans();
    return plans;
}

const KernelPlan* findKernelPlan(std::string_view name)
{
    for (const KernelPlan& plan : kernelPlans())
        if (name == plan.name)
            return &plan;
    return nullptr;
}

int LaunchPlan::indexOf(BufferRole role) const
{
    for (std::size_t k = 0; k < buffers.size(); ++k)
        if (buffers[k].role == role)
            return static_cast<int>(k);
    return -1;
}

LaunchPlan planLaunches(const KernelPlan& kernel, const LaunchProblem& problem)
{
    return Planner(kernel, problem).make();
}

} // namespace flashstep::cuda
