// SPDX-License-Identifier: Apache-2.0
#include "device.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

namespace flashstep::cuda {

namespace {

std::string versionText(int version) // 13000: "13.0"
{
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Failure failureOf(cudaError_t error, const std::string& doing)
{
    if (error == cudaSuccess)
        return {};
    (void)cudaGetLastError(); // it is told now; the next call begins anew
    const std::string text = doing + ": " + cudaGetErrorString(error);
    switch (error) {
    case cudaErrorInsufficientDriver: {
        int driver = 0, runtime = 0;
        (void)cudaDriverGetVersion(&driver);
        (void)cudaRuntimeGetVersion(&runtime);
        if (driver == 0)
            return { 3, "no CUDA device: no NVIDIA driver is installed" };
        return { 3,
            "the driver is too old: it is for CUDA " + versionText(driver) + ", this program was built with CUDA "
                + versionText(runtime) };
    }
    case cudaErrorNoDevice:
    case cudaErrorInitializationError:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
    case cudaErrorStubLibrary:
    case cudaErrorDevicesUnavailable:
        return { 3, "no CUDA device: " + std::string(cudaGetErrorString(error)) };
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
        return { 3, text + " (the program holds code for sm_80 and later)" };
    case cudaErrorMemoryAllocation:
        return { 3, "out of memory on the device, " + text };
    default:
        return { 1, text };
    }
}

// "NVRM version: NVIDIA UNIX … Kernel Module  580.65.06  …"
std::string kernelModuleVersion()
{
    std::string version;
    if (std::FILE* file = std::fopen("/proc/driver/nvidia/version", "r")) {
        char line[512];
        while (std::fgets(line, sizeof line, file) != nullptr && version.empty())
            for (char* word = std::strtok(line, " \t\n"); word != nullptr; word = std::strtok(nullptr, " \t\n"))
                if (word[0] >= '0' && word[0] <= '9' && std::strchr(word, '.') != nullptr) {
                    version = word;
                    break;
                }
        std::fclose(file);
    }
    return version;
}

Failure factsOf(int index, DeviceFacts& facts)
{
    cudaDeviceProp properties;
    int driver = 0, runtime = 0;
    Failure failure = failureOf(cudaGetDeviceProperties(&properties, index), "device " + std::to_string(index));
    if (!failure.any())
        failure = failureOf(cudaDriverGetVersion(&driver), "the driver's version");
    if (!failure.any())
        failure = failureOf(cudaRuntimeGetVersion(&runtime), "the runtime's version");
    facts = { index, properties.name, properties.major, properties.minor, properties.multiProcessorCount,
        properties.totalGlobalMem, static_cast<std::size_t>(properties.l2CacheSize), properties.sharedMemPerBlockOptin,
        versionText(driver), versionText(runtime), kernelModuleVersion() };
    return failure;
}

} // namespace

Failure devices(std::vector<DeviceFacts>& facts)
{
    int count = 0;
    Failure failure = failureOf(cudaGetDeviceCount(&count), "looking for devices");
    if (!failure.any() && count == 0)
        failure = { 3, "no CUDA device" };
    for (int k = 0; k < count && !failure.any(); ++k) {
        DeviceFacts device;
        failure = factsOf(k, device);
        facts.push_back(device);
    }
    return failure;
}

Failure useDevice(int index, DeviceFacts& facts)
{
    std::vector<DeviceFacts> all;
    Failure failure = devices(all);
    if (failure.any())
        return failure;
    if (index >= static_cast<int>(all.size()))
        return { 3, "there is no device " + std::to_string(index) + " (0 to " + std::to_string(all.size() - 1) + ")" };
    facts = all[static_cast<std::size_t>(index)];
    if (facts.major < 8)
        return { 3,
            facts.name + " is sm_" + std::to_string(facts.major * 10 + facts.minor) + " (the kernels need sm_80)" };
    return failureOf(cudaSetDevice(index), "device " + std::to_string(index));
}

// ---- memory ---------------------------------------------------------------------------------------------------------

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : m_memory(std::exchange(other.m_memory, nullptr))
    , m_bytes(std::exchange(other.m_bytes, 0))
{
}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept
{
    std::swap(m_memory, other.m_memory);
    std::swap(m_bytes, other.m_bytes);
    return *this;
}

DeviceBuffer::~DeviceBuffer()
{
    if (m_memory != nullptr)
        (void)cudaFree(m_memory);
}

Failure DeviceBuffer::allocate(std::size_t bytes)
{
    m_bytes = bytes;
    return failureOf(cudaMalloc(&m_memory, std::max<std::size_t>(bytes, 16)), std::to_string(bytes) + " bytes");
}

Failure DeviceBuffer::poison()
{
    return failureOf(cudaMemset(m_memory, 0xff, m_bytes), "poisoning memory");
}

Failure DeviceBuffer::read(void* to) const
{
    return failureOf(cudaMemcpy(to, m_memory, m_bytes, cudaMemcpyDeviceToHost), "reading results");
}

// ---- plans ----------------------------------------------------------------------------------------------------------

Failure Prepared::make(const KernelPlan& kernel, const LaunchProblem& problem, InputKind init, std::uint64_t seed)
{
    m_plan = planLaunches(kernel, problem);
    m_buffers.clear();
    if (!m_plan.ok())
        return { 2, m_plan.refusal };
    Failure failure;
    for (const Launch& launch : m_plan.launches) {
        const void* function = kernelEntry(launch.entry);
        if (function == nullptr)
            return { 1, launch.entry + " is not in this program" };
        if (launch.sharedBytes > 48 * 1024)
            failure = failureOf(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(launch.sharedBytes)),
                launch.entry + " with " + std::to_string(launch.sharedBytes) + " bytes of shared memory");
        if (failure.any())
            return failure;
    }
    for (const LaunchBuffer& buffer : m_plan.buffers) {
        DeviceBuffer memory;
        failure = memory.allocate(static_cast<std::size_t>(buffer.bytes()));
        if (!failure.any() && buffer.use == BufferUse::Input) {
            launchFill(memory.get(), buffer, init, seed, static_cast<int>(buffer.role));
            failure = failureOf(cudaGetLastError(), "filling " + std::string(buffer.name));
        }
        if (failure.any())
            return { failure.status, std::string(buffer.name) + ": " + failure.text };
        m_buffers.push_back(std::move(memory));
    }
    return poisonOutputs();
}

Failure Prepared::poisonOutputs()
{
    for (std::size_t k = 0; k < m_buffers.size(); ++k)
        if (m_plan.buffers[k].use != BufferUse::Input)
            if (const Failure failure = m_buffers[k].poison(); failure.any())
                return failure;
    return {};
}

Failure Prepared::launch()
{
    for (const Launch& launch : m_plan.launches) {
        std::vector<void*> pointers(launch.arguments.size());
        std::vector<LaunchArgument> values = launch.arguments;
        std::vector<void*> arguments;
        for (std::size_t k = 0; k < values.size(); ++k) {
            LaunchArgument& value = values[k];
            switch (value.kind) {
            case LaunchArgument::Kind::Buffer:
                pointers[k] = buffer(value.buffer).get();
                arguments.push_back(&pointers[k]);
                break;
            case LaunchArgument::Kind::I32:
                arguments.push_back(&value.i32);
                break;
            case LaunchArgument::Kind::F32:
                arguments.push_back(&value.f32);
                break;
            }
        }
        const dim3 grid(launch.grid[0], launch.grid[1], launch.grid[2]);
        const dim3 block(launch.block[0], launch.block[1], launch.block[2]);
        const cudaError_t error
            = cudaLaunchKernel(kernelEntry(launch.entry), grid, block, arguments.data(), launch.sharedBytes, nullptr);
        if (error != cudaSuccess)
            return failureOf(error, launch.entry);
    }
    return {};
}

Failure Prepared::run()
{
    const Failure failure = launch();
    return failure.any() ? failure : failureOf(cudaDeviceSynchronize(), m_plan.launches.front().entry);
}

const DeviceBuffer& Prepared::buffer(BufferRole role) const
{
    return buffer(m_plan.indexOf(role));
}

// ---- times ----------------------------------------------------------------------------------------------------------

namespace {

// With values between two, as NumPy's default.
double quantile(const std::vector<double>& sorted, double q)
{
    if (sorted.empty())
        return 0;
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

class Event {
public:
    Event() { m_error = cudaEventCreate(&m_event); }
    ~Event()
    {
        if (m_error == cudaSuccess)
            (void)cudaEventDestroy(m_event);
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    [[nodiscard]] cudaEvent_t get() const { return m_event; }
    [[nodiscard]] cudaError_t error() const { return m_error; }

private:
    cudaEvent_t m_event = nullptr;
    cudaError_t m_error = cudaSuccess;
};

} // namespace

double Times::median() const
{
    return quantile(ms, 0.5);
}

double Times::spread() const
{
    return quantile(ms, 0.75) - quantile(ms, 0.25);
}

Failure timeLaunches(Prepared& prepared, const DeviceFacts& facts, int repeats, Times& times)
{
    constexpr int warmUps = 3;
    times.ms.clear();
    DeviceBuffer flush; // writing twice the cache leaves nothing of the problem in it
    Failure failure = flush.allocate(std::max<std::size_t>(2 * facts.l2Bytes, 1U << 20));
    const Event begin, end;
    if (!failure.any())
        failure = failureOf(begin.error(), "an event");
    if (!failure.any())
        failure = failureOf(end.error(), "an event");
    for (int k = 0; k < warmUps + repeats && !failure.any(); ++k) {
        failure = failureOf(cudaMemsetAsync(flush.get(), k, flush.bytes()), "flushing L2");
        if (!failure.any())
            failure = failureOf(cudaEventRecord(begin.get()), "an event");
        if (!failure.any())
            failure = prepared.launch();
        if (!failure.any())
            failure = failureOf(cudaEventRecord(end.get()), "an event");
        if (!failure.any())
            failure = failureOf(cudaEventSynchronize(end.get()), prepared.plan().launches.front().entry);
        float ms = 0;
        if (!failure.any())
            failure = failureOf(cudaEventElapsedTime(&ms, begin.get(), end.get()), "an event");
        if (k >= warmUps)
            times.ms.push_back(ms);
    }
    std::sort(times.ms.begin(), times.ms.end());
    return failure;
}

Failure measureTickRate(double& hertz)
{
    std::uint64_t read[4] = {};
    DeviceBuffer out;
    Failure failure = out.allocate(sizeof read);
    if (failure.any())
        return failure;
    launchTickRate(static_cast<std::uint64_t*>(out.get()));
    failure = failureOf(cudaDeviceSynchronize(), "measuring the clock");
    if (!failure.any())
        failure = out.read(read);
    hertz
        = read[3] > read[1] ? 1e9 * static_cast<double>(read[2] - read[0]) / static_cast<double>(read[3] - read[1]) : 0;
    return failure;
}

// ---- errors ---------------------------------------------------------------------------------------------------------

namespace {

float numberOf(std::uint16_t bits, bool fp16)
{
    std::uint32_t word = static_cast<std::uint32_t>(bits) << 16;
    if (fp16) {
        const std::uint32_t exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
        const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
        if (exponent == 0)
            return sign * std::ldexp(static_cast<float>(fraction), -24);
        if (exponent == 31)
            return fraction != 0 ? NAN : sign * INFINITY;
        return sign * std::ldexp(static_cast<float>(fraction + 1024), static_cast<int>(exponent) - 25);
    }
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

std::string shortNumber(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

// What the kernel's own roundings can do. P and O are rounded once each; standard attention rounds S too, so that its
// scores are off by their own size times that. fp32 scores of size s carry errors of s times a few 2^-24.
double boundOfO(bool standard, double unit, double most)
{
    return 4 * unit + 2e-5 + 1e-6 * most + (standard ? 2 * unit * most : 0);
}
double boundOfLse(bool standard, double unit, double most)
{
    return 2e-5 + 1e-6 * most + (standard ? unit * most : 0);
}

class Comparison {
public:
    Comparison(bool standard, double unit, int headDim, const LaunchProblem& problem, Errors& errors)
        : m_standard(standard)
        , m_unit(unit)
        , m_headDim(headDim)
        , p(problem)
        , m_errors(errors)
    {
    }

    void row(std::size_t at, const float* want, const std::uint16_t* got, double largestV, double lse, double lseGot,
        double most)
    {
        const double boundO = boundOfO(m_standard, m_unit, most) * largestV;
        const double boundLse = boundOfLse(m_standard, m_unit, most);
        m_errors.boundO = std::max(m_errors.boundO, boundO);
        m_errors.boundLse = std::max(m_errors.boundLse, boundLse);
        for (int e = 0; e < m_headDim; ++e)
            one("O", at, e, want[e], numberOf(got[e], p.dtype == ElementType::Fp16), boundO, m_errors.worstO);
        if (std::isinf(lse) || std::isinf(lseGot)) {
            if (lse != lseGot)
                tell("LSE", at, -1, lse, lseGot);
        } else {
            one("LSE", at, -1, lse, lseGot, boundLse, m_errors.worstLse);
        }
    }

private:
    void one(const char* what, std::size_t at, int column, double want, double got, double bound, double& worst)
    {
        const double off = std::abs(want - got);
        if (!(off <= bound)) // NaN too
            tell(what, at, column, want, got);
        if (off > worst || std::isnan(off))
            worst = off;
    }

    void tell(const char* what, std::size_t at, int column, double want, double got)
    {
        if (!m_errors.first.empty())
            return;
        const std::size_t head = at / static_cast<std::size_t>(p.seqlenQ);
        m_errors.first = std::string(what) + " of batch " + std::to_string(head / static_cast<std::size_t>(p.heads))
            + ", head " + std::to_string(head % static_cast<std::size_t>(p.heads)) + ", row "
            + std::to_string(at % static_cast<std::size_t>(p.seqlenQ))
            + (column < 0 ? "" : ", column " + std::to_string(column)) + " is " + shortNumber(got) + ", not "
            + shortNumber(want);
    }

    bool m_standard;
    double m_unit;
    int m_headDim;
    const LaunchProblem& p;
    Errors& m_errors;
};

} // namespace

Failure compareWithReference(const Prepared& prepared, const KernelPlan& kernel, const LaunchProblem& p, Errors& errors)
{
    errors = {};
    const std::size_t rows = static_cast<std::size_t>(p.batch) * p.heads * p.seqlenQ;
    const std::size_t d = static_cast<std::size_t>(p.headDim);
    const bool fp16 = p.dtype == ElementType::Fp16;
    DeviceBuffer o, lse, most;
    Failure failure;
    for (const auto& [buffer, count] :
        { std::pair { &o, rows * d }, std::pair { &lse, rows }, std::pair { &most, rows } })
        if (!failure.any())
            failure = buffer->allocate(count * sizeof(float));
    if (failure.any())
        return failure;
    launchReference({ prepared.buffer(BufferRole::Q).get(), prepared.buffer(BufferRole::K).get(),
        prepared.buffer(BufferRole::V).get(), static_cast<float*>(o.get()), static_cast<float*>(lse.get()),
        static_cast<float*>(most.get()), p.batch, p.heads, p.kvHeads, p.seqlenQ, p.seqlenK, p.headDim,
        p.mask == LaunchMask::Causal ? 1 : 0,
        p.softmaxScale > 0 ? p.softmaxScale : 1 / std::sqrt(static_cast<double>(p.headDim)), fp16 });
    failure = failureOf(cudaDeviceSynchronize(), "the reference");

    std::vector<float> wantO(rows * d), wantLse(rows), largest(rows), gotLse(rows);
    std::vector<std::uint16_t> gotO(rows * d), v(prepared.buffer(BufferRole::V).bytes() / 2);
    const auto read = [&](const DeviceBuffer& from, void* to) {
        if (!failure.any())
            failure = from.read(to);
    };
    read(o, wantO.data());
    read(lse, wantLse.data());
    read(most, largest.data());
    read(prepared.buffer(BufferRole::O), gotO.data());
    read(prepared.buffer(BufferRole::Lse), gotLse.data());
    read(prepared.buffer(BufferRole::V), v.data());
    if (failure.any())
        return failure;
    double largestV = 1e-3;
    for (const std::uint16_t bits : v)
        largestV = std::max(largestV, std::abs(static_cast<double>(numberOf(bits, fp16))));
    const double unit = fp16 ? 0x1p-11 : 0x1p-8; // of rounding to nearest, half of it
    Comparison comparison(std::string(kernel.algorithm) == "standard", unit / 2, p.headDim, p, errors);
    for (std::size_t at = 0; at < rows; ++at)
        comparison.row(
            at, &wantO[at * d], &gotO[at * d], largestV, wantLse[at], gotLse[at], static_cast<double>(largest[at]));
    return failure;
}

} // namespace flashstep::cuda
