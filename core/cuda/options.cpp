// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <charconv>

namespace flashstep::cuda {

namespace {

constexpr const char* commands = "list, check, bench, record or conform";

class Parser {
public:
    explicit Parser(const std::vector<std::string>& arguments)
        : m_arguments(arguments)
    {
    }

    Options parse()
    {
        if (m_arguments.empty())
            return fail(std::string("no command (") + commands + ")");
        if (!command(m_arguments[0]))
            return m_options;
        for (m_at = 1; m_at < m_arguments.size() && m_options.error.empty(); ++m_at)
            option(m_arguments[m_at]);
        if (m_options.error.empty())
            finish();
        return m_options;
    }

private:
    Options& fail(const std::string& error)
    {
        if (m_options.error.empty())
            m_options.error = error;
        return m_options;
    }

    bool command(const std::string& word)
    {
        if (word == "--help" || word == "-h")
            m_options.command = Command::Help;
        else if (word == "--version")
            m_options.command = Command::Version;
        else if (word == "list")
            m_options.command = Command::List;
        else if (word == "check")
            m_options.command = Command::Check;
        else if (word == "bench")
            m_options.command = Command::Bench;
        else if (word == "record")
            m_options.command = Command::Record;
        else if (word == "conform")
            m_options.command = Command::Conform;
        else
            fail("there is no command '" + word + "' (" + commands + ")");
        return m_options.error.empty();
    }

    // The option's value, "--name value" or "--name=value".
    std::string value(const std::string& option)
    {
        if (m_hasInline)
            return m_inline;
        if (m_at + 1 >= m_arguments.size()) {
            fail(option + " needs a value");
            return {};
        }
        return m_arguments[++m_at];
    }

    template <class Number> void number(const std::string& option, Number& to, Number least, Number most)
    {
        const std::string text = value(option);
        Number read {};
        const auto result = std::from_chars(text.data(), text.data() + text.size(), read);
        if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size() || read < least
            || read > most)
            fail(option + " '" + text + "' (a whole number from " + std::to_string(least) + " to "
                + std::to_string(most) + ")");
        else
            to = read;
    }

    template <class Enum, std::size_t count>
    void word(const std::string& option, Enum& to, const std::pair<const char*, Enum> (&words)[count])
    {
        const std::string text = value(option);
        std::string accepted;
        for (const auto& [word, meaning] : words) {
            if (text == word) {
                to = meaning;
                return;
            }
            accepted += (accepted.empty() ? "" : ", ") + std::string(word);
        }
        fail(option + " '" + text + "' (" + accepted + ")");
    }

    bool problemOption(const std::string& name)
    {
        LaunchProblem& p = m_options.problem;
        constexpr int most = 1 << 24;
        if (name == "--batch")
            number(name, p.batch, 1, most);
        else if (name == "--heads")
            number(name, p.heads, 1, most);
        else if (name == "--kv-heads")
            number(name, m_kvHeads, 1, most);
        else if (name == "--seqlen") {
            number(name, p.seqlenQ, 1, most);
            m_seqlenK = p.seqlenQ;
        } else if (name == "--seqlen-q")
            number(name, p.seqlenQ, 1, most);
        else if (name == "--seqlen-k")
            number(name, m_seqlenK, 1, most);
        else if (name == "--head-dim") {
            number(name, p.headDim, 1, most);
            m_options.headDimGiven = true;
        } else if (name == "--head-dim-v")
            number(name, m_headDimV, 1, most);
        else if (name == "--dtype") {
            word(name, p.dtype, { std::pair { "bf16", ElementType::Bf16 }, std::pair { "fp16", ElementType::Fp16 } });
            m_options.dtypeGiven = true;
        } else if (name == "--mask")
            word(name, p.mask, { std::pair { "none", LaunchMask::None }, std::pair { "causal", LaunchMask::Causal } });
        else
            return false;
        m_options.problemGiven = true;
        return true;
    }

