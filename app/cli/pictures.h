// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/base/progress.h"
#include "core/io/export_request.h"
#include "core/io/recording.h"

#include <string>

namespace flashstep::cli {

// Writes one export, drawn or not. The status to exit with: 3 for what is drawn in a build without Qt.
int writeExport(
    const Session& session, const ExportRequest& request, const std::string& path, const Progress& progress);
// The lanes of a recording, as stated on the command line; empty: left out.
struct RecordingPicture {
    std::string out, size, theme;
};
int writeRecordingPicture(const Recording& recording, const std::string& name, const RecordingPicture& picture);
// Before the run: whether this build and this computer can write the format (status 3 where not).
[[nodiscard]] Status checkHere(const ExportFormat& format);

} // namespace flashstep::cli
