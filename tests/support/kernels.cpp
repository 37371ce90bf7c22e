// SPDX-License-Identifier: Apache-2.0
#include "tests/support/kernels.h"

#include "core/ptx/parser.h"
#include "core/tensor/reference.h"
#include "resources/embedded/resources.h"

#include <cmath>

#include <gtest/gtest.h>

namespace flashstep::tests {

std::shared_ptr<ptx::Module> shippedModule(const cuda::KernelPlan& kernel)
{
    const std::string file = kernel.file;
    const std::size_t slash = file.rfind('/') + 1;
    const std::string name = file.substr(slash, file.rfind('.') - slash) + ".ptx";
    const auto text = resource("ptx/" + name);
    EXPECT_TRUE(text.has_value()) << name;
    auto module = ptx::parse(*text, name);
    EXPECT_TRUE(module.ok()) << (module ? "" : module.error().line());
    return std::make_shared<ptx::Module>(std::move(module).value());
}

const cuda::KernelPlan& shippedKernel(const std::string& name)
{
    const cuda::KernelPlan* kernel = cuda::findKernelPlan(name);
    EXPECT_NE(kernel, nullptr) << name;
    return *kernel;
}

ptx::KernelRun prepared(const std::string& name, const Problem& problem, const Inputs& inputs,
    const std::function<void(ptx::Module&)>& change)
{
    const cuda::KernelPlan& kernel = shippedKernel(name);
    const std::shared_ptr<ptx::Module> module = shippedModule(kernel);
    if (change)
        change(*module);
    auto run = ptx::prepareKernel(kernel, module, name, problem, inputs);
    EXPECT_TRUE(run.ok()) << (run ? "" : run.error().line());
    return std::move(run).value();
}

ptx::RunOptions onA100(std::uint64_t orderSeed)
{
    ptx::RunOptions options;
    options.gpu = findGpu("a100");
    options.orderSeed = orderSeed;
    if (orderSeed != 0)
        options.landing = ptx::Landing::Either;
    return options;
}

std::vector<std::size_t> statementsOf(const ptx::Module& module, const std::string& entry, const std::string& begin)
{
    std::vector<std::size_t> found;
    const ptx::Function* function = module.find(entry);
    for (std::size_t k = 0; function != nullptr && k < function->statements.size(); ++k) {
        if (function->statements[k].text().starts_with(begin))
            found.push_back(k);
    }
    return found;
}

void drop(ptx::Module& module, const std::string& entry, std::size_t statement)
{
    for (ptx::Function& f : module.functions) {
        if (f.name != entry)
            continue;
        ptx::Statement& s = f.statements[statement];
        s.opcode = "nanosleep";
        s.modifiers = { "u32" };
        ptx::Operand zero;
        zero.kind = ptx::Operand::Kind::Integer;
        s.operands = { zero };
        s.guard = ptx::none;
    }
}

KernelErrors errorsOf(const ptx::KernelRun& run, const Problem& problem, const Inputs& inputs)
{
    const std::vector<float> o = ptx::readBuffer(run, cuda::BufferRole::O);
    const std::vector<float> lse = ptx::readBuffer(run, cuda::BufferRole::Lse);
    const auto rows = static_cast<std::size_t>(problem.seqlenQ), keys = static_cast<std::size_t>(problem.seqlenK);
    const auto d = static_cast<std::size_t>(problem.headDim);
    KernelErrors worst;
    const auto take = [](double& into, double got, double wanted) {
        if (got == wanted)
            return;
        const double error = std::fabs(got - wanted);
        into = std::isfinite(error) ? std::max(into, error) : 1e30;
    };
    for (int b = 0; b < problem.batch; ++b) {
        for (int h = 0; h < problem.heads; ++h) {
            const auto q = static_cast<std::size_t>(b * problem.heads + h);
            const auto kv = static_cast<std::size_t>(b * problem.kvHeads + problem.kvHeadOf(h));
            ReferenceHead head;
            head.q = inputs.q.data.data() + q * rows * d;
            head.k = inputs.k.data.data() + kv * keys * d;
            head.v = inputs.v.data.data() + kv * keys * d;
            head.headDim = head.headDimV = problem.headDim;
            head.scale = problem.softmaxScale();
            head.visibleKeys = [&](int row) {
                const Problem::KeyRange range = problem.visibleKeys(row);
                return std::pair(range.first, range.last);
            };
            std::vector<double> wanted(rows * d), wantedLse(rows);
            referenceForward(head, 0, problem.seqlenQ, wanted.data(), wantedLse.data());
            for (std::size_t k = 0; k < wanted.size(); ++k)
                take(worst.o, static_cast<double>(o[q * rows * d + k]), wanted[k]);
            for (std::size_t k = 0; k < rows; ++k)
                take(worst.lse, static_cast<double>(lse[q * rows + k]), wantedLse[k]);
        }
    }
    return worst;
}

} // namespace flashstep::tests
