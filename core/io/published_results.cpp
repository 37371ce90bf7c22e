// SPDX-License-Identifier: Apache-2.0
#include "core/io/published_results.h"

#include "core/algorithms/registry.h"
#include "core/hardware/spec.h"
#include "core/io/clock_factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace flashstep {

namespace {

constexpr int hiddenSize = 2048; // heads × head dim of the papers' figures

template <typename Number> std::optional<Number> numberFrom(std::string_view text)
{
    Number value {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

// ---- by name --------------------------------------------------------------------------------------------------------

// "B200/SM100 (GPU name not in excerpt)" is b200, "H100-SXM5-80GB" h100; other cards of the same chip are not ours.
std::string gpuByName(std::string_view text)
{
    const std::string all = lower(text);
    if (all.find("power-limited") != std::string::npos)
        return {};
    const std::string name = all.substr(0, all.find_first_of(" /,("));
    constexpr std::array<std::pair<std::string_view, std::string_view>, 13> names { { { "a100", "a100" },
        { "a100-sxm4-80gb", "a100" }, { "h100", "h100" }, { "h100-sxm5", "h100" }, { "h100-sxm", "h100" },
        { "h100-sxm5-80gb", "h100" }, { "h200", "h200" }, { "h200-sxm", "h200" }, { "b200", "b200" },
        { "b200-sxm", "b200" }, { "gb200", "gb200" }, { "b300", "b300" }, { "gb300", "b300" } } };
    const auto* found
        = std::ranges::find(names, std::string_view(name), &std::pair<std::string_view, std::string_view>::first);
    return found == names.end() ? std::string() : std::string(found->second);
}

// "FA2 (PyTorch SDPA)" is fa2; relatives of another kind are not ours.
std::string algorithmByName(std::string_view text)
{
    const std::string name = lower(text);
    for (const char* other : { "sparse", "varlen", "triton", "fp4", "mxfp8", "pingpong", "no gemm", "no warp", "flex" })
        if (name.find(other) != std::string::npos)
            return {};
    const std::string word = name.substr(0, name.find_first_of(" (,_"));
    if (name == "pytorch standard" || name == "standard" || name == "standard attention" || word == "standard")
        return "standard";
    for (const char version : { '1', '2', '3', '4' })
        if (word == std::string("fa") + version || word == std::string("flashattention-") + version)
            return std::string("fa") + version;
    return {};
}

// What the names and the paper say of the kernel, as the file's `knobs` would.
std::string knobsByName(const std::string& algorithm, std::string_view text, std::string_view paper, int headDim)
{
    const std::string name = lower(text);
    if (algorithm == "fa3" && headDim == 64 && paper.find("2407.08608") != std::string_view::npos)
        return "tile=192x128"; // the paper's, later made wider
    if (algorithm != "fa4")
        return {};
    if (name.find("1-cta") != std::string::npos)
        return "two-cta=off";
    if (name.find("2-cta") != std::string::npos)
        return "two-cta=on";
    return name.find("hardware exp2") != std::string::npos ? "exp2-emulation=off" : "";
}

// ---- one row --------------------------------------------------------------------------------------------------------

// Why a row has no scenario here (in words), or that the file cannot be read.
struct Refusal {
    std::string reason;
    std::optional<Error> error;
};

class RowReader {
public:
    RowReader(const CsvTableText& table, const CsvTableText::Row& row)
        : m_table(table)
        , m_row(row)
    {
    }

    // Fills in the result; an error where the file is at fault.
    Status read(PublishedResult& result)
    {
        result.pass = cell("pass");
        result.tier = cell("tier");
        result.machine = cell("machine");
        result.presetGpu = m_table.column("preset_gpu") ? cell("preset_gpu") : gpuByName(cell("gpu"));
        result.presetAlgorithm
            = m_table.column("preset_algorithm") ? cell("preset_algorithm") : algorithmByName(cell("algorithm"));
        result.label = label();
        if (std::optional<Refusal> refusal = fill(result)) {
            if (refusal->error)
                return *refusal->error;
            result.reason = std::move(refusal->reason);
        }
        return Nothing {};
    }

private:
    using Refused = std::optional<Refusal>;
    static Refused because(std::string reason) { return Refusal { std::move(reason), std::nullopt }; }
    [[nodiscard]] Refused bad(const std::string& column, std::string hint) const
    {
        return Refusal { {},
            Error { "'" + cell(column) + "' is not accepted", m_table.place(m_row) + ", column " + column,
                std::move(hint) } };
    }
    [[nodiscard]] std::string cell(std::string_view name) const
    {
        const auto column = m_table.column(name);
        return column ? std::string(trimmed(m_row.cells[*column])) : std::string();
    }

    [[nodiscard]] std::string label() const
    {
        const std::string causal = cell("causal");
        std::string place = std::string(trimmed(cell("paper") + " " + cell("figure_or_table")));
        place += place.empty() ? "" : ": ";
        return place
            + fmt::format("{} on {}, {}, {}, head dim {}, {}, seqlen {}, batch {}, {} heads", cell("algorithm"),
                cell("gpu"), cell("pass"), cell("dtype"), cell("head_dim"),
                causal.starts_with('1') ? "causal" : "dense", cell("seqlen"), cell("batch"), cell("heads"));
    }

    Refused fill(PublishedResult& result)
    {
        if (Refused refused = isOurs(result))
            return refused;
        if (Refused refused = number(result))
            return refused;
        ScenarioFile file;
        m_file = &file;
        Refused refused = set("algorithm", result.presetAlgorithm);
        for (const auto step : { &RowReader::dtype, &RowReader::headDim, &RowReader::mask, &RowReader::lengths,
                 &RowReader::kvHeads, &RowReader::knobs })
            if (!refused)
                refused = (this->*step)();
        if (!refused)
            refused = set("gpu", result.presetGpu);
        if (!refused)
            refused = set("record", "none");
        if (!refused)
            refused = clock(result);
        if (!refused)
            result.scenario = std::move(file);
        return refused;
    }

    [[nodiscard]] Refused isOurs(const PublishedResult& result) const
    {
        if (result.pass == "bwd" || result.pass == "backward" || result.pass == "fwd+bwd")
            return because(result.pass == "fwd+bwd"
                    ? "its time includes the backward pass, which is not in this version"
                    : "the backward pass is not in this version");
        if (result.pass != "fwd" && result.pass != "forward")
            return because(
                result.pass.empty() ? "names no pass" : "the pass '" + result.pass + "' is not in this version");
        if (result.presetAlgorithm.empty() || result.presetGpu.empty()) {
            if (algorithmByName(cell("algorithm")).empty())
                return because("no preset does what '" + cell("algorithm") + "' does");
            if (gpuByName(cell("gpu")).empty())
                return because("no preset stands for the GPU '" + cell("gpu") + "'");
            return because("the file names no preset for it");
        }
        if (findAlgorithm(result.presetAlgorithm, "forward") == nullptr)
            return because("no algorithm '" + result.presetAlgorithm + "' in this version");
        if (findGpu(result.presetGpu) == nullptr)
            return because("no GPU '" + result.presetGpu + "' in this version");
        const std::string note = lower(cell("note"));
        for (const char* other : { "window", "dropout", "padding mask" })
            if (note.find(other) != std::string::npos)
                return because(
                    std::string("with ") + (other[0] == 'w' ? "a sliding window" : "dropout or a mask of its own"));
        return std::nullopt;
    }

    Refused number(PublishedResult& result) const
    {
        constexpr std::array<std::pair<std::string_view, PublishedUnit>, 8> units {
            { { "TFLOPS", PublishedUnit::Tflops }, { "TFLOPs", PublishedUnit::Tflops },
                { "TFLOP/s", PublishedUnit::Tflops }, { "TFLOPs/s", PublishedUnit::Tflops },
                { "s", PublishedUnit::Seconds }, { "ms", PublishedUnit::Milliseconds },
                { "us", PublishedUnit::Microseconds }, { "µs", PublishedUnit::Microseconds } }
        };
        const std::string unit = cell("unit");
        const auto* found
            = std::ranges::find(units, std::string_view(unit), &std::pair<std::string_view, PublishedUnit>::first);
        if (found == units.end())
            return because("'" + unit + "' is no rate or time of a kernel");
        result.unit = found->second;
        const std::string text = cell("tflops_or_value");
        if (const auto value = numberFrom<double>(text); value && *value > 0 && std::isfinite(*value)) {
            result.published = *value;
            return std::nullopt;
        }
        if (text == "OOM" || text.empty())
            return because(text.empty() ? "has no number" : "ran out of memory: there is no number");
        const std::size_t dash = text.find('-', 1);
        if (dash != std::string::npos && numberFrom<double>(text.substr(0, dash))
            && numberFrom<double>(text.substr(dash + 1)))
            return because("'" + text + "' is a range");
        return bad("tflops_or_value", "a number above 0, a range like 1.5-2.5, or OOM");
    }

    // ---- each column of the problem ---------------------------------------------------------------------------------

    Refused set(std::string_view key, std::string_view value)
    {
        if (const Status status = setOption(*m_file, key, value); !status)
            return Refusal { {},
                Error {
                    status.error().what, m_table.place(m_row) + ", " + status.error().where, status.error().hint } };
        return std::nullopt;
    }
    Refused set(std::string_view key, int value) { return set(key, std::to_string(value)); }

    // "bf16 (script default)", "fp16/bf16": the first one named.
    Refused dtype()
    {
        std::string first = lower(cell("dtype"));
        first = first.substr(0, first.find_first_of(" /,("));
        if (first == "fp8" || first == "fp8_e4m3")
            first = "e4m3";
        for (const char* known : { "fp32", "fp16", "bf16", "e4m3" })
            if (first == known)
                return set("dtype", first);
        return because(first.empty() ? "names no dtype" : "no kernel here takes " + cell("dtype"));
    }

    // "128"; "192/128", "192,128" or "(192, 128)": of Q and K, and of V.
    Refused headDim()
    {
        std::string text = cell("head_dim");
        if (text.empty())
            return because("names no head dimension");
        std::erase_if(text, [](char c) { return c == '(' || c == ')' || c == ' '; });
        const std::size_t cut = text.find_first_of("/,");
        const auto first = numberFrom<int>(text.substr(0, cut));
        const auto second = cut == std::string::npos ? first : numberFrom<int>(text.substr(cut + 1));
        if (!first || !second || *first < 1 || *second < 1)
            return bad("head_dim", "a whole number, or two like 192/128");
        m_headDimV = *second;
        Refused refused = set("head_dim", *first);
        return refused ? refused : set("head_dim_v", *second);
    }

    // "0?": not stated, and taken as dense.
    Refused mask()
    {
        const std::string text = cell("causal");
        if (text != "0" && text != "0?" && text != "1" && text != "1?" && !text.empty())
            return bad("causal", "0 or 1, with ? where it is a guess");
        return set("mask", text.starts_with('1') ? "causal" : "none");
    }

    // Sequence, batch and heads. Where batch or heads are not stated, those of the papers' figures: FlashAttention-1
    // has batch 16 and 8 heads, FlashAttention-2 and -3 have 16k tokens, FlashAttention-4 32k, all three a hidden size
    // of 2048.
    Refused lengths()
    {
        const std::string& algorithm = m_file->scenario.algorithm;
        const std::string length = cell("seqlen");
        if (length.empty())
            return because("names no sequence length");
        if (length.starts_with("varlen"))
            return because("sequences of varying length are not in this version");
        const auto seqlen = numberFrom<int>(length);
        if (!seqlen || *seqlen < 1)
            return bad("seqlen", "a whole number");
        const std::optional<int> batch = batchOf(cell("batch"), algorithm, *seqlen);
        if (!batch)
            return bad("batch", "a whole number, or tokens in all: 16k tokens");
        const std::string headsText = cell("heads");
        const auto heads = headsText.empty()
            ? std::optional(algorithm == "fa1" ? 8 : std::max(1, hiddenSize / m_headDimV))
            : numberFrom<int>(headsText);
        if (!heads || *heads < 1)
            return bad("heads", "a whole number");
        Refused refused = set("seqlen_q", *seqlen);
        for (const auto& [key, value] :
            { std::pair("seqlen_k", *seqlen), std::pair("batch", *batch), std::pair("heads", *heads) })
            if (!refused)
                refused = set(key, value);
        return refused;
    }

    static std::optional<int> batchOf(std::string text, const std::string& algorithm, int seqlen)
    {
        constexpr std::string_view unit = " tokens";
        if (text.empty() && algorithm == "fa1")
            return 16;
        if (text.empty())
            text = algorithm == "fa4" ? "32k tokens" : "16k tokens";
        if (!text.ends_with(unit)) {
            const auto batch = numberFrom<int>(text);
            return batch && *batch > 0 ? batch : std::nullopt;
        }
        text.erase(text.size() - unit.size());
        if (text.starts_with('~'))
            text.erase(0, 1);
        const bool kilo = text.ends_with('k');
        if (kilo)
            text.pop_back();
        const auto tokens = numberFrom<int>(text);
        if (!tokens || *tokens < 1 || *tokens > (1 << 20))
            return std::nullopt;
        return std::max(1, *tokens * (kilo ? 1024 : 1) / seqlen);
    }

    // Of its column, else of the note ("kv_heads=8"), else as many as query heads.
    Refused kvHeads()
    {
        std::string text = cell("kv_heads");
        if (text.empty()) {
            constexpr std::string_view key = "kv_heads=";
            const std::string note = cell("note");
            if (const std::size_t at = note.find(key); at != std::string::npos)
                text = note.substr(
                    at + key.size(), note.find_first_not_of("0123456789", at + key.size()) - at - key.size());
        }
        if (text.empty())
            return set("kv_heads", m_file->scenario.problem.heads);
        const auto heads = numberFrom<int>(text);
        if (!heads || *heads < 1)
            return bad("kv_heads", "a whole number");
        return set("kv_heads", *heads);
    }

    // What the computer behind the log ran at.
    Refused clock(const PublishedResult& result)
    {
        const double factor = clockFactorOf(result.machine);
        if (factor == 1)
            return std::nullopt;
        return set("what_if", fmt::format("clock-mhz={}", factor * findGpu(result.presetGpu)->clockMhz));
    }

    // "tile=192x128;two-cta=off": options and knobs alike.
    Refused knobs()
    {
        std::string text = m_table.column("knobs") ? cell("knobs")
                                                   : knobsByName(m_file->scenario.algorithm, cell("algorithm"),
                                                       cell("paper"), m_file->scenario.problem.headDim);
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find(';', begin), text.size());
            const std::string pair(trimmed(std::string_view(text).substr(begin, end - begin)));
            begin = end + 1;
            const std::size_t equals = pair.find('=');
            if (equals == 0 || equals == std::string::npos || equals + 1 == pair.size())
                return bad("knobs", "KEY=VALUE;KEY=VALUE of options and knobs");
            std::string key = pair.substr(0, equals);
            std::ranges::replace(key, '-', '_');
            const bool file = key == "q" || key == "k" || key == "v" || key == "break" || key == "what_if";
            Refused refused = findScenarioOption(key) != nullptr && !file ? set(key, pair.substr(equals + 1))
                                                                          : set("what_if", pair);
            if (refused)
                return refused;
        }
        // Kernels that pair CTAs do so without a mask only: of a causal row this names the version, not a pair.
        Scenario& s = m_file->scenario;
        if (s.algorithm == "fa4" && s.problem.mask.kind == MaskKind::Causal)
            std::erase(s.knobs, std::pair<std::string, std::string>("two-cta", "on"));
        if (const Status known = checkKnobs(m_file->scenario); !known)
            return because(known.error().what);
        return std::nullopt;
    }

    const CsvTableText& m_table;
    const CsvTableText::Row& m_row;
    ScenarioFile* m_file = nullptr;
    int m_headDimV = 0;
};

} // namespace

