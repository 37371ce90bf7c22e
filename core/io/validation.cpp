// SPDX-License-Identifier: Apache-2.0
#include "core/io/validation.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <map>
#include <optional>
#include <thread>
#include <tuple>

namespace flashstep {

double errorPercent(double predicted, double published)
{
    return 100 * (predicted - published) / published;
}

namespace {

using Predictions = std::map<std::string, std::optional<Result<Prediction>>>; // by scenario

// Each scenario once. Whoever is free takes the next one, and leaves its prediction in a place of its own.
void predictAll(const PublishedResults& published, Predictions& predictions, unsigned threads, const Progress& progress)
{
    struct Task {
        const Scenario* scenario;
        std::optional<Result<Prediction>>* prediction;
    };
    std::vector<Task> tasks;
    for (const PublishedResult& result : published.results) {
        if (!result.scenario)
            continue;
        const auto [entry, isNew] = predictions.try_emplace(scenarioText(*result.scenario, ""));
        if (isNew)
            tasks.push_back({ &result.scenario->scenario, &entry->second });
    }
    std::atomic<std::size_t> next = 0;
    const auto work = [&](const auto& afterEach) {
        for (std::size_t k = next++; k < tasks.size() && !progress.cancelled(); k = next++) {
            *tasks[k].prediction = predict(*tasks[k].scenario, { progress.stop, {} });
            afterEach(k);
        }
    };
    std::vector<std::future<void>> helpers;
    for (unsigned k = 1; k < std::min<std::size_t>(threads, tasks.size()); ++k)
        helpers.push_back(std::async(std::launch::async, [&] { work([](std::size_t) {}); }));
    work([&](std::size_t k) { progress.at(static_cast<double>(k + 1) / static_cast<double>(tasks.size())); });
    for (std::future<void>& helper : helpers)
        helper.get();
}

} // namespace

Result<Validation> validate(PublishedResults& published, const Progress& progress, unsigned threads)
{
    Validation validation;
    Predictions predictions;
    predictAll(
        published, predictions, threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency()), progress);
    if (progress.cancelled())
        return Error { "cancelled", "", "" };
    for (std::size_t k = 0; k < published.results.size(); ++k) {
        PublishedResult& result = published.results[k];
        if (result.scenario) {
            const Result<Prediction>& prediction = *predictions.at(scenarioText(*result.scenario, ""));
            if (prediction) {
                const Prediction& p = *prediction;
                const Roofline roofline = rooflineOf(result.scenario->scenario, p.gpu, p.clockMhz);
                ValidatedRow row;
                row.result = k;
                row.clockMhz = p.clockMhz;
                row.predicted = inUnit(result.unit, p.microseconds, p.flops);
                row.roofline = inUnit(result.unit, roofline.microseconds(), p.flops);
                row.errorPercent = errorPercent(row.predicted, result.published);
                row.rooflineErrorPercent = errorPercent(row.roofline, result.published);
                validation.rows.push_back(row);
                continue;
            }
            result.reason = prediction.error().line();
            result.scenario.reset();
        }
        validation.uncovered.push_back(k);
    }
    validation.groups = groupsOf(published, validation.rows);
    return validation;
}

std::vector<ValidatedGroup> groupsOf(const PublishedResults& published, const std::vector<ValidatedRow>& rows)
{
    std::vector<ValidatedGroup> groups;
    for (const ValidatedRow& row : rows) {
        const PublishedResult& result = published.results[row.result];
        const auto sameGroup = [&](const ValidatedGroup& group) {
            return std::tie(group.presetGpu, group.presetAlgorithm, group.pass, group.tier)
                == std::tie(result.presetGpu, result.presetAlgorithm, result.pass, result.tier);
        };
        auto group = std::ranges::find_if(groups, sameGroup);
        if (group == groups.end())
            group = groups.insert(
                group, { result.presetGpu, result.presetAlgorithm, result.pass, result.tier, 0, 0, 0, 0, 0 });
        ++group->rows;
        group->meanAbsErrorPercent += std::fabs(row.errorPercent);
        group->meanErrorPercent += row.errorPercent;
        group->worstPercent = std::max(group->worstPercent, std::fabs(row.errorPercent));
        group->rooflineErrorPercent += std::fabs(row.rooflineErrorPercent);
    }
    for (ValidatedGroup& group : groups) {
        const auto count = static_cast<double>(group.rows);
        group.meanAbsErrorPercent /= count;
        group.meanErrorPercent /= count;
        group.rooflineErrorPercent /= count;
    }
    std::ranges::stable_sort(groups, {}, [](const ValidatedGroup& group) { return group.tier == "core" ? 0 : 1; });
    return groups;
}

} // namespace flashstep
