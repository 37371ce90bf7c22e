// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/emulation/run.h"
#include "core/trace/state.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"
#include "ui/views/term_card.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <map>

namespace flashstep::ui {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("flashstep::ui::TermCard", text);
}

// What is asked again and again of the moment.
struct Moment {
    const Session& session;
    const Trace& trace;
    const Program& program;
    CtaId cta;
    Position p;
    std::vector<TermFact> facts;

    void add(const QString& name, const QString& value) { facts.push_back({ name, value }); }
};

QString count(std::int64_t value)
{
    return paint::grouped(value);
}

QString placeName(Space space)
{
    switch (space) {
    case Space::Registers:
        return tr("registers");
    case Space::Tmem:
        return tr("tensor memory");
    default:
        return fromView(name(space)).toUpper();
    }
}

QString tileName(const BufferDecl& buffer, const BufferState& state)
{
    switch (buffer.tile) {
    case BufferDecl::Tile::Query:
        return state.i < 0 ? QString() : tr("query tile %1").arg(state.i);
    case BufferDecl::Tile::Key:
        return state.j < 0 ? QString() : tr("key block %1").arg(state.j);
    default:
        return state.i < 0 || state.j < 0 ? QString() : tr("tile (%1, %2)").arg(state.i).arg(state.j);
    }
}

// Row of the buffer that the chosen query row is; 0 where none is chosen, -1 where the buffer has it not.
int rowIn(const Moment& at, const BufferState& state)
{
    const int chosen = at.session.selection.row();
    if (chosen < 0)
        return 0;
    const Work& work = at.program.work(at.trace.workAt(at.cta, at.p));
    const int rows = at.program.launches[work.launch].queryRows;
    const int first = work.row + (state.i - work.i) * rows;
    for (int r = 0; r < rows; ++r)
        if (at.program.queryRow(work.h, first + r).row == chosen)
            return r;
    return -1;
}

QString numbersOf(const TileValues& values, int row)
{
    constexpr int shown = 4;
    QStringList words;
    for (int c = 0; c < std::min(values.cols, shown); ++c)
        words.append(paint::fixed(static_cast<double>(values.at(row, c)), 3));
    return words.join(QStringLiteral("  "))
        + (values.cols > shown ? QStringLiteral("  … (%1)").arg(values.cols) : QString());
}

// Q, K, V, S, P, O: how large, where it lies now, and what its chosen row holds.
void tensorFacts(Moment& at, const std::string& symbol)
{
    const Problem& problem = at.program.problem;
    const bool key = symbol == "K" || symbol == "V";
    const bool score = symbol == "S" || symbol == "P";
    const int rows = key ? problem.seqlenK : problem.seqlenQ;
    const int cols = score ? problem.seqlenK : symbol == "V" || symbol == "O" ? problem.headDimV : problem.headDim;
    const int heads = key ? problem.kvHeads : problem.heads;
    at.add(tr("shape"),
        heads == 1 ? tr("%1 × %2").arg(count(rows), count(cols))
                   : tr("%1 × %2 for each of %3 heads").arg(count(rows), count(cols)).arg(heads));
    if (!at.cta.valid())
        return;
    int listed = 0;
    for (const BufferState& state : buffersAt(at.trace, at.cta, at.p)) {
        const BufferDecl& buffer = at.program.buffers[state.buffer.index()];
        const std::string& family = buffer.family;
        const bool of = family == symbol || family == "r" + symbol || family == "s" + symbol
            || (symbol == "V" && family == "Vt") || (symbol == "O" && family == "O_part");
        if (!of || state.kind == BufferState::Kind::Empty || listed == 4)
            continue;
        ++listed;
        QStringList what { QStringLiteral("%1 %2 × %3 %4")
                               .arg(QString::fromStdString(buffer.name))
                               .arg(buffer.rows)
                               .arg(buffer.cols)
                               .arg(fromView(name(buffer.dtype))) };
        what.append(tileName(buffer, state));
        what.append(fromView(name(state.kind)));
        what.removeAll(QString());
        at.add(tr("in %1").arg(placeName(buffer.space)), what.join(QStringLiteral(", ")));
        const int row = buffer.tile == BufferDecl::Tile::Key ? 0 : rowIn(at, state);
        if (listed == 1 && row >= 0 && at.trace.hasValues(at.cta) && state.kind != BufferState::Kind::Loading) {
            const TileValues values = shownValue(at.trace, at.cta, state.buffer, at.p);
            const int chosen = at.session.selection.row();
            if (row < values.rows)
                at.add(buffer.tile == BufferDecl::Tile::Key ? tr("its first key")
                        : chosen < 0                        ? tr("its first row")
                                                            : tr("row %1").arg(chosen),
                    numbersOf(values, row));
        }
    }
    if (listed == 0)
        at.add(tr("now"), tr("not on chip in CTA %1").arg(at.cta.index()));
}

