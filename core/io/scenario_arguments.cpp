// SPDX-License-Identifier: Apache-2.0
#include "core/io/scenario_arguments.h"

#include <algorithm>
#include <array>

namespace flashstep {

namespace {

bool fromFiles(const ScenarioFile& file)
{
    return !file.scenario.qFile.empty();
}

// As the option takes it; empty: not stated, and then nothing can be said for it.
std::string valueOf(const ScenarioFile& file, std::string_view key)
{
    const Scenario& s = file.scenario;
    const Problem& p = s.problem;
    const std::vector<std::pair<std::string_view, std::string>> values { { "algorithm", s.algorithm },
        { "pass", s.pass }, { "gpu", s.gpu }, { "dtype", std::string(name(p.dtype)) },
        { "batch", std::to_string(p.batch) }, { "heads", std::to_string(p.heads) },
        { "kv_heads", std::to_string(p.kvHeads) }, { "seqlen_q", std::to_string(p.seqlenQ) },
        { "seqlen_k", std::to_string(p.seqlenK) }, { "head_dim", std::to_string(p.headDim) },
        { "head_dim_v", std::to_string(p.headDimV) }, { "mask", p.mask.text() },
        { "tile", s.tile ? s.tile->text() : "" }, { "cost_tile", s.costTile ? s.costTile->text() : "" },
        { "stages", s.stages ? std::to_string(*s.stages) : "" }, { "q", s.qFile }, { "k", s.kFile }, { "v", s.vFile },
        { "init", std::string(name(p.init)) }, { "seed", std::to_string(p.seed) },
        { "record", s.record.kind == Record::Kind::Automatic ? "" : s.record.text() } };
    const auto found
        = std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.first == key; });
    return found == values.end() ? std::string() : found->second;
}

bool isSize(std::string_view key)
{
    constexpr std::array<std::string_view, 7> sizes { "batch", "heads", "kv_heads", "seqlen_q", "seqlen_k", "head_dim",
        "head_dim_v" };
    return std::find(sizes.begin(), sizes.end(), key) != sizes.end();
}

bool follows(std::string_view key) // from another size, unless it is given
{
    return key == "kv_heads" || key == "seqlen_k" || key == "head_dim_v";
}

// Collects options while it applies them to what there is already.
class Statement {
public:
    explicit Statement(ScenarioFile base)
        : m_file(std::move(base))
    {
    }

    void say(std::string_view key, const std::string& value)
    {
        std::string option = "--" + std::string(key);
        std::replace(option.begin(), option.end(), '_', '-');
        m_whole = m_whole && setOption(m_file, key, value).ok();
        m_arguments.push_back(std::move(option));
        m_arguments.push_back(value);
    }
    void sayWhatDiffers(const ScenarioFile& wanted, std::string_view key)
    {
        if (const std::string value = valueOf(wanted, key); !value.empty() && value != valueOf(m_file, key))
            say(key, value);
    }
    // Sizes of generated tensors, as the reader of the options will fill them in.
    void fill()
    {
        if (!fromFiles(m_file))
            m_whole = loadInputs(m_file).ok() && m_whole;
    }

    [[nodiscard]] const ScenarioFile& file() const { return m_file; }
    [[nodiscard]] bool whole() const { return m_whole; }
    [[nodiscard]] std::vector<std::string> take() { return std::move(m_arguments); }

private:
    ScenarioFile m_file;
    std::vector<std::string> m_arguments;
    bool m_whole = true;
};

void sayKnobs(Statement& statement, const ScenarioFile& wanted)
{
    for (const auto& knob : wanted.scenario.knobs) {
        const auto& there = statement.file().scenario.knobs;
        if (std::find(there.begin(), there.end(), knob) == there.end())
            statement.say("what_if", knob.first + "=" + knob.second);
    }
}

void sayBreaks(Statement& statement, const ScenarioFile& wanted)
{
    const std::size_t there = statement.file().scenario.breaks.size();
    for (std::size_t k = there; k < wanted.scenario.breaks.size(); ++k)
        statement.say("break", wanted.scenario.breaks[k]);
}

// What a run depends on, in one order.
std::string essence(ScenarioFile file)
{
    file.compare.clear();
    file.view.clear();
    file.bookmarks.clear();
    file.breakpoints.clear();
    auto& set = file.scenario.knobs;
    std::sort(set.begin(), set.end());
    return scenarioText(file, "");
}

// Sizes come from the tensors then; one that stands in the base must not contradict them.
bool sizesAgree(const ScenarioFile& wanted, const ScenarioFile& base)
{
    if (!fromFiles(wanted))
        return true;
    const auto all = scenarioOptions();
    return std::all_of(all.begin(), all.end(), [&](const ScenarioOption& option) {
        return !isSize(option.key) || !base.has(option.key) || valueOf(base, option.key) == valueOf(wanted, option.key);
    });
}

} // namespace

std::optional<std::vector<std::string>> scenarioArguments(const ScenarioFile& wanted, const ScenarioFile& base)
{
    Statement statement(base);
    const bool files = fromFiles(wanted);
    for (const ScenarioOption& option : scenarioOptions())
        if (!option.repeats && !follows(option.key) && !(files && isSize(option.key)))
            statement.sayWhatDiffers(wanted, option.key);
    statement.fill();
    for (const ScenarioOption& option : scenarioOptions())
        if (!files && follows(option.key))
            statement.sayWhatDiffers(wanted, option.key);
    sayKnobs(statement, wanted);
    sayBreaks(statement, wanted);
    if (!statement.whole() || !sizesAgree(wanted, base) || essence(statement.file()) != essence(wanted))
        return std::nullopt;
    return statement.take();
}

std::vector<std::string> scenarioArguments(const ScenarioFile& wanted)
{
    return scenarioArguments(wanted, ScenarioFile {}).value_or(std::vector<std::string> {});
}

} // namespace flashstep
