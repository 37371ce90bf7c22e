// SPDX-License-Identifier: Apache-2.0
#include "core/io/batch.h"

#include "core/io/files.h"
#include "core/io/input_files.h"
#include "core/io/json_document.h"
#include "core/io/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

namespace flashstep {

namespace {

constexpr std::uint64_t largestFile = 16U << 20U;

constexpr std::array keys {
    ExportKey { "format", &ExportOptions::format },
    ExportKey { "out", &ExportOptions::out },
    ExportKey { "at", &ExportOptions::at, true },
    ExportKey { "from", &ExportOptions::from, true },
    ExportKey { "to", &ExportOptions::to, true },
    ExportKey { "cta", &ExportOptions::cta, true },
    ExportKey { "view", &ExportOptions::view },
    ExportKey { "panels", &ExportOptions::panels },
    ExportKey { "size", &ExportOptions::size },
    ExportKey { "scale", &ExportOptions::scale, true },
    ExportKey { "theme", &ExportOptions::theme },
    ExportKey { "table", &ExportOptions::table },
    ExportKey { "level", &ExportOptions::level },
    ExportKey { "fps", &ExportOptions::fps, true },
};

// "--kv-heads" as a batch file spells it.
std::string keyOf(std::string option)
{
    if (option.starts_with("--"))
        option.erase(0, 2);
    std::replace(option.begin(), option.end(), '-', '_');
    return option;
}

std::string plainPath(const std::string& path)
{
    return std::filesystem::path(path).lexically_normal().string();
}

class EntryReader {
public:
    EntryReader(const std::string& directory, std::string where)
        : m_directory(directory)
        , m_where(std::move(where))
    {
    }

    Result<BatchEntry> read(const Json& entry)
    {
        if (!entry.is_object())
            return Error { "it has to be an object", m_where, R"({"scenario": …, "format": …, "out": …})" };
        for (const auto& [key, value] : entry.items())
            if (Status status = take(key, value); !status)
                return status.error();
        if (Status status = checkWhole(); !status)
            return status.error();
        m_entry.stated = nlohmann::json(entry).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        return std::move(m_entry);
    }

private:
    Status take(const std::string& key, const Json& value)
    {
        if (key == "scenario") {
            Result<std::string> path = textOf(key, value, false);
            if (path)
                m_entry.scenario = pathBeside(m_directory, *path);
            return path ? Status(Nothing {}) : path.error();
        }
        const auto known = std::ranges::find(keys, key, &ExportKey::key);
        if (known != keys.end()) {
            Result<std::string> text = textOf(key, value, known->isNumber);
            if (text)
                m_entry.written.*known->text = std::move(*text);
            return text ? Status(Nothing {}) : text.error();
        }
        const ScenarioOption* option = findScenarioOption(key);
        if (option == nullptr)
            return Error { "unknown key \"" + key + "\"", m_where, "scenario, or an option of 'export' with _ for -" };
        return takeOption(key, *option, value);
    }

    Status takeOption(const std::string& key, const ScenarioOption& option, const Json& value)
    {
        if (option.repeats && value.is_array()) {
            for (const Json& one : value)
                if (Status status = takeOption(key, option, one); !status)
                    return status;
            return Nothing {};
        }
        Result<std::string> text = textOf(key, value, option.isNumber);
        if (!text)
            return text.error();
        if (key == "q" || key == "k" || key == "v")
            *text = pathBeside(m_directory, *text);
        if (Status status = setOption(m_scratch, key, *text); !status)
            return wrong(key, status.error().what, status.error().hint);
        m_entry.given.emplace_back(key, std::move(*text));
        return Nothing {};
    }

    Status checkWhole()
    {
        const ExportOptions& written = m_entry.written;
        for (const auto& [key, text] : { std::pair("format", &written.format), std::pair("out", &written.out) })
            if (text->empty())
                return wrong(key, "the key is missing", "");
        if (m_entry.scenario.empty() && m_entry.given.empty())
            return wrong("scenario", "the key is missing", "a scenario file, or options of the problem");
        if (Status status = checkExport(written); !status)
            return wrong(keyOf(status.error().where), status.error().what, status.error().hint);
        if (Status status = checkKnobs(m_scratch.scenario); !status)
            return wrong("what_if", status.error().what, status.error().hint);
        m_entry.out = written.out;
        m_entry.written.out = pathBeside(m_directory, written.out);
        return Nothing {};
    }

    // What the command line would have been given.
    Result<std::string> textOf(const std::string& key, const Json& value, bool maybeNumber) const
    {
        if (value.is_string()) {
            auto text = value.get<std::string>();
            if (text.empty() || text.find('\0') != std::string::npos)
                return wrong(key, "it is empty, or no text", "");
            return text;
        }
        if (maybeNumber && value.is_number())
            return value.is_number_float() ? numberText(value.get<double>()) : value.dump();
        return wrong(key, maybeNumber ? "it has to be a number or a string" : "it has to be a string",
            "not " + std::string(value.type_name()));
    }

