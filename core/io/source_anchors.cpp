// SPDX-License-Identifier: Apache-2.0
#include "core/io/source_anchors.h"

#include "core/cuda/launch.h"
#include "core/io/json.h"
#include "resources/embedded/resources.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace flashstep {

namespace {

std::vector<std::string_view> split(std::string_view text, char at)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(at);
        if (end != 0 || at != ' ')
            parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> wordsOf(const Json& list)
{
    std::vector<std::string> words;
    for (const Json& word : list)
        if (word.is_string())
            words.push_back(word.get<std::string>());
    return words;
}

// A paper's algorithm is a table by itself: number, our words, and what it stands for (its own number by default).
Result<AnchoredText> paperText(std::string_view bytes, const std::string& file)
{
    const Json json = Json::parse(bytes, nullptr, false);
    if (!json.is_object() || !json.contains("lines") || !json["lines"].is_array())
        return Error { "the lines of the algorithm are damaged", file, "" };
    AnchoredText out { SourceText::Paper, file, json.value("title", ""), json.value("note", ""), {}, {} };
    for (const Json& line : json["lines"]) {
        AnchoredLine made { line.value("text", ""), line.value("line", ""), {} };
        if (line.contains("ops"))
            made.ops = wordsOf(line["ops"]);
        else if (!made.number.empty())
            made.ops.push_back("* paper=" + made.number);
        out.lines.push_back(std::move(made));
    }
    return out;
}

// The kernel of a version, where there is one: its launch data name the file.
Result<std::optional<AnchoredText>> kernelText(std::string_view algorithm, std::string_view pass)
{
    for (const cuda::KernelPlan& kernel : cuda::kernelPlans()) {
        if (kernel.algorithm != algorithm || kernel.pass != pass)
            continue;
        const auto bytes = resource("source/" + std::string(kernel.file));
        if (!bytes)
            return std::optional<AnchoredText>();
        AnchoredText made = anchorKernel(*bytes);
        made.file = kernel.file;
        made.title = "the CUDA kernel";
        made.language = "C++";
        if (algorithm == "fa1")
            made.note = "This kernel goes by the paper's loop: the schedule of fa1-form=paper.";
        return std::optional(std::move(made));
    }
    return std::optional<AnchoredText>();
}

} // namespace

AnchoredText anchorKernel(std::string_view text)
{
    constexpr std::string_view mark = "//: ";
    AnchoredText out;
    out.kind = SourceText::Cuda;
    for (const std::string_view line : split(text, '\n')) {
        AnchoredLine made { std::string(line), {}, {} };
        // Behind code; a comment that speaks of anchors is not one.
        const std::size_t at = line.find(mark);
        if (at != std::string_view::npos && line.substr(0, at).find("//") == std::string_view::npos
            && !trimmed(line.substr(0, at)).empty())
            made.ops.emplace_back(trimmed(line.substr(at + mark.size())));
        out.lines.push_back(std::move(made));
    }
    while (!out.lines.empty() && out.lines.back().text.empty())
        out.lines.pop_back();
    return out;
}

std::string_view name(SourceText text)
{
    constexpr std::array<std::string_view, sourceTextCount> names { "schedule", "paper", "CUDA", "NumPy" };
    return names[static_cast<std::size_t>(text)];
}

Result<AnchoredText> anchorLines(SourceText kind, std::string_view text, std::string_view table)
{
    AnchoredText out;
    out.kind = kind;
    for (const std::string_view line : split(text, '\n'))
        out.lines.push_back({ std::string(line), {}, {} });
    while (!out.lines.empty() && out.lines.back().text.empty())
        out.lines.pop_back();
    const Json list = Json::parse(table, nullptr, false);
    if (!list.is_array())
        return Error { "the table of its lines is damaged", "anchors", "a list of {line, ops}" };
    for (const Json& entry : list) {
        const std::string wanted = entry.value("line", "");
        AnchoredLine* found = nullptr;
        for (AnchoredLine& line : out.lines) {
            if (!trimmed(line.text).starts_with(wanted) || wanted.empty())
                continue;
            if (found != nullptr)
                return Error { "two lines begin with '" + wanted + "'", "anchors", "more of the line" };
            found = &line;
        }
        if (found == nullptr)
            return Error { "no line begins with '" + wanted + "'", "anchors", "the beginning of one line" };
        for (std::string& pattern : wordsOf(entry.value("ops", Json::array())))
            found->ops.push_back(std::move(pattern));
    }
    return out;
}