    void option(const std::string& argument)
    {
        const std::size_t equals = argument.find('=');
        m_hasInline = argument.rfind("--", 0) == 0 && equals != std::string::npos;
        const std::string name = m_hasInline ? argument.substr(0, equals) : argument;
        m_inline = m_hasInline ? argument.substr(equals + 1) : std::string();
        if (problemOption(name))
            return;
        if (name == "--kernel")
            m_options.kernel = value(name);
        else if (name == "--algorithm")
            m_options.algorithm = value(name);
        else if (name == "--init")
            word(name, m_options.init,
                { std::pair { "normal", InputKind::Normal }, std::pair { "outliers", InputKind::Outliers },
                    std::pair { "rising-left", InputKind::RisingLeft },
                    std::pair { "rising-right", InputKind::RisingRight },
                    std::pair { "constant", InputKind::Constant } });
        else if (name == "--seed")
            number(name, m_options.seed, std::uint64_t { 0 }, ~std::uint64_t { 0 });
        else if (name == "--device")
            number(name, m_options.device, 0, 1023);
        else if (name == "--repeats")
            number(name, m_options.repeats, 1, 100000);
        else if (name == "--stamps")
            number(name, m_options.problem.stamps, 1, 1 << 24);
        else if (name == "--shares")
            number(name, m_options.problem.shares, 1, 65535);
        else if (name == "--out")
            m_options.out = value(name);
        else if (argument == "--json")
            m_options.json = true;
        else if (argument == "--quiet")
            m_options.quiet = true;
        else if (argument == "--progress")
            m_options.progress = true;
        else if (argument == "--help" || argument == "-h")
            m_options.command = Command::Help;
        else
            fail("there is no option '" + argument + "' (flashstep-gpu --help lists them)");
    }

    void finish()
    {
        LaunchProblem& p = m_options.problem;
        p.kvHeads = m_kvHeads > 0 ? m_kvHeads : p.heads;
        p.seqlenK = m_seqlenK > 0 ? m_seqlenK : p.seqlenQ;
        if (const KernelPlan* kernel = findKernelPlan(m_options.kernel)) {
            p.headDim = m_options.headDimGiven ? p.headDim : kernel->headDim;
            p.dtype = m_options.dtypeGiven ? p.dtype : kernel->dtype;
        } else if (!m_options.kernel.empty()) {
            std::string names;
            for (const KernelPlan& plan : kernelPlans())
                names += (names.empty() ? "" : ", ") + std::string(plan.name);
            fail("there is no kernel '" + m_options.kernel + "' (" + names + ")");
        }
        p.headDimV = m_headDimV > 0 ? m_headDimV : p.headDim;
        if (!m_options.algorithm.empty() && m_options.algorithm != "standard" && m_options.algorithm != "fa1"
            && m_options.algorithm != "fa2")
            fail("no kernel of algorithm '" + m_options.algorithm + "' in this version (standard, fa1, fa2)");
        if (m_options.command == Command::Record && m_options.out.empty())
            fail("record needs --out FILE (- for standard output)");
        if (m_options.command != Command::Record && !m_options.out.empty())
            fail("--out is for record");
    }

    const std::vector<std::string>& m_arguments;
    std::size_t m_at = 0;
    bool m_hasInline = false;
    std::string m_inline;
    int m_kvHeads = 0, m_seqlenK = 0, m_headDimV = 0; // 0: like heads, seqlen-q, head-dim
    Options m_options;
};

} // namespace

const char* name(InputKind kind)
{
    constexpr const char* names[] = { "normal", "outliers", "rising-left", "rising-right", "constant", "negative" };
    return names[static_cast<std::size_t>(kind)];
}

Options parseOptions(const std::vector<std::string>& arguments)
{
    return Parser(arguments).parse();
}

const char* helpText()
{
    return R"(flashstep-gpu: FlashStep's attention kernels on a CUDA device

  flashstep-gpu list [--json]             devices and kernels
  flashstep-gpu check [--kernel K]        every kernel against a plain one in fp64, on random and hostile inputs;
                                          with options of the problem, on that one
  flashstep-gpu bench [--json]            times, L2 flushed before each repeat: median, and spread between the quartiles
  flashstep-gpu record --out F            a recording: when each warp did what; to standard output with --out -
  flashstep-gpu conform [--json]          small kernels, one per form of an instruction, against the PTX ISA's text

options of the problem (default)
  --batch N (1)  --heads N (1)  --kv-heads N (heads)  --seqlen N, --seqlen-q N (256)  --seqlen-k N (seqlen-q)
  --head-dim 64|128 (64)  --dtype bf16|fp16 (bf16)  --mask none|causal (none)
  --init normal|outliers|rising-left|rising-right|constant (normal)  --seed S (1)
others
  --kernel NAME, --algorithm standard|fa1|fa2   which kernels (all that can; record: fa2)
  --repeats N (50)  --device N (0)  --quiet
  --shares N (1)    FA1: CTAs that share out the query tiles of a head
  --progress        on standard error: the version first, then lines "progress 0.25 check fa2_forward_d64"
  --stamps N        record: room for so many stamps a warp (as many as come, at most 65536)

status: 0 all is well, 1 a check or a launch failed, 2 bad usage, 3 no device or no driver for it
)";
}

} // namespace flashstep::cuda
