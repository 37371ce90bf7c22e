// SPDX-License-Identifier: Apache-2.0
#include "core/io/validation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace flashstep {

double errorPercent(double predicted, double published)
{
    return 100 * (predicted - published) / published;
}

Result<Validation> validate(PublishedResults& published, const Progress& progress)
{
    Validation validation;
    std::map<std::string, Result<Prediction>> known; // by scenario
    for (std::size_t k = 0; k < published.results.size(); ++k) {
        if (progress.cancelled())
            return Error { "cancelled", "", "" };
        progress.at(static_cast<double>(k) / static_cast<double>(published.results.size()));
        PublishedResult& result = published.results[k];
        if (result.scenario) {
            const std::string text = scenarioText(*result.scenario, "");
            auto found = known.find(text);
            if (found == known.end())
                found = known.emplace(text, predict(result.scenario->scenario, { progress.stop, {} })).first;
            if (found->second) {
                const Prediction& p = *found->second;
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
            if (progress.cancelled())
                return Error { "cancelled", "", "" };
            result.reason = found->second.error().line();
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