Result<PublishedResults> publishedResults(std::string_view csv, const std::string& where)
{
    Result<CsvTableText> table = parseCsv(csv, where);
    if (!table)
        return table.error();
    for (const char* needed : { "gpu", "algorithm", "pass", "dtype", "head_dim", "causal", "seqlen", "batch", "heads",
             "tflops_or_value", "unit" })
        if (!table->column(needed))
            return Error { std::string("there is no column '") + needed + "'", where + ":1",
                "the columns of published_results.csv" };
    PublishedResults results { std::move(*table), {} };
    for (std::size_t k = 0; k < results.table.rows.size(); ++k) {
        PublishedResult result;
        result.row = k;
        if (const Status read = RowReader(results.table, results.table.rows[k]).read(result); !read)
            return read.error();
        results.results.push_back(std::move(result));
    }
    return results;
}

double inUnit(PublishedUnit unit, double microseconds, double flops)
{
    switch (unit) {
    case PublishedUnit::Tflops:
        return flops / microseconds * 1e-6;
    case PublishedUnit::Seconds:
        return microseconds * 1e-6;
    case PublishedUnit::Milliseconds:
        return microseconds * 1e-3;
    case PublishedUnit::Microseconds:
        break;
    }
    return microseconds;
}

std::string_view name(PublishedUnit unit)
{
    constexpr std::array<std::string_view, 4> names { "TFLOP/s", "s", "ms", "us" };
    return names.at(static_cast<std::size_t>(unit));
}

} // namespace flashstep
