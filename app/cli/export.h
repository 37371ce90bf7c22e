// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"
#include "core/io/export_request.h"

namespace flashstep::cli {

// One export as it is stated on the command line or in a batch.
struct ExportJob {
    ProblemOptions problem;
    ExportOptions written;
};

// Before a long run: a target that cannot be written is known at once.
[[nodiscard]] Status checkTarget(const std::string& path);

// What can be said before anything runs. Errors of these are said on standard error; the status to exit with.
int checkJob(const ExportJob& job);
// Whether another program draws it, which runs the scenario itself.
[[nodiscard]] bool isOfWidgets(const ExportOptions& written);
int performOfWidgets(const ExportJob& job);
// The export of a scenario that has run.
int performOn(const Session& session, const ExportJob& job);

} // namespace flashstep::cli
