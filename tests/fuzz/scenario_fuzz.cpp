// SPDX-License-Identifier: Apache-2.0
#include "core/io/scenario.h"
#include "tests/fuzz/fuzz.h"

namespace flashstep::fuzz {

Target target()
{
    return { "scenario",
        { R"({"flashstep": 1, "algorithm": "fa2", "pass": "forward", "gpu": "a100", "tile": "16x16",
 "cost_tile": "128x128", "stages": 2, "record": "cta:3", "problem": {"batch": 1, "heads": 4, "kv_heads": 2,
 "seqlen_q": 64, "seqlen_k": 96, "head_dim": 64, "mask": "window:8,0", "dtype": "bf16", "init": "normal", "seed": 1},
 "knobs": {"mufu-rate": 32, "ping-pong": true, "exp2-emulation": "off"}, "break": ["wait:K_visible", "count:full=3"]})",
            R"x({"flashstep": 1, "algorithm": "fa4", "gpu": "b200", "problem": {"q": "q.npy", "k": "../k.npy",
 "v": "v\u00e9.npy"}, "compare": {"algorithm": "fa3", "knobs": null}, "view": {"layout": [1, 2.5e-3, {"a": []}]},
 "bookmarks": [{"at": "block(i=1, n=2)", "name": "x", "number": 3}],
 "breakpoints": [{"condition": "rescale(decision=skip)", "enabled": true}]})x",
            R"({"flashstep": 1})" },
        { R"("flashstep": )", "1e999", "-9223372036854775809", "18446744073709551616", "[[[[[[[[[[[[[[[[", R"({"a":)",
            R"("\ud800")", "\xc3\x28", "null", "true", R"("problem": {)", R"("tile": "0x0")", "1e-400", R"("fa3")",
            R"("seqlen_q": -1)", R"("knobs": {"sms": 1e9})" },
        1U << 20U, 256, 60000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const std::string text(fuzz::textOf(data, size));
    const Result<ScenarioFile> read = parseScenario(text, "folder", "input.json");
    if (!read) {
        fuzz::requireClear(read.error());
    } else {
        // What was understood can be written, and is the same when read again.
        const std::string written = scenarioText(*read, "folder");
        const Result<ScenarioFile> again = parseScenario(written, "folder", "written.json");
        fuzz::require(again.ok(), "a scenario written can be read");
        fuzz::require(scenarioText(*again, "folder") == written, "a scenario read back is the same");
        if (const Status known = checkKnobs(read->scenario); !known)
            fuzz::requireClear(known.error());
    }
    if (const Result<ScenarioFile> other = parseOtherScenario(text, "folder", "input.json"); !other)
        fuzz::requireClear(other.error());
    return 0;
}
