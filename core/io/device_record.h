// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cuda/launch.h"
#include "core/io/device_program.h"
#include "core/io/recording.h"
#include "core/program/scenario.h"

#include <optional>
#include <string>
#include <vector>

namespace flashstep {

// The kernel, without stamps, that does the scenario; an error where this version has none, or where the scenario
// wants what no device program takes (tensors of its own).
[[nodiscard]] Result<const cuda::KernelPlan*> kernelOf(const Scenario& scenario, std::string_view named = {});

// The options of flashstep-gpu for a problem: "--batch 1 --heads 2 …".
[[nodiscard]] std::vector<std::string> deviceArguments(const Problem& problem);

// A recording made elsewhere, whole and of what was asked for; nothing has been written.
struct DeviceRecording {
    DeviceOutcome outcome;
    std::optional<Recording> recording;
};
[[nodiscard]] DeviceRecording recordOnDevice(
    DeviceProgram program, const cuda::KernelPlan& kernel, const Problem& problem, const Progress& progress);

// Why a file is not a measurement of this kernel on this problem; trouble None: it is one.
[[nodiscard]] DeviceOutcome checkRecording(
    const Recording& recording, const cuda::KernelPlan& kernel, const Problem& problem, const std::string& command);

constexpr std::size_t largestDeviceRecording = std::size_t { 1 } << 30U;

} // namespace flashstep
