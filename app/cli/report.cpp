// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/report.h"

#include "core/algorithms/registry.h"
#include "core/base/version.h"
#include "core/emulation/guess_effects.h"
#include "core/hardware/guesses.h"
#include "core/io/files.h"
#include "core/io/json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace flashstep::cli {

namespace {

Json orNull(const std::optional<double>& value)
{
    return value ? jsonNumber(*value) : Json();
}

// Whole numbers without a fraction, however large.
Json count(double value)
{
    if (std::isfinite(value) && std::abs(value) < 9e15 && value == std::floor(value))
        return static_cast<std::int64_t>(value);
    return jsonNumber(value);
}

Json knobValue(const std::string& text)
{
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool isNumber = error == std::errc() && end == text.data() + text.size();
    return isNumber ? count(number) : Json(text);
}

void addProblem(Json& out, const Run& run)
{
    const Scenario& s = run.scenario;
    const Problem& p = run.program->problem;
    out["algorithm"] = s.algorithm;
    out["pass"] = s.pass;
    out["gpu"] = s.gpu;
    out["dtype"] = std::string(name(p.dtype));
    out["costed_dtype"] = std::string(name(p.costedDtype()));
    out["mask"] = p.mask.text();
    out["batch"] = p.batch;
    out["heads"] = p.heads;
    out["kv_heads"] = p.kvHeads;
    out["seqlen_q"] = p.seqlenQ;
    out["seqlen_k"] = p.seqlenK;
    out["head_dim"] = p.headDim;
    out["head_dim_v"] = p.headDimV;
    out["tile"] = run.program->tile.text();
    out["cost_tile"] = run.program->costTile.text();
    out["stages"] = run.program->stages;
    out["seed"] = p.seed;
    out["knobs"] = Json::object();
    for (const auto& [key, value] : s.knobs)
        out["knobs"][key] = knobValue(value);
}

std::vector<GuessEffect> effectsOfGuesses(const Run& run)
{
    if (!run.trace->deadlock().empty()) // it has no time of its own
        return {};
    if (!run.report.guessEffects.empty())
        return run.report.guessEffects;
    const Result<std::vector<GuessEffect>> effects = guessEffects(run.scenario, {});
    return effects ? *effects : std::vector<GuessEffect>();
}

void addGuessEffects(Json& out, const Run& run)
{
    out["guess_effects"] = Json::array(); // of one that is 10 % smaller, or larger, on the time
    for (const GuessEffect& effect : effectsOfGuesses(run))
        out["guess_effects"].push_back(
            { { "figure", std::string(effect.field) }, { "value", jsonNumber(effect.figure.value) },
                { "unit", std::string(effect.figure.unit) }, { "smaller_percent", jsonNumber(effect.smallerPercent) },
                { "larger_percent", jsonNumber(effect.largerPercent) } });
}

void addTimes(Json& out, const Run& run)
{
    const Report& r = run.report;
    out["cycles"] = r.cycles;
    out["clock_mhz"] = jsonNumber(r.clockMhz);
    out["microseconds"] = jsonNumber(r.microseconds);
    out["tflops"] = orNull(r.tflops);
    const Utilisation& u = r.utilisation;
    out["utilisation"]
        = { { "tensor", jsonNumber(u.tensor) }, { "exp", jsonNumber(u.exp) }, { "issue", jsonNumber(u.issue) },
              { "smem", jsonNumber(u.smem) }, { "l2", jsonNumber(u.l2) }, { "hbm", jsonNumber(u.hbm) } };
    out["binding"] = r.binding;
    out["guesses"] = Json::array(); // figures behind the times that are no better than that
    for (const std::string_view field : guessesIn(run.gpu, *run.program))
        out["guesses"].push_back(std::string(field));
}

void addCounts(Json& out, const Run& run)
{
    const Report& r = run.report;
    out["flops"] = count(r.flops);
    out["flops_executed"] = count(r.flopsExecuted);
    out["global_read_bytes"] = count(r.globalReadBytes);
    out["global_write_bytes"] = count(r.globalWriteBytes);
    out["hbm_read_bytes"] = count(r.hbmReadBytes); // behind L2
    out["hbm_write_bytes"] = count(r.hbmWriteBytes);
    out["exp2_hardware"] = count(r.exp2Hardware);
    out["exp2_emulated"] = count(r.exp2Emulated);
    out["rescales_done"] = count(r.rescalesDone);
    out["rescales_skipped"] = count(r.rescalesSkipped);
    out["p_clipped"] = r.pClipped; // elements of P that e4m3 could not hold
    const bool votes = run.program->softmax.conditional; // only FA4's warps do
    out["rescale_warps_done"] = votes ? count(r.rescaleWarpsDone) : Json();
    out["rescale_warps_skipped"] = votes ? count(r.rescaleWarpsSkipped) : Json();
    out["rescale_source"] = r.rescaleSource;
    out["events"] = r.events;
    out["trace_bytes"] = r.traceBytes;
}

std::string bufferName(const Program& program, BufferId buffer)
{
    return buffer.valid() ? program.buffers[buffer.index()].name : std::string();
}

std::string hazardPlace(const Program& program, const Hazard& hazard)
{
    return hazard.barrier.valid() ? program.barriers[hazard.barrier.index()].name : bufferName(program, hazard.buffer);
}

Json hazardJson(const Program& program, const Hazard& hazard)
{
    Json out;
    out["kind"] = hazard.kind;
    out["cta"] = hazard.cta.index();
    out["role"] = hazard.role.valid() ? Json(program.roles[hazard.role.index()].name) : Json();
    out["op"] = hazard.op.valid() ? Json(std::string(name(program.op(hazard.op).kind))) : Json();
    out["other"] = hazard.other.valid() ? Json(std::string(name(program.op(hazard.other).kind))) : Json();
    out["buffer"] = bufferName(program, hazard.buffer);
    if (hazard.barrier.valid())
        out["barrier"] = hazardPlace(program, hazard);
    out["source"] = hazard.op.valid() ? Json(program.sourceOf(program.op(hazard.op).line)) : Json();
    out["cycle"] = hazard.cycle;
    if (hazard.other.valid()) {
        const Op& other = program.op(hazard.other);
        out["other_role"] = program.roles[other.role.index()].name;
        out["other_source"] = program.sourceOf(other.line);
    }
    return out;
}

Json deadlockJson(const Trace& trace)
{
    if (trace.deadlock().empty())
        return nullptr;
    const Program& program = trace.program();
    Json out = Json::array();
    for (const Blocked& blocked : trace.deadlock()) {
        Json one;
        one["cta"] = blocked.cta.index();
        one["role"] = program.roles[blocked.role.index()].name;
        one["op"] = std::string(name(program.op(blocked.op).kind));
        one["waiting_for"] = blocked.waitingFor;
        one["source"] = program.sourceOf(program.op(blocked.op).line);
        out.push_back(std::move(one));
    }
    return out;
}

void addChecks(Json& out, const Run& run)
{
    const Report& r = run.report;
    out["hazards"] = r.hazards;
    out["hazard_list"] = Json::array();
    for (const Hazard& hazard : r.hazardList)
        out["hazard_list"].push_back(hazardJson(*run.program, hazard));
    out["deadlock"] = deadlockJson(*run.trace);
    out["max_abs_error"] = orNull(r.maxAbsError);
    out["rms_error"] = orNull(r.rmsError);
    out["max_abs_error_lse"] = orNull(r.maxAbsErrorLse);
    out["error_bound"] = orNull(r.errorBound);
}

// ---- for people ----

void line(std::string& out, const char* label, const std::string& text)
{
    out += fmt::format("  {:<12}{}\n", label, text);
}

std::string counted(std::size_t number, const char* one, const char* many)
{
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

std::string timeLine(const Report& r)
{
    std::string text = fmt::format("{} cycles at {:.0f} MHz, {:.2f} µs with launch",
        thousands(static_cast<double>(r.cycles)), r.clockMhz, r.microseconds);
    if (r.tflops)
        text += fmt::format(", {:.3g} TFLOP/s", *r.tflops);
    return text;
}

std::string useLine(const Report& r)
{
    const Utilisation& u = r.utilisation;
    return fmt::format(
        "tensor {:.1f} %, exp {:.1f} %, issue {:.1f} %, smem {:.1f} %, l2 {:.1f} %, hbm {:.1f} %; busiest: {}",
        100 * u.tensor, 100 * u.exp, 100 * u.issue, 100 * u.smem, 100 * u.l2, 100 * u.hbm, r.binding);
}

std::string errorLine(const Report& r)
{
    if (!r.maxAbsError)
        return "no values were computed";
    std::string text = fmt::format("largest {:.3g}, rms {:.3g}", *r.maxAbsError, r.rmsError.value_or(0));
    if (r.maxAbsErrorLse)
        text += fmt::format(", LSE {:.3g}", *r.maxAbsErrorLse);
    if (r.errorBound)
        text += fmt::format("; bound {:.3g}{}", *r.errorBound, *r.maxAbsError <= *r.errorBound ? "" : ": exceeded");
    return text;
}

std::string hazardLine(const Run& run)
{
    if (run.report.hazardList.empty())
        return fmt::format("{}", run.report.hazards);
    const Hazard& first = run.report.hazardList.front();
    const Program& program = *run.program;
    std::string text = fmt::format("{}; the first: {} of {} in CTA {}", run.report.hazards, first.kind,
        hazardPlace(program, first), first.cta.index());
    if (first.role.valid())
        text += ", " + program.roles[first.role.index()].name;
    if (first.op.valid())
        text += fmt::format(", {} at {}", name(program.op(first.op).kind), program.sourceOf(program.op(first.op).line));
    return text;
}

std::string deadlockLine(const Trace& trace)
{
    const Blocked& first = trace.deadlock().front();
    return fmt::format("{} roles are stuck; the first: CTA {}, {}, waiting for {}", trace.deadlock().size(),
        first.cta.index(), trace.program().roles[first.role.index()].name, first.waitingFor);
}

std::string guesses(const Run& run)
{
    std::string text;
    for (const GuessEffect& e : effectsOfGuesses(run))
        text += fmt::format("  {:<26}{:>10}  {:+.2f} % / {:+.2f} %\n", e.field,
            fmt::format("{:.4g} {}", e.figure.value, e.figure.unit), e.smallerPercent, e.largerPercent);
    return text;
}

std::string exponentialsInWords(const Report& r)
{
    if (r.exp2Emulated == 0)
        return thousands(r.exp2Hardware) + " exp2";
    return fmt::format(
        "{} exp2 by the unit and {} by polynomial", thousands(r.exp2Hardware), thousands(r.exp2Emulated));
}

std::string rescalesInWords(const Run& run)
{
    const Report& r = run.report;
    if (!run.program->softmax.conditional)
        return thousands(r.rescalesDone) + " row rescales";
    return fmt::format("{} row rescales and {} skipped ({} and {} by warp vote{})", thousands(r.rescalesDone),
        thousands(r.rescalesSkipped), thousands(r.rescaleWarpsDone), thousands(r.rescaleWarpsSkipped),
        r.rescaleSource == "values" ? "" : ", " + r.rescaleSource);
}

} // namespace

std::string thousands(double value)
{
    std::string digits = fmt::format("{:.0f}", value);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), " ");
    return digits;
}

