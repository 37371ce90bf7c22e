// SPDX-License-Identifier: Apache-2.0
#include "core/io/npz_export.h"

#include "core/io/kept_tiles.h"
#include "core/io/npz.h"
#include "core/io/timeline_facts.h"
#include "core/trace/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace flashstep {

namespace {

constexpr std::size_t mostArrays = 65'000; // what a zip archive without extensions holds, and a directory in memory

std::string withHeader(const std::vector<int>& shape, const std::vector<float>& values)
{
    std::string bytes = npyHeader(shape);
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return bytes;
}

std::uint64_t bytesOf(const std::vector<int>& shape)
{
    std::uint64_t count = sizeof(float);
    for (const int axis : shape)
        count *= static_cast<std::uint64_t>(axis);
    return npyHeader(shape).size() + count;
}

// What holds for all arrays.
Json commonFacts(const Run& run, const std::string& position)
{
    const Problem& p = run.program->problem;
    const double scale = p.softmaxScale();
    return { { "provenance", provenance(run) }, { "algorithm", run.scenario.algorithm }, { "pass", run.scenario.pass },
        { "gpu", run.scenario.gpu }, { "dtype", name(p.dtype) }, { "mask", p.mask.text() }, { "batch", p.batch },
        { "heads", p.heads }, { "kv_heads", p.kvHeads }, { "seqlen_q", p.seqlenQ }, { "seqlen_k", p.seqlenK },
        { "head_dim", p.headDim }, { "head_dim_v", p.headDimV }, { "tile", run.program->tile.text() },
        { "packed_heads", run.program->packed }, { "softmax_scale", scale },
        { "p_offset_log2", static_cast<double>(run.program->softmax.offset) }, { "position", position } };
}

// One entry a line under "arrays"; the last closes the object.
class IndexText {
public:
    explicit IndexText(const Json& common)
    {
        m_text = jsonText(common);
        m_text.erase(m_text.rfind("\n}"));
        m_text += ",\n  \"arrays\": {";
    }
    void add(const std::string& name, const Json& facts)
    {
        m_text += (m_first ? "\n    " : ",\n    ") + quoted(name) + ": " + facts.dump();
        m_first = false;
    }
    std::string finished() { return std::move(m_text) + "\n  }\n}\n"; }

private:
    std::string m_text;
    bool m_first = true;
};

Status tooMany(std::size_t arrays)
{
    return Error { fmt::format("{} arrays are more than an archive takes here", arrays), "--format npz",
        fmt::format("at most {}: --record cta:K, --from and --to, or --at", mostArrays) };
}

Status writeTiles(const Run& run, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    KeptTiles tiles(run, request.range);
    const auto& arrays = tiles.arrays();
    if (arrays.size() > mostArrays)
        return tooMany(arrays.size());
    IndexText index(commonFacts(run, request.ranged ? "the stretch asked for" : "every step"));
    std::vector<NpzMember> members;
    for (const KeptTiles::Array& array : arrays) {
        index.add(tiles.nameOf(array), tiles.describe(array));
        members.push_back({ tiles.nameOf(array) + ".npy", bytesOf(tiles.shapeOf(array)) });
    }
    const std::string text = index.finished();
    members.push_back({ "index.json", text.size() });
    return writeZip(
        path, members,
        [&](std::size_t k) {
            return k == arrays.size() ? text : withHeader(tiles.shapeOf(arrays[k]), tiles.valuesOf(arrays[k]));
        },
        progress);
}

// A buffer that holds something at the moment asked for.
struct Held {
    std::string name;
    CtaId cta;
    BufferId buffer;
    std::vector<int> shape;
};

std::string plain(const std::string& name)
{
    std::string text;
    for (const char c : name)
        if (c != '[' && c != ']')
            text += c == ' ' ? '_' : c;
    return text;
}

// "K_3" by family and what it holds, or the buffer's own name where that says nothing.
std::string heldName(const BufferDecl& decl, const BufferState& state)
{
    const int i = decl.tile == BufferDecl::Tile::Key ? -1 : state.i;
    const int j = decl.tile == BufferDecl::Tile::Query ? -1 : state.j;
    if (i < 0 && j < 0)
        return plain(decl.name);
    std::string name = plain(decl.family);
    for (const int index : { i, j })
        if (index >= 0)
            name += "_" + std::to_string(index);
    return name;
}

std::vector<Held> heldAt(const Run& run, const std::vector<CtaId>& ctas, Position p, IndexText& index)
{
    std::vector<Held> all;
    std::set<std::string> names;
    for (const CtaId cta : ctas) {
        const WorkId work = run.trace->workAt(cta, p);
        for (const BufferState& state : buffersAt(*run.trace, cta, p)) {
            const BufferDecl& decl = run.program->buffers[state.buffer.index()];
            if (state.kind == BufferState::Kind::Empty || decl.rows < 1 || decl.cols < 1)
                continue;
            std::string name = (ctas.size() > 1 ? fmt::format("cta{}/", cta.index()) : "") + heldName(decl, state);
            if (!names.insert(name).second) // two buffers with the same tile: sO beside O, both halves of a ring
                names.insert(name += "." + plain(decl.name));
            std::vector<int> shape { decl.rows };
            if (decl.cols > 1)
                shape.push_back(decl.cols);
            Json facts { { "buffer", decl.name }, { "space", flashstep::name(decl.space) },
                { "dtype", flashstep::name(decl.dtype) }, { "cta", cta.index() },
                { "state", flashstep::name(state.kind) } };
            if (work.valid()) {
                facts["b"] = run.program->work(work).b;
                facts["h"] = run.program->work(work).h;
            }
            if (state.i >= 0)
                facts["i"] = state.i;
            if (state.j >= 0)
                facts["j"] = state.j;
            index.add(name, facts);
            all.push_back({ std::move(name), cta, state.buffer, std::move(shape) });
        }
    }
    return all;
}

Status writeMoment(const Run& run, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    const Position p = *request.at;
    std::vector<CtaId> ctas;
    for (std::size_t k = 0; k < run.program->ctaCount(); ++k)
        if (run.trace->hasValues(CtaId(k)) && (!request.cta.valid() || request.cta == CtaId(k)))
            ctas.emplace_back(k);
    if (ctas.empty())
        return Error { fmt::format("the values of CTA {} were not recorded", request.cta.index()), "--record",
            fmt::format("all, or cta:{}", request.cta.index()) };
    Json common = commonFacts(run, "a moment");
    common["event"] = p.value;
    common["cycle"] = run.trace->timeAt(p);
    IndexText index(common);
    const std::vector<Held> held = heldAt(run, ctas, p, index);
    if (held.size() > mostArrays)
        return tooMany(held.size());
    std::vector<NpzMember> members;
    for (const Held& each : held)
        members.push_back({ each.name + ".npy", bytesOf(each.shape) });
    const std::string text = index.finished();
    members.push_back({ "index.json", text.size() });
    return writeZip(
        path, members,
        [&](std::size_t k) {
            return k == held.size()
                ? text
                : withHeader(held[k].shape, shownValue(*run.trace, held[k].cta, held[k].buffer, p).data);
        },
        progress);
}

} // namespace

Status writeNpz(const Run& run, const ExportRequest& request, const std::string& path, const Progress& progress)
{
    if (run.inputs == nullptr)
        return Error { "no values were recorded", "--record", "all, or cta:K" };
    return request.at ? writeMoment(run, request, path, progress) : writeTiles(run, request, path, progress);
}

} // namespace flashstep
