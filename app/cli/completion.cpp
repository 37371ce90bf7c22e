// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/session.h"
#include "app/cli/status.h"
#include "core/algorithms/registry.h"
#include "core/hardware/spec.h"
#include "core/io/export_request.h"
#include "core/io/ptx_shipped.h"
#include "core/program/scenario.h"

#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

namespace flashstep::cli {

namespace {

std::string longOptions(const CLI::App& app)
{
    std::string words;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames())
            words += (words.empty() ? "--" : " --") + name;
    return words;
}

std::string commandNames(const CLI::App& app)
{
    std::string words;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        words += (words.empty() ? "" : " ") + command->get_name();
    return words;
}

// Values of options that take one of a few words.
constexpr const char* values = R"(        --pass) words="forward" ;;
        --dtype) words="fp32 fp16 bf16 e4m3" ;;
        --init) words="normal outliers rising-left rising-right constant" ;;
        --mask) words="none causal window:" ;;
        --record) words="all none cta:" ;;
        --what) words="program trace steps state" ;;
        --table) words="events spans counters ledger" ;;
        --view) words="timeline tiles memory ledger charts window" ;;
        --theme) words="light dark print" ;;
        --level) words="event operation inner-tile outer-tile cta" ;;
        --lang) words="en" ;;
        --scope) words="grid cta:" ;;
        --baseline) words="roofline" ;;
        list) words="algorithms gpus knobs formats views ops waits constants kernels" ;;
        completion) words="bash" ;;
        --scenario|--q|--k|--v|--out|--out-npy|--trace|--published|--chart) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
)";

std::string casesOf(const std::string& option, const std::vector<std::string>& words)
{
    return fmt::format("        {}) words=\"{}\" ;;\n", option, fmt::join(words, " "));
}

// Those of which the program has a list.
std::string listedValues()
{
    std::vector<std::string> versions, gpus, written, keys, varied, kernels;
    for (const Algorithm& a : algorithms())
        versions.emplace_back(a.name);
    for (const GpuSpec& gpu : gpuSpecs())
        gpus.emplace_back(gpu.name);
    for (const ExportFormat& format : exportFormats())
        written.emplace_back(format.name);
    for (const Knob& knob : knobs())
        keys.push_back(std::string(knob.key) + "=");
    for (const ScenarioOption& option : scenarioOptions())
        if (option.key != "what_if")
            varied.push_back(optionName(option.key).substr(2) + "=");
    varied.insert(varied.end(), keys.begin(), keys.end());
    for (const cuda::KernelPlan* kernel : shippedKernels())
        kernels.emplace_back(kernel->name);
    return casesOf("--shipped", kernels) + casesOf("--algorithm", versions) + casesOf("--gpu", gpus)
        + casesOf("--format", written) + casesOf("--what-if", keys) + casesOf("--vary", varied);
}

// Files, where a command takes them without an option before.
std::string filesOf(const CLI::App& app)
{
    const auto takes = [&](const char* argument) { return app.get_option_no_throw(argument) != nullptr; };
    if (!takes("files") && !takes("file") && !takes("parts"))
        return "";
    return "; [[ $COMP_CWORD -gt 1 && $current != -* ]] && { COMPREPLY=($(compgen -f -- \"$current\")); return; }";
}

} // namespace

std::string bashCompletion(const CLI::App& app)
{
    std::string script
        = "# bash completion of flashstep-cli: source <(flashstep-cli completion bash)\n_flashstep_cli()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\"\"\n";
    script += "    case \"$previous\" in\n" + listedValues() + values;
    script += "    if [ -z \"$words\" ]; then\n        case \"${COMP_WORDS[1]}\" in\n";
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        script += "            " + command->get_name() + ") words=\"" + longOptions(*command) + "\"" + filesOf(*command)
            + " ;;\n";
    script += "            *) words=\"" + commandNames(app)
        + " --help --version\" ;;\n        esac\n    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\ncomplete -F _flashstep_cli flashstep-cli\n";
    return script;
}

Command addCompletion(CLI::App& app)
{
    CLI::App* parser
        = app.add_subcommand("completion", "completion script of a shell: source <(flashstep-cli completion bash)");
    const auto shell = std::make_shared<std::string>();
    parser->add_option("shell", *shell, "bash")->required();
    return { parser, [shell, &app] {
                if (*shell != "bash")
                    return fail(Error { "there is no completion for '" + *shell + "'", "completion", "bash" });
                return print(bashCompletion(app));
            } };
}

} // namespace flashstep::cli
