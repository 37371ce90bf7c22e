// SPDX-License-Identifier: Apache-2.0
#include "core/io/scenario.h"

#include "core/io/files.h"
#include "core/io/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace flashstep {

namespace {

constexpr std::uint64_t largestFile = 16U << 20U;
constexpr int formatVersion = 1;

// Reads one JSON document into a ScenarioFile; the first error stops it.
class Reader {
public:
    Reader(const std::string& directory, const std::string& where)
        : m_directory(directory)
        , m_where(where)
    {
    }

    Result<ScenarioFile> read(const std::string& text)
    {
        const Result<Json> document = parseJsonDocument(text, m_where);
        if (!document)
            return document.error();
        if (!document->is_object())
            return Error { "not a scenario", m_where, "a JSON object with \"flashstep\": 1" };
        if (Status status = checkFormatVersion(*document, m_where); !status)
            return status.error();
        for (const auto& [key, value] : document->items())
            if (Status status = takeTop(key, value); !status)
                return status.error();
        return std::move(m_file);
    }

private:
    Status takeTop(const std::string& key, const Json& value)
    {
        if (key == "flashstep")
            return Nothing {};
        if (key == "problem")
            return takeProblem(value);
        if (key == "knobs")
            return takeKnobs(value);
        if (key == "break")
            return takeBreaks(value);
        const std::array<std::pair<std::string_view, std::string*>, 4> raw { { { "compare", &m_file.compare },
            { "view", &m_file.view }, { "bookmarks", &m_file.bookmarks }, { "breakpoints", &m_file.breakpoints } } };
        for (const auto& [name, target] : raw)
            if (key == name)
                return takeRaw(key, value, *target);
        const ScenarioOption* option = findScenarioOption(key);
        if (option == nullptr || option->inProblem || option->repeats)
            return unknown(key, option != nullptr && option->inProblem ? "it belongs in \"problem\"" : "");
        return takeOption(key, *option, value);
    }

    Status takeProblem(const Json& problem)
    {
        if (!problem.is_object())
            return wrong("problem", "it has to be an object", "");
        for (const auto& [key, value] : problem.items()) {
            const ScenarioOption* option = findScenarioOption(key);
            if (option == nullptr || !option->inProblem)
                return unknown("problem." + key, option != nullptr ? "it belongs outside of \"problem\"" : "");
            if (Status status = takeOption("problem." + key, *option, value); !status)
                return status;
        }
        return Nothing {};
    }

    Status takeOption(const std::string& path, const ScenarioOption& option, const Json& value)
    {
        if (option.isNumber ? !value.is_number_integer() : !value.is_string())
            return wrong(path, "it has to be a " + std::string(option.isNumber ? "whole number" : "string"),
                "not " + std::string(value.type_name()));
        std::string text = option.isNumber ? value.dump() : value.get<std::string>();
        if (option.key == "q" || option.key == "k" || option.key == "v")
            text = pathBeside(m_directory, text);
        Status status = setOption(m_file, option.key, text);
        return status ? status : wrong(path, status.error().what, status.error().hint);
    }

    Status takeKnobs(const Json& knobs)
    {
        if (!knobs.is_object())
            return wrong("knobs", "it has to be an object", "{\"KEY\": VALUE}");
        for (const auto& [key, value] : knobs.items()) {
            const bool plain = value.is_string() || value.is_number() || value.is_boolean();
            if (!plain)
                return wrong("knobs." + key, "it has to be a number, a string, true or false",
                    "not " + std::string(value.type_name()));
            const std::string text = value.is_string() ? value.get<std::string>()
                : value.is_boolean()                   ? (value.get<bool>() ? "on" : "off")
                : value.is_number_float()              ? numberText(value.get<double>())
                                                       : value.dump();
            if (Status status = setOption(m_file, "what_if", key + "=" + text); !status)
                return wrong("knobs." + key, status.error().what, status.error().hint);
        }
        return Nothing {};
    }

    Status takeBreaks(const Json& breaks)
    {
        const bool strings = breaks.is_array()
            && std::all_of(breaks.begin(), breaks.end(), [](const Json& b) { return b.is_string(); });
        if (!strings)
            return wrong("break", "it has to be a list of strings", "[\"wait:NAME\"]");
        for (const Json& spec : breaks)
            if (Status status = setOption(m_file, "break", spec.get<std::string>()); !status)
                return wrong("break", status.error().what, status.error().hint);
        return Nothing {};
    }

    Status takeRaw(const std::string& key, const Json& value, std::string& target) const
    {
        const bool list = key == "bookmarks" || key == "breakpoints";
        if (list ? !value.is_array() : !value.is_object())
            return wrong(key, list ? "it has to be a list" : "it has to be an object", "");
        target = value.dump();
        return Nothing {};
    }

