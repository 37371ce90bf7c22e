// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/io/npy.h"

#include <functional>
#include <string>
#include <vector>

namespace flashstep {

// A zip archive under construction: each member is made when its turn comes and forgotten when it is written, so
// memory does not grow with the archive but for the names in it. Members are stored as they are and carry no time, so
// the same members give the same bytes.
struct NpzMember {
    std::string name; // "S_0_3.npy"
    std::uint64_t size = 0;
};
[[nodiscard]] Status writeZip(const std::string& path, const std::vector<NpzMember>& members,
    const std::function<std::string(std::size_t)>& bytesOf, const Progress& progress);

// Whether the file begins as a zip archive does.
[[nodiscard]] bool isNpz(const std::string& path);
// One array of an archive: `member` ("q" for q.npy), or the only one there is. Sizes are checked before memory is
// taken for them.
[[nodiscard]] Result<NpyTensor> readNpz(const std::string& path, const std::string& member);

} // namespace flashstep
