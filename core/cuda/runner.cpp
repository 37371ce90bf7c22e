// SPDX-License-Identifier: Apache-2.0
#include "runner.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace flashstep::cuda {

namespace {

std::string describe(const LaunchProblem& p)
{
    std::string text = "b" + std::to_string(p.batch) + " h" + std::to_string(p.heads);
    if (p.kvHeads != p.heads)
        text += "/" + std::to_string(p.kvHeads);
    text += " q" + std::to_string(p.seqlenQ) + " k" + std::to_string(p.seqlenK) + " d" + std::to_string(p.headDim);
    return text + (p.mask == LaunchMask::Causal ? " causal" : "");
}

// Products of the problem: two of Q K and P V, halved under the causal mask, as the project's run counts them.
double nominalFlops(const LaunchProblem& p)
{
    const double all = 4.0 * p.seqlenQ * p.seqlenK * p.headDim * p.heads * p.batch;
    return p.mask == LaunchMask::Causal ? all / 2 : all;
}

std::string kernelJson(const KernelPlan& plan)
{
    return "{\"name\": " + quoted(plan.name) + ", \"file\": " + quoted(plan.file) + ", \"algorithm\": "
        + quoted(plan.algorithm) + ", \"pass\": " + quoted(plan.pass) + ", \"target\": " + quoted(plan.target)
        + ", \"dtype\": " + quoted(name(plan.dtype)) + ", \"head_dim\": " + std::to_string(plan.headDim)
        + ", \"tile\": \"" + std::to_string(plan.rows) + "x" + std::to_string(plan.keys) + "\", \"threads\": "
        + std::to_string(plan.threads) + ", \"traced\": " + (plan.traced ? "true" : "false") + "}";
}

std::string deviceJson(const DeviceFacts& device)
{
    return "{\"index\": " + std::to_string(device.index) + ", \"name\": " + quoted(device.name)
        + ", \"compute_capability\": \"" + std::to_string(device.major) + "." + std::to_string(device.minor)
        + "\", \"sms\": " + std::to_string(device.sms) + ", \"memory_bytes\": " + std::to_string(device.memoryBytes)
        + ", \"l2_bytes\": " + std::to_string(device.l2Bytes) + ", \"driver\": " + quoted(device.driverVersion)
        + ", \"driver_cuda\": " + quoted(device.driver) + ", \"cuda\": " + quoted(device.runtime) + "}";
}

// ---- check ----------------------------------------------------------------------------------------------------------

struct Case {
    LaunchProblem problem;
    InputKind init;
};

// What kernels get wrong: single rows, tails of every kind, rows that see nothing, shared heads, hostile scores.
std::vector<Case> casesOf(const KernelPlan& kernel)
{
    struct Shape {
        int batch, heads, kvHeads, seqlenQ, seqlenK;
        LaunchMask mask;
    };
    constexpr LaunchMask none = LaunchMask::None, causal = LaunchMask::Causal;
    const Shape shapes[] = {
        { 1, 1, 1, 1, 1, none },
        { 1, 1, 1, 1, 1, causal },
        { 1, 1, 1, 64, 64, causal },
        { 1, 2, 2, 128, 256, none },
        { 1, 1, 1, 1, 200, causal },
        { 2, 3, 3, 65, 63, none },
        { 1, 4, 2, 130, 190, causal },
        { 1, 2, 1, 150, 70, causal },
        { 2, 8, 2, 257, 513, causal },
        { 1, 2, 2, 1000, 1000, none },
        { 2, 4, 4, 512, 512, causal },
    };
    std::vector<Case> cases;
    for (const Shape& shape : shapes) {
        LaunchProblem problem;
        problem.batch = shape.batch;
        problem.heads = shape.heads;
        problem.kvHeads = shape.kvHeads;
        problem.seqlenQ = shape.seqlenQ;
        problem.seqlenK = shape.seqlenK;
        problem.mask = shape.mask;
        problem.headDim = problem.headDimV = kernel.headDim;
        problem.dtype = kernel.dtype;
        for (const InputKind init : { InputKind::Normal, InputKind::Outliers, InputKind::RisingLeft,
                 InputKind::RisingRight, InputKind::Constant, InputKind::Negative })
            cases.push_back({ problem, init });
        if (std::string(kernel.algorithm) == "fa1") {
            problem.shares = 3;
            cases.push_back({ problem, InputKind::Normal });
        }
    }
    return cases;
}

// That there are kernels, and that each can do a problem that was asked for: told before any device is looked for.
Failure usable(const std::vector<const KernelPlan*>& kernels, const Options& options)
{
    if (kernels.empty())
        return { 2,
            "no kernel of this version does " + describe(options.problem) + " in " + name(options.problem.dtype)
                + " (flashstep-gpu list)" };
    for (const KernelPlan* kernel : kernels)
        if (options.problemGiven || options.command != Command::Check)
            if (const LaunchPlan plan = planLaunches(*kernel, options.problem); !plan.ok())
                return { 2, plan.refusal };
    return {};
}

struct Verdict {
    int cases = 0, failed = 0;
    Errors worst; // of all cases
    std::string first;
};

void takeWorse(double& worst, double error) // NaN is the worst
{
    if (error > worst || std::isnan(error))
        worst = error;
}

Failure checkKernel(const KernelPlan& kernel, const std::vector<Case>& cases, const Options& options, Verdict& verdict)
{
    for (const Case& one : cases) {
        Prepared prepared;
        Errors errors;
        Failure failure = prepared.make(kernel, one.problem, one.init, options.seed);
        if (!failure.any())
            failure = prepared.run();
        if (!failure.any())
            failure = compareWithReference(prepared, kernel, one.problem, errors);
        if (failure.any())
            return { failure.status, std::string(kernel.name) + ", " + describe(one.problem) + ": " + failure.text };
        ++verdict.cases;
        takeWorse(verdict.worst.worstO, errors.worstO);
        takeWorse(verdict.worst.worstLse, errors.worstLse);
        if (errors.first.empty())
            continue;
        ++verdict.failed;
        if (verdict.first.empty())
            verdict.first = describe(one.problem) + ", " + name(one.init) + ": " + errors.first;
    }
    return {};
}

} // namespace

