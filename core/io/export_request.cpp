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
    ExportFormat { "csv", false, false, "csv", "tables: events, spans, counters, ledger", "RFC 4180" },
    ExportFormat { "svg", true, true, "svg", "a view as a vector picture", "SVG 1.1" },
    ExportFormat { "png", true, true, "png", "a view as pixels", "PNG" },
    ExportFormat { "gif", true, true, "gif", "a view as a film, step by step, with captions", "GIF89a", "timeline", 960,
        640, 680 },
    ExportFormat {
        "mp4", true, true, "mp4", "the same film as video, through ffmpeg", "H.264 in MP4", "timeline", 960, 640, 680 },
    ExportFormat { "html", true, true, "html", "every step in words, with a picture, as one page", "HTML", "tiles", 960,
        500, 680, 1.5 },
};
constexpr std::array<std::string_view, 3> laterFormats { "kanata", "npz", "pdf" };

constexpr std::array<std::string_view, 4> allViews { "timeline", "tiles", "memory", "ledger" };
constexpr std::array<std::string_view, 4> laterViews { "grid", "charts", "figure", "window" };
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
    if (has(laterFormats, format))
        return Error { "the format " + format + " is not in this version", "--format", exportFormatNames(true) };
    return notAccepted(format, "--format", exportFormatNames(true));
}

Status checkView(const ExportOptions& options)
{
    if (options.view.empty() || has(allViews, options.view))
        return Nothing {};
    if (!has(laterViews, options.view))
        return notAccepted(options.view, "--view", listed(allViews));
    if (findExportFormat(options.format)->hasViews)
        return Error { "the view " + options.view + " is not in this version", "--view", listed(allViews) };
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

Status checkExport(const ExportOptions& options)
{
    if (Status status = checkFormat(options.format); !status)
        return status;
    if (Status status = checkView(options); !status)
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
    if (!options.theme.empty())
        request.theme = options.theme;
    request.width = usualWidth(*request.format, request.view);
    request.height = request.format->height;
    request.sized = !options.size.empty() && takeSize(options.size, request.width, request.height);
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
