// SPDX-License-Identifier: Apache-2.0
#include "core/io/device_program.h"

#include "core/base/version.h"
#include "core/io/command_words.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

namespace flashstep {

namespace {

constexpr std::string_view programName = "flashstep-gpu";

// The folder of the program that runs; empty where the system does not tell.
std::string ownFolder()
{
    std::error_code failed;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", failed);
    return failed ? std::string() : own.parent_path().string();
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

// "flashstep-gpu 0.1.0, kernels 12ab…": the version; empty for any other line.
std::string versionIn(std::string_view line)
{
    const std::string begin = std::string(programName) + " ";
    const std::size_t comma = line.find(", kernels ");
    if (!line.starts_with(begin) || comma == std::string_view::npos)
        return {};
    return quotedExcerpt(line.substr(begin.size(), comma - begin.size()));
}

// "progress 0.25 check fa2_forward_d64"
bool takeProgress(std::string_view line, const Progress& progress)
{
    constexpr std::string_view begin = "progress ";
    if (!line.starts_with(begin))
        return false;
    line.remove_prefix(begin.size());
    double fraction = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), fraction);
    if (read.ec == std::errc() && fraction >= 0 && fraction <= 1)
        progress.at(fraction);
    return true;
}

DeviceOutcome trouble(DeviceTrouble kind, std::string what, std::string where, std::string hint)
{
    return { kind, Error { std::move(what), std::move(where), std::move(hint) }, 0, {}, {} };
}

// Why an answer that should be JSON is none.
std::string notJson(const std::string& out)
{
    const std::size_t first = out.find_first_not_of(" \t\r\n");
    if (first == std::string::npos)
        return "it said nothing";
    if (out[first] != '{')
        return "its answer begins with " + quotedExcerpt(out.substr(first, 200));
    const std::size_t last = out.find_last_not_of(" \t\r\n");
    if (out[last] != '}')
        return fmt::format("its answer breaks off after {} bytes", out.size());
    return "its answer is damaged JSON";
}

} // namespace

std::string_view name(DeviceTrouble trouble)
{
    constexpr std::string_view names[] = { "none", "bad-usage", "no-program", "unreachable", "no-device",
        "wrong-architecture", "driver-too-old", "out-of-memory", "killed", "timed-out", "cancelled", "garbled",
        "wrong-version", "wrong-recording", "failed" };
    return names[static_cast<std::size_t>(trouble)];
}

std::string quotedExcerpt(std::string_view text)
{
    constexpr std::size_t longest = 160;
    std::string out = "'";
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte >= 0x7f ? '?' : c;
    }
    return out + (text.size() > longest ? "…'" : "'");
}

Result<std::vector<std::string>> DeviceProgram::words() const
{
    Result<std::vector<std::string>> words = commandWords(prefix);
    if (!words)
        return Error { words.error().what, "the prefix " + words.error().where, words.error().hint };
    std::string where = program.empty() ? std::string(programName) : program;
    if (program.empty() && words->empty())
        if (const std::string folder = ownFolder(); !folder.empty())
            where = folder + "/" + where;
    words->push_back(std::move(where));
    return words;
}

DeviceOutcome runDeviceProgram(
    const DeviceProgram& program, const std::vector<std::string>& arguments, const Progress& progress)
{
    Result<std::vector<std::string>> words = program.words();
    if (!words)
        return trouble(DeviceTrouble::BadUsage, words.error().what, words.error().where, words.error().hint);
    DeviceEnd end;
    end.command = joined(*words);
    end.prefixed = words->size() > 1;
    end.checks = !arguments.empty() && arguments.front() == "check";
    end.timeoutSeconds = program.timeoutSeconds;
    end.mostOutput = program.mostOutput;
    ChildCommand command;
    command.words = std::move(*words);
    command.words.insert(command.words.end(), arguments.begin(), arguments.end());
    command.words.emplace_back("--progress");
    command.timeoutSeconds = program.timeoutSeconds;
    command.mostOutput = program.mostOutput;
    command.errorLine = [&](std::string_view line) {
        if (takeProgress(line, progress) || !end.version.empty())
            return true;
        end.version = versionIn(line);
        return end.version.empty() || end.version == quotedExcerpt(version());
    };
    const ChildResult child = runChild(command, progress);
    end.child = &child;
    return judgeDeviceEnd(end);
}

DeviceOutcome askDevice(
    const DeviceProgram& program, std::vector<std::string> arguments, std::string_view key, const Progress& progress)
{
    arguments.emplace_back("--json");
    DeviceOutcome outcome = runDeviceProgram(program, arguments, progress);
    if (!outcome.ok())
        return outcome;
    outcome.answer = Json::parse(outcome.out, nullptr, false);
    const Result<std::vector<std::string>> words = program.words();
    if (!outcome.answer.is_object())
        return trouble(DeviceTrouble::Garbled, notJson(outcome.out), joined(*words),
            "JSON and nothing else: a prefix, or a shell that it starts, must be silent on its standard output");
    if (!outcome.answer.contains(key))
        return trouble(
            DeviceTrouble::Garbled, fmt::format("its answer has no '{}'", key), joined(*words), "is it flashstep-gpu?");
    return outcome;
}

} // namespace flashstep
