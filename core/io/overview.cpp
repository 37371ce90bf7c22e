// SPDX-License-Identifier: Apache-2.0
#include "core/io/overview.h"

#include "core/algorithms/registry.h"
#include "core/io/validation.h"
#include "resources/embedded/resources.h"

#include <algorithm>
#include <tuple>

namespace flashstep {

namespace {

constexpr int hiddenSize = 2048; // heads × head dimension of the papers' figures
constexpr int longest = 1 << 16;

std::string cellOf(const PublishedResults& published, const PublishedResult& result, std::string_view name)
{
    const auto column = published.table.column(name);
    return column ? published.table.rows[result.row].cells[*column] : std::string();
}

// The same GPU, version and problem, but for how many heads and sequences there are.
bool isOf(const Scenario& row, const PublishedResult& result)
{
    if (!result.scenario || (result.tier != "core" && result.tier != "extra"))
        return false;
    const Scenario& s = result.scenario->scenario;
    const Problem& a = row.problem;
    const Problem& b = s.problem;
    return std::tie(row.gpu, row.algorithm, row.pass) == std::tie(s.gpu, s.algorithm, s.pass)
        && std::tie(a.headDim, a.headDimV, a.seqlenQ, a.seqlenK)
        == std::tie(b.headDim, b.headDimV, b.seqlenQ, b.seqlenK)
        && a.mask.kind == b.mask.kind && (b.dtype == DType::Bf16 || b.dtype == DType::Fp16);
}

// "two-cta=on" of a version that pairs CTAs by itself says nothing new.
bool sameWork(const Scenario& row, const Scenario& s)
{
    const auto own = [](const std::pair<std::string, std::string>& knob) {
        return knob == std::pair<std::string, std::string>("two-cta", "on");
    };
    return std::tie(row.problem.batch, row.problem.heads, row.problem.kvHeads)
        == std::tie(s.problem.batch, s.problem.heads, s.problem.kvHeads)
        && std::ranges::all_of(s.knobs, own) && !s.tile && !s.costTile && !s.stages;
}

std::vector<PublishedFigure> figuresOf(const OverviewRow& row, const PublishedResults& published)
{
    std::vector<PublishedFigure> figures;
    for (const PublishedResult& result : published.results) {
        if (!isOf(row.scenario, result))
            continue;
        const Scenario& s = result.scenario->scenario;
        PublishedFigure figure;
        figure.place = cellOf(published, result, "paper") + " " + cellOf(published, result, "figure_or_table");
        figure.source = cellOf(published, result, "source");
        figure.label = result.label;
        figure.tier = result.tier;
        const double flops = nominalFlops(s.problem);
        const double microseconds = result.published / inUnit(result.unit, 1, flops); // of a time
        figure.tflops = result.unit == PublishedUnit::Tflops ? result.published : flops / microseconds * 1e-6;
        figure.errorPercent = errorPercent(row.prediction.tflops(), figure.tflops);
        figure.sameWork = sameWork(row.scenario, s);
        figures.push_back(std::move(figure));
    }
    std::ranges::stable_sort(
        figures, {}, [](const PublishedFigure& f) { return std::pair(f.tier == "core" ? 0 : 1, f.sameWork ? 0 : 1); });
    return figures;
}

Status check(const OverviewRequest& request)
{
    if (request.seqlen < 1 || request.seqlen > longest)
        return Error { "cannot be " + std::to_string(request.seqlen), "--seqlen", "1 … " + std::to_string(longest) };
    if (request.headDim < 1)
        return Error { "cannot be " + std::to_string(request.headDim), "--head-dim",
            "as `run` takes it: 64, 128, 256" };
    std::string known;
    for (const GpuSpec& gpu : gpuSpecs())
        known += (known.empty() ? "" : ", ") + std::string(gpu.name);
    for (const std::string& gpu : request.gpus)
        if (findGpu(gpu) == nullptr)
            return Error { "unknown GPU '" + gpu + "'", "--gpu", known };
    return Nothing {};
}

} // namespace

Scenario overviewScenario(const std::string& algorithm, const std::string& gpu, MaskKind mask, int headDim, int seqlen)
{
    Scenario s;
    s.algorithm = algorithm;
    s.gpu = gpu;
    s.record = { Record::Kind::None };
    Problem& p = s.problem;
    p.mask.kind = mask;
    p.seqlenQ = p.seqlenK = seqlen;
    p.headDim = p.headDimV = headDim;
    p.heads = p.kvHeads = std::max(1, hiddenSize / headDim);
    const int tokens = algorithm == "fa4" ? 1 << 15 : 1 << 14;
    p.batch = std::max(1, tokens / seqlen);
    return s;
}

Result<Overview> overview(const OverviewRequest& request, const PublishedResults& published, const Progress& progress)
{
    if (const Status ok = check(request); !ok)
        return ok.error();
    const auto wanted = [&](const Algorithm& algorithm) {
        return algorithm.pass == "forward"
            && (request.algorithms.empty() || std::ranges::count(request.algorithms, algorithm.name) > 0);
    };
    const double steps = static_cast<double>(algorithms().size() * request.gpus.size() * request.masks.size());
    double step = 0;
    Overview all;
    std::optional<Error> refused;
    for (const Algorithm& algorithm : algorithms()) {
        for (const std::string& gpu : request.gpus) {
            for (const MaskKind mask : request.masks) {
                if (progress.cancelled())
                    return Error { "cancelled", "", "" };
                progress.at(step++ / steps);
                if (!wanted(algorithm))
                    continue;
                OverviewRow row;
                row.scenario
                    = overviewScenario(std::string(algorithm.name), gpu, mask, request.headDim, request.seqlen);
                row.title = algorithm.title;
                Result<Prediction> prediction = predict(row.scenario, { progress.stop, {} });
                if (!prediction) {
                    if (progress.cancelled())
                        return prediction.error();
                    refused = prediction.error();
                    if (mask == request.masks.front())
                        all.gaps.push_back({ row.scenario.algorithm, gpu, refused->line() });
                    continue;
                }
                row.prediction = std::move(*prediction);
                const GpuSpec& spec = row.prediction.gpu;
                row.peakTflops = spec.tensorFlopsPerClk * spec.sms * spec.clockMhz * 1e-6;
                row.published = figuresOf(row, published);
                all.rows.push_back(std::move(row));
            }
        }
    }
    if (all.rows.empty() && refused)
        return *refused;
    return all;
}

const PublishedResults& shippedResults()
{
    static const PublishedResults shipped = [] {
        constexpr const char* file = "published/published_results.csv";
        Result<PublishedResults> results = publishedResults(resource(file).value_or(""), file);
        return results ? std::move(*results) : PublishedResults {};
    }();
    return shipped;
}

} // namespace flashstep
