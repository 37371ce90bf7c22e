// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/io/child_process.h"
#include "core/io/json.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// flashstep-gpu, wherever it can be started.
struct DeviceProgram {
    std::string prefix; // words before it: "ssh gpubox", "srun --gres=gpu:1", "docker exec box"; empty: here
    std::string program; // empty: flashstep-gpu, beside this program or, behind a prefix, by its name there
    double timeoutSeconds = 600;
    std::size_t mostOutput = std::size_t { 16 } << 20U; // bytes

    [[nodiscard]] Result<std::vector<std::string>> words() const; // the command, without arguments
};

// What can go wrong, each told apart from the others.
enum class DeviceTrouble : std::uint8_t {
    None,
    BadUsage, // here or there: the prefix, a kernel, a problem
    NoProgram,
    Unreachable, // the prefix itself failed: no such host, container, allocation
    NoDevice,
    WrongArchitecture,
    DriverTooOld,
    OutOfMemory, // on the device
    Killed, // by a signal, a batch system, the system's out-of-memory killer
    TimedOut,
    Cancelled,
    Garbled, // what came is not what was asked for: noise, cut off, without end
    WrongVersion,
    WrongRecording, // of another kernel or problem
    Failed, // the program said so itself: a launch, wrong numbers
};
[[nodiscard]] std::string_view name(DeviceTrouble trouble); // "no-program"

struct DeviceOutcome {
    DeviceTrouble trouble = DeviceTrouble::None;
    Error error; // in one line, where there is trouble
    int status = 0; // of the program; 1 where a check of `check` failed, which is no trouble
    std::string out; // its standard output
    Json answer; // the same, where it was asked for as JSON

    [[nodiscard]] bool ok() const { return trouble == DeviceTrouble::None; }
};

// Runs `flashstep-gpu ARGUMENTS --progress`. Its progress arrives in `progress`, a cancel ends it.
[[nodiscard]] DeviceOutcome runDeviceProgram(
    const DeviceProgram& program, const std::vector<std::string>& arguments, const Progress& progress);
// The same with `--json`; the answer is an object that holds `key`.
[[nodiscard]] DeviceOutcome askDevice(
    const DeviceProgram& program, std::vector<std::string> arguments, std::string_view key, const Progress& progress);

// What the end of the program means. `version` is what it said of itself, empty where it said nothing.
struct DeviceEnd {
    const ChildResult* child = nullptr;
    std::string command; // "ssh gpubox flashstep-gpu"
    bool prefixed = false;
    bool checks = false; // status 1 is an answer
    std::string version;
    double timeoutSeconds = 0;
    std::size_t mostOutput = 0;
};
[[nodiscard]] DeviceOutcome judgeDeviceEnd(const DeviceEnd& end);

// Foreign text for a line of ours: no control characters, not longer than a line bears.
[[nodiscard]] std::string quotedExcerpt(std::string_view text);

} // namespace flashstep
