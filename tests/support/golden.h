// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace flashstep::test {

// Compares with tests/golden/data/NAME, and fails with the first line that differs. With FLASHSTEP_REFRESH_GOLDENS=1 in
// the environment the file is written instead: read its diff before committing it.
void expectGolden(const std::string& name, const std::string& text);

} // namespace flashstep::test