// The statistics of the chosen row, as the ledger has them.
void rowFacts(Moment& at, const std::string& symbol)
{
    if (!at.cta.valid())
        return;
    const std::vector<RowState> rows = ledgerAt(at.trace, at.cta, at.p);
    if (rows.empty())
        return;
    const int chosen = at.session.selection.row();
    auto row = std::find_if(rows.begin(), rows.end(), [&](const RowState& each) { return each.row == chosen; });
    if (row == rows.end())
        row = rows.begin();
    const QString of = tr("row %1").arg(row->row);
    const double log2e = 1.4426950408889634;
    const auto units = [&](double natural) {
        return tr("%1 (%2 in log2 units)").arg(paint::fixed(natural, 3), paint::fixed(natural * log2e, 3));
    };
    if (symbol == "m")
        at.add(of, units(row->m));
    else if (symbol == "reference in use" || symbol == "frame")
        at.add(of, units(row->mUsed));
    else if (symbol == "row sum")
        at.add(of, paint::fixed(row->l, 4));
    else if (symbol == "LSE")
        at.add(of, row->l > 0 ? tr("%1 so far").arg(paint::fixed(row->mUsed + std::log(row->l), 4)) : tr("−∞ so far"));
    else
        at.add(of, tr("%1, factor %2").arg(QString::fromStdString(row->decision), paint::factor(row->scale)));
}

void barrierFacts(Moment& at)
{
    if (!at.cta.valid())
        return;
    constexpr std::size_t most = 5;
    std::vector<BarrierState> states = barriersAt(at.trace, at.cta, at.p);
    if (states.size() > most)
        states.resize(most);
    for (const BarrierState& state : states) {
        const BarrierDecl& barrier = at.program.barriers[state.barrier.index()];
        at.add(QString::fromStdString(barrier.name),
            tr("%1 turns done, parity %2; %3 of %4 %5 have arrived")
                .arg(state.phase)
                .arg(state.phase % 2)
                .arg(count(state.arrived), count(state.expected), QString::fromStdString(barrier.unit)));
    }
}

