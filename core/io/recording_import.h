// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/json.h"
#include "core/io/recording_builder.h"

namespace flashstep {

// What `import` writes into the metadata of its file, "flashstep_import": where the recording came from, its clock,
// what was said of it. Version of that part:
constexpr int importVersion = 1;
[[nodiscard]] Json importedAs(const Recording& recording);

// Met before the events: the unit of times is that of the file it came from.
void beginImported(RecordingBuilder& builder, const Json& import);

// Once all is read: who wrote it, and what its clock is.
[[nodiscard]] Status describeChrome(RecordingBuilder& builder);
void describePerfetto(RecordingBuilder& builder, bool declaredClock);

} // namespace flashstep
