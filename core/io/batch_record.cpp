// SPDX-License-Identifier: Apache-2.0
#include "core/io/batch_record.h"

#include "core/base/version.h"
#include "core/io/files.h"
#include "core/io/fingerprint.h"
#include "core/io/input_files.h"
#include "core/io/scenario.h"

#include <fcntl.h>
#include <sstream>
#include <unistd.h>

namespace flashstep {

namespace {

constexpr std::uint64_t largestRecord = 256U << 20U;

std::string field(const Json& line, const char* key)
{
    const auto value = line.find(key);
    return value != line.end() && value->is_string() ? value->get<std::string>() : std::string();
}

// One write, so that lines of two programs never mix, and a new line first where the last one was cut short.
bool append(const std::string& path, const std::string& line)
{
    const int file = open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    char last = '\n';
    const off_t end = lseek(file, 0, SEEK_END);
    if (end > 0 && pread(file, &last, 1, end - 1) != 1)
        last = '\n';
    const std::string text = (last == '\n' ? "" : "\n") + line + "\n";
    const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    return close(file) == 0 && written;
}

} // namespace

BatchRecord::BatchRecord(std::string path)
    : m_path(std::move(path))
{
    const Result<std::string> text = readFile(m_path, largestRecord);
    if (!text)
        return;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        const Json one = Json::parse(line, nullptr, false);
        if (one.is_object())
            m_lines.insert_or_assign(field(one, "out"), Line { field(one, "made_from"), field(one, "content") });
    }
}

const Result<std::string>& BatchRecord::ofFile(const std::string& path)
{
    const auto known = m_files.find(path);
    return known != m_files.end() ? known->second : m_files.emplace(path, fingerprintOfFile(path)).first->second;
}

Result<std::string> BatchRecord::madeFrom(const BatchEntry& entry)
{
    ScenarioFile file;
    Fingerprint all;
    all.addPart(version());
    all.addPart(entry.stated);
    if (!entry.scenario.empty()) {
        const Result<std::string>& scenario = ofFile(entry.scenario);
        if (!scenario)
            return scenario.error();
        all.addPart(*scenario);
        Result<ScenarioFile> read = readScenario(entry.scenario);
        if (!read)
            return read.error();
        file = std::move(*read);
    }
    for (const auto& [key, value] : entry.given)
        if (Status status = setOption(file, key, value); !status)
            return status.error();
    for (const std::string& path : tensorFilesOf(file.scenario)) {
        const Result<std::string>& one = ofFile(path);
        all.addPart(one ? *one : std::string("-")); // there may be no tokens
    }
    return all.text();
}

bool BatchRecord::isFinished(const BatchEntry& entry, const std::string& madeFrom) const
{
    const auto line = m_lines.find(entry.out);
    if (line == m_lines.end() || line->second.madeFrom != madeFrom)
        return false;
    const Result<std::string> content = fingerprintOfFile(entry.written.out);
    return content && *content == line->second.content;
}

Status BatchRecord::finish(const BatchEntry& entry, const std::string& madeFrom)
{
    const Result<std::string> content = fingerprintOfFile(entry.written.out);
    if (!content)
        return content.error();
    m_lines.insert_or_assign(entry.out, Line { madeFrom, *content });
    const Json line { { "out", entry.out }, { "made_from", madeFrom }, { "content", *content } };
    if (!append(m_path, line.dump(-1, ' ', false, Json::error_handler_t::replace)))
        return Error { "cannot write", m_path, "what is finished cannot be remembered" };
    return Nothing {};
}

} // namespace flashstep
