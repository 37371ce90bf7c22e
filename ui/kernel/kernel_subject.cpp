// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_subject.h"

#include "core/hardware/spec.h"
#include "core/ptx/parser.h"
#include "resources/embedded/resources.h"

#include <fmt/format.h>

namespace flashstep::ui {

namespace {

// "core/cuda/fa2_forward.cu" → "ptx/fa2_forward.ptx"
std::string resourceOf(const cuda::KernelPlan& kernel)
{
    std::string stem = kernel.file;
    stem = stem.substr(stem.rfind('/') + 1);
    return "ptx/" + stem.substr(0, stem.rfind('.')) + ".ptx";
}

// A line that is left out stays empty, so that all others keep their numbers.
std::string without(std::string_view text, const std::set<std::uint32_t>& dropped)
{
    std::string out;
    out.reserve(text.size());
    std::uint32_t line = 1;
    for (std::size_t at = 0; at < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (dropped.count(line) == 0)
            out.append(text, at, end - at);
        if (end < text.size())
            out += '\n';
        at = end + 1;
    }
    return out;
}

CudaChain chainOf(const ptx::Code& code, std::uint32_t pc)
{
    CudaChain chain;
    std::uint32_t location = code.statementAt(pc).location;
    while (location != ptx::none) {
        const ptx::Location& at = code.module->locations[location];
        chain.push_back({ at.file, at.line });
        location = at.inlinedAt;
    }
    return chain;
}

void index(KernelSubject& subject)
{
    const ptx::KernelSession& session = *subject.session;
    for (const auto& code : session.run().codes) {
        std::vector<CudaChain> chains;
        for (std::uint32_t pc = 0; pc < code->instructions.size(); ++pc)
            chains.push_back(chainOf(*code, pc));
        subject.chains.push_back(std::move(chains));
        subject.kinds.push_back(ptx::registerKinds(*code));
    }
    std::uint64_t first = 0;
    for (std::uint32_t launch = 0; launch < session.run().launches.size(); ++launch) {
        subject.firstSteps.push_back(first);
        std::uint64_t low = first, high = session.end(); // the first step of the next launch
        while (low < high) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (session.launchOf(middle) > launch)
                high = middle;
            else
                low = middle + 1;
        }
        first = low;
    }
    subject.firstSteps.push_back(session.end());
}

} // namespace

Result<const cuda::KernelPlan*> kernelFor(const Scenario& scenario)
{
    std::string others;
    const cuda::KernelPlan* like = nullptr; // of the same version
    std::optional<Error> refusal;
    for (const cuda::KernelPlan& kernel : cuda::kernelPlans()) {
        if (kernel.traced || scenario.algorithm != kernel.algorithm || scenario.pass != kernel.pass)
            continue;
        like = &kernel;
        const Result<cuda::LaunchPlan> plan = ptx::planKernel(kernel, scenario.problem);
        if (plan)
            return &kernel;
        // The one that fits in size and type says best what is in the way.
        if (!refusal
            || (kernel.headDim == scenario.problem.headDim
                && cuda::name(kernel.dtype) == flashstep::name(scenario.problem.dtype)))
            refusal = plan.error();
    }
    if (like == nullptr)
        return Error { fmt::format("there is no kernel of {} {} yet", scenario.algorithm, scenario.pass), {},
            "the forward pass of standard, fa1 and fa2 has one" };
    const Error error { refusal->what, refusal->where,
        refusal->hint.empty() ? "head dimension 64 or 128, bf16 or fp16, no mask or causal" : refusal->hint };
    return error;
}

ScenarioFile smallProblem(const cuda::KernelPlan& kernel, ScenarioFile given)
{
    Scenario& s = given.scenario;
    s.algorithm = kernel.algorithm;
    s.pass = kernel.pass;
    if (!given.has("head_dim"))
        s.problem.headDim = kernel.headDim;
    if (!given.has("dtype"))
        s.problem.dtype = kernel.dtype == cuda::ElementType::Fp16 ? DType::Fp16 : DType::Bf16;
    if (!given.has("seqlen_q"))
        s.problem.seqlenQ = 128;
    if (!given.has("heads"))
        s.problem.heads = 1;
    return given;
}

Result<std::shared_ptr<KernelSubject>> makeSubject(KernelRequest request, const Progress& progress)
{
    auto subject = std::make_shared<KernelSubject>();
    subject->plan = cuda::findKernelPlan(request.kernel);
    if (subject->plan == nullptr) {
        std::string names;
        for (const cuda::KernelPlan& kernel : cuda::kernelPlans())
            names += (names.empty() ? "" : ", ") + std::string(kernel.name);
        return Error { "there is no kernel '" + request.kernel + "'", "--kernel", names };
    }
    Result<LoadedInputs> loaded = loadInputs(request.file);
    if (!loaded)
        return loaded.error();
    subject->problem = request.file.scenario.problem;
    const std::string name = resourceOf(*subject->plan);
    subject->ptxFile = "resources/" + name;
    const auto text = resource(name);
    if (!text)
        return Error { "the kernel's PTX is not in this program", subject->ptxFile, {} };
    Result<ptx::Module> module = ptx::parse(without(*text, request.dropped), subject->ptxFile);
    if (!module)
        return module.error();
    subject->module = std::make_shared<const ptx::Module>(std::move(module).value());
    const Inputs inputs = loaded->inputs ? std::move(*loaded->inputs) : generateInputs(subject->problem);
    Result<ptx::KernelRun> run
        = ptx::prepareKernel(*subject->plan, subject->module, subject->ptxFile, subject->problem, inputs);
    if (!run)
        return run.error();
    ptx::RunOptions options;
    subject->gpu = request.file.scenario.gpu.empty() ? "a100" : request.file.scenario.gpu;
    options.gpu = findGpu(subject->gpu);
    if (options.gpu == nullptr)
        return Error { "there is no GPU '" + subject->gpu + "'", "--gpu", "flashstep-cli list gpus" };
    Result<std::unique_ptr<ptx::KernelSession>> session
        = ptx::KernelSession::make(std::move(run).value(), options, progress);
    if (!session)
        return session.error();
    subject->session = std::move(session).value();
    if (subject->session->end() == 0)
        return Error { "the kernel executes nothing on this problem", request.kernel, {} };
    Result<ptx::Written> written = ptx::Written::make(*subject->session, progress);
    if (!written)
        return written.error();
    subject->written = std::move(written).value();
    subject->request = std::move(request);
    index(*subject);
    return subject;
}

} // namespace flashstep::ui
