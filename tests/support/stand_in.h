// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/json.h"
#include "core/io/kernel_recording.h"
#include "core/program/scenario.h"

#include <stdexcept>
#include <string>

namespace flashstep::test {

// The program that misbehaves, as a prefix: "…/stand_in_gpu.sh no-device".
inline std::string standIn(const std::string& way)
{
    return "'" + std::string(FLASHSTEP_SOURCE_DIR) + "/tests/support/stand_in_gpu.sh' " + way;
}

// A recording as the device program would write it, whatever the times: the emulated one, with what a device says of
// itself.
inline std::string deviceLikeRecording(const std::string& kernel, const Problem& problem)
{
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    auto made = recordKernel(*cuda::findKernelPlan(kernel), problem, generateInputs(problem), options, {});
    if (!made)
        throw std::runtime_error(made.error().line());
    Json file = Json::parse(made->json);
    Json& metadata = file["metadata"];
    metadata.erase("time");
    metadata.erase("emulated");
    metadata["device"] = "Stand-in GPU";
    metadata["driver"] = "1.2.3";
    metadata["cuda"] = "13.0";
    metadata["kernel"] = { { "name", kernel }, { "hash", "0123456789abcdef" } };
    metadata["tick_rate_hz"] = 1e9;
    return file.dump();
}

} // namespace flashstep::test
