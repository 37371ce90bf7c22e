// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/status.h"
#include "core/emulation/attention_errors.h"
#include "core/io/json.h"
#include "core/io/published_errors.h"
#include "core/io/scenario.h"
#include "core/tensor/exp2_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    std::vector<std::pair<std::string, std::string>> given; // key, value: those of a scenario
    std::string points;
    bool json = false, quiet = false;
};

// A figure of ours beside the one in print.
struct Row {
    std::string experiment, algorithm, dtype, metric;
    std::optional<double> value;
    std::string refused; // why there is none
    const PublishedError* published = nullptr;
    // Of attention: relative to FlashAttention-3 in the same dtype.
    std::optional<double> toFa3, publishedToFa3;

    [[nodiscard]] double percentOff() const { return 100 * (*toFa3 / *publishedToFa3 - 1); }
};

struct Tables {
    Problem problem;
    int points = 0;
    std::vector<Row> exponential, attention;
};

constexpr const char* rounded = "bf16 (after rounding)";
constexpr const char* relativeError = "max relative error";
constexpr const char* sameAsExact = "inputs with the same BF16 result as exact exp2";
constexpr const char* nearHardware = "inputs within 1 BF16 ULP of the hardware";

std::vector<Row> exponentialRows(int points)
{
    std::vector<Row> rows;
    const std::array<Exp2Errors, 6> errors = exp2Errors(points);
    for (std::size_t degree = 0; degree < errors.size(); ++degree) {
        const std::string way = degree == 0 ? "MUFU.EX2" : fmt::format("polynomial degree {}", degree);
        const auto add = [&](const char* dtype, const char* metric, double value) {
            rows.push_back(
                { "exponential", way, dtype, metric, value, {}, publishedError(way, dtype, metric), {}, {} });
        };
        const Exp2Errors& e = errors[degree];
        add("fp32", relativeError, e.fp32);
        add(rounded, relativeError, e.bf16);
        add(rounded, sameAsExact, 100 * e.sameBf16);
        add(rounded, nearHardware, 100 * e.nearUnit);
    }
    return rows;
}

Result<std::vector<Row>> attentionRows(const Problem& problem, const Progress& progress)
{
    const std::vector<AttentionWay> ways = attentionWays(problem);
    const Result<std::vector<AttentionError>> errors = attentionErrors(ways, progress);
    if (!errors)
        return errors.error();
    std::vector<Row> rows;
    for (std::size_t k = 0; k < ways.size(); ++k) {
        const std::string algorithm(ways[k].algorithm);
        const std::string dtype(ways[k].dtype);
        rows.push_back({ "attention", algorithm, dtype, "RMSE", (*errors)[k].rmse, (*errors)[k].refused,
            publishedError(algorithm, dtype, "RMSE"), {}, {} });
    }
    for (Row& row : rows) {
        const auto fa3 = std::ranges::find_if(
            rows, [&](const Row& other) { return other.algorithm == "FA3" && other.dtype == row.dtype; });
        if (fa3 == rows.end())
            continue;
        if (row.value && fa3->value)
            row.toFa3 = *row.value / *fa3->value;
        if (row.published && fa3->published)
            row.publishedToFa3 = row.published->value / fa3->published->value;
    }
    return rows;
}

// ---- output ----

Json numberOrNull(const std::optional<double>& value)
{
    return value ? jsonNumber(*value) : Json(nullptr);
}

Json asJson(const Row& row)
{
    Json out { { "experiment", row.experiment }, { "algorithm", row.algorithm }, { "dtype", row.dtype },
        { "metric", row.metric }, { "value", numberOrNull(row.value) } };
    const PublishedError* p = row.published;
    out["published"] = p ? jsonNumber(p->value) : Json(nullptr);
    out["ratio"] = p && row.value ? jsonNumber(*row.value / p->value) : Json(nullptr);
    out["source"] = p ? Json(fmt::format("{}, {}: {}", p->paper, p->place, p->source)) : Json(nullptr);
    if (row.experiment == "attention") {
        out["to_fa3"] = numberOrNull(row.toFa3);
        out["published_to_fa3"] = numberOrNull(row.publishedToFa3);
        out["off_percent"] = row.toFa3 && row.publishedToFa3 ? jsonNumber(row.percentOff()) : Json(nullptr);
        if (!row.refused.empty())
            out["refused"] = row.refused;
    }
    return out;
}

std::string asJson(const Tables& tables)
{
    const Problem& p = tables.problem;
    Json out { { "points", tables.points }, { "heads", p.heads }, { "seqlen_q", p.seqlenQ }, { "seqlen_k", p.seqlenK },
        { "head_dim", p.headDim }, { "seed", p.seed } };
    out["rows"] = Json::array();
    for (const std::vector<Row>* rows : { &tables.exponential, &tables.attention })
        for (const Row& row : *rows)
            out["rows"].push_back(asJson(row));
    return jsonText(out);
}

// Numbers of the sources, in the order in which they are first used.
class Sources {
public:
    // "0.0039 [2]"; "-" where nothing is published.
    std::string cited(const PublishedError* published)
    {
        if (published == nullptr)
            return "-";
        const std::string source = fmt::format("{}, {}: {}", published->paper, published->place, published->source);
        auto found = std::ranges::find(m_sources, source);
        if (found == m_sources.end())
            found = m_sources.insert(found, source);
        return fmt::format("{} [{}]", figure(published->value), found - m_sources.begin() + 1);
    }
    [[nodiscard]] std::string text() const
    {
        std::string out;
        for (std::size_t k = 0; k < m_sources.size(); ++k)
            out += fmt::format("[{}] {}\n", k + 1, m_sources[k]);
        return out;
    }
    static std::string figure(double value) { return fmt::format("{:.4g}", value); }

private:
    std::vector<std::string> m_sources;
};

