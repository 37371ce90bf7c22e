// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/status.h"
#include "core/io/files.h"
#include "core/io/sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

namespace flashstep::cli {

namespace {

constexpr std::uint64_t largestPart = 1U << 30U;

struct Options {
    std::string out;
    std::vector<std::string> parts;
};

std::string namesOf(const std::vector<std::size_t>& missing)
{
    constexpr std::size_t shown = 10;
    const std::size_t count = std::min(missing.size(), shown);
    return fmt::format("{}{}", fmt::join(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(count), ", "),
        missing.size() > shown ? ", …" : "");
}

int perform(const Options& o)
{
    std::vector<CsvTableText> parts;
    for (const std::string& path : o.parts) {
        const Result<std::string> text = readFile(path, largestPart);
        if (!text)
            return fail(text.error());
        Result<CsvTableText> part = parseCsv(*text, path);
        if (!part)
            return fail(part.error());
        parts.push_back(std::move(*part));
    }
    const Result<MergedSweep> merged = mergeSweeps(parts);
    if (!merged)
        return fail(merged.error());
    const Status written = writeFileAtomically(o.out, [&](std::ostream& out) -> Status {
        out << merged->text;
        return Nothing {};
    });
    if (!written)
        return fail(written.error());
    if (!merged->missing.empty())
        return fail(Error { fmt::format("{} of {} combinations are in none of the parts: {}", merged->missing.size(),
                                merged->combinations, namesOf(merged->missing)),
                        o.out, "combination k is of shard 1 + (k - 1) mod n" },
            failedCheck);
    return print(fmt::format("{} {} of {} {}\n", merged->rows, merged->rows == 1 ? "row" : "rows", parts.size(),
        parts.size() == 1 ? "part" : "parts"));
}

} // namespace

Command addMerge(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand("merge", "the table that the shards of a sweep make together");
    const auto o = std::make_shared<Options>();
    parser->add_option("out", o->out, "the whole table")->required()->type_name("OUT.csv");
    parser->add_option("parts", o->parts, "what 'sweep --shard' wrote, in any order")->required()->type_name("PART…");
    return { parser, [o] { return perform(*o); } };
}

} // namespace flashstep::cli
