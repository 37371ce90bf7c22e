// SPDX-License-Identifier: Apache-2.0
#include "core/io/sweep.h"
#include "tests/fuzz/fuzz.h"

namespace flashstep::fuzz {

Target target()
{
    const auto sweep = parseSweep(std::vector<std::string> { "seqlen-q=64,128", "mask=none,window:3,1" });
    std::string text = sweepHeader(*sweep);
    for (std::size_t k = 0; k < 4; ++k)
        text += sweepLine(*sweep, { k, nullptr, "refused", "a reason, \"quoted\"" });
    return { "sweep", { text, "a,status,error,combination,combinations\n1,ok,,2,3\n1,ok,,1,3\n" },
        { "\n1,ok,,1,3", ",1000000", ",99999999999999999999", ",-1", "\"", ",combination", "\r\n", ",0" },
        // A table may say that it lacks a million rows, whose numbers are told.
        24U << 20U, 512, 4000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const Result<CsvTableText> part = parseCsv(fuzz::textOf(data, size), "input.csv");
    if (!part) {
        fuzz::requireClear(part.error());
        return 0;
    }
    const std::vector<CsvTableText> parts { *part, *part };
    const Result<MergedSweep> merged = mergeSweeps(parts);
    if (!merged) {
        fuzz::requireClear(merged.error());
        return 0;
    }
    fuzz::require(merged->rows + merged->missing.size() == merged->combinations, "a row is there or is missing");
    const Result<CsvTableText> again = parseCsv(merged->text, "merged.csv");
    fuzz::require(again.ok() && again->rows.size() == merged->rows, "a merged table can be read");
    const std::vector<CsvTableText> once { *again };
    fuzz::require(mergeSweeps(once)->text == merged->text, "merging it again changes nothing");
    return 0;
}
