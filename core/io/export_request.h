// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/csv.h"
#include "core/io/spans.h"
#include "core/trace/trace.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// What an export can be written as.
struct ExportFormat {
    std::string_view name;
    bool drawn = false; // needs flashstep_paint; else core/io writes it
    bool hasViews = false; // the others take a view and ignore it
    std::string_view suffix; // of file names
    std::string_view what;
    std::string_view source; // whose format it is
    std::string_view view = "timeline"; // what is shown where nothing is stated
    int width = 0, height = 0, widthOfTiles = 0; // logical pixels; 0: as large as what is shown needs
    double scale = 1;
};
[[nodiscard]] std::span<const ExportFormat> exportFormats();
[[nodiscard]] const ExportFormat* findExportFormat(std::string_view name);
// "perfetto, chrome or csv"; of those that this build writes.
[[nodiscard]] std::string exportFormatNames(bool withDrawn);

// What a picture can show.
[[nodiscard]] std::span<const std::string_view> exportViews();
// Those that need widgets, and so the program with the window: charts, window.
[[nodiscard]] bool needsWidgets(std::string_view view);

// One export as somebody states it: on the command line, in a batch file (keys as here, with '_'), in the window's
// dialog. Empty: left out.
struct ExportOptions {
    std::string format, out, at, from, to, cta, view, size, scale, theme, table, level, fps, panels;
};
// What can be said before anything runs: names, numbers, and whether the format is in this build.
[[nodiscard]] Status checkExport(const ExportOptions& options);

// The same, understood for one run.
struct ExportRequest {
    const ExportFormat* format = nullptr;
    std::string view = "timeline", theme = "print";
    std::vector<std::string> panels; // view figure: the views on the page; none: the pipeline figure
    int width = 0, height = 0; // logical pixels; 0: as large as what is shown needs
    double scale = 1; // device pixels per logical one, where there are pixels
    CsvTable table = CsvTable::Events;
    std::optional<Level> level; // nothing: the format's own
    std::optional<double> fps;
    Range range; // the whole run where nothing is stated; films and documents tell what is complete behind its begin
    bool ranged = false; // --from or --to was given
    std::optional<Position> at;
    CtaId cta; // stated, or that of the moment `at`, or of the range's begin; else none()
};
[[nodiscard]] Result<ExportRequest> understandExport(const ExportOptions& options, const Trace& trace);

} // namespace flashstep
