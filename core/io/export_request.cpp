// SPDX-License-Identifier: Apache-2.0
#include "core/io/export_request.h"

#include "core/io/option_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace flashstep {

namespace {

constexpr std::array allFormats {
    ExportFormat { "perfetto", false, false, "pftrace", "timeline for ui.perfetto.dev: tracks, flows, counters",
        "Perfetto trace protobuf" },
    ExportFormat { "chrome", false, false, "json", "the same slices as Chrome-trace JSON", "Trace Event Format" },
    ExportFormat { "kanata", false, false, "log", "each op as an instruction, for the pipeline viewer Konata",
        "Kanata log format 0004" },
    ExportFormat { "csv", false, false, "csv", "tables: events, spans, counters, ledger", "RFC 4180" },
    ExportFormat { "npz", false, false, "npz", "the values of every tile, or of the buffers at a moment, for NumPy",
        "NumPy .npz" },
    ExportFormat { "svg", true, true, "svg", "a view as a vector picture", "SVG 1.1" },
    ExportFormat { "pdf", true, true, "pdf", "a view as a vector page, fonts embedded", "PDF 1.4" },
    ExportFormat { "png", true, true, "png", "a view as pixels", "PNG" },
    ExportFormat { "gif", true, true, "gif", "a view as a film, step by step, with captions", "GIF89a", "timeline", 960,
        640, 680 },
    ExportFormat {
        "mp4", true, true, "mp4", "the same film as video, through ffmpeg", "H.264 in MP4", "timeline", 960, 640, 680 },
    ExportFormat { "html", true, true, "html", "every step in words, with a picture, as one page", "HTML", "tiles", 960,
        500, 680, 1.5 },
};

constexpr std::array<std::string_view, 8> allViews { "timeline", "tiles", "memory", "ledger", "grid", "figure",
    "charts", "window" };
constexpr std::array<std::string_view, 5> panelViews { "timeline", "tiles", "memory", "ledger", "grid" };
constexpr std::size_t mostPanels = 8;
constexpr std::array<std::string_view, 3> themes { "light", "dark", "print" };

template <typename Names> bool has(const Names& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

// "a, b or c"
template <typename Names> std::string listed(const Names& names)
{
    std::string text;
    for (std::size_t k = 0; k < names.size(); ++k)
        text += (k == 0 ? "" : k + 1 == names.size() ? " or " : ", ") + std::string(names[k]);
    return text;
}

Error notAccepted(const std::string& value, const std::string& option, const std::string& hint)
{
    return { fmt::format("'{}' is not accepted", value), option, hint };
}

std::optional<double> numberFrom(const std::string& text)
{
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

bool takeSize(const std::string& text, int& width, int& height)
{
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, width);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x')
        return false;
    const auto second = std::from_chars(first.ptr + 1, end, height);
    const auto fits = [](int side) { return side >= 200 && side <= 16384; };
    return second.ec == std::errc() && second.ptr == end && fits(width) && fits(height);
}

Status checkFormat(const std::string& format)
{
    if (findExportFormat(format) != nullptr)
        return Nothing {};
    return notAccepted(format, "--format", exportFormatNames(true));
}

// A view of widgets is one still picture, the window's of pixels only.
Status checkWidgets(const ExportOptions& options)
{
    constexpr std::array<std::string_view, 3> still { "svg", "pdf", "png" };
    const bool takesView = findExportFormat(options.format)->hasViews;
    if (!takesView || !needsWidgets(options.view) || options.format == "png")
        return Nothing {};
    if (options.view == "window")
        return Error { "the window is written as pixels, not as " + options.format, "--format", "png" };
    if (!has(still, options.format))
        return Error { "charts are a still picture, not " + options.format, "--format", listed(still) };
    return Nothing {};
}

Status checkView(const ExportOptions& options)
{
    if (!options.view.empty() && !has(allViews, options.view))
        return notAccepted(options.view, "--view", listed(allViews));
    return checkWidgets(options);
}

std::vector<std::string> panelsFrom(const std::string& text)
{
    std::vector<std::string> panels;
    for (std::size_t at = 0; !text.empty() && at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        panels.push_back(text.substr(at, comma - at));
        at = comma + 1;
    }
    return panels;
}

Status checkPanels(const ExportOptions& options)
{
    if (options.panels.empty())
        return Nothing {};
    const std::string hint = "up to 8 of timeline, tiles, memory, ledger and grid, with commas between";
    if (findExportFormat(options.format)->hasViews && options.view != "figure")
        return Error { "panels are those of --view figure", "--panels", "--view figure" };
    const std::vector<std::string> panels = panelsFrom(options.panels);
    if (panels.size() > mostPanels)
        return notAccepted(options.panels, "--panels", hint);
    for (const std::string& panel : panels)
        if (!has(panelViews, panel))
            return notAccepted(panel, "--panels", hint);
    return Nothing {};
}

// The matrix of a film or a document is about as wide as it is high: a wider frame would stay empty.
int usualWidth(const ExportFormat& format, const std::string& view)
{
    return view == "tiles" ? std::min(format.width, format.widthOfTiles) : format.width;
}

Status takeRange(const ExportOptions& options, const Trace& trace, ExportRequest& request)
{
    const Result<Moment> from = momentOf(trace, "--from", options.from, Position {});
    if (!from)
        return from.error();
    const Result<Moment> to = momentOf(trace, "--to", options.to, trace.end());
    if (!to)
        return to.error();
    if (to->position < from->position)
        return Error { "the end lies before the beginning", "--to", fmt::format("from {} on", from->position.value) };
    request.range = { from->position, to->position };
    request.cta = from->cta;
    request.ranged = !options.from.empty() || !options.to.empty();
    return Nothing {};
}

} // namespace

std::span<const ExportFormat> exportFormats()
{
    return allFormats;
}

const ExportFormat* findExportFormat(std::string_view name)
{
    const auto found = std::find_if(
        allFormats.begin(), allFormats.end(), [&](const ExportFormat& format) { return format.name == name; });
    return found == allFormats.end() ? nullptr : &*found;
}

std::string exportFormatNames(bool withDrawn)
{
    std::vector<std::string_view> names;
    for (const ExportFormat& format : allFormats)
        if (withDrawn || !format.drawn)
            names.push_back(format.name);
    return listed(names);
}

std::span<const std::string_view> exportViews()
{
    return allViews;
}

bool needsWidgets(std::string_view view)
{
    return view == "charts" || view == "window";
}

Status checkExport(const ExportOptions& options)
{
    if (Status status = checkFormat(options.format); !status)
        return status;
    if (Status status = checkView(options); !status)
        return status;
    if (Status status = checkPanels(options); !status)
        return status;
    if (!options.table.empty() && !csvTableFromName(options.table))
        return notAccepted(options.table, "--table", "events, spans, counters or ledger");
    if (!options.theme.empty() && !has(themes, options.theme))
        return notAccepted(options.theme, "--theme", listed(themes));
    if (!options.level.empty() && !levelFromName(options.level))
        return notAccepted(options.level, "--level", "event, operation, inner-tile, outer-tile or cta");
    int width = 0, height = 0;
    if (!options.size.empty() && !takeSize(options.size, width, height))
        return notAccepted(options.size, "--size", "WxH in pixels, each from 200 to 16384");
    if (const auto scale = numberFrom(options.scale);
        !options.scale.empty() && !(scale && *scale >= 0.25 && *scale <= 8))
        return notAccepted(options.scale, "--scale", "0.25 to 8");
    if (const auto fps = numberFrom(options.fps); !options.fps.empty() && !(fps && *fps >= 0.1 && *fps <= 60))
        return notAccepted(options.fps, "--fps", "0.1 to 60 frames a second");
    return Nothing {};
}

Result<ExportRequest> understandExport(const ExportOptions& options, const Trace& trace)
{
    if (Status status = checkExport(options); !status)
        return status.error();
    ExportRequest request;
    request.format = findExportFormat(options.format);
    request.view = options.view.empty() ? request.format->view : options.view;
    request.panels = panelsFrom(options.panels);
    if (!options.theme.empty())
        request.theme = options.theme;
    request.width = usualWidth(*request.format, request.view);
    request.height = request.format->height;
    if (!options.size.empty())
        (void)takeSize(options.size, request.width, request.height); // has been checked
    request.scale = numberFrom(options.scale).value_or(request.format->scale);
    if (!options.table.empty())
        request.table = *csvTableFromName(options.table);
    if (!options.level.empty())
        request.level = levelFromName(options.level);
    request.fps = numberFrom(options.fps);
    if (Status status = takeRange(options, trace, request); !status)
        return status.error();
    if (!options.at.empty()) {
        const Result<Moment> at = momentOf(trace, "--at", options.at, trace.end());
        if (!at)
            return at.error();
        request.at = at->position;
        if (at->cta.valid())
            request.cta = at->cta;
    }
    const Result<CtaId> cta = ctaFrom(trace.program(), options.cta);
    if (!cta)
        return cta.error();
    if (cta->valid())
        request.cta = *cta;
    return request;
}

} // namespace flashstep
