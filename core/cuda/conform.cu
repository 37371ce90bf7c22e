// SPDX-License-Identifier: Apache-2.0
#include "conform/conform.h"
#include "runner.h"

#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>

// The conformance suite on a device: each case's text goes to the driver, which compiles it for the device at hand.
namespace flashstep::cuda {

namespace {

using conform::Case;
using Outputs = std::vector<std::vector<std::uint8_t>>;

Failure failed(const Case& test, const std::string& doing, cudaError_t error)
{
    return { 1, test.name + ": " + doing + ": " + cudaGetErrorString(error) };
}

// The driver's functions that take PTX, without linking against a driver that may not be there.
class Driver {
public:
    Failure find()
    {
        const bool all = look("cuModuleLoadDataEx", m_load) && look("cuModuleGetFunction", m_function)
            && look("cuModuleUnload", m_unload) && look("cuLaunchKernel", m_launch) && look("cuGetErrorString", m_text);
        return all ? Failure {} : Failure { 3, "the driver has no module functions" };
    }
    std::string load(const std::string& text, CUmodule& module) const // empty, or what the driver says
    {
        char log[2048] = {};
        CUjit_option options[] = { CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES };
        void* values[] = { log, reinterpret_cast<void*>(sizeof log) };
        const CUresult result = m_load(&module, text.c_str(), 2, options, values);
        return result == CUDA_SUCCESS ? std::string() : textOf(result) + (log[0] != 0 ? ": " + std::string(log) : "");
    }
    std::string launch(CUmodule module, const Case& test, std::vector<void*>& arguments) const
    {
        CUfunction function = nullptr;
        CUresult result = m_function(&function, module, test.entry.c_str());
        if (result == CUDA_SUCCESS)
            result = m_launch(function, test.grid[0], test.grid[1], test.grid[2], test.block[0], test.block[1],
                test.block[2], test.sharedBytes, nullptr, arguments.data(), nullptr);
        return result == CUDA_SUCCESS ? std::string() : textOf(result);
    }
    void unload(CUmodule module) const { (void)m_unload(module); }

private:
    template <class Function> static bool look(const char* name, Function& function)
    {
        void* found = nullptr;
        cudaDriverEntryPointQueryResult answer = cudaDriverEntryPointSymbolNotFound;
#if CUDART_VERSION >= 12050
        const cudaError_t error = cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &answer);
#else
        const cudaError_t error = cudaGetDriverEntryPoint(name, &found, cudaEnableDefault, &answer);
#endif
        function = reinterpret_cast<Function>(found);
        return error == cudaSuccess && answer == cudaDriverEntryPointSuccess && found != nullptr;
    }
    std::string textOf(CUresult result) const
    {
        const char* text = nullptr;
        return m_text(result, &text) == CUDA_SUCCESS && text != nullptr ? text : "error " + std::to_string(result);
    }

    decltype(&cuModuleLoadDataEx) m_load = nullptr;
    decltype(&cuModuleGetFunction) m_function = nullptr;
    decltype(&cuModuleUnload) m_unload = nullptr;
    decltype(&cuLaunchKernel) m_launch = nullptr;
    decltype(&cuGetErrorString) m_text = nullptr;
};

Failure fill(const Case& test, std::vector<DeviceBuffer>& memory)
{
    for (const conform::Buffer& buffer : test.buffers) {
        memory.emplace_back();
        if (const Failure failure = memory.back().allocate(buffer.in.size()); failure.any())
            return failure;
        const cudaError_t error
            = cudaMemcpy(memory.back().get(), buffer.in.data(), buffer.in.size(), cudaMemcpyHostToDevice);
        if (error != cudaSuccess)
            return failed(test, "filling " + buffer.name, error);
    }
    return {};
}

// What the kernel left in its buffers. A failure means that the device cannot go on.
Failure runCase(const Driver& driver, const Case& test, CUmodule module, Outputs& outputs)
{
    std::vector<DeviceBuffer> memory;
    Failure failure = fill(test, memory);
    if (failure.any())
        return failure;
    std::vector<void*> pointers, arguments;
    for (const DeviceBuffer& buffer : memory)
        pointers.push_back(buffer.get());
    for (void*& pointer : pointers)
        arguments.push_back(&pointer);
    for (const std::vector<std::uint8_t>& value : test.values)
        arguments.push_back(const_cast<std::uint8_t*>(value.data())); // the driver only reads it
    if (const std::string why = driver.launch(module, test, arguments); !why.empty())
        return { 1, test.name + ": " + why };
    if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess)
        return failed(test, "running", error);
    for (const DeviceBuffer& buffer : memory) {
        outputs.emplace_back(buffer.bytes());
        if (failure = buffer.read(outputs.back().data()); failure.any())
            return failure;
    }
    return {};
}

struct Tally {
    int passed = 0, skipped = 0;
    std::vector<std::pair<std::string, std::string>> wrong; // section, line
};

void report(const Tally& tally, const DeviceFacts& device, bool json)
{
    if (json) {
        std::printf(
            "{\"device\": %s, \"compute_capability\": \"%d.%d\", \"passed\": %d, \"skipped\": %d, \"failed\": [",
            quoted(device.name).c_str(), device.major, device.minor, tally.passed, tally.skipped);
        for (std::size_t k = 0; k < tally.wrong.size(); ++k)
            std::printf("%s{\"section\": %s, \"line\": %s}", k == 0 ? "" : ", ", quoted(tally.wrong[k].first).c_str(),
                quoted(tally.wrong[k].second).c_str());
        std::printf("]}\n");
        return;
    }
    for (const auto& [section, line] : tally.wrong)
        std::printf("PTX ISA %s  %s\n", section.c_str(), line.c_str());
    std::printf("%s: %d forms as the manual says, %zu not, %d skipped (they need a later GPU)\n", device.name.c_str(),
        tally.passed, tally.wrong.size(), tally.skipped);
}

} // namespace

int runConform(const Options& options)
{
    DeviceFacts device;
    if (const Failure failure = useDevice(options.device, device); failure.any())
        return fail(failure);
    DeviceBuffer context; // the first allocation makes the runtime's context the current one
    Driver driver;
    if (const Failure failure = context.allocate(16); failure.any())
        return fail(failure);
    if (const Failure failure = driver.find(); failure.any())
        return fail(failure);
    Tally tally;
    for (const conform::Form& form : conform::forms()) {
        const Case test = form.make();
        if (std::atoi(test.target.c_str() + 3) > device.major * 10 + device.minor) { // "sm_80"
            ++tally.skipped;
            continue;
        }
        CUmodule module = nullptr;
        std::string line = driver.load(test.ptx, module);
        if (!line.empty()) {
            tally.wrong.emplace_back(test.section, test.name + ": " + line);
            continue;
        }
        Outputs outputs;
        const Failure failure = runCase(driver, test, module, outputs);
        if (failure.any())
            return fail(failure);
        driver.unload(module);
        line = conform::verdict(test, outputs);
        if (line.empty())
            ++tally.passed;
        else
            tally.wrong.emplace_back(test.section, line);
    }
    report(tally, device, options.json);
    return tally.wrong.empty() ? 0 : 1;
}

} // namespace flashstep::cuda