Result<std::optional<AnchoredText>> anchoredText(SourceText kind, std::string_view algorithm, std::string_view pass)
{
    const std::string base = std::string(algorithm) + "_" + std::string(pass);
    if (kind == SourceText::Schedule)
        return std::optional<AnchoredText>();
    if (kind == SourceText::Paper) {
        const std::string path = "paper/" + base + ".json";
        const auto bytes = resource(path);
        if (!bytes)
            return std::optional<AnchoredText>();
        Result<AnchoredText> made = paperText(*bytes, "resources/" + path);
        if (!made)
            return made.error();
        return std::optional(std::move(*made));
    }
    if (kind == SourceText::Cuda)
        return kernelText(algorithm, pass);
    const std::string file = base + ".py";
    const auto bytes = resource("reference/" + file);
    if (!bytes)
        return std::optional<AnchoredText>();
    const auto tables = resource("reference/anchors.json");
    const Json all = tables ? Json::parse(*tables, nullptr, false) : Json::object();
    if (!all.is_object())
        return Error { "the table of its lines is damaged", "resources/reference/anchors.json", "" };
    Result<AnchoredText> made = anchorLines(kind, *bytes, all.value(file, Json::array()).dump());
    if (!made)
        return Error { made.error().what, "resources/reference/" + file, made.error().hint };
    made->file = "resources/reference/" + file;
    made->title = "plain NumPy";
    made->language = "Python";
    return std::optional(std::move(*made));
}

bool LineMap::Pattern::matches(const Op& op) const
{
    const auto bit = [](BufferId buffer) { return buffer.valid() ? buffer.index() : std::size_t { 256 }; };
    if (kind && op.kind != *kind)
        return false;
    if (out && !out->test(bit(op.out)))
        return false;
    if (in && std::none_of(op.in.begin(), op.in.end(), [&](BufferId each) { return in->test(bit(each)); }))
        return false;
    if (tensors && !tensors->test(static_cast<std::size_t>(op.tensor)))
        return false;
    if (papers && (op.paperLine == 0 || op.paperLine > 255 || !papers->test(op.paperLine)))
        return false;
    if (roles && !roles->test(op.role.index()))
        return false;
    if (waits && !waits->test(op.wait.valid() ? op.wait.index() : 256))
        return false;
    return !first || (op.n <= 1) == *first;
}

