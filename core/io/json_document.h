// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/json.h"

#include <string>

namespace flashstep {

// A document that somebody else wrote. An error says on which line it stops being one; deeper nesting than any file of
// ours has is refused before it is read, since the library is recursive.
[[nodiscard]] Result<Json> parseJsonDocument(const std::string& text, const std::string& where);

// "flashstep": 1 of a document that is an object: there, a whole number, and not newer than this program.
[[nodiscard]] Status checkFormatVersion(const Json& document, const std::string& where);

} // namespace flashstep
