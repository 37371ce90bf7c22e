// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

namespace flashstep::fuzz {

void require(bool holds, const char* promise)
{
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", promise);
    std::abort();
}

void requireClear(const Error& error)
{
    require(!error.what.empty(), "an error says what is wrong");
    require(error.line().size() < 4096, "an error is short");
}

std::string asFile(std::string_view bytes)
{
    static const int file = memfd_create("input", 0);
    require(file >= 0 && ftruncate(file, 0) == 0, "there is a file to write to");
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t more = pwrite(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        require(more > 0, "the file takes the bytes");
        done += static_cast<std::size_t>(more);
    }
    return "/proc/self/fd/" + std::to_string(file);
}

} // namespace flashstep::fuzz