Result<LineMap> LineMap::make(const AnchoredText& text, const Program& program)
{
    LineMap map;
    map.m_anchored.assign(text.lines.size() + 1, false);
    for (std::size_t k = 0; k < text.lines.size(); ++k)
        for (const std::string& written : text.lines[k].ops) {
            const auto bad = [&](const std::string& what) { return Error { what, text.file, "'" + written + "'" }; };
            Pattern pattern;
            pattern.line = static_cast<int>(k) + 1;
            pattern.text = written;
            const std::vector<std::string_view> words = split(written, ' ');
            if (words.empty())
                return bad("an empty pattern");
            if (words.front() != "*") {
                pattern.kind = opKindFromName(words.front());
                if (!pattern.kind)
                    return bad("there is no op '" + std::string(words.front()) + "'");
            }
            for (std::size_t w = 1; w < words.size(); ++w) {
                const std::size_t equals = words[w].find('=');
                if (equals == std::string_view::npos)
                    return bad("'" + std::string(words[w]) + "' is no condition");
                const std::string_view key = words[w].substr(0, equals);
                const std::vector<std::string_view> values = split(words[w].substr(equals + 1), '|');
                const auto has = [&](std::string_view value) {
                    return std::find(values.begin(), values.end(), value) != values.end();
                };
                if (key == "out" || key == "in") {
                    auto& buffers = (key == "out" ? pattern.out : pattern.in).emplace();
                    for (std::size_t b = 0; b < program.buffers.size(); ++b)
                        buffers.set(b, has(program.buffers[b].family));
                    buffers.set(256, has("none"));
                } else if (key == "tensor") {
                    auto& tensors = pattern.tensors.emplace();
                    for (int t = 0; t <= static_cast<int>(TensorId::None); ++t)
                        tensors.set(static_cast<std::size_t>(t), has(flashstep::name(static_cast<TensorId>(t))));
                } else if (key == "paper") {
                    auto& papers = pattern.papers.emplace();
                    for (const std::string_view value : values) {
                        unsigned line = 0;
                        const auto read = std::from_chars(value.data(), value.data() + value.size(), line);
                        if (read.ec != std::errc() || line == 0 || line > 255)
                            return bad("a line of the paper is a number up to 255");
                        papers.set(line);
                    }
                } else if (key == "role") {
                    auto& roles = pattern.roles.emplace();
                    for (std::size_t r = 0; r < program.roles.size(); ++r)
                        roles.set(r, std::any_of(values.begin(), values.end(), [&](std::string_view value) {
                            return program.roles[r].name.starts_with(value);
                        }));
                } else if (key == "name") {
                    auto& waits = pattern.waits.emplace();
                    for (std::size_t w2 = 0; w2 < std::min<std::size_t>(program.waits.size(), 256); ++w2)
                        waits.set(w2, has(program.waits[w2].name));
                } else if (key == "n" && (has("first") || has("later"))) {
                    pattern.first = has("first");
                } else {
                    return bad("there is no condition '" + std::string(words[w]) + "'");
                }
            }
            map.m_patterns.push_back(std::move(pattern));
            map.m_anchored[k + 1] = true;
        }
    // What says more goes first: the order of the lines is the text's, not the patterns'.
    std::stable_sort(map.m_patterns.begin(), map.m_patterns.end(), [](const Pattern& a, const Pattern& b) {
        const auto conditions = [](const Pattern& p) {
            return (p.kind ? 1 : 0) + (p.out ? 1 : 0) + (p.in ? 1 : 0) + (p.tensors ? 1 : 0) + (p.papers ? 1 : 0)
                + (p.roles ? 1 : 0) + (p.first ? 1 : 0) + (p.waits ? 1 : 0);
        };
        return conditions(a) > conditions(b);
    });
    return map;
}

int LineMap::lineOf(const Op& op) const
{
    for (const Pattern& pattern : m_patterns)
        if (pattern.matches(op))
            return pattern.line;
    return 0;
}

LineMap::Place LineMap::placeOf(const Program& program, const RoleRange& role, OpId op) const
{
    for (std::size_t k = op.index();; --k) {
        if (const int line = lineOf(program.ops[k]); line > 0)
            return { line, k == op.index() };
        if (k == role.first)
            return {};
    }
}

bool LineMap::anchored(int line) const
{
    return line > 0 && line < static_cast<int>(m_anchored.size()) && m_anchored[static_cast<std::size_t>(line)];
}

std::vector<LineMap::Use> LineMap::uses(const Program& program) const
{
    std::vector<Use> list;
    for (const Pattern& pattern : m_patterns)
        list.push_back({ pattern.line, pattern.text, 0 });
    for (const Op& op : program.ops)
        for (std::size_t k = 0; k < m_patterns.size(); ++k)
            if (m_patterns[k].matches(op)) {
                ++list[k].ops;
                break;
            }
    return list;
}

} // namespace flashstep
