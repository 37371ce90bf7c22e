// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/io/overview.h"

#include "app/cli/commands.h"
#include "app/cli/status.h"
#include "core/io/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

namespace flashstep::cli {

namespace {

struct Options {
    OverviewRequest request;
    std::vector<std::string> gpus;
    std::string mask = "both";
    bool json = false, markdown = false, quiet = false;
};

constexpr std::array shownEngines { Engine::Tensor, Engine::Exp, Engine::Alu, Engine::Issue, Engine::Smem,
    Engine::Registers, Engine::Tmem, Engine::L2, Engine::Hbm };

double shareOf(const OverviewRow& row, Engine engine)
{
    return row.prediction.shares[static_cast<std::size_t>(engine)];
}

std::string_view maskOf(const OverviewRow& row)
{
    return row.scenario.problem.mask.kind == MaskKind::Causal ? "causal" : "dense";
}

// ---- JSON ----

Json asJson(const OverviewRow& row)
{
    const Problem& problem = row.scenario.problem;
    const Prediction& p = row.prediction;
    Json out;
    out["algorithm"] = row.scenario.algorithm;
    out["title"] = row.title;
    out["gpu"] = row.scenario.gpu;
    out["pass"] = row.scenario.pass;
    out["dtype"] = std::string(name(problem.dtype));
    out["mask"] = problem.mask.text();
    out["head_dim"] = problem.headDim;
    out["seqlen"] = problem.seqlenQ;
    out["batch"] = problem.batch;
    out["heads"] = problem.heads;
    out["cycles"] = p.cycles;
    out["clock_mhz"] = jsonNumber(p.clockMhz);
    out["microseconds"] = jsonNumber(p.microseconds);
    out["tflops"] = jsonNumber(p.tflops());
    out["peak_tflops"] = jsonNumber(row.peakTflops);
    out["peak_share"] = jsonNumber(row.peakShare());
    const Utilisation u = p.utilisation();
    out["utilisation"]
        = { { "tensor", jsonNumber(u.tensor) }, { "exp", jsonNumber(u.exp) }, { "issue", jsonNumber(u.issue) },
              { "smem", jsonNumber(u.smem) }, { "l2", jsonNumber(u.l2) }, { "hbm", jsonNumber(u.hbm) } };
    out["binding"] = std::string(p.binding());
    for (const Engine engine : { Engine::Alu, Engine::Registers, Engine::Tmem })
        out["other_engines"][std::string(name(engine))] = jsonNumber(shareOf(row, engine));
    out["guesses"] = Json::array();
    for (const std::string_view guess : p.guesses)
        out["guesses"].push_back(std::string(guess));
    out["published"] = Json::array();
    for (const PublishedFigure& figure : row.published)
        out["published"].push_back(
            { { "tflops", jsonNumber(figure.tflops) }, { "error_percent", jsonNumber(figure.errorPercent) },
                { "tier", figure.tier }, { "same_work", figure.sameWork }, { "place", figure.place },
                { "label", figure.label }, { "source", figure.source } });
    return out;
}

std::string asJson(const Overview& overview)
{
    Json out;
    out["rows"] = Json::array();
    for (const OverviewRow& row : overview.rows)
        out["rows"].push_back(asJson(row));
    out["left_out"] = Json::array();
    for (const OverviewGap& gap : overview.gaps)
        out["left_out"].push_back({ { "algorithm", gap.algorithm }, { "gpu", gap.gpu }, { "reason", gap.reason } });
    return jsonText(out);
}

// ---- for people and for the docs ----

// Where published figures come from: each place once, [1] and so on as they are first named.
class Places {
public:
    std::string mark(const PublishedFigure& figure)
    {
        auto found = std::ranges::find_if(
            m_places, [&](const PublishedFigure& p) { return p.place == figure.place && p.tier == figure.tier; });
        if (found == m_places.end())
            found = m_places.insert(m_places.end(), figure);
        return fmt::format("[{}]", found - m_places.begin() + 1);
    }
    [[nodiscard]] const std::vector<PublishedFigure>& all() const { return m_places; }

private:
    std::vector<PublishedFigure> m_places;
};

// "602 [1]"; of other heads or sequences "~376 [2]".
std::string publishedText(const OverviewRow& row, Places& places)
{
    if (row.published.empty())
        return "-";
    const PublishedFigure& first = row.published.front();
    return fmt::format("{}{:.0f} {}", first.sameWork ? "" : "~", first.tflops, places.mark(first));
}

std::string errorText(const OverviewRow& row)
{
    return row.published.empty() ? "-" : fmt::format("{:+.0f}", row.published.front().errorPercent);
}

std::string percentText(double share)
{
    return fmt::format("{:.0f}", 100 * share);
}

std::string whatItIs(const Overview& overview)
{
    const Problem& p = overview.rows.front().scenario.problem;
    const Problem& last = overview.rows.back().scenario.problem; // FlashAttention-4, where a GPU runs it
    const std::string more = last.batch == p.batch ? "" : fmt::format(" (fa4 {})", last.batch);
    return fmt::format("forward, {}, head dim {}, {} queries and keys, {} heads, batch {}{}", name(p.dtype), p.headDim,
        p.seqlenQ, p.heads, p.batch, more);
}

constexpr const char* legend
    = "TFLOP/s, time and utilisations are modelled. Peak: of the tensor cores, dense 16-bit, at the GPU's clock. "
      "Utilisations in percent of the grid's time; the busiest of those of `run --json` binds. Error: of the "
      "prediction, in percent of the published figure; ~ where that has other heads, sequences or options.";

std::vector<std::string> cellsOf(const OverviewRow& row, Places& places, bool emphasis)
{
    const Prediction& p = row.prediction;
    std::vector<std::string> cells { row.scenario.algorithm, row.scenario.gpu, std::string(maskOf(row)),
        fmt::format("{:.0f}", p.tflops()), fmt::format("{:.0f}", p.microseconds), percentText(row.peakShare()) };
    for (const Engine engine : shownEngines) {
        const std::string share = percentText(shareOf(row, engine));
        cells.push_back(emphasis && name(engine) == p.binding() ? "**" + share + "**" : share);
    }
    cells.emplace_back(p.binding());
    cells.push_back(publishedText(row, places));
    cells.push_back(errorText(row));
    return cells;
}

std::vector<std::string> headings()
{
    std::vector<std::string> out { "version", "GPU", "mask", "TFLOP/s", "µs", "peak" };
    for (const Engine engine : shownEngines)
        out.push_back(engine == Engine::Registers ? "regs" : std::string(name(engine)));
    out.insert(out.end(), { "binds", "published", "error" });
    return out;
}

// Figures that several rows rest on, with who does; then what is not there.
std::vector<std::string> remarks(const Overview& overview)
{
    std::vector<std::pair<std::string, std::string>> guesses; // figure, rows
    for (const OverviewRow& row : overview.rows)
        for (const std::string_view guess : row.prediction.guesses) {
            const std::string who = row.scenario.algorithm + " on " + row.scenario.gpu;
            auto found = std::ranges::find(guesses, std::string(guess), &std::pair<std::string, std::string>::first);
            if (found == guesses.end())
                found = guesses.insert(guesses.end(), { std::string(guess), "" });
            if (found->second.find(who) == std::string::npos)
                found->second += (found->second.empty() ? "" : ", ") + who;
        }
    std::vector<std::string> lines;
    for (const auto& [figure, rows] : guesses)
        lines.push_back("a guess: " + figure + " (" + rows + ")");
    for (const OverviewGap& gap : overview.gaps)
        lines.push_back("not run: " + gap.algorithm + " on " + gap.gpu + ": " + gap.reason);
    return lines;
}

std::string asMarkdown(const Overview& overview)
{
    Places places;
    std::string text = "*" + whatItIs(overview) + "*\n\n|";
    std::string rule = "|";
    for (const std::string& heading : headings()) {
        text += " " + heading + " |";
        rule += "---|";
    }
    text += "\n" + rule + "\n";
    for (const OverviewRow& row : overview.rows) {
        text += "|";
        for (const std::string& cell : cellsOf(row, places, true))
            text += " " + cell + " |";
        text += "\n";
    }
    text += "\n" + std::string(legend) + "\n\n";
    for (std::size_t k = 0; k < places.all().size(); ++k)
        text += fmt::format(
            "- [{}] {} ({}): <{}>\n", k + 1, places.all()[k].place, places.all()[k].tier, places.all()[k].source);
    for (const std::string& line : remarks(overview))
        text += "- " + line + "\n";
    return text;
}

// Characters, not bytes: µ is two of those.
std::size_t widthOf(const std::string& text)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string asText(const Overview& overview)
{
    Places places;
    std::vector<std::vector<std::string>> table { headings() };
    for (const OverviewRow& row : overview.rows)
        table.push_back(cellsOf(row, places, false));
    std::vector<std::size_t> widths(table.front().size());
    for (const auto& cells : table)
        for (std::size_t k = 0; k < cells.size(); ++k)
            widths[k] = std::max(widths[k], widthOf(cells[k]));
    std::string text = whatItIs(overview) + "\n";
    const std::size_t published = widths.size() - 2;
    for (const auto& cells : table) {
        std::string line;
        for (std::size_t k = 0; k < cells.size(); ++k) {
            const bool left = k < 3 || k == published || k + 1 == published;
            const std::string pad(widths[k] - widthOf(cells[k]), ' ');
            line += (k == 0 ? "" : "  ") + (left ? cells[k] + pad : pad + cells[k]);
        }
        text += line + "\n";
    }
    text += "\n" + std::string(legend) + "\n";
    for (std::size_t k = 0; k < places.all().size(); ++k)
        text += fmt::format(
            "[{}] {} ({}): {}\n", k + 1, places.all()[k].place, places.all()[k].tier, places.all()[k].source);
    for (const std::string& line : remarks(overview))
        text += line + "\n";
    return text;
}

// ---- command ----

Result<OverviewRequest> requestFrom(const Options& o)
{
    OverviewRequest request = o.request;
    if (o.mask == "none")
        request.masks = { MaskKind::None };
    else if (o.mask == "causal")
        request.masks = { MaskKind::Causal };
    else if (o.mask != "both")
        return Error { "cannot be '" + o.mask + "'", "--mask", "none, causal, both" };
    if (o.json && o.markdown)
        return Error { "cannot stand beside --json", "--markdown", "one of them" };
    if (!o.gpus.empty())
        request.gpus.clear();
    for (const std::string& gpu : o.gpus) {
        if (gpu == "all")
            for (const GpuSpec& spec : gpuSpecs())
                request.gpus.emplace_back(spec.name);
        else
            request.gpus.push_back(gpu);
    }
    std::vector<std::string> once;
    for (const std::string& gpu : request.gpus)
        if (std::ranges::count(once, gpu) == 0)
            once.push_back(gpu);
    request.gpus = once;
    return request;
}

int perform(const Options& o)
{
    const Result<OverviewRequest> request = requestFrom(o);
    if (!request)
        return fail(request.error());
    Overview table;
    {
        const ProgressLine line("predicting", o.quiet);
        Result<Overview> done = overview(*request, shippedResults(), line.progress());
        if (!done)
            return fail(done.error());
        table = std::move(*done);
    }
    return print(o.json ? asJson(table) : o.markdown ? asMarkdown(table) : asText(table));
}

} // namespace

Command addOverview(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("overview",
        "the versions at a glance: predicted throughput, utilisations and what binds on each GPU, beside what is "
        "published");
    const auto o = std::make_shared<Options>();
    parser->add_option("--head-dim", o->request.headDim, "(default 128)")->type_name("N");
    parser->add_option("--seqlen", o->request.seqlen, "queries and keys (default 8192)")->type_name("N");
    parser->add_option("--mask", o->mask, "none, causal or both (default)")->type_name("MASK");
    parser->add_option("--gpu", o->gpus, "repeatable; all: every preset (default a100, h100, b200)")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    parser->add_flag("--json", o->json, "as JSON");
    parser->add_flag("--markdown", o->markdown, "as Markdown, as in docs/versions.md");
    parser->add_flag("--quiet", o->quiet, "no progress on standard error");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