    [[nodiscard]] Error wrong(const std::string& key, std::string what, std::string hint) const
    {
        return Error { "key \"" + key + "\": " + std::move(what), m_where, std::move(hint) };
    }
    [[nodiscard]] Error unknown(const std::string& key, std::string hint) const
    {
        return Error { "unknown key \"" + key + "\"", m_where, std::move(hint) };
    }

    std::string m_directory, m_where;
    ScenarioFile m_file;
};

std::string pathSeenFrom(const std::string& directory, const std::string& path)
{
    if (directory.empty())
        return path;
    namespace fs = std::filesystem;
    const fs::path relative = fs::absolute(path).lexically_relative(fs::absolute(directory));
    return relative.empty() ? path : relative.string();
}

Json problemJson(const ScenarioFile& file, const std::string& directory)
{
    const Problem& p = file.scenario.problem;
    Json problem = Json::object();
    // Some may be missing: such a scenario cannot run, but it can be written.
    const std::array<std::pair<const char*, const std::string*>, 3> named { { { "q", &file.scenario.qFile },
        { "k", &file.scenario.kFile }, { "v", &file.scenario.vFile } } };
    const bool files
        = std::any_of(named.begin(), named.end(), [](const auto& entry) { return !entry.second->empty(); });
    const auto size = [&](const char* key, int value) {
        if (!files) // sizes come from the files
            problem[key] = value;
    };
    size("batch", p.batch);
    size("heads", p.heads);
    size("kv_heads", p.kvHeads);
    size("seqlen_q", p.seqlenQ);
    size("seqlen_k", p.seqlenK);
    size("head_dim", p.headDim);
    size("head_dim_v", p.headDimV);
    problem["dtype"] = std::string(name(p.dtype));
    problem["mask"] = p.mask.text();
    if (files) {
        for (const auto& [key, path] : named)
            if (!path->empty())
                problem[key] = pathSeenFrom(directory, *path);
    } else {
        problem["init"] = std::string(name(p.init));
        problem["seed"] = p.seed;
    }
    return problem;
}

Json knobsJson(const Scenario& scenario)
{
    Json knobs = Json::object();
    for (const auto& [key, value] : scenario.knobs)
        knobs[key] = value;
    return knobs;
}

} // namespace

Result<ScenarioFile> parseScenario(const std::string& json, const std::string& directory, const std::string& where)
{
    return Reader(directory, where).read(json);
}

Result<ScenarioFile> readScenario(const std::string& path)
{
    const Result<std::string> text = readFile(path, largestFile);
    if (!text)
        return text.error();
    return parseScenario(*text, directoryOf(path), path);
}

Result<ScenarioFile> parseOtherScenario(const std::string& json, const std::string& directory, const std::string& where)
{
    Result<ScenarioFile> own = parseScenario(json, directory, where);
    if (!own)
        return own;
    if (own->compare.empty())
        return Error { "it does not say what differs in the other run", where, "a key \"compare\"" };
    const Json block = Json::parse(own->compare);
    for (const char* key : { "flashstep", "compare", "view", "bookmarks", "breakpoints" })
        if (block.contains(key))
            return Error { fmt::format("unknown key \"compare.{}\"", key), where, "it says only what is run" };
    Json other = Json::parse(json);
    other.erase("compare");
    other.merge_patch(block);
    return parseScenario(other.dump(), directory, where + " with its \"compare\"");
}

Result<ScenarioFile> readOtherScenario(const std::string& path)
{
    const Result<std::string> text = readFile(path, largestFile);
    if (!text)
        return text.error();
    return parseOtherScenario(*text, directoryOf(path), path);
}

std::string scenarioText(const ScenarioFile& file, const std::string& directory)
{
    const Scenario& s = file.scenario;
    Json document;
    document["flashstep"] = formatVersion;
    document["problem"] = problemJson(file, directory);
    document["algorithm"] = s.algorithm;
    document["pass"] = s.pass;
    if (!s.gpu.empty())
        document["gpu"] = s.gpu;
    if (s.tile)
        document["tile"] = s.tile->text();
    if (s.costTile)
        document["cost_tile"] = s.costTile->text();
    if (s.stages)
        document["stages"] = *s.stages;
    if (!s.knobs.empty())
        document["knobs"] = knobsJson(s);
    if (!s.breaks.empty())
        document["break"] = s.breaks;
    if (s.record.kind != Record::Kind::Automatic)
        document["record"] = s.record.text();
    const std::array<std::pair<const char*, const std::string*>, 4> raw { { { "compare", &file.compare },
        { "view", &file.view }, { "bookmarks", &file.bookmarks }, { "breakpoints", &file.breakpoints } } };
    for (const auto& [key, value] : raw)
        if (!value->empty())
            document[key] = Json::parse(*value, nullptr, false);
    return jsonText(document);
}

} // namespace flashstep
