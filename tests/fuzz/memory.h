// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace flashstep::fuzz {

// Memory taken by operator new and given back by operator delete; what C libraries take is not in it.
std::size_t beginMemoryWatch(); // forgets the peak; what is held now
[[nodiscard]] std::size_t memoryPeak(); // the most held since

} // namespace flashstep::fuzz
