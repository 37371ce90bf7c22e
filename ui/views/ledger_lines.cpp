// SPDX-License-Identifier: GPL-3.0-or-later
// The words and numbers of the ledger's detail.
#include "core/tensor/real_math.h"
#include "ui/document.h"
#include "ui/paint/stage_layout.h"
#include "ui/paint/text.h"
#include "ui/selection.h"
#include "ui/text.h"
#include "ui/views/ledger_detail.h"

#include <QObject>

#include <cmath>

namespace flashstep::ui {

namespace {

using paint::RowDecision;
using paint::RowFacts;
using paint::TileNumbers;

QString tr(const char* text)
{
    return LedgerDetail::tr(text);
}

QString short4(double value)
{
    return paint::shortDecimal(value, 5);
}

QString two(double value)
{
    return paint::fixed(value, 2);
}

// "448", "65504", "3.4e38": what a format holds.
QString large(double value)
{
    return value < 1e6 ? QString::number(value, 'f', 0)
                       : QString::number(value, 'e', 2).replace(QStringLiteral("e+"), QStringLiteral("e"));
}

class Lines {
public:
    Lines(const Session& session, const TileNumbers& tile, const std::vector<paint::WarpVote>& votes,
        const RowFacts& facts)
        : m_session(session)
        , m_program(session.document.program())
        , m_tile(tile)
        , m_votes(votes)
        , m_facts(facts)
    {
    }

    std::vector<DetailLine> make()
    {
        title();
        if (m_facts.decision == RowDecision::Unknown) {
            add(tr("not computed yet at this moment"), {});
            return std::move(m_lines);
        }
        references();
        decision();
        if (m_facts.divided)
            divided();
        else
            running();
        ceiling();
        otherwise();
        return std::move(m_lines);
    }

private:
    void add(const QString& label, const QString& value, const QString& tip = {})
    {
        m_lines.push_back({ label, value, tip.isEmpty() ? label + QStringLiteral(": ") + value : tip, false });
    }
    void heading(const QString& text, const QString& tip = {})
    {
        m_lines.push_back({ text, {}, tip.isEmpty() ? text : tip, true });
    }

    void title()
    {
        const int headRow = m_tile.firstRow + m_facts.row;
        const Program::QueryRow query
            = m_program.queryRow(m_session.selection.head() / m_program.packed * m_program.packed, headRow);
        const QString word = m_session.document.tokens().query(query.row);
        QString text = tr("Row %1").arg(paint::rowLabel(m_program, query.h, headRow));
        if (!word.isEmpty())
            text += QStringLiteral(" “%1”").arg(word);
        text += tr(", key block %1, visited as number %2").arg(m_tile.j).arg(m_tile.n);
        heading(text);
    }

    void references()
    {
        if (m_facts.decision != RowDecision::NothingVisible && two(m_facts.blockMax) != two(m_facts.most))
            add(tr("maximum of the block"), two(m_facts.blockMax),
                tr("The largest visible score of the row in this block, log2 units"));
        add(tr("true max"), two(m_facts.most), tr("The largest visible score of the row so far, log2 units"));
        const bool lse = paint::keepsLogSumExp(m_program);
        add(m_tile.lazy ? tr("reference")
                : lse   ? tr("reference, LSE_old → m_new")
                        : tr("reference = maximum"),
            two(m_facts.before) + QStringLiteral(" → ") + two(m_facts.used),
            m_tile.lazy ? tr("In P's exponent, before and with this block; it may stay behind the maximum")
                : lse ? tr("The shipped kernel keeps the log-sum-exp alone and takes it for the old maximum: m_new is "
                           "the larger of it and the block's maximum")
                      : tr("In P's exponent, before and with this block; this version always moves it to the "
                           "maximum"));
        if (!std::isfinite(m_facts.gap))
            return;
        const double natural = m_facts.gap * ln2, threshold = m_tile.threshold * ln2;
        const QString sign = m_facts.gap > m_tile.threshold ? QStringLiteral(" > ") : QStringLiteral(" ≤ ");
        if (m_tile.lazy) {
            add(tr("gap and threshold τ, log2"), two(m_facts.gap) + sign + QString::number(m_tile.threshold),
                tr("How far the true maximum is above the reference that was in use. The kernel compares here."));
            add(tr("the same, natural"), paint::fixed(natural, 3) + sign + paint::fixed(threshold, 3),
                tr("Scaled scores as the papers write them: times ln 2. 8 in log2 units is 8 ln 2 ≈ 5.545."));
        } else {
            add(tr("grew by, log2 | natural"), two(m_facts.gap) + QStringLiteral(" | ") + paint::fixed(natural, 3),
                tr("How far the maximum rose with this block"));
        }
    }