    [[nodiscard]] Error wrong(const std::string& key, std::string what, std::string hint) const
    {
        return { "key \"" + key + "\": " + std::move(what), m_where, std::move(hint) };
    }

    const std::string& m_directory;
    std::string m_where; // "batch.json: exports[2]"
    BatchEntry m_entry;
    ScenarioFile m_scratch; // only to see whether options are accepted
};

// Nothing that is read may be written, and nothing twice.
Status checkTargets(const std::vector<BatchEntry>& entries, const std::string& where)
{
    std::map<std::string, std::string> taken { { plainPath(where), "the batch file itself" },
        { plainPath(recordPathOf(where)), "where the batch remembers what is finished" } };
    for (const BatchEntry& entry : entries) {
        if (!entry.scenario.empty())
            taken.emplace(plainPath(entry.scenario), "a scenario of the batch");
        for (const auto& [key, value] : entry.given)
            if (key == "q" || key == "k" || key == "v")
                taken.emplace(plainPath(value), "a tensor of the batch");
    }
    for (std::size_t k = 0; k < entries.size(); ++k) {
        const auto [other, isNew] = taken.emplace(plainPath(entries[k].written.out), fmt::format("exports[{}]", k));
        if (!isNew)
            return Error { fmt::format("key \"out\": {} is {}", entries[k].out, other->second),
                fmt::format("{}: exports[{}]", where, k), "a target of its own for each" };
    }
    return Nothing {};
}

// The same of the files as they lie on the disk: what scenarios name, and names that lead to one file.
Status checkFiles(const std::vector<BatchEntry>& entries, const std::string& path)
{
    namespace fs = std::filesystem;
    std::set<std::string> read { path, recordPathOf(path) };
    for (const BatchEntry& entry : entries) {
        if (entry.scenario.empty())
            continue;
        read.insert(entry.scenario);
        if (const Result<ScenarioFile> file = readScenario(entry.scenario); file) // else its run says so
            for (const std::string& one : tensorFilesOf(file->scenario))
                read.insert(one);
    }
    const std::vector<std::string> inputs(read.begin(), read.end());
    std::map<std::string, std::size_t> made;
    for (std::size_t k = 0; k < entries.size(); ++k) {
        const std::string place = fmt::format("{}: exports[{}]", path, k), &target = entries[k].written.out;
        if (const Status status = checkNotRead(target, inputs); !status)
            return Error { "key \"out\": " + entries[k].out + ": " + status.error().what, place, status.error().hint };
        std::error_code none;
        const auto [other, isNew] = made.emplace(fs::weakly_canonical(target, none).string(), k);
        if (!isNew)
            return Error { fmt::format("key \"out\": {} is exports[{}]", entries[k].out, other->second), place,
                "a target of its own for each" };
    }
    return Nothing {};
}

} // namespace

std::string recordPathOf(const std::string& batchPath)
{
    return batchPath + ".done";
}

std::span<const ExportKey> exportKeys()
{
    return keys;
}

Result<std::vector<BatchEntry>> parseBatch(
    const std::string& json, const std::string& directory, const std::string& where)
{
    const Result<Json> document = parseJsonDocument(json, where);
    if (!document)
        return document.error();
    constexpr const char* form = R"({"flashstep": 1, "exports": [{"scenario": …, "format": …, "out": …}]})";
    if (!document->is_object())
        return Error { "not a batch", where, form };
    if (Status status = checkFormatVersion(*document, where); !status)
        return status.error();
    for (const auto& [key, value] : document->items())
        if (key != "flashstep" && key != "exports")
            return Error { "unknown key \"" + key + "\"", where, form };
    const auto list = document->find("exports");
    if (list == document->end() || !list->is_array())
        return Error { list == document->end() ? "key \"exports\": the key is missing"
                                               : "key \"exports\": it has to be a list",
            where, form };
    std::vector<BatchEntry> entries;
    for (const Json& one : *list) {
        Result<BatchEntry> entry
            = EntryReader(directory, fmt::format("{}: exports[{}]", where, entries.size())).read(one);
        if (!entry)
            return entry.error();
        entries.push_back(std::move(*entry));
    }
    if (Status status = checkTargets(entries, where); !status)
        return status.error();
    return entries;
}

Result<std::vector<BatchEntry>> readBatch(const std::string& path)
{
    const Result<std::string> text = readFile(path, largestFile);
    if (!text)
        return text.error();
    Result<std::vector<BatchEntry>> entries = parseBatch(*text, directoryOf(path), path);
    if (!entries)
        return entries;
    if (Status status = checkFiles(*entries, path); !status)
        return status.error();
    return entries;
}

} // namespace flashstep
