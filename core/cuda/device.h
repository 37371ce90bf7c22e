// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch.h"
#include "options.h"
#include "profile.h"

#include <memory>
#include <string>
#include <vector>

// A CUDA device as far as this program needs one. Nothing throws: what went wrong is a line of text, and the status
// that the program then ends with.
namespace flashstep::cuda {

struct Failure {
    int status = 0; // 0: none; 1: the device said so; 3: there is nothing to run on
    std::string text;

    [[nodiscard]] bool any() const { return status != 0; }
};

struct DeviceFacts {
    int index = 0;
    std::string name;
    int major = 0, minor = 0; // compute capability
    int sms = 0;
    std::size_t memoryBytes = 0, l2Bytes = 0, sharedBytesPerCta = 0;
    std::string driver, runtime; // "13.0"
    std::string driverVersion; // of the kernel module, where the system tells: "580.65.06"
};
[[nodiscard]] Failure devices(std::vector<DeviceFacts>& facts);
[[nodiscard]] Failure useDevice(int index, DeviceFacts& facts);

// Memory of the device.
class DeviceBuffer {
public:
    DeviceBuffer() = default;
    DeviceBuffer(DeviceBuffer&& other) noexcept;
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    ~DeviceBuffer();

    [[nodiscard]] Failure allocate(std::size_t bytes);
    [[nodiscard]] Failure poison(); // every bit is one: NaN in each format
    [[nodiscard]] Failure read(void* to) const;
    [[nodiscard]] void* get() const { return m_memory; }
    [[nodiscard]] std::size_t bytes() const { return m_bytes; }

private:
    void* m_memory = nullptr;
    std::size_t m_bytes = 0;
};

// A plan with its memory on the device: inputs filled, the rest poisoned.
class Prepared {
public:
    [[nodiscard]] Failure make(
        const KernelPlan& kernel, const LaunchProblem& problem, InputKind init, std::uint64_t seed);
    [[nodiscard]] Failure poisonOutputs(); // and scratch
    [[nodiscard]] Failure run(); // all launches, until the device is done
    [[nodiscard]] Failure launch(); // the same, without waiting
    [[nodiscard]] const LaunchPlan& plan() const { return m_plan; }
    [[nodiscard]] const DeviceBuffer& buffer(BufferRole role) const;
    [[nodiscard]] const DeviceBuffer& buffer(int index) const { return m_buffers[static_cast<std::size_t>(index)]; }

private:
    LaunchPlan m_plan;
    std::vector<DeviceBuffer> m_buffers;
};

struct Times {
    std::vector<double> ms; // sorted

    [[nodiscard]] double median() const;
    [[nodiscard]] double spread() const; // between the quartiles
};
// Each repeat begins with an L2 cache that holds none of the problem.
[[nodiscard]] Failure timeLaunches(Prepared& prepared, const DeviceFacts& facts, int repeats, Times& times);

// How far O and LSE are from attention computed plainly, in fp64, on the device.
struct Errors {
    double worstO = 0, worstLse = 0;
    double boundO = 0, boundLse = 0; // that the kernel's own roundings explain
    std::string first; // the first place beyond a bound; empty: none
};
[[nodiscard]] Failure compareWithReference(
    const Prepared& prepared, const KernelPlan& kernel, const LaunchProblem& problem, Errors& errors);

// Ticks of %clock64 in a second, over some milliseconds of %globaltimer.
[[nodiscard]] Failure measureTickRate(double& hertz);

// The kernel of an entry, as a launch names it; null: not in this program.
[[nodiscard]] const void* kernelEntry(const std::string& entry);

// Kernels that are no subject of this program. `fillInputs`: numbers of a kind, by seed and stream, rounded to `type`.
void launchFill(void* to, const LaunchBuffer& buffer, InputKind kind, std::uint64_t seed, int stream);
struct ReferenceArguments {
    const void *q, *k, *v;
    float *o, *lse, *most; // most: the largest |score| of a row, scaled
    int batch, heads, kvHeads, seqlenQ, seqlenK, headDim, causal;
    double scale;
    bool fp16;
};
void launchReference(const ReferenceArguments& arguments);
void launchTickRate(std::uint64_t* clocksAndTimes);

} // namespace flashstep::cuda
