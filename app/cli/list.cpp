// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "app/cli/views.h"
#include "core/algorithms/registry.h"
#include "core/hardware/constants.h"
#include "core/io/clock_factors.h"
#include "core/io/json.h"
#include "core/io/ptx_shipped.h"
#include "core/io/spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

namespace flashstep::cli {

namespace {

struct Options {
    ProblemOptions problem;
    std::string what;
    bool json = false;
};

// What is listed: JSON for programs, and of each entry the columns that people get.
struct Listing {
    Json document;
    std::vector<std::string> columns;
};

std::string text(std::string_view view)
{
    return std::string(view);
}

Result<Listing> listAlgorithms(const Options&)
{
    Json list = Json::array();
    for (const Algorithm& a : algorithms()) {
        Json one;
        one["name"] = text(a.name);
        one["pass"] = text(a.pass);
        one["title"] = text(a.title);
        one["default_gpu"] = text(a.defaultGpu);
        one["revision"] = text(a.revision);
        one["source"] = text(a.source);
        one["file"] = text(a.file);
        list.push_back(std::move(one));
    }
    return Listing { { { "algorithms", list } }, { "name", "pass", "title", "default_gpu", "revision", "source" } };
}

Json figuresOf(const GpuSpec& gpu)
{
    Json figures = Json::array();
    for (const auto& [field, member] : gpuFigures()) {
        const Figure& figure = gpu.*member;
        Json one;
        one["name"] = text(field);
        one["value"] = jsonNumber(figure.value);
        one["unit"] = text(figure.unit);
        one["source"] = text(figure.source);
        one["confidence"] = text(name(figure.confidence));
        if (!figure.note.empty())
            one["note"] = text(figure.note);
        figures.push_back(std::move(one));
    }
    return figures;
}

Result<Listing> listGpus(const Options&)
{
    Json list = Json::array();
    for (const GpuSpec& gpu : gpuSpecs()) {
        Json one;
        one["name"] = text(gpu.name);
        one["title"] = text(gpu.title);
        one["compute_capability"] = gpu.computeCapability;
        one["sms"] = jsonNumber(gpu.sms);
        one["clock_mhz"] = jsonNumber(gpu.clockMhz);
        one["source"] = text(gpu.sms.source);
        one["figures"] = figuresOf(gpu);
        list.push_back(std::move(one));
    }
    return Listing { { { "gpus", list } }, { "name", "title", "sms", "clock_mhz", "source" } };
}

// The schedule's knobs are the kernel's own choice, but for what is switched on by hand.
Json scheduleDefault(const Knob& knob)
{
    constexpr std::array<std::pair<std::string_view, double>, 4> numbers { { { "rescale-threshold", 8 },
        { "exp2-degree", 3 }, { "assumed-rescale-rate", 0.1 }, { "fp8-offset", 8 } } };
    for (const auto& [key, number] : numbers)
        if (key == knob.key)
            return jsonNumber(number);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> words { { { "swizzle", "on" },
        { "causal-alignment", "bottom-right" }, { "empty-row-lse", "minus-inf" }, { "fa1-form", "shipped" },
        { "jitter-seed", "0" } } };
    for (const auto& [key, word] : words)
        if (key == knob.key)
            return knob.words.empty() ? Json(0) : Json(text(word));
    return "kernel";
}

// The machine's knobs start from the figure they replace. Some have names of their own.
Json knobDefault(const Knob& knob, const GpuSpec& gpu)
{
    const std::string_view key = knob.key;
    if (knob.unit.empty() || knob.unit == "log2")
        return scheduleDefault(knob);
    constexpr std::array<std::pair<std::string_view, Figure GpuSpec::*>, 3> renamed {
        { { "tensor-rate", &GpuSpec::tensorFlopsPerClk }, { "mufu-rate", &GpuSpec::mufuPerClk },
            { "smem-kib", &GpuSpec::smemPerSmKib } }
    };
    for (const auto& [name, member] : renamed)
        if (name == key)
            return jsonNumber((gpu.*member).value);
    const Figure* figure = figureOf(gpu, key);
    return figure != nullptr && !figure->absent() ? jsonNumber(figure->value) : Json();
}

Result<Listing> listKnobs(const Options& options)
{
    const Result<Stated> stated = stateProblem(options.problem);
    if (!stated)
        return stated.error();
    const GpuSpec* gpu = findGpu(stated->prepared.scenario.gpu);
    Json list = Json::array();
    for (const Knob& knob : knobs()) {
        Json one;
        one["name"] = text(knob.key);
        one["key"] = text(knob.key);
        one["range"] = text(knob.accepts);
        if (!knob.words.empty()) {
            one["words"] = Json::array();
            for (const std::string_view word : knob.words)
                one["words"].push_back(text(word));
        }
        one["default"] = gpu != nullptr ? knobDefault(knob, *gpu) : Json();
        one["unit"] = text(knob.unit);
        one["help"] = text(knob.help);
        one["source"] = text(knob.source);
        one["algorithms"] = Json::array();
        for (const std::string_view algorithm : knob.algorithms)
            one["algorithms"].push_back(text(algorithm));
        list.push_back(std::move(one));
    }
    return Listing { { { "knobs", list } }, { "key", "range", "default", "unit", "help", "source" } };
}

Result<Listing> listConstants(const Options&)
{
    Json list = Json::array();
    for (const Constant& constant : fittedConstants()) {
        Json one;
        one["name"] = constant.name;
        one["value"] = jsonNumber(constant.value);
        one["unit"] = text(constant.unit);
        one["prior"] = jsonNumber(constant.prior);
        one["low"] = jsonNumber(constant.low);
        one["high"] = jsonNumber(constant.high);
        one["applies_to"] = Json::array();
        for (const std::string_view gpu : constant.appliesTo)
            one["applies_to"].push_back(text(gpu));
        one["reason"] = text(constant.reason);
        one["prior_reason"] = text(constant.priorReason);
        one["fitted_to"] = text(constant.fittedTo);
        list.push_back(std::move(one));
    }
    Json factors = Json::array();
    for (const ClockFactor& factor : clockFactors())
        factors.push_back({ { "machine", text(factor.machine) }, { "factor", factor.factor },
            { "reason", text(factor.reason) }, { "fitted_to", text(factor.fittedTo) } });
    return Listing { { { "constants", list }, { "clock_factors", factors } },
        { "name", "value", "unit", "prior", "low", "high", "applies_to", "reason", "fitted_to" } };
}

Result<Listing> listFormats(const Options&)
{
    Json list = Json::array();
    for (const ExportFormat& format : exportFormats()) {
        Json one;
        one["name"] = text(format.name);
        one["views"] = format.hasViews;
        one["available"] = checkHere(format).ok();
        one["what"] = text(format.what);
        one["source"] = text(format.source);
        list.push_back(std::move(one));
    }
    return Listing { { { "formats", list } }, { "name", "what", "source" } };
}

Result<Listing> listViews(const Options&)
{
    Json list = Json::array();
    for (const View& view : views()) {
        Json one;
        one["name"] = text(view.name);
        one["what"] = text(view.what);
        one["picture"] = view.picture;
        one["window"] = view.inWindow;
        one["source"] = "FlashStep";
        list.push_back(std::move(one));
    }
    return Listing { { { "views", list } }, { "name", "what" } };
}

// Names of the roles that have an op for which `matches` holds, in order.
template <typename Matches> std::vector<std::string> rolesWith(const Program& program, Matches matches)
{
    std::vector<bool> found(program.roles.size());
    for (const Op& op : program.ops)
        if (matches(op))
            found[op.role.index()] = true;
    std::vector<std::string> names;
    for (std::size_t k = 0; k < found.size(); ++k)
        if (found[k])
            names.push_back(program.roles[k].name);
    return names;
}

Json sourcesOf(const Program& program, OpKind kind)
{
    std::vector<std::uint32_t> lines;
    for (const Op& op : program.ops)
        if (op.kind == kind && std::find(lines.begin(), lines.end(), op.line) == lines.end())
            lines.push_back(op.line);
    std::sort(lines.begin(), lines.end());
    Json list = Json::array();
    for (const std::uint32_t line : lines)
        list.push_back(program.sourceOf(line));
    return list;
}

std::string firstOf(const Json& list)
{
    return list.empty() ? std::string() : list.front().get<std::string>();
}

Result<Listing> listOps(const Options& options)
{
    const Result<Stated> stated = stateProblem(options.problem);
    if (!stated)
        return stated.error();
    const Program& program = *stated->prepared.program;
    Json list = Json::array();
    for (std::size_t k = 0; k < opKindCount; ++k) {
        const auto kind = static_cast<OpKind>(k);
        const auto matches = [&](const Op& op) { return op.kind == kind; };
        const auto uses = std::count_if(program.ops.begin(), program.ops.end(), matches);
        if (uses == 0)
            continue;
        const std::optional<Engine> engine = engineOf(kind);
        Json one;
        one["name"] = text(name(kind));
        one["engine"] = engine ? Json(text(name(*engine))) : Json();
        one["roles"] = rolesWith(program, matches);
        one["uses"] = uses;
        one["sources"] = sourcesOf(program, kind);
        one["source"] = firstOf(one["sources"]);
        list.push_back(std::move(one));
    }
    return Listing { { { "ops", list } }, { "name", "engine", "uses", "source" } };
}

Result<Listing> listWaits(const Options& options)
{
    // Broken waits are listed like the others: the list is of the algorithm.
    const Result<Stated> stated = stateProblem(options.problem);
    if (!stated)
        return stated.error();
    const Program& program = *stated->prepared.program;
    Json waits = Json::array();
    for (const WaitDecl& wait : program.waits) {
        Json one;
        one["name"] = wait.name;
        one["role"] = wait.roles;
        one["barrier"] = wait.barrier.empty() ? Json() : Json(wait.barrier);
        one["source"] = program.sourceOf(wait.line);
        one["implied_by"] = wait.impliedBy;
        one["reason"] = wait.reason;
        waits.push_back(std::move(one));
    }
    Json barriers = Json::array();
    std::set<std::string> families; // a ring's slots have a barrier each
    for (const BarrierDecl& barrier : program.barriers)
        if (families.insert(barrier.family).second)
            barriers.push_back({ { "name", barrier.family }, { "unit", barrier.unit }, { "count", barrier.count } });
    return Listing { { { "waits", waits }, { "barriers", barriers } },
        { "name", "role", "barrier", "source", "reason" } };
}

Result<Listing> listKernels(const Options&)
{
    Json list = Json::array();
    for (const cuda::KernelPlan* kernel : shippedKernels()) {
        Json one;
        one["name"] = kernel->name;
        one["file"] = kernel->file;
        one["target"] = kernel->target;
        one["head_dim"] = kernel->headDim;
        one["dtype"] = cuda::name(kernel->dtype);
        one["algorithm"] = kernel->algorithm;
        one["pass"] = kernel->pass;
        one["tile"] = fmt::format("{}x{}", kernel->rows, kernel->keys);
        one["entries"] = entriesOf(*kernel);
        one["ptx"] = ptxFileOf(*kernel);
        one["source"] = kernel->file;
        list.push_back(std::move(one));
    }
    return Listing { { { "kernels", list } }, { "name", "file", "target", "head_dim", "dtype", "tile", "entries" } };
}

struct Entry {
    std::string_view what;
    Result<Listing> (*make)(const Options&);
};
constexpr std::array entries { Entry { "algorithms", listAlgorithms }, Entry { "gpus", listGpus },
    Entry { "knobs", listKnobs }, Entry { "formats", listFormats }, Entry { "views", listViews },
    Entry { "ops", listOps }, Entry { "waits", listWaits }, Entry { "constants", listConstants },
    Entry { "kernels", listKernels } };

std::string cell(const Json& entry, const std::string& column)
{
    const auto found = entry.find(column);
    if (found == entry.end() || found->is_null())
        return "-";
    if (found->is_string())
        return found->get<std::string>();
    if (found->is_array()) { // of words
        std::string words;
        for (const Json& word : *found)
            words += (words.empty() ? "" : ", ") + word.get<std::string>();
        return words;
    }
    return found->is_number_float() ? numberText(found->get<double>()) : found->dump();
}

// Length in characters, not bytes.
std::size_t width(const std::string& utf8)
{
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string table(const Json& list, const std::vector<std::string>& columns)
{
    std::vector<std::size_t> widths(columns.size());
    for (const Json& entry : list)
        for (std::size_t k = 0; k < columns.size(); ++k)
            widths[k] = std::max({ widths[k], width(cell(entry, columns[k])), columns[k].size() });
    std::string out;
    const auto row = [&](auto textOf) {
        std::string line;
        for (std::size_t k = 0; k < columns.size(); ++k) {
            const std::string value = textOf(columns[k]);
            line += value;
            if (k + 1 < columns.size())
                line.append(widths[k] - width(value) + 2, ' ');
        }
        out += line + '\n';
    };
    row([](const std::string& column) { return column; });
    for (const Json& entry : list)
        row([&](const std::string& column) { return cell(entry, column); });
    return out;
}

int perform(const Options& options)
{
    const auto entry
        = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.what == options.what; });
    if (entry == entries.end())
        return fail(Error { "there is no list of '" + options.what + "'", "list",
            "algorithms, gpus, knobs, formats, views, ops, waits, constants or kernels" });
    const Result<Listing> listing = entry->make(options);
    if (!listing)
        return fail(listing.error());
    return print(options.json ? jsonText(listing->document) : table(*listing->document.begin(), listing->columns));
}

} // namespace

Command addList(CLI::App& app)
{
    CLI::App* parser = app.add_subcommand(
        "list", "what there is: algorithms, gpus, knobs, formats, views, ops, waits, constants, kernels");
    const auto options = std::make_shared<Options>();
    parser
        ->add_option("what", options->what, "algorithms, gpus, knobs, formats, views, ops, waits, constants or kernels")
        ->required();
    addProblemOptions(*parser, options->problem);
    parser->add_flag("--json", options->json, "as JSON");
    return { parser, [options] { return perform(*options); } };
}

} // namespace flashstep::cli
