// SPDX-License-Identifier: Apache-2.0
#include "core/io/batch.h"
#include "tests/fuzz/fuzz.h"

#include <set>

namespace flashstep::fuzz {

Target target()
{
    return { "batch",
        { R"x({"flashstep": 1, "exports": [
 {"scenario": "s.json", "format": "svg", "out": "a.svg", "view": "tiles", "at": "block(i=1, n=2)", "size": "800x600"},
 {"scenario": "s.json", "format": "csv", "out": "a.csv", "table": "spans", "from": 12, "to": "end", "cta": 3},
 {"algorithm": "fa4", "gpu": "b200", "seqlen_q": 64, "what_if": ["exp2-degree=3", "two-cta=on"], "break": "wait:K",
  "format": "png", "out": "../b.png", "scale": 1.5, "theme": "dark", "fps": "10", "level": "operation"}]})x",
            R"({"flashstep": 1, "exports": []})" },
        { R"("out": "a.svg")", R"("format": "csv")", R"("exports": [)", R"({"scenario":)", "1e999", "null", "{}",
            R"("q": "q.npy")", R"("\ud800")", "\xc3\x28", "[[[[[[[[", R"("what_if": [["sms=8"]])" },
        1U << 20U, 512, 20000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const auto batch = parseBatch(std::string(fuzz::textOf(data, size)), "folder", "folder/b.json");
    if (!batch) {
        fuzz::requireClear(batch.error());
        return 0;
    }
    std::set<std::string> targets;
    for (const BatchEntry& entry : *batch) {
        fuzz::require(checkExport(entry.written).ok(), "an entry that is taken can be stated as an export");
        fuzz::require(targets.insert(entry.written.out).second, "each target is written once");
    }
    return 0;
}
