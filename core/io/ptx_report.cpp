// SPDX-License-Identifier: Apache-2.0
#include "core/io/ptx_report.h"

#include "core/io/npy_header.h"
#include "core/io/recording_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace flashstep {

namespace {

using ptx::BlockedWarp;
using ptx::Finding;
using ptx::Party;

const ptx::Code& codeOf(const PtxOutcome& outcome, std::uint32_t launch)
{
    return *outcome.run.codes[std::min<std::size_t>(launch, outcome.run.codes.size() - 1)];
}

Json orNull(bool known, Json value)
{
    return known ? std::move(value) : Json();
}

Json letterOf(const Finding& finding)
{
    const char letter = ptx::classOf(finding.fault);
    return orNull(letter != 0, std::string(1, letter));
}

// The fields that a finding and its other party share.
Json partyJson(const PtxOutcome& outcome, const Finding& finding, const Party& party)
{
    const CodePlace place = placeOf(codeOf(outcome, finding.launch), party.pc);
    Json out;
    out["kind"] = std::string(ptx::name(finding.fault));
    out["class"] = letterOf(finding);
    out["cuda_line"] = orNull(place.cudaLine != 0, place.cudaLine);
    out["ptx_line"] = orNull(place.ptxLine != 0, place.ptxLine);
    out["cta"] = party.cta;
    out["warp"] = party.warp;
    out["lane"] = orNull(party.lane >= 0, party.lane);
    out["address"] = orNull(finding.address != 0, finding.address);
    out["cuda_file"] = orNull(!place.cudaFile.empty(), place.cudaFile);
    return out;
}

Json findingJson(const PtxOutcome& outcome, const Finding& finding)
{
    Json out = partyJson(outcome, finding, finding.party);
    out["other"] = finding.other ? partyJson(outcome, finding, *finding.other) : Json();
    out["place"] = orNull(!finding.place.empty(), finding.place);
    out["launch"] = finding.launch;
    out["text"] = finding.text;
    return out;
}

Json deadlockJson(const PtxOutcome& outcome)
{
    if (outcome.run.deadlock.empty())
        return nullptr;
    Json list = Json::array();
    for (const BlockedWarp& blocked : outcome.run.deadlock) {
        const CodePlace place = placeOf(codeOf(outcome, outcome.run.stuckLaunch), blocked.pc);
        Json one;
        one["cta"] = blocked.cta;
        one["warp"] = blocked.warp;
        one["cuda_line"] = orNull(place.cudaLine != 0, place.cudaLine);
        one["ptx_line"] = orNull(place.ptxLine != 0, place.ptxLine);
        one["waiting_for"] = blocked.waitingFor;
        list.push_back(std::move(one));
    }
    return list;
}

Json outputsJson(const PtxOutcome& outcome)
{
    Json list = Json::array();
    for (const PtxOutcome::Output& output : outcome.outputs)
        list.push_back({ { "argument", output.argument }, { "file", output.file }, { "type", output.type },
            { "shape", output.shape } });
    return list;
}

Json launchesJson(const PtxOutcome& outcome)
{
    Json list = Json::array();
    for (std::size_t k = 0; k < outcome.run.launches.size(); ++k) {
        const ptx::Launch& launch = outcome.run.launches[k];
        list.push_back({ { "entry", outcome.run.codes[k]->function->name }, { "grid", launch.grid },
            { "block", launch.block }, { "shared_bytes", launch.dynamicShared } });
    }
    return list;
}

void addProblem(Json& out, const Problem& p)
{
    out["dtype"] = std::string(name(p.dtype));
    out["mask"] = p.mask.text();
    out["batch"] = p.batch;
    out["heads"] = p.heads;
    out["kv_heads"] = p.kvHeads;
    out["seqlen_q"] = p.seqlenQ;
    out["seqlen_k"] = p.seqlenK;
    out["head_dim"] = p.headDim;
    out["head_dim_v"] = p.headDimV;
    out["seed"] = p.seed;
}

// ---- for people ----

void line(std::string& out, const char* label, const std::string& text)
{
    out += fmt::format("  {:<12}{}\n", label, text);
}

std::string partyText(const PtxOutcome& outcome, const Finding& finding, const Party& party)
{
    std::string text = placeOf(codeOf(outcome, finding.launch), party.pc).text();
    text += fmt::format("; CTA {}, warp {}", party.cta, party.warp);
    if (party.lane >= 0)
        text += fmt::format(", lane {}", party.lane);
    return text;
}

std::string findingText(const PtxOutcome& outcome, const Finding& finding)
{
    const char letter = ptx::classOf(finding.fault);
    std::string text
        = fmt::format("\n{}{}\n", ptx::name(finding.fault), letter != 0 ? fmt::format(" (class {})", letter) : "");
    line(text, "what", finding.text);
    line(text, "where", partyText(outcome, finding, finding.party));
    if (finding.address != 0)
        line(text, "address", fmt::format("{:#x} = {}", finding.address, finding.place));
    if (finding.other)
        line(text, "other", partyText(outcome, finding, *finding.other));
    return text;
}

std::string deadlockText(const PtxOutcome& outcome)
{
    std::string text = "\ndeadlock\n";
    for (const BlockedWarp& blocked : outcome.run.deadlock)
        line(text, fmt::format("CTA {}", blocked.cta).c_str(),
            fmt::format("warp {} waits for {} ({})", blocked.warp, blocked.waitingFor,
                placeOf(codeOf(outcome, outcome.run.stuckLaunch), blocked.pc).text()));
    return text;
}

std::string sizes(const std::array<std::uint32_t, 3>& of)
{
    return fmt::format("{} x {} x {}", of[0], of[1], of[2]);
}

std::string problemText(const Problem& p)
{
    return fmt::format("batch {}, {} heads on {} of K and V, {} queries x {} keys, d {}, {}, mask {}", p.batch, p.heads,
        p.kvHeads, p.seqlenQ, p.seqlenK, p.headDim, name(p.dtype), p.mask.text());
}

std::string grouped(std::uint64_t number)
{
    return groupedNumber(static_cast<std::int64_t>(number));
}

std::string hazardLine(const PtxOutcome& outcome)
{
    const std::size_t count = outcome.run.findings.size();
    if (outcome.checked)
        return count == 0 ? "none" : fmt::format("{}, below", count);
    return fmt::format(
        "not looked for{}", count == 0 ? "" : fmt::format("; {} that the run came across by itself, below", count));
}

} // namespace