ProgressLine::ProgressLine(const Options& options)
    : m_lines(options.progress)
    , m_shown(!options.quiet && !options.progress && isatty(STDERR_FILENO) != 0)
{
}

ProgressLine::~ProgressLine()
{
    wipe();
}

void ProgressLine::tell(double fraction, const std::string& text) const
{
    if (m_lines)
        std::fprintf(stderr, "progress %.3f %s\n", fraction, text.c_str());
    else if (m_shown)
        std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
}

void ProgressLine::wipe() const
{
    if (m_shown)
        std::fputs("\r\x1b[K", stderr);
}

int fail(const Failure& failure)
{
    std::fprintf(stderr, "flashstep-gpu: %s\n", failure.text.c_str());
    return failure.status;
}

std::string quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        char escaped[8];
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (static_cast<unsigned char>(c) < 0x20) {
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
            out += escaped;
        } else
            out += c;
    }
    return out + "\"";
}

std::string number(double value)
{
    if (std::isnan(value))
        return "\"nan\"";
    if (std::isinf(value))
        return value > 0 ? "\"inf\"" : "\"-inf\"";
    char text[64];
    for (int digits = 1; digits <= 17; ++digits) { // std::to_chars of floats is younger than the compilers of CUDA 12.4
        std::snprintf(text, sizeof text, "%.*g", digits, value);
        if (std::strtod(text, nullptr) == value)
            break;
    }
    return text;
}

std::string problemJson(const LaunchProblem& p, const Options& options)
{
    return "{\"batch\": " + std::to_string(p.batch) + ", \"heads\": " + std::to_string(p.heads)
        + ", \"kv_heads\": " + std::to_string(p.kvHeads) + ", \"seqlen_q\": " + std::to_string(p.seqlenQ)
        + ", \"seqlen_k\": " + std::to_string(p.seqlenK) + ", \"head_dim\": " + std::to_string(p.headDim)
        + ", \"dtype\": " + quoted(name(p.dtype))
        + ", \"mask\": " + (p.mask == LaunchMask::Causal ? "\"causal\"" : "\"none\"")
        + ", \"init\": " + quoted(name(options.init)) + ", \"seed\": " + std::to_string(options.seed) + "}";
}

std::vector<const KernelPlan*> chosenKernels(const Options& options, bool traced)
{
    std::vector<const KernelPlan*> chosen;
    for (const KernelPlan& plan : kernelPlans()) {
        if (!options.kernel.empty() ? options.kernel != plan.name : plan.traced != traced)
            continue;
        if (!options.algorithm.empty() && options.algorithm != plan.algorithm)
            continue;
        const bool suits = plan.headDim == options.problem.headDim && plan.dtype == options.problem.dtype;
        if (options.kernel.empty() && (options.problemGiven || options.command != Command::Check) && !suits)
            continue;
        chosen.push_back(&plan);
    }
    return chosen;
}

int runList(const Options& options)
{
    std::vector<DeviceFacts> all;
    const Failure failure = devices(all);
    std::string text;
    if (options.json) {
        text = "{\"devices\": [";
        for (std::size_t k = 0; k < all.size(); ++k)
            text += (k > 0 ? ", " : "") + deviceJson(all[k]);
        text += "], \"kernels\": [";
        for (std::size_t k = 0; k < kernelPlans().size(); ++k)
            text += (k > 0 ? ",\n  " : "\n  ") + kernelJson(kernelPlans()[k]);
        text += "]}\n";
    } else {
        for (const DeviceFacts& device : all)
            text += "device " + std::to_string(device.index) + "  " + device.name + ", sm_"
                + std::to_string(device.major * 10 + device.minor) + ", " + std::to_string(device.sms) + " SMs, CUDA "
                + device.runtime + "\n";
        for (const KernelPlan& plan : kernelPlans())
            text += std::string("kernel ") + plan.name + "  " + plan.file + ", " + plan.target + ", " + name(plan.dtype)
                + ", head dimension " + std::to_string(plan.headDim) + "\n";
    }
    std::fputs(text.c_str(), stdout);
    return failure.any() ? fail(failure) : 0;
}

