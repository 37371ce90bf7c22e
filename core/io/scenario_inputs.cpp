// SPDX-License-Identifier: Apache-2.0
#include "core/io/files.h"
#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/npz.h"
#include "core/io/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace flashstep {

namespace {

constexpr std::uint64_t largestTokens = 64U << 20U;

void fillFollowing(ScenarioFile& file)
{
    Problem& p = file.scenario.problem;
    if (!file.has("kv_heads"))
        p.kvHeads = p.heads;
    if (!file.has("seqlen_k"))
        p.seqlenK = p.seqlenQ;
    if (!file.has("head_dim_v"))
        p.headDimV = p.headDim;
}

Status checkHeads(const ScenarioFile& file)
{
    const Problem& p = file.scenario.problem;
    if (p.kvHeads > p.heads || p.heads % p.kvHeads != 0)
        return Error { fmt::format("{} key/value heads do not divide {} query heads", p.kvHeads, p.heads),
            file.scenario.kFile.empty() ? "--kv-heads" : file.scenario.kFile, "a divisor of the query heads" };
    return Nothing {};
}

// `name`: the array's, where the file is an archive of several.
Result<Tensor> load(const std::string& path, const char* name, LoadedInputs& out)
{
    Result<NpyTensor> npy = isNpz(path) ? readNpz(path, name) : readNpy(path);
    if (!npy)
        return npy.error();
    if (std::string note = npy->note(fileNameOf(path)); !note.empty())
        out.notes.push_back(std::move(note));
    return std::move(npy->tensor);
}

// A size that a file fixes; what was asked for beside it must not contradict.
Status fix(const ScenarioFile& file, std::string_view key, int& target, int size, const std::string& path)
{
    if (file.has(key) && target != size) {
        std::string option = "--" + std::string(key);
        std::replace(option.begin(), option.end(), '_', '-');
        return Error { fmt::format("{} contradicts {}, which has {}", target, fileNameOf(path), size), option,
            fmt::format("leave it out, or {}", size) };
    }
    target = size;
    return Nothing {};
}

Status agree(int a, int b, const char* what, const std::string& path, const std::string& other)
{
    if (a == b)
        return Nothing {};
    return Error { fmt::format("its {} is {}, that of {} is {}", what, a, fileNameOf(other), b), path,
        "they have to agree" };
}

Status fixSizes(ScenarioFile& file, const Inputs& in)
{
    Problem& p = file.scenario.problem;
    const Scenario& s = file.scenario;
    for (const Status& status :
        { agree(in.k.batch, in.q.batch, "batch", s.kFile, s.qFile),
            agree(in.v.batch, in.q.batch, "batch", s.vFile, s.qFile),
            agree(in.k.dim, in.q.dim, "head dimension", s.kFile, s.qFile),
            agree(in.v.heads, in.k.heads, "number of heads", s.vFile, s.kFile),
            agree(in.v.seqlen, in.k.seqlen, "length", s.vFile, s.kFile),
            fix(file, "batch", p.batch, in.q.batch, s.qFile), fix(file, "heads", p.heads, in.q.heads, s.qFile),
            fix(file, "kv_heads", p.kvHeads, in.k.heads, s.kFile),
            fix(file, "seqlen_q", p.seqlenQ, in.q.seqlen, s.qFile),
            fix(file, "seqlen_k", p.seqlenK, in.k.seqlen, s.kFile), fix(file, "head_dim", p.headDim, in.q.dim, s.qFile),
            fix(file, "head_dim_v", p.headDimV, in.v.dim, s.vFile) })
        if (!status)
            return status;
    return checkHeads(file);
}

// Words for the rows; whatever is wrong with them is a note, never an error: they are decoration.
void loadLabels(const std::string& qFile, int rows, LoadedInputs& out)
{
    const std::string path = pathBeside(directoryOf(qFile), "tokens.json");
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored))
        return;
    const Result<std::string> text = readFile(path, largestTokens);
    const Json list = text ? Json::parse(*text, nullptr, false) : Json();
    const bool words
        = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& word) { return word.is_string(); });
    if (!words)
        out.notes.emplace_back("tokens.json is not a list of words: no labels");
    else if (list.size() != static_cast<std::size_t>(rows))
        out.notes.push_back(fmt::format("tokens.json has {} words for {} rows: no labels", list.size(), rows));
    else
        out.labels.tokens = list.get<std::vector<std::string>>();
}

} // namespace

Result<LoadedInputs> loadInputs(ScenarioFile& file)
{
    Scenario& s = file.scenario;
    LoadedInputs out;
    const int named
        = static_cast<int>(!s.qFile.empty()) + static_cast<int>(!s.kFile.empty()) + static_cast<int>(!s.vFile.empty());
    if (named == 0) {
        fillFollowing(file);
        if (Status status = checkHeads(file); !status)
            return status.error();
        return out;
    }
    if (named != 3)
        return Error { "the three of --q, --k and --v belong together",
            s.qFile.empty()       ? "--q"
                : s.kFile.empty() ? "--k"
                                  : "--v",
            "name all three files" };
    Result<Tensor> q = load(s.qFile, "q", out);
    if (!q)
        return q.error();
    Result<Tensor> k = load(s.kFile, "k", out);
    if (!k)
        return k.error();
    Result<Tensor> v = load(s.vFile, "v", out);
    if (!v)
        return v.error();
    Inputs inputs;
    inputs.q = std::move(*q);
    inputs.k = std::move(*k);
    inputs.v = std::move(*v);
    if (Status status = fixSizes(file, inputs); !status)
        return status.error();
    loadLabels(s.qFile, inputs.q.seqlen, out);
    out.inputs = std::move(inputs);
    return out;
}

} // namespace flashstep