std::string problemLine(const Problem& p)
{
    std::string heads = counted(static_cast<std::size_t>(p.heads), "head", "heads");
    if (p.heads != p.kvHeads)
        heads += " on " + counted(static_cast<std::size_t>(p.kvHeads), "key/value head", "key/value heads");
    const std::string dims
        = p.headDim == p.headDimV ? fmt::format("d {}", p.headDim) : fmt::format("d {}, dv {}", p.headDim, p.headDimV);
    return fmt::format("batch {}, {}, {} queries x {} keys, {}, {}, mask {}", p.batch, heads, p.seqlenQ, p.seqlenK,
        dims, name(p.dtype), p.mask.text());
}

std::string tileLine(const Program& program)
{
    std::string text = program.tile.text();
    if (program.tile != program.costTile)
        text += " shown, timed as " + program.costTile.text();
    return text + "; " + counted(program.ctaCount(), "CTA", "CTAs") + " in "
        + counted(program.launches.size(), "launch", "launches");
}

std::string titleOf(const Run& run)
{
    const Algorithm* algorithm = findAlgorithm(run.scenario.algorithm, run.scenario.pass);
    return fmt::format("{}, {}, on {}", algorithm != nullptr ? algorithm->title : run.scenario.algorithm,
        run.scenario.pass, run.gpu.title);
}

