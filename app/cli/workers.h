// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace flashstep::cli {

// Things that one process does one after the other, so that what they share is made once.
using WorkerTask = std::vector<std::size_t>;

// How one of them ended: its status, and what was said on standard error, line by line.
struct WorkerResult {
    std::size_t item = 0;
    int status = 0;
    std::vector<std::string> lines;
};

// Does every task in a process of its own, `jobs` at a time; a fault in one touches no other. `work` runs in the new
// process and calls `ended` after each item; `done` runs here, in the order in which they end. An interrupt is handed
// on to all, and what is left is not begun. Before this the program may not have started threads.
void workInProcesses(const std::vector<WorkerTask>& tasks, unsigned jobs,
    const std::function<void(const WorkerTask&, const std::function<void(std::size_t item, int status)>& ended)>& work,
    const std::function<void(const WorkerResult&)>& done);

} // namespace flashstep::cli
