// SPDX-License-Identifier: Apache-2.0
#include "core/io/kept_tiles.h"

#include "core/program/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

namespace flashstep {

namespace {

using What = KeptTiles::What;

struct Kind {
    std::string_view name, what, unit;
};

const Kind& kindOf(What what)
{
    static constexpr std::array<Kind, 14> kinds { {
        { "Q", "queries, as rounded to the problem's format", "as given" },
        { "K", "keys, as rounded to the problem's format", "as given" },
        { "V", "values, as rounded to the problem's format", "as given" },
        { "S", "Q K^T as the tensor core left it: not scaled, not masked", "q . k" },
        { "P",
            "the operand of the product with V, as stored: exp(softmax_scale S - m_used_i_j) 2^p_offset_log2, 0 where "
            "masked; of standard divided by the row's sum, of FlashAttention-1 in the paper's form relative to the "
            "row's maximum over this block alone",
            "1" },
        { "O", "the tile's output as stored, divided by l", "values" },
        { "m", "row maxima over the visible keys of all visited blocks", "natural, of the scaled scores" },
        { "m_used", "the reference that l is relative to, behind the last block", "natural, of the scaled scores" },
        { "l", "row sums behind the last block", "relative to m_used" },
        { "LSE", "m_used + ln l", "natural, of the scaled scores" },
        { "m", "row maxima up to this block", "natural, of the scaled scores" },
        { "m_used", "the reference in this block's exponent (of FlashAttention-1 in the paper's form: of l behind it)",
            "natural, of the scaled scores" },
        { "l", "row sums up to this block", "relative to m_used of the block" },
        { "scale", "what O and l were multiplied by for this block", "1" },
    } };
    return kinds[static_cast<std::size_t>(what)];
}

bool isOfBlock(What what)
{
    return what >= What::BlockM;
}

bool hasRows(What what)
{
    return what != What::K && what != What::V;
}

bool hasKeys(What what)
{
    return what == What::K || what == What::V || what == What::S || what == What::P;
}

std::optional<What> useOf(const Program& program, const Op& op)
{
    const auto isPair = [&](BufferId id) { return program.buffers[id.index()].tile == BufferDecl::Tile::Pair; };
    if (op.kind == OpKind::Mma && op.transposed && isPair(op.out))
        return What::S;
    if (op.kind == OpKind::Mma && !op.transposed && isPair(op.in[0]))
        return What::P;
    if (op.kind == OpKind::Store && op.tensor == TensorId::O)
        return What::O;
    return std::nullopt;
}

} // namespace

std::string headPrefix(int b, int h)
{
    return b == 0 && h == 0 ? std::string() : fmt::format("b{}h{}/", b, h);
}

KeptTiles::KeptTiles(const Run& run, const Range& range)
    : m_run(run)
    , m_trace(*run.trace)
    , m_program(*run.program)
{
    for (std::size_t c = 0; c < m_program.ctaCount(); ++c)
        if (m_trace.hasValues(CtaId(c)))
            for (const WorkId work : m_trace.worksOf(CtaId(c)))
                if (m_trace.hasEvents(work))
                    addWork(work, range);
    const auto key = [](const Array& a) { return std::tie(a.b, a.h, a.what, a.i, a.j, a.work); };
    std::sort(m_arrays.begin(), m_arrays.end(), [&](const Array& a, const Array& b) { return key(a) < key(b); });
    const auto same = [](const Array& a, const Array& b) {
        return std::tie(a.b, a.h, a.what, a.i, a.j) == std::tie(b.b, b.h, b.what, b.i, b.j);
    };
    m_arrays.erase(std::unique(m_arrays.begin(), m_arrays.end(), same), m_arrays.end());
    m_arrays.shrink_to_fit();
}

const std::vector<KeptTiles::Use>& KeptTiles::usesOf(const Stream& stream)
{
    const auto [found, isNew] = m_uses.try_emplace(stream.firstOp);
    if (isNew) {
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
            if (const auto what = useOf(m_program, m_program.ops[k]))
                found->second.push_back({ *what, m_program.ops[k].i, m_program.ops[k].j, OpId(k) });
        std::sort(
            found->second.begin(), found->second.end(), [](const Use& a, const Use& b) { return a.key() < b.key(); });
    }
    return found->second;
}

void KeptTiles::addWork(WorkId work, const Range& range)
{
    const Work& w = m_program.work(work);
    const WorkId products = m_trace.productsOf(work);
    const auto add = [&](What what, int tile, int j) {
        const bool ofKeys = what == What::K || what == What::V;
        m_arrays.push_back(
            { what, w.b, ofKeys ? m_program.problem.kvHeadOf(w.h) : w.h, ofKeys ? -1 : w.i + tile, j, work, tile, 0 });
    };
    for (const WorkId performer : { products, work }) {
        const Use* before = nullptr;
        for (const Use& use : usesOf(m_trace.streamOf(performer))) {
            const bool product = use.what != What::O;
            const bool theirs = performer != work; // the first CTA of a pair works for both
            if ((theirs && (!product || m_program.op(use.op).reach != Reach::Both))
                || (!theirs && product && products != work)
                || !overlaps(m_trace, m_trace.instance(performer, use.op), range)
                || m_program.rowsInside(w, use.i) <= 0)
                continue;
            if (before != nullptr && std::tie(before->what, before->i, before->j) == std::tie(use.what, use.i, use.j))
                continue;
            before = &use;
            const int j = product ? w.jBase + use.j : -1;
            add(use.what, use.i, j);
            if (use.what == What::S)
                add(What::Q, use.i, -1);
            if (product)
                add(use.what == What::S ? What::K : What::V, use.i, j);
            if (use.what == What::O)
                add(What::Lse, use.i, -1);
        }
        if (products == work)
            break;
    }
    if (keepsStatistics(work))
        addStatistics(work, range);
}

bool KeptTiles::keepsStatistics(WorkId work) const
{
    const std::array needed { "m", "l", "scale", "O" };
    return std::all_of(needed.begin(), needed.end(),
        [&](const char* buffer) { return m_program.bufferOf(buffer, m_program.work(work).launch, 0).valid(); });
}

void KeptTiles::addStatistics(WorkId work, const Range& range)
{
    const Work& w = m_program.work(work);
    std::map<int, int> last; // by tile: the newest block
    for (const StepDecl& step : m_trace.streamOf(m_trace.productsOf(work)).steps) {
        const auto p = m_trace.block(work, step.i, step.n);
        if (!p || *p < range.from || *p > range.to || m_program.rowsInside(w, step.i) <= 0)
            continue;
        last[step.i] = std::max(last[step.i], step.n);
        for (const What what : { What::BlockM, What::BlockMUsed, What::BlockL, What::BlockScale })
            m_arrays.push_back({ what, w.b, w.h, w.i + step.i, w.jBase + step.j, work, step.i, step.n });
    }
    for (const auto& [tile, n] : last)
        for (const What what : { What::M, What::MUsed, What::L })
            m_arrays.push_back({ what, w.b, w.h, w.i + tile, -1, work, tile, n });
}

std::string KeptTiles::nameOf(const Array& array) const
{
    std::string name = headPrefix(array.b, array.h) + std::string(kindOf(array.what).name);
    for (const int index : { array.i, array.j })
        if (index >= 0)
            name += "_" + std::to_string(index);
    return name;
}

std::vector<int> KeptTiles::shapeOf(const Array& array) const
{
    const int rows = m_program.rowsInside(m_program.work(array.work), array.tile);
    const int keys = array.j < 0 ? 0 : m_program.keysInside(array.j);
    const Problem& problem = m_program.problem;
    switch (array.what) {
    case What::Q:
        return { rows, problem.headDim };
    case What::K:
        return { keys, problem.headDim };
    case What::V:
        return { keys, problem.headDimV };
    case What::S:
    case What::P:
        return { rows, keys };
    case What::O:
        return { rows, problem.headDimV };
    default:
        return { rows };
    }
}

Json KeptTiles::describe(const Array& array) const
{
    const Kind& kind = kindOf(array.what);
    const Work& work = m_program.work(array.work);
    Json out { { "what", kind.what }, { "unit", kind.unit }, { "cta", m_trace.ctaOf(array.work).index() },
        { "b", array.b }, { hasRows(array.what) ? "h" : "kv_head", array.h } };
    if (hasRows(array.what)) {
        const int first = work.row + array.tile * m_program.launches[work.launch].queryRows;
        out["i"] = array.i;
        out["rows"] = { first, first + m_program.rowsInside(work, array.tile) };
    }
    if (array.j >= 0)
        out["j"] = array.j;
    if (hasKeys(array.what))
        out["keys"] = { array.j * m_program.tile.keys, array.j * m_program.tile.keys + m_program.keysInside(array.j) };
    if (isOfBlock(array.what))
        out["visited_as"] = array.n;
    return out;
}

std::vector<float> KeptTiles::valuesOf(const Array& array)
{
    switch (array.what) {
    case What::Q:
    case What::K:
    case What::V:
        return inputOf(array);
    case What::S:
    case What::P:
    case What::O:
        return tileOf(array);
    case What::Lse:
        return lseOf(array);
    default:
        return statisticOf(array);
    }
}

std::vector<float> KeptTiles::inputOf(const Array& array) const
{
    const Inputs& inputs = *m_run.inputs;
    const Tensor& tensor = array.what == What::Q ? inputs.q : array.what == What::K ? inputs.k : inputs.v;
    const std::vector<int> shape = shapeOf(array);
    const Work& work = m_program.work(array.work);
    const int first = work.row + array.tile * m_program.launches[work.launch].queryRows;
    std::vector<float> values;
    for (int r = 0; r < shape[0]; ++r) {
        const Program::QueryRow at = array.what == What::Q
            ? m_program.queryRow(array.h, first + r)
            : Program::QueryRow { array.h, array.j * m_program.tile.keys + r };
        const auto row = tensor.row(array.b, at.h, at.row);
        values.insert(values.end(), row.begin(), row.end());
    }
    return values;
}

// Put together from what each op made of it, or found when it began.
std::vector<float> KeptTiles::tileOf(const Array& array)
{
    const std::vector<int> shape = shapeOf(array);
    std::vector<float> values(static_cast<std::size_t>(shape[0]) * static_cast<std::size_t>(shape[1]),
        std::numeric_limits<float>::quiet_NaN());
    const WorkId performer = array.what == What::O ? array.work : m_trace.productsOf(array.work);
    const int j = array.j < 0 ? -1 : array.j - m_program.work(array.work).jBase;
    const std::vector<Use>& uses = usesOf(m_trace.streamOf(performer));
    const auto wanted = std::tie(array.what, array.tile, j);
    auto use = std::lower_bound(
        uses.begin(), uses.end(), wanted, [](const Use& a, const auto& b) { return std::tie(a.what, a.i, a.j) < b; });
    for (; use != uses.end() && std::tie(use->what, use->i, use->j) == wanted; ++use)
        copyPart(array, performer, use->op, values);
    return values;
}

void KeptTiles::copyPart(const Array& array, WorkId performer, OpId opId, std::vector<float>& values) const
{
    const Op& op = m_program.op(opId);
    const InstanceId instance = m_trace.instance(performer, opId);
    const bool made = array.what == What::S;
    if (!m_trace.began(instance) || (made && !m_trace.ended(instance)))
        return;
    const CtaId cta = m_trace.ctaOf(array.work);
    const BufferId buffer = made ? op.out : op.in[0];
    const TileValues held
        = m_trace.value(cta, buffer, made ? m_trace.endPosition(instance) : m_trace.beginPosition(instance));
    const Performed performed { m_program, m_program.work(array.work), op, m_trace.rankOf(cta) };
    const std::vector<int> shape = shapeOf(array);
    const int rowOffset = m_program.rowOffset(m_program.buffers[buffer.index()], op);
    const int firstColumn = m_program.columns(buffer, performed.j()).first;
    performed.forEachSpan(buffer, [&](int row, int column, int count) {
        const int r = row - rowOffset;
        const int c = column - firstColumn;
        for (int k = 0; k < count && r < shape[0] && c + k < shape[1]; ++k)
            values[static_cast<std::size_t>(r) * static_cast<std::size_t>(shape[1]) + static_cast<std::size_t>(c + k)]
                = held.at(row, column + k);
    });
}

std::vector<float> KeptTiles::lseOf(const Array& array) const
{
    const Work& work = m_program.work(array.work);
    const int first = work.row + array.tile * m_program.launches[work.launch].queryRows;
    std::vector<float> values;
    for (int r = 0; r < m_program.rowsInside(work, array.tile); ++r) {
        const Program::QueryRow at = m_program.queryRow(array.h, first + r);
        values.push_back(m_run.lse.row(array.b, at.h, at.row)[0]);
    }
    return values;
}

std::vector<float> KeptTiles::statisticOf(const Array& array)
{
    const CtaId cta = m_trace.ctaOf(array.work);
    const Position p = m_trace.block(array.work, array.tile, array.n).value_or(Position {});
    if (m_ledgerCta != cta || m_ledgerAt != p) {
        m_ledger = ledgerAt(m_trace, cta, p);
        m_ledgerCta = cta;
        m_ledgerAt = p;
    }
    const Work& work = m_program.work(array.work);
    const int first = work.row + array.tile * m_program.launches[work.launch].queryRows;
    std::vector<float> values(
        static_cast<std::size_t>(m_program.rowsInside(work, array.tile)), std::numeric_limits<float>::quiet_NaN());
    for (const RowState& row : m_ledger) {
        const int r = row.row * m_program.packed + row.h - work.h - first;
        if (row.b != work.b || row.h < work.h || row.h >= work.h + m_program.packed || r < 0
            || r >= static_cast<int>(values.size()))
            continue;
        const bool isMax = array.what == What::M || array.what == What::BlockM;
        const bool isUsed = array.what == What::MUsed || array.what == What::BlockMUsed;
        const bool isSum = array.what == What::L || array.what == What::BlockL;
        values[static_cast<std::size_t>(r)] = static_cast<float>(isMax ? row.m
                : isUsed                                               ? row.mUsed
                : isSum                                                ? row.l
                                                                       : row.scale);
    }
    return values;
}

} // namespace flashstep
