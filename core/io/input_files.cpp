// SPDX-License-Identifier: Apache-2.0
#include "core/io/input_files.h"

#include "core/io/files.h"

#include <algorithm>
#include <filesystem>

namespace flashstep {

std::vector<std::string> tensorFilesOf(const Scenario& scenario)
{
    std::vector<std::string> files;
    for (const std::string* file : { &scenario.qFile, &scenario.kFile, &scenario.vFile })
        if (!file->empty())
            files.push_back(*file);
    if (!scenario.qFile.empty())
        files.push_back(pathBeside(directoryOf(scenario.qFile), "tokens.json"));
    return files;
}

std::vector<std::string> inputFilesOf(const Scenario& scenario, const std::string& path)
{
    std::vector<std::string> files = tensorFilesOf(scenario);
    if (!path.empty())
        files.push_back(path);
    return files;
}

Status checkNotRead(const std::string& target, std::span<const std::string> inputs)
{
    const auto isTarget = [&](const std::string& input) {
        std::error_code none; // what is not there is not the same
        return std::filesystem::equivalent(target, input, none);
    };
    const auto found = std::ranges::find_if(inputs, isTarget);
    if (found == inputs.end())
        return Nothing {};
    return Error { "it is read for this (" + *found + ")", target, "another name" };
}

} // namespace flashstep
