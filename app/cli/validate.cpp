// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/status.h"
#include "core/hardware/spec.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/validation.h"
#include "resources/embedded/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

namespace flashstep::cli {

namespace {

constexpr const char* shippedFile = "published/published_results.csv";
constexpr std::uint64_t largestFile = 64U << 20U;

struct Options {
    std::string published, baseline;
    std::vector<std::string> whatIf;
    bool json = false, quiet = false;
    [[nodiscard]] bool withBaseline() const { return !baseline.empty(); }
};

// ---- output ----

// The columns of the file as they are, and what is ours beside them.
Json cellsOf(const PublishedResults& published, const PublishedResult& result)
{
    Json out;
    const auto& cells = published.table.rows[result.row].cells;
    for (std::size_t k = 0; k < cells.size(); ++k)
        out[published.table.columns[k]] = cells[k];
    for (const auto& [column, preset] :
        { std::pair("preset_gpu", &result.presetGpu), std::pair("preset_algorithm", &result.presetAlgorithm) })
        if (!published.table.column(column))
            out[column] = *preset;
    return out;
}

std::string asJson(const PublishedResults& published, const Validation& validation, const Options& o)
{
    Json out;
    out["rows"] = Json::array();
    for (const ValidatedRow& row : validation.rows) {
        const PublishedResult& result = published.results[row.result];
        Json one = cellsOf(published, result);
        one["predicted"] = jsonNumber(row.predicted);
        one["published"] = jsonNumber(result.published);
        one["error_percent"] = jsonNumber(row.errorPercent);
        if (o.withBaseline()) {
            one["roofline"] = jsonNumber(row.roofline);
            one["roofline_error_percent"] = jsonNumber(row.rooflineErrorPercent);
        }
        out["rows"].push_back(std::move(one));
    }
    out["uncovered"] = Json::array();
    for (const std::size_t k : validation.uncovered) {
        Json one = cellsOf(published, published.results[k]);
        one["reason"] = published.results[k].reason;
        out["uncovered"].push_back(std::move(one));
    }
    out["groups"] = Json::array();
    for (const ValidatedGroup& group : validation.groups)
        out["groups"].push_back({ { "preset_gpu", group.presetGpu }, { "preset_algorithm", group.presetAlgorithm },
            { "pass", group.pass }, { "tier", group.tier }, { "rows", group.rows },
            { "mean_abs_error_percent", jsonNumber(group.meanAbsErrorPercent) },
            { "worst_percent", jsonNumber(group.worstPercent) },
            { "roofline_error_percent", jsonNumber(group.rooflineErrorPercent) },
            { "mean_error_percent", jsonNumber(group.meanErrorPercent) } });
    out["covered"] = validation.rows.size();
    return jsonText(out);
}

std::string orDash(const std::string& text)
{
    return text.empty() ? "-" : text;
}

std::string groupsText(const Validation& validation)
{
    std::string text = "errors in percent of the published figure: mean without signs, mean with them, largest; "
                       "beside them a plain roofline's mean without signs\n";
    text += fmt::format("{:<7}{:<10}{:<9}{:<7}{:>5}{:>8}{:>8}{:>8}{:>10}\n", "gpu", "algorithm", "pass", "tier", "rows",
        "mean", "signed", "worst", "roofline");
    for (const ValidatedGroup& g : validation.groups)
        text += fmt::format("{:<7}{:<10}{:<9}{:<7}{:>5}{:>8.1f}{:>+8.1f}{:>8.1f}{:>10.1f}\n", g.presetGpu,
            g.presetAlgorithm, g.pass, orDash(g.tier), g.rows, g.meanAbsErrorPercent, g.meanErrorPercent,
            g.worstPercent, g.rooflineErrorPercent);
    return text;
}

// The rows that are farthest off, core ones first.
std::string worstText(const PublishedResults& published, const Validation& validation, const Options& o)
{
    constexpr std::size_t shown = 10;
    std::vector<const ValidatedRow*> rows;
    for (const ValidatedRow& row : validation.rows)
        rows.push_back(&row);
    const auto isCore = [&](const ValidatedRow* row) { return published.results[row->result].tier == "core"; };
    std::ranges::stable_sort(rows, [&](const ValidatedRow* a, const ValidatedRow* b) {
        return isCore(a) != isCore(b) ? isCore(a) : std::fabs(a->errorPercent) > std::fabs(b->errorPercent);
    });
    rows.resize(std::min(rows.size(), shown));
    std::string text = "farthest off\n";
    for (const ValidatedRow* row : rows) {
        const PublishedResult& result = published.results[row->result];
        text += fmt::format("{:>+7.1f} %  {:.5g} {}, published {:.5g}", row->errorPercent, row->predicted,
            name(result.unit), result.published);
        if (o.withBaseline())
            text += fmt::format(", roofline {:.5g}", row->roofline);
        text += "  " + result.label + "\n";
    }
    return text;
}

std::string countsText(const PublishedResults& published, const Validation& validation)
{
    std::map<std::string, std::size_t> reasons;
    for (const std::size_t k : validation.uncovered)
        ++reasons[published.results[k].reason];
    std::vector<std::pair<std::string, std::size_t>> ordered(reasons.begin(), reasons.end());
    std::ranges::stable_sort(ordered, [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string text = fmt::format("{} of {} rows covered", validation.rows.size(), published.results.size());
    text += ordered.empty() ? "\n" : fmt::format(", {} not:\n", validation.uncovered.size());
    for (const auto& [reason, count] : ordered)
        text += fmt::format("{:>6}  {}\n", count, reason);
    return text;
}

std::string asText(const PublishedResults& published, const Validation& validation, const Options& o)
{
    if (validation.rows.empty())
        return countsText(published, validation);
    return groupsText(validation) + "\n" + worstText(published, validation, o) + "\n"
        + countsText(published, validation);
}

// ---- command ----

Result<PublishedResults> read(const Options& o)
{
    if (o.published.empty())
        return publishedResults(resource(shippedFile).value_or(""), shippedFile);
    const Result<std::string> text = readFile(o.published, largestFile);
    if (!text)
        return text.error();
    return publishedResults(*text, o.published);
}

// Knobs of all rows, or (`b200:l2-mib=100`, `pr2605-b200:clock-mhz=1600`) of those of one GPU or machine.
Status turn(PublishedResults& published, const std::string& knob)
{
    const std::size_t colon = std::min(knob.find(':'), knob.find('='));
    const bool some = colon != std::string::npos && knob[colon] == ':';
    const std::string whose = some ? knob.substr(0, colon) : "";
    const std::string text = some ? knob.substr(colon + 1) : knob;
    ScenarioFile any;
    if (const Status set = setOption(any, "what_if", text); !set)
        return set;
    if (const Status exists = checkKnobs(any.scenario); !exists)
        return exists;
    bool known = !some || findGpu(whose) != nullptr;
    bool obeyedBy = false; // a row
    std::optional<Error> refusal; // of a version that does not obey it: its rows stay as they are
    for (PublishedResult& result : published.results) {
        known = known || result.machine == whose;
        if (!result.scenario || (some && result.presetGpu != whose && result.machine != whose))
            continue;
        ScenarioFile turned = *result.scenario;
        if (const Status set = setOption(turned, "what_if", text); !set)
            return set;
        const auto& [key, value] = turned.scenario.knobs.back();
        if (const Status obeyed = checkKnob(turned.scenario, key, value); !obeyed) {
            refusal = obeyed.error();
            continue;
        }
        result.scenario = std::move(turned);
        obeyedBy = true;
    }
    if (!known)
        return Error { "no rows of a GPU or machine '" + whose + "'", "--what-if", "KEY=VALUE or GPU:KEY=VALUE" };
    if (refusal && !obeyedBy)
        return *refusal;
    return Nothing {};
}

int perform(const Options& o)
{
    if (o.withBaseline() && o.baseline != "roofline")
        return fail(Error { "cannot be '" + o.baseline + "'", "--baseline", "roofline" });
    Result<PublishedResults> published = read(o);
    if (!published)
        return fail(published.error());
    for (const std::string& knob : o.whatIf)
        if (const Status turned = turn(*published, knob); !turned)
            return fail(turned.error());
    Validation validation;
    {
        const ProgressLine line("predicting", o.quiet);
        Result<Validation> done = validate(*published, line.progress());
        if (!done)
            return fail(done.error());
        validation = std::move(*done);
    }
    return print(o.json ? asJson(*published, validation, o) : asText(*published, validation, o));
}

} // namespace

Command addValidate(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand(
        "validate", "predicts published throughputs and times, and says how far off it is, beside a plain roofline");
    const auto o = std::make_shared<Options>();
    parser
        ->add_option("--published", o->published,
            "a file with the columns of resources/published/published_results.csv (default: that one)")
        ->type_name("F.csv");
    parser->add_option("--baseline", o->baseline, "each row's own baseline too: roofline")->type_name("NAME");
    parser
        ->add_option("--what-if", o->whatIf,
            "a knob of every row, or of the rows of one GPU or machine: GPU:KEY=VALUE; repeatable")
        ->type_name("[GPU:]KEY=VALUE");
    parser->add_flag("--json", o->json, "as JSON");
    parser->add_flag("--quiet", o->quiet, "no progress on standard error");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
