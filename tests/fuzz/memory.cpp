// SPDX-License-Identifier: Apache-2.0
// Replaces the global operator new, to know how much a reader holds at once. Not beside AddressSanitizer, which has its
// own: there the bound is not watched (libFuzzer has one for each allocation).
#include "tests/fuzz/memory.h"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLASHSTEP_OWN_NEW 0
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FLASHSTEP_OWN_NEW 0
#endif
#ifndef FLASHSTEP_OWN_NEW
#define FLASHSTEP_OWN_NEW 1
#endif

namespace {

std::atomic<std::size_t> held { 0 };
std::atomic<std::size_t> peak { 0 };

#if FLASHSTEP_OWN_NEW
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

#endif

} // namespace

#if FLASHSTEP_OWN_NEW

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

#endif

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