bool failed(const Report& report, const Trace& trace)
{
    // The bound is for finite inputs: NaN in the data makes the error NaN, which is no failure of the kernel.
    const bool beyond = report.maxAbsError && report.errorBound && *report.maxAbsError > *report.errorBound;
    return report.hazards > 0 || !trace.deadlock().empty() || beyond;
}

Json runObject(const Run& run, bool withGuessEffects)
{
    Json out;
    out["flashstep"] = std::string(version());
    addProblem(out, run);
    addTimes(out, run);
    if (withGuessEffects)
        addGuessEffects(out, run);
    addCounts(out, run);
    addChecks(out, run);
    return out;
}

Json reportObject(const Session& session)
{
    Json out = runObject(session.run, true);
    out["wall_seconds"] = session.wallSeconds;
    out["peak_rss_mib"] = peakRssMib();
    return out;
}

std::string reportJson(const Session& session)
{
    return jsonText(reportObject(session));
}

std::string reportText(const Session& session)
{
    const Run& run = session.run;
    const Report& r = run.report;
    std::string out = titleOf(run) + "\n";
    line(out, "problem", problemLine(run.program->problem));
    line(out, "tile", tileLine(*run.program));
    line(out, "modelled", timeLine(r));
    line(out, "in use", useLine(r));
    line(out, "moved",
        fmt::format("{} read from and {} written to global memory", bytesInWords(r.globalReadBytes),
            bytesInWords(r.globalWriteBytes)));
    line(out, "work",
        fmt::format("{:.4g} FLOP ({:.4g} executed), {}, {}", r.flops, r.flopsExecuted, exponentialsInWords(r),
            rescalesInWords(run)));
    if (run.program->problem.dtype == DType::E4m3)
        line(out, "e4m3",
            fmt::format("P = exp2(S c - m c + {}), {} of its elements clipped to 448",
                static_cast<double>(run.program->softmax.offset), thousands(static_cast<double>(r.pClipped))));
    line(out, "trace",
        fmt::format("{} events, {}; values kept: {}", thousands(static_cast<double>(r.events)),
            bytesInWords(static_cast<double>(r.traceBytes)), run.scenario.record.text()));
    line(out, "error", errorLine(r) + " (against float64)");
    line(out, "hazards", hazardLine(run));
    if (!run.trace->deadlock().empty())
        line(out, "deadlock", deadlockLine(*run.trace));
    for (const std::string& text : r.inputNotes)
        line(out, "note", text);
    const std::string guessed = guesses(run);
    out += "\nTimes come from a model, not from a measurement.\n";
    if (!guessed.empty())
        out += "These figures are guesses; were one 10 % smaller / larger, the time would change by\n" + guessed;
    out += "'flashstep-cli list gpus' names the source of every figure.\n";
    return out;
}

} // namespace flashstep::cli