void machineFacts(Moment& at, const std::string& key)
{
    const Run& run = *at.session.document.run();
    const LaunchDecl& launch = at.program.launches[launchOf(at.program, at.cta)];
    if (key == "CTA" && at.cta.valid())
        at.add(tr("chosen"),
            tr("CTA %1 of %2, on SM %3").arg(at.cta.index()).arg(at.program.ctaCount()).arg(at.trace.span(at.cta).sm));
    else if (key == "SM")
        at.add(tr("here"), tr("%1, %2 SMs").arg(fromView(run.gpu.title)).arg(at.trace.smCount()));
    else if (key == "grid")
        at.add(tr("here"), tr("%1 CTAs in %2 launches").arg(at.program.ctaCount()).arg(at.program.launches.size()));
    else if (key == "wave" || key == "occupancy")
        at.add(tr("here"),
            tr("%1 CTAs; an SM holds %2, so at most %3 run at once")
                .arg(at.program.ctaCount())
                .arg(at.trace.ctasPerSm())
                .arg(at.trace.ctasPerSm() * at.trace.smCount()));
    else if (key == "cluster")
        at.add(tr("here"),
            launch.clusterSize == 1 ? tr("none: each CTA is by itself") : tr("%1 CTAs").arg(launch.clusterSize));
    else if (key == "thread" || key == "warp")
        at.add(tr("here"), tr("%1 threads in a CTA, %2 warps").arg(launch.threads).arg(launch.threads / 32));
    else if (key == "SMEM")
        at.add(tr("here"), tr("%1 taken by a CTA").arg(paint::byteCount(static_cast<double>(launch.smemBytes))));
    else if (key == "TMEM" && launch.tmemColumns > 0)
        at.add(tr("here"), tr("%1 of 512 columns taken").arg(launch.tmemColumns));
    else if (key == "registers")
        at.add(tr("here"), tr("up to %1 for a thread").arg(launch.registersPerThread));
    else if (key == "stage" || key == "ring" || key == "slot")
        at.add(tr("here"), tr("%1 slots").arg(at.program.stages));
    else if (key == "HBM")
        at.add(tr("this run"),
            tr("%1 read, %2 written")
                .arg(paint::byteCount(run.report.hbmReadBytes), paint::byteCount(run.report.hbmWriteBytes)));
    else if (key == "threshold" && at.program.softmax.conditional)
        at.add(tr("here"), tr("%1 in log2 units").arg(static_cast<double>(at.program.softmax.threshold)));
    else if (key == "roofline")
        at.add(tr("this run"), tr("busiest: %1").arg(QString::fromStdString(run.report.binding)));
    else if (key == "hazard")
        at.add(tr("this run"), count(static_cast<std::int64_t>(run.report.hazards)));
    else if (key == "modelled time")
        at.add(tr("this run"), tr("%1 cycles at %2 MHz").arg(count(at.trace.cycles())).arg(at.trace.clockMhz()));
    else if (key == "costed dtype")
        at.add(tr("here"),
            tr("shown %1, timed as %2")
                .arg(QString::fromStdString(at.program.tile.text()),
                    QString::fromStdString(at.program.costTile.text())));
}

} // namespace

std::vector<TermFact> termFacts(const GlossaryCard& card, const Session& session)
{
    if (session.document.empty() || !session.selection.cta().valid())
        return {};
    Moment at { session, session.document.trace(), session.document.program(), session.selection.cta(),
        session.playback.position(), {} };
    const std::string& key = card.key;
    const auto is = [&](std::initializer_list<const char*> keys) {
        return std::any_of(keys.begin(), keys.end(), [&](const char* each) { return key == each; });
    };
    if (is({ "Q", "K", "V", "S", "P", "O" })) {
        tensorFacts(at, key);
    } else if (is({ "m", "reference in use", "row sum", "LSE", "rescale", "vote", "frame" })) {
        rowFacts(at, key);
    } else if (is({ "phase", "parity", "turn", "mbarrier", "named barrier", "__syncthreads" })) {
        barrierFacts(at);
    } else if (is({ "tile", "key block", "query tile" })) {
        const TileRef tile = tileOnShow(session);
        at.add(tr("size"), tr("%1 rows by %2 keys").arg(at.program.tile.rows).arg(at.program.tile.keys));
        if (key != "key block" && tile.i >= 0)
            at.add(tr("query tile"), tr("%1 of %2").arg(tile.i).arg(at.program.queryTiles()));
        if (key != "query tile" && tile.j >= 0)
            at.add(tr("key block"), tr("%1 of %2").arg(tile.j).arg(at.program.keyBlocks()));
    } else {
        machineFacts(at, key);
    }
    return at.facts;
}

} // namespace flashstep::ui