    void decision()
    {
        QString text = paint::decisionText(m_facts.decision);
        QString tip = m_facts.decision == RowDecision::First ? tr("Nothing was there that could be rescaled")
            : m_facts.decision == RowDecision::Rescale       ? tr("O and ℓ are brought to the new reference")
            : m_facts.decision == RowDecision::Kept
            ? tr("O and ℓ keep their frame; P of this block is relative to the same reference")
            : tr("The mask hides every key of this block from the row");
        for (std::size_t w = 0; w < m_votes.size(); ++w) {
            const paint::WarpVote& vote = m_votes[w];
            if (m_facts.row < vote.firstRow || m_facts.row >= vote.firstRow + vote.rows)
                continue;
            const QString verdict = !vote.multiplies ? tr("vote to come")
                : *vote.multiplies                   ? tr("multiplies")
                                                     : tr("leaves O");
            text += tr(" · warp %1 %2").arg(w).arg(verdict);
            tip += tr(". Of the %1 rows of warp %2, %3 ask.").arg(vote.rows).arg(w).arg(vote.asking);
            if (vote.multiplies.value_or(false) && !m_facts.asks)
                tip += tr(" Another row asks, so this one is multiplied too: by 1.");
        }
        add(tr("decision"), text, tip);
    }

    // Absent is a dash; what has been computed and is no number says so.
    static QString notANumber() { return QStringLiteral("nan"); }
    [[nodiscard]] QString sum(const QString& text, double value) const
    {
        return m_facts.sumIsNan && std::isnan(value) ? notANumber() : text;
    }
    [[nodiscard]] QString outputs() const
    {
        const bool before = m_tile.recorded && m_tile.landed && std::isnan(m_facts.outputBefore);
        return (before ? notANumber() : short4(m_facts.outputBefore)) + QStringLiteral(" → ")
            + (m_facts.outputIsNan ? notANumber() : short4(m_facts.outputAfter));
    }

    // l = scale l + sum P; O = scale O + P V.
    void running()
    {
        const bool first = m_facts.decision == RowDecision::First && m_tile.n == 1;
        if (!first)
            add(tr("scale of O and ℓ"), paint::factor(m_facts.scale), tr("2^(reference before − reference now)"));
        if (m_tile.ownMaximum)
            add(tr("ℓ = e^(m_old−m) ℓ_old + e^(m̃−m) ℓ̃"), sum(short4(m_facts.l), m_facts.l), sumTip());
        else if (first)
            add(QStringLiteral("ℓ = ΣP"), sum(short4(m_facts.l), m_facts.l), sumTip());
        else
            add(QStringLiteral("ℓ = scale·ℓ + ΣP"),
                tr("%1·%2 + %3 = %4")
                    .arg(paint::factor(m_facts.scale), sum(two(m_facts.lBefore), m_facts.lBefore),
                        sum(two(m_facts.lAdded), m_facts.lAdded), sum(two(m_facts.l), m_facts.l)),
                sumTip());
        add(tr("|O| of the row, before → after"), outputs(),
            tr("Length of the row of O (root of the sum of squares), before this block and with it; – where the "
               "product has not landed"));
        add(tr("|O / ℓ|"),
            m_facts.outputIsNan || (m_facts.sumIsNan && m_tile.landed) ? notANumber() : short4(m_facts.quotientNorm),
            tr("What the row of the output would be long if it ended here: the frame cancels"));
    }

    static QString sumTip()
    {
        return tr("Sum of the row's exponentials: of the blocks before, brought to the new reference, and of this "
                  "block, in fp32 before P is rounded (without the offset of FP8)");
    }

