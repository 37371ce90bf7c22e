// SPDX-License-Identifier: Apache-2.0
// Replaces the global operator new, to know how much a reader holds at once.
#include "tests/fuzz/memory.h"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

std::atomic<std::size_t> held { 0 };
std::atomic<std::size_t> peak { 0 };

void* take(std::size_t size)
{
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr)
        throw std::bad_alloc();
    const std::size_t now = held += malloc_usable_size(memory);
    if (now > peak)
        peak = now;
    return memory;
}

void giveBack(void* memory) noexcept
{
    if (memory != nullptr)
        held -= malloc_usable_size(memory);
    std::free(memory);
}

} // namespace

void* operator new(std::size_t size)
{
    return take(size);
}
void* operator new[](std::size_t size)
{
    return take(size);
}
void operator delete(void* memory) noexcept
{
    giveBack(memory);
}
void operator delete[](void* memory) noexcept
{
    giveBack(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    giveBack(memory);
}
void operator delete[](void* memory, std::size_t) noexcept
{
    giveBack(memory);
}

namespace flashstep::fuzz {

std::size_t beginMemoryWatch()
{
    peak = held.load();
    return held;
}

std::size_t memoryPeak()
{
    return peak;
}

} // namespace flashstep::fuzz
