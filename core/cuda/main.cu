// SPDX-License-Identifier: Apache-2.0
#include "runner.h"

#include <cstdio>

int main(int argc, char** argv)
{
    using namespace flashstep::cuda;
    const Options options = parseOptions(std::vector<std::string>(argv + 1, argv + argc));
    if (!options.error.empty())
        return fail({ 2, options.error });
    if (options.progress)
        std::fprintf(stderr, "flashstep-gpu %s, kernels %s\n", FLASHSTEP_VERSION, FLASHSTEP_KERNEL_HASH);
    switch (options.command) {
    case Command::Help:
        std::fputs(helpText(), stdout);
        return 0;
    case Command::Version:
        std::printf("flashstep-gpu %s, kernels %s\n", FLASHSTEP_VERSION, FLASHSTEP_KERNEL_HASH);
        return 0;
    case Command::List:
        return runList(options);
    case Command::Check:
        return runCheck(options);
    case Command::Bench:
        return runBench(options);
    case Command::Record:
        return runRecord(options);
    case Command::Conform:
        return runConform(options);
    }
    return 2;
}