    // O = (l_old e^(m_old - m) O_old + e^(m~ - m) P V) / l, divided at every visit.
    void divided()
    {
        const RowFacts::Divided& d = *m_facts.divided;
        const QString none = paint::fixed(std::nan(""), 2);
        const bool first = m_tile.n == 1;
        const QString old = std::isnan(d.oldFactor) ? none : paint::factor(d.oldFactor);
        if (d.ownMaximum) {
            add(QStringLiteral("ℓ_old"), first ? none : sum(short4(m_facts.lBefore), m_facts.lBefore),
                tr("The row's sum after the visit before; O is stored divided by it, so it is multiplied back"));
            add(QStringLiteral("e^(m_old − m_new)"), old, tr("Takes what was there to the new maximum"));
            add(QStringLiteral("e^(m̃ − m_new)"), paint::factor(d.blockFactor),
                tr("Takes this block, whose P is relative to its own maximum m̃, to the new maximum"));
            add(QStringLiteral("ℓ̃, the block's sum"), sum(short4(m_facts.lAdded), m_facts.lAdded),
                tr("Relative to the block's own maximum"));
        } else {
            add(QStringLiteral("ℓ_old · e^(m_old − m_new)"), old,
                tr("In the shipped kernel one number: e^(LSE_old − m_new), since its only statistic is the "
                   "log-sum-exp LSE_old = m_old + ln ℓ_old"));
            add(QStringLiteral("e^(m̃ − m_new)"), tr("in P's exponent"),
                tr("The shipped kernel finds the new maximum first, so P is relative to it at once"));
            add(QStringLiteral("ΣP, the block's sum"), sum(short4(m_facts.lAdded), m_facts.lAdded), sumTip());
        }
        add(QStringLiteral("ℓ_new"), sum(short4(m_facts.l), m_facts.l), sumTip());
        add(QStringLiteral("1 / ℓ_new"), m_facts.sumIsNan ? notANumber() : paint::factor(d.inverse),
            tr("FlashAttention-1 divides at every visit"));
        add(tr("|O| of the row, before → after"), outputs(),
            tr("Length of the row of O, already divided: (first factor · O_old + e^(m̃ − m_new) · P V) / ℓ_new"));
    }

    void ceiling()
    {
        const paint::Ceiling c = paint::ceilingOf(m_program);
        const QString format = fromView(name(c.dtype));
        const QString most = paint::fixed(c.log2Most, c.log2Most == std::floor(c.log2Most) ? 0 : 2);
        add(tr("largest P here | it may reach"),
            short4(m_facts.mostP) + QStringLiteral(" | 2^%1 = %2").arg(most, large(exp2Real(c.log2Most))),
            tr("The threshold of %1 and the offset of %2 (log2 units) bound P's exponent")
                .arg(m_tile.lazy ? m_tile.threshold : 0)
                .arg(m_tile.offset));
        add(c.clips() ? tr("%1 holds less: P clips").arg(format) : tr("%1 holds").arg(format), large(c.holds),
            c.clips() ? tr("Stored P stops there while ℓ sums the unclipped values in fp32: O comes out too small, the "
                           "log-sum-exp stays right. Safe: offset + threshold ≤ log2 of the largest number.")
                      : tr("The largest finite number of the format P is stored in. e4m3 holds 448, fp16 65504, bf16 "
                           "3.39e38."));
    }

    void otherwise()
    {
        const paint::Otherwise& other = m_facts.otherwise;
        if (other.decision == RowDecision::Unknown)
            return;
        const bool kept = other.decision == RowDecision::Kept;
        if (!(m_facts.gap > 0)) {
            add(tr("otherwise"), tr("the same: the maximum did not grow"));
            return;
        }
        heading(kept ? tr("Had the reference been kept") : tr("Had the reference been moved"),
            tr("Computed again from the same scores, V, ℓ and O before, with the other reference"));
        add(tr("reference, scale"), two(other.reference) + QStringLiteral(", ") + paint::factor(other.scale));
        QString most = short4(other.mostP);
        if (kept)
            most += QStringLiteral(" ≈ 2^") + two(m_facts.gap + m_tile.offset);
        add(tr("largest P"), other.overflowing > 0 ? tr("%1, %2 overflow").arg(most).arg(other.overflowing) : most,
            tr("As stored. Kept, it would be 2 to the gap; %1 keys would exceed what the format holds")
                .arg(other.overflowing));
        add(QStringLiteral("ℓ, |O|"), short4(other.l) + QStringLiteral(", ") + short4(other.outputNorm),
            tr("In the other frame: both differ from what is there by the same power of two, up to rounding"));
        if (std::isnan(other.quotientNorm))
            return;
        add(tr("|O / ℓ| there | here"),
            short4(other.quotientNorm) + QStringLiteral(" | ") + short4(m_facts.quotientNorm),
            tr("The frame cancels in the quotient"));
        add(tr("largest difference of O / ℓ"), paint::factor(other.apart),
            tr("Of any element of the row: what is left is rounding"));
    }

    const Session& m_session;
    const Program& m_program;
    const TileNumbers& m_tile;
    const std::vector<paint::WarpVote>& m_votes;
    const RowFacts& m_facts;
    std::vector<DetailLine> m_lines;
};

} // namespace

std::vector<DetailLine> detailLines(
    const Session& session, const TileNumbers& tile, const std::vector<paint::WarpVote>& votes, const RowFacts& facts)
{
    return Lines(session, tile, votes, facts).make();
}

} // namespace flashstep::ui