std::vector<PtxOutcome::Output> outputsOf(std::span<const PtxArgument> arguments)
{
    std::vector<PtxOutcome::Output> list;
    for (const PtxArgument& argument : arguments) {
        if (argument.kind == PtxArgument::Kind::Out)
            list.push_back({ argument.text, argument.out, std::string(name(argument.type)), argument.shape });
        else if (argument.writes())
            list.push_back({ argument.text, argument.out, argument.array.descr, argument.array.shape });
    }
    return list;
}

std::string CodePlace::text() const
{
    const std::string cuda
        = cudaLine == 0 ? "" : fmt::format("{}:{}, ", cudaFile.empty() ? "line" : cudaFile, cudaLine);
    return fmt::format("{}PTX line {}, {}", cuda, ptxLine, instruction);
}

CodePlace placeOf(const ptx::Code& code, std::uint32_t pc)
{
    CodePlace place;
    if (code.instructions.empty())
        return place;
    const bool atEnd = pc >= code.instructions.size();
    const ptx::Statement& statement
        = code.statementAt(atEnd ? static_cast<std::uint32_t>(code.instructions.size() - 1) : pc);
    place.ptxLine = statement.line;
    place.instruction = statement.text();
    if (statement.location < code.module->locations.size()) {
        const ptx::Location& location = code.module->locations[statement.location];
        place.cudaLine = location.line;
        if (location.file < code.module->files.size())
            place.cudaFile = code.module->files[location.file];
    }
    return place;
}

std::vector<const Finding*> sortedFindings(const PtxOutcome& outcome)
{
    std::vector<const Finding*> list;
    for (const Finding& finding : outcome.run.findings)
        list.push_back(&finding);
    const auto key = [](const Finding* f) {
        return std::tuple(f->launch, f->party.pc, f->fault, f->other ? f->other->pc + 1ULL : 0ULL, f->address);
    };
    std::stable_sort(list.begin(), list.end(), [&](const Finding* a, const Finding* b) { return key(a) < key(b); });
    return list;
}

Json ptxReportObject(const PtxOutcome& outcome)
{
    const ptx::KernelRun& run = outcome.run;
    Json out;
    out["kernel"] = outcome.kernel;
    out["file"] = outcome.file;
    out["gpu"] = outcome.gpu;
    if (outcome.problem)
        addProblem(out, *outcome.problem);
    out["launches"] = launchesJson(outcome);
    out["order_seed"] = outcome.orderSeed;
    out["instructions"] = run.instructions;
    out["warp_instructions"] = run.steps;
    out["cycles"] = run.cycles;
    out["checked"] = outcome.checked;
    out["hazards"] = run.findings.size();
    out["hazard_list"] = Json::array();
    for (const Finding* finding : sortedFindings(outcome))
        out["hazard_list"].push_back(findingJson(outcome, *finding));
    out["notes"] = Json::array(); // formal findings: this generation of instructions has none
    out["deadlock"] = deadlockJson(outcome);
    out["outputs"] = outputsJson(outcome);
    if (outcome.problem) {
        out["max_abs_error"] = outcome.maxAbsError ? jsonNumber(*outcome.maxAbsError) : Json();
        out["max_abs_error_lse"] = outcome.maxAbsErrorLse ? jsonNumber(*outcome.maxAbsErrorLse) : Json();
    }
    return out;
}

std::string ptxReportText(const PtxOutcome& outcome)
{
    const ptx::KernelRun& run = outcome.run;
    std::string out = fmt::format("{} of {}, on {}\n", outcome.kernel, outcome.file, outcome.gpuTitle);
    if (outcome.problem)
        line(out, "problem", problemText(*outcome.problem));
    for (std::size_t k = 0; k < run.launches.size(); ++k)
        line(out, "launch",
            fmt::format("{}: grid {}, block {}, {} bytes of dynamic shared memory", run.codes[k]->function->name,
                sizes(run.launches[k].grid), sizes(run.launches[k].block), grouped(run.launches[k].dynamicShared)));
    line(out, "executed",
        fmt::format("{} instructions of lanes, {} of warps", grouped(run.instructions), grouped(run.steps)));
    line(out, "modelled", fmt::format("{} cycles", grouped(static_cast<std::uint64_t>(run.cycles))));
    if (outcome.maxAbsError)
        line(out, "error",
            fmt::format("largest {:.3g}{} (against float64)", *outcome.maxAbsError,
                outcome.maxAbsErrorLse ? fmt::format(", LSE {:.3g}", *outcome.maxAbsErrorLse) : ""));
    for (const PtxOutcome::Output& output : outcome.outputs)
        line(out, "written", fmt::format("{} {} {}", output.file, output.type, npyShapeText(output.shape)));
    line(out, "hazards", hazardLine(outcome));
    for (const Finding* finding : sortedFindings(outcome))
        out += findingText(outcome, *finding);
    if (!run.deadlock.empty())
        out += deadlockText(outcome);
    return out;
}

} // namespace flashstep
