// SPDX-License-Identifier: Apache-2.0
#include "resources/embedded/resources.h"

#include "resources/embedded/table.h"

#include <algorithm>

namespace flashstep {

std::optional<std::string_view> resource(std::string_view path)
{
    const auto files = embeddedFiles();
    const auto found = std::ranges::lower_bound(files, path, {}, &EmbeddedFile::name);
    if (found == files.end() || found->name != path)
        return std::nullopt;
    return std::string_view(found->begin, found->end);
}

std::vector<std::string_view> resourceNames(std::string_view prefix)
{
    std::vector<std::string_view> names;
    for (const EmbeddedFile& file : embeddedFiles())
        if (file.name.starts_with(prefix))
            names.push_back(file.name);
    return names;
}

} // namespace flashstep