int runCheck(const Options& options)
{
    std::vector<const KernelPlan*> kernels = chosenKernels(options, false);
    if (options.kernel.empty()) // the traced ones compute the same: that is checked too
        for (const KernelPlan* traced : chosenKernels(options, true))
            kernels.push_back(traced);
    DeviceFacts facts;
    Failure failure = usable(kernels, options);
    if (!failure.any())
        failure = useDevice(options.device, facts);
    if (failure.any())
        return fail(failure);
    const ProgressLine progress(options);
    bool failed = false;
    int done = 0;
    std::string rows;
    for (const KernelPlan* kernel : kernels) {
        progress.tell(done++ / static_cast<double>(kernels.size()), std::string("check ") + kernel->name);
        Verdict verdict;
        const std::vector<Case> cases
            = options.problemGiven ? std::vector<Case> { { options.problem, options.init } } : casesOf(*kernel);
        failure = checkKernel(*kernel, cases, options, verdict);
        progress.wipe();
        if (failure.any())
            return fail(failure);
        failed = failed || verdict.failed > 0;
        if (options.json)
            rows += (rows.empty() ? "\n  " : ",\n  ") + std::string("{\"kernel\": ") + quoted(kernel->name)
                + ", \"cases\": " + std::to_string(verdict.cases) + ", \"failed\": " + std::to_string(verdict.failed)
                + ", \"max_abs_error\": " + number(verdict.worst.worstO) + ", \"max_abs_error_lse\": "
                + number(verdict.worst.worstLse) + ", \"first\": " + quoted(verdict.first) + "}";
        else
            std::printf("%-24s %3d of %3d cases right, O off by up to %.3g, LSE by %.3g%s%s\n", kernel->name,
                verdict.cases - verdict.failed, verdict.cases, verdict.worst.worstO, verdict.worst.worstLse,
                verdict.first.empty() ? "" : "; first wrong: ", verdict.first.c_str());
        std::fflush(stdout);
    }
    if (options.json)
        std::printf("{\"flashstep\": \"%s\", \"kernels\": \"%s\", \"device\": %s, \"results\": [%s]}\n",
            FLASHSTEP_VERSION, FLASHSTEP_KERNEL_HASH, deviceJson(facts).c_str(), rows.c_str());
    return failed ? 1 : 0;
}

int runBench(const Options& options)
{
    const std::vector<const KernelPlan*> kernels = chosenKernels(options, false);
    DeviceFacts facts;
    Failure failure = usable(kernels, options);
    if (!failure.any())
        failure = useDevice(options.device, facts);
    if (failure.any())
        return fail(failure);
    const ProgressLine progress(options);
    int done = 0;
    std::string rows;
    for (const KernelPlan* kernel : kernels) {
        progress.tell(done++ / static_cast<double>(kernels.size()), std::string("bench ") + kernel->name);
        Prepared prepared;
        Times times;
        failure = prepared.make(*kernel, options.problem, options.init, options.seed);
        if (!failure.any())
            failure = timeLaunches(prepared, facts, options.repeats, times);
        progress.wipe();
        if (failure.any())
            return fail({ failure.status, std::string(kernel->name) + ": " + failure.text });
        const double tflops = nominalFlops(options.problem) / (times.median() * 1e9);
        if (options.json)
            rows += (rows.empty() ? "\n  " : ",\n  ") + std::string("{\"kernel\": ") + quoted(kernel->name)
                + ", \"median_ms\": " + number(times.median()) + ", \"spread_ms\": " + number(times.spread())
                + ", \"min_ms\": " + number(times.ms.front()) + ", \"repeats\": " + std::to_string(options.repeats)
                + ", \"tflops\": " + number(tflops) + "}";
        else
            std::printf("%-24s %s: %.4g ms (quartiles %.2g apart), %.4g TFLOP/s\n", kernel->name,
                describe(options.problem).c_str(), times.median(), times.spread(), tflops);
        std::fflush(stdout);
    }
    if (options.json)
        std::printf(
            "{\"flashstep\": \"%s\", \"kernels\": \"%s\", \"device\": %s, \"problem\": %s, \"results\": [%s]}\n",
            FLASHSTEP_VERSION, FLASHSTEP_KERNEL_HASH, deviceJson(facts).c_str(),
            problemJson(options.problem, options).c_str(), rows.c_str());
    return 0;
}

} // namespace flashstep::cuda