// One line per way: its four figures, each with the published one beside it.
std::string exponentialText(const Tables& tables, Sources& sources)
{
    std::string text = fmt::format("exp2 on [0, 1), {} equally spaced inputs, against float64\n", tables.points);
    text += fmt::format("{:<21}{:<29}{:<28}{:<24}{}\n", "", "largest rel. error, fp32", "largest, bf16",
        "bf16 = exact, %", "within 1 bf16 ulp of MUFU, %");
    text += fmt::format("{:<21}{:<12}{:<17}{:<11}{:<17}{:<9}{:<15}{:<9}{}\n", "", "here", "published", "here",
        "published", "here", "published", "here", "published");
    constexpr std::size_t perWay = 4;
    for (std::size_t k = 0; k + perWay <= tables.exponential.size(); k += perWay) {
        const Row* row = &tables.exponential[k];
        text += fmt::format("{:<21}{:<12}{:<17}{:<11}{:<17}{:<9}{:<15}{:<9}{}\n", row[0].algorithm,
            Sources::figure(*row[0].value), sources.cited(row[0].published), Sources::figure(*row[1].value),
            sources.cited(row[1].published), Sources::figure(*row[2].value), sources.cited(row[2].published),
            Sources::figure(*row[3].value), sources.cited(row[3].published));
    }
    return text;
}

std::string attentionText(const Tables& tables, Sources& sources)
{
    const Problem& p = tables.problem;
    std::string text
        = fmt::format("attention on N(0,1) + N(0,100) x Bernoulli(0.001), RMSE against float64 on the "
                      "inputs before rounding\n{} head{} of {} queries and {} keys, head dim {}, seed {}\n",
            p.heads, p.heads == 1 ? "" : "s", p.seqlenQ, p.seqlenK, p.headDim, p.seed);
    text += fmt::format(
        "{:<10}{:<35}{:<12}{:<14}{:<10}{:<11}{}\n", "", "", "RMSE", "published", "to FA3", "published", "off");
    for (const Row& row : tables.attention) {
        text += fmt::format("{:<10}{:<35}", row.dtype, row.algorithm);
        if (!row.value) {
            text += fmt::format("{:<12}{:<14}{}\n", "-", sources.cited(row.published), row.refused);
            continue;
        }
        text += fmt::format("{:<12}{:<14}", Sources::figure(*row.value), sources.cited(row.published));
        if (row.toFa3 && row.publishedToFa3)
            text += fmt::format("{:<10.2f}{:<11.2f}{:+.0f} %", *row.toFa3, *row.publishedToFa3,
                std::round(row.percentOff()) + 0.0); // no minus before 0
        else
            text += "-";
        text += "\n";
    }
    return text;
}

std::string asText(const Tables& tables)
{
    Sources sources;
    const std::string exponential = exponentialText(tables, sources);
    const std::string attention = attentionText(tables, sources);
    return exponential + "\n" + attention + "\n" + sources.text();
}

// ---- command ----

Result<int> pointsFrom(const std::string& text)
{
    int points = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), points);
    constexpr int most = 1 << 24;
    if (error != std::errc() || end != text.data() + text.size() || points < 1 || points > most
        || !std::has_single_bit(static_cast<unsigned>(points)))
        return Error { "cannot be '" + text + "'", "--points", "a power of two from 1 to 16777216" };
    return points;
}

Result<Problem> problemFrom(const Options& o)
{
    ScenarioFile file;
    Problem& p = file.scenario.problem;
    p.init = Init::Outliers;
    p.heads = 24;
    p.seqlenQ = 256;
    p.seqlenK = 8192;
    p.headDim = 128;
    for (const auto& [key, value] : o.given)
        if (const Status status = setOption(file, key, value); !status)
            return status.error();
    p.kvHeads = p.heads;
    p.headDimV = p.headDim;
    return p;
}

int perform(const Options& o)
{
    Tables tables;
    const Result<Problem> problem = problemFrom(o);
    if (!problem)
        return fail(problem.error());
    tables.problem = *problem;
    const Result<int> points = pointsFrom(o.points);
    if (!points)
        return fail(points.error());
    tables.points = *points;
    {
        const ProgressLine line("computing", o.quiet);
        Result<std::vector<Row>> attention = attentionRows(*problem, line.progress());
        if (!attention)
            return fail(attention.error());
        tables.attention = std::move(*attention);
        tables.exponential = exponentialRows(*points);
    }
    return print(o.json ? asJson(tables) : asText(tables));
}

} // namespace

Command addNumerics(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand(
        "numerics", "errors of the exponentials and of attention with outliers, beside the published ones");
    const auto o = std::make_shared<Options>();
    const auto addSize = [&](const char* names, const char* key, const char* help) {
        const auto keep = [o, key](const std::string& value) { o->given.emplace_back(key, value); };
        parser->add_option_function<std::string>(names, keep, help)->type_name("N");
    };
    addSize("--heads", "heads", "heads of Q, K and V (default 24)");
    addSize("--seqlen-q", "seqlen_q", "queries of a head that are computed (default 256)");
    addSize("--seqlen-k,--seqlen", "seqlen_k", "keys of a head (default 8192)");
    addSize("--head-dim", "head_dim", "(default 128)");
    addSize("--seed", "seed", "of the generated inputs (default 1)");
    o->points = "4194304";
    parser->add_option("--points", o->points, "inputs of the exponentials, a power of two (default 4194304)")
        ->type_name("N");
    parser->add_flag("--json", o->json, "as JSON");
    parser->add_flag("--quiet", o->quiet, "no progress on standard error");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
