// SPDX-License-Identifier: GPL-3.0-or-later
// The numbers of the values that views tell of, against the command line at the same moments: all versions.
#include "tests/gui/agreement.h"

#include "core/tensor/real_math.h"
#include "core/trace/state.h"

#include <QTemporaryDir>
#include <QtTest>

#include <cstdlib>

using namespace flashstep;
using namespace flashstep::ui;
using namespace flashstep::test;
using nlohmann::json;

namespace {

constexpr double log2e = 1.4426950408889634;
constexpr double twoPlaces = 0.00501, threePlaces = 0.000501, fourPlaces = 0.0000501;

// Values are floats: each side writes the shortest text of its own type that reads back as the same one.
bool sameFloat(const QString& read, const json& dumped)
{
    const double value = number(dumped);
    const float text = std::strtof(read.toLatin1().constData(), nullptr);
    return std::isfinite(value) ? text == static_cast<float>(value) : sameNumber(number(read), value);
}

QString at(int r, int c)
{
    return QStringLiteral("[%1, %2]").arg(r).arg(c);
}

const json* rowOf(const json& dump, int row)
{
    for (const json& each : dump["rows"])
        if (each["row"] == row)
            return &each;
    return nullptr;
}

void checkLedger(Agreement& run)
{
    const auto nodes = childrenOf(run.read("ledger"));
    const json& rows = run.dump()["rows"];
    if (rows.empty()) {
        run.expect("ledger", nodes.size() == 1 && childrenOf(nodes[0]).empty(), QStringLiteral("rows without any"));
        return;
    }
    run.expect("ledger", nodes.size() == rows.size(), QStringLiteral("%1 rows").arg(nodes.size()));
    for (std::size_t r = 0; r < std::min(nodes.size(), rows.size()); ++r) {
        for (const char* key : { "row", "m", "m_used", "l", "blocks", "scale" })
            run.same("ledger", number(valueOf(child(nodes[r], QString::fromLatin1(key)))), number(rows[r][key]),
                QStringLiteral("%1 of row %2").arg(QString::fromLatin1(key)).arg(r));
        run.same("ledger", valueOf(child(nodes[r], QStringLiteral("decision"))),
            QString::fromStdString(rows[r]["decision"].get<std::string>()), QStringLiteral("decision"));
    }
}

// At block(i, n), with that row chosen, against the dump; at every other block of the row against the trace.
void checkRow(Agreement& run, const Visit& visit, int row)
{
    const auto chart = child(run.read("row"), QStringLiteral("the row over its key blocks"));
    const std::size_t visits
        = static_cast<std::size_t>(run.program().streamOf(run.trace().workOfTile(0, 0, visit.i)).visitedBlocks);
    const json* dumped = rowOf(run.dump(), row);
    const auto points = childrenOf(chart);
    run.expect(
        "row", points.size() == (dumped != nullptr ? visits : 0), QStringLiteral("%1 blocks").arg(points.size()));
    for (std::size_t k = 0; k < points.size(); ++k) {
        const int n = static_cast<int>(k) + 1;
        const auto read
            = numbersIn(valueOf(points[k]), "^n (\\d+), .*true max ([^ ,]+), reference ([^ ,;]+).*ℓ (\\S+)$");
        run.expect("row", read.size() == 4 && read[0] == n, valueOf(points[k]));
        if (read.size() != 4)
            continue;
        double m = 0, used = 0, l = -1;
        if (n == visit.n) {
            m = number((*dumped)["m"]);
            used = number((*dumped)["m_used"]);
            l = number((*dumped)["l"]);
        } else {
            for (const RowState& each : ledgerAt(run.trace(), run.cta(), *run.trace().block(0, 0, visit.i, n)))
                if (each.row == row) {
                    m = each.m;
                    used = each.mUsed;
                    l = each.l;
                }
        }
        const QString what = QStringLiteral(" of row %1, block %2").arg(row).arg(n);
        run.same("row", read[1], m * log2e, QStringLiteral("maximum") + what, twoPlaces);
        run.same("row", read[2], used * log2e, QStringLiteral("reference") + what, twoPlaces);
        run.same("row", read[3], l, QStringLiteral("l") + what, twoPlaces);
    }
}

std::string familyOf(Agreement& run, const std::string& name)
{
    for (const BufferDecl& decl : run.program().buffers)
        if (decl.name == name && decl.launch == launchOf(run.program(), run.cta()))
            return decl.family;
    return {};
}

void checkInspector(Agreement& run, unsigned seed)
{
    // Some of what holds something, and always S, P and O.
    std::mt19937 random(seed);
    run.window().showView(QStringLiteral("inspector"));
    const std::size_t launch = launchOf(run.program(), run.cta());
    for (const json& dumped : run.dump()["buffers"]) {
        const std::string name = dumped["name"].get<std::string>();
        const std::string family = familyOf(run, name);
        const bool matters = family == "S" || family == "P" || family == "O";
        if (!matters && (dumped["state"] == "empty" || random() % 4 != 0))
            continue;
        for (std::size_t b = 0; b < run.program().buffers.size(); ++b)
            if (run.program().buffers[b].name == name && run.program().buffers[b].launch == launch)
                run.session().selection.chooseBuffer(BufferId(b));
        QApplication::processEvents();
        const auto rows = childrenOf(child(run.read("inspector"), QStringLiteral("Values")));
        const json& values = dumped["values"];
        run.expect("inspector", rows.size() == values.size() && !rows.empty(), QStringLiteral("rows of the buffer"));
        for (std::size_t r = 0; r < std::min(rows.size(), values.size()); ++r) {
            const auto cells = childrenOf(rows[r]);
            run.expect("inspector", cells.size() == values[r].size(), QStringLiteral("columns of the buffer"));
            for (std::size_t c = 0; c < std::min(cells.size(), values[r].size()); ++c)
                run.expect("inspector", sameFloat(valueOf(cells[c]), values[r][c]),
                    QStringLiteral("%1%2 is read as %3, but is %4")
                        .arg(QString::fromStdString(name), at(static_cast<int>(r), static_cast<int>(c)),
                            valueOf(cells[c]), QString::fromStdString(values[r][c].dump())));
        }
    }
    run.session().selection.chooseBuffer(BufferId::none());
}

// The score that the inputs give, log2 units: whatever the kernel has done with its registers since.
double scoreOf(const Run& run, int row, int key)
{
    const Problem& problem = run.program->problem;
    const Inputs& inputs = *run.inputs;
    double sum = 0;
    for (int d = 0; d < problem.headDim; ++d)
        sum += static_cast<double>(inputs.q.row(0, 0, row)[static_cast<std::size_t>(d)])
            * static_cast<double>(inputs.k.row(0, 0, key)[static_cast<std::size_t>(d)]);
    return sum / std::sqrt(problem.headDim) * log2e;
}

void checkNumbers(Agreement& run, const Visit& visit)
{
    const QJsonObject tree = run.read("numbers");
    const auto tile = numbersIn(valueOf(child(tree, QStringLiteral("tile"))), "^\\((\\d+), (\\d+)\\)$");
    run.expect("numbers", tile.size() == 2, QStringLiteral("no tile"));
    if (tile.size() != 2)
        return;
    const int i = static_cast<int>(tile[0]), j = static_cast<int>(tile[1]);
    const TileState state = tileAt(run.trace(), 0, 0, i, j, run.position());
    if (visit.n > 0)
        run.expect("numbers", i == visit.i && state.n == visit.n, QStringLiteral("shows (%1, %2)").arg(i).arg(j));
    const bool standard = run.program().algorithm == "standard";
    const auto rows = childrenOf(tree);
    run.expect("numbers", rows.size() == 9, QStringLiteral("%1 nodes for 8 rows").arg(rows.size()));
    for (std::size_t r = 0; r + 1 < rows.size(); ++r) {
        const QJsonObject& node = rows[r + 1];
        const int row = i * 8 + static_cast<int>(r);
        const auto s = childrenOf(child(node, QStringLiteral("S in log2 units")));
        const auto p = childrenOf(child(node, QStringLiteral("P")));
        run.expect("numbers", s.size() == 8 && p.size() == 8, QStringLiteral("columns of row %1").arg(row));
        for (std::size_t c = 0; c < s.size(); ++c) {
            const double read = number(valueOf(s[c]));
            const int key = j * 8 + static_cast<int>(c);
            const bool hidden = run.program().problem.mask.kind == MaskKind::Causal && key > row;
            const double score = scoreOf(*run.session().document.run(), row, key);
            if (std::isnan(read)) // not there yet
                run.expect(
                    "numbers", visit.n == 0, QStringLiteral("no S%1 once its block has landed").arg(at(row, key)));
            else if (!hidden || std::isfinite(read)) // hidden scores are there until the mask has been
                run.same("numbers", read, score, QStringLiteral("S") + at(row, key),
                    standard ? 0.005 * std::max(1.0, std::fabs(score)) : 1e-5);
            else
                run.expect("numbers", read < 0, QStringLiteral("hidden S") + at(row, key));
        }
        for (const json& buffer : run.dump()["buffers"]) {
            const std::string family = familyOf(run, buffer["name"].get<std::string>());
            if (standard || (family != "P" && family != "rP") || buffer["tile"] != json::array({ i, j })
                || buffer["state"] != "valid")
                continue;
            for (std::size_t c = 0; c < p.size(); ++c)
                run.expect("numbers", sameFloat(valueOf(p[c]), buffer["values"][r][c]),
                    QStringLiteral("P%1 is read as %2, but is %3 in %4")
                        .arg(at(row, j * 8 + static_cast<int>(c)), valueOf(p[c]),
                            QString::fromStdString(buffer["values"][r][c].dump()),
                            QString::fromStdString(buffer["name"].get<std::string>())));
        }
        if (const json* dumped = visit.n > 0 ? rowOf(run.dump(), row) : nullptr) {
            const auto statistic
                = [&](const char* name) { return number(valueOf(child(node, QString::fromUtf8(name)))); };
            const QString of = QStringLiteral(" of row %1").arg(row);
            run.same("numbers", statistic("true max, log2 units"), number((*dumped)["m"]) * log2e,
                QStringLiteral("maximum") + of, 1e-5);
            run.same("numbers", statistic("reference, log2 units"), number((*dumped)["m_used"]) * log2e,
                QStringLiteral("reference") + of, 1e-5);
            run.same("numbers", statistic("ℓ"), number((*dumped)["l"]), QStringLiteral("l") + of, 1e-5);
        }
    }
}

void checkGlossary(Agreement& run, int row)
{
    const QJsonObject tree = run.read("glossary");
    const auto fact = [&](const char* card, const QString& name) {
        return valueOf(child(child(tree, QString::fromLatin1(card)), name));
    };
    const json* dumped = rowOf(run.dump(), row);
    const QString of = QStringLiteral("row %1").arg(row);
    if (dumped != nullptr) {
        const double m = number((*dumped)["m"]), used = number((*dumped)["m_used"]), l = number((*dumped)["l"]);
        for (const auto& [card, value] : { std::pair("m", m), std::pair("reference in use", used) }) {
            const auto read = numbersIn(fact(card, of), "^(\\S+) \\((\\S+) in log2 units\\)$");
            run.expect("glossary", read.size() == 2, QStringLiteral("no %1 of row %2").arg(card).arg(row));
            for (std::size_t k = 0; k < read.size(); ++k)
                run.same("glossary", read[k], k == 0 ? value : value * log2e, QString::fromLatin1(card), threePlaces);
        }
        run.same("glossary", number(fact("row sum", of)), l, QStringLiteral("row sum"), fourPlaces);
        const auto lse = numbersIn(fact("LSE", of), "^(\\S+) so far$");
        run.expect("glossary", lse.size() == 1, QStringLiteral("no LSE of row %1").arg(row));
        for (const double read : lse)
            run.same("glossary", read, used + std::log(l), QStringLiteral("LSE"), fourPlaces);
    }
    // The beginning of the chosen row of the first O that holds something.
    const QJsonObject o = child(tree, QStringLiteral("O"));
    for (const json& buffer : run.dump()["buffers"]) {
        const std::string family = familyOf(run, buffer["name"].get<std::string>());
        if ((family != "O" && family != "rO" && family != "sO" && family != "O_part") || buffer["state"] == "empty")
            continue;
        const int r = buffer["tile"][0].is_null() ? -1 : row - 8 * buffer["tile"][0].get<int>();
        const QStringList told = valueOf(child(o, of)).split(QStringLiteral("  "), Qt::SkipEmptyParts);
        if (r < 0 || r >= 8 || buffer["state"] == "loading" || dumped == nullptr)
            break;
        run.expect("glossary", told.size() >= 4, QStringLiteral("no O of row %1").arg(row));
        for (int c = 0; c < std::min(told.size(), 4); ++c)
            run.same("glossary", number(told[c]),
                number(buffer["values"][static_cast<std::size_t>(r)][static_cast<std::size_t>(c)]),
                QStringLiteral("O") + at(row, c), threePlaces);
        break;
    }
    const json& barriers = run.dump()["barriers"];
    for (std::size_t k = 0; k < std::min<std::size_t>(barriers.size(), 5); ++k) {
        const auto read = numbersIn(fact("phase", QString::fromStdString(barriers[k]["name"].get<std::string>())),
            "^(\\S+) turns done, parity (\\d); (\\S+) of (\\S+) ");
        run.expect("glossary", read.size() == 4, QStringLiteral("no barrier %1").arg(k));
        if (read.size() != 4)
            continue;
        run.same("glossary", read[0], number(barriers[k]["phase"]), QStringLiteral("phase"));
        run.same("glossary", read[1], std::fmod(number(barriers[k]["phase"]), 2), QStringLiteral("parity"));
        run.same("glossary", read[2], number(barriers[k]["arrived"]), QStringLiteral("arrived"));
        run.same("glossary", read[3], number(barriers[k]["expected"]), QStringLiteral("expected"));
    }
}

void checkTiles(Agreement& run)
{
    const QJsonObject tree = run.read("tiles");
    for (int i = 0; i < run.program().queryTiles(); ++i) {
        const QJsonObject row = child(tree, QStringLiteral("Q%1").arg(i));
        const std::vector<TileState> states = tilesAt(run.trace(), 0, 0, i, run.position());
        for (int j = 0; j < run.program().keyBlocks(); ++j) {
            const TileState& state = states[static_cast<std::size_t>(j)];
            QString told = QStringLiteral("Tile (%1, %2): ").arg(i).arg(j)
                + QString::fromStdString(std::string(name(state.kind)));
            if (state.kind == TileState::Kind::Loading)
                told += QStringLiteral(" %1 %").arg(std::lround(100 * state.fraction));
            if (state.n > 0)
                told += QStringLiteral(", block %1 of its row").arg(state.n);
            const QString read = valueOf(child(row, QStringLiteral("(%1, %2)").arg(i).arg(j)));
            run.expect("tiles", read.startsWith(told + QLatin1Char(',')) || read.startsWith(told + QLatin1Char(';')),
                QStringLiteral("“%1” is not “%2”").arg(read, told));
            for (const json& buffer : run.dump()["buffers"]) // its scores are on chip
                if (buffer["tile"] == json::array({ i, j }) && buffer["state"] == "valid")
                    run.expect("tiles", state.kind >= TileState::Kind::Computing,
                        QStringLiteral("(%1, %2) is in a buffer, but is read as “%3”").arg(i).arg(j).arg(read));
        }
    }
}

void checkMemory(Agreement& run)
{
    const QJsonObject tree = run.read("memory");
    const auto text = [](const json& value) { return QString::fromStdString(value.get<std::string>()); };
    for (const json& buffer : run.dump()["buffers"]) {
        QString told = text(buffer["state"]);
        for (const auto& [index, letter] : { std::pair(0U, 'i'), std::pair(1U, 'j') })
            if (!buffer["tile"][index].is_null())
                told += QStringLiteral(", %1 %2").arg(QLatin1Char(letter)).arg(buffer["tile"][index].get<int>());
        const QString name = text(buffer["space"]) + QLatin1Char(' ') + text(buffer["name"]);
        run.same("memory", valueOf(child(tree, name)), told, name);
    }
    for (const json& barrier : run.dump()["barriers"]) {
        const int phase = barrier["phase"].get<int>();
        const QString name = QStringLiteral("barrier ") + text(barrier["name"]);
        run.same("memory", valueOf(child(tree, name)),
            QStringLiteral("turn %1, parity %2, %3 of %4 %5 have arrived")
                .arg(phase)
                .arg(phase % 2)
                .arg(barrier["arrived"].get<int>())
                .arg(barrier["expected"].get<int>())
                .arg(text(barrier["unit"])),
            name);
    }
    for (const json& role : run.dump()["roles"]) {
        const QString waits
            = role["waiting_for"].is_null() ? QString() : QStringLiteral(" for ") + text(role["waiting_for"]);
        run.same("memory", valueOf(child(tree, text(role["role"]))), text(role["state"]) + waits, text(role["role"]));
    }
}

void checkExp(Agreement& run)
{
    double unit = 0, emulated = 0;
    for (std::uint32_t k = 0; k < run.position().value; ++k)
        if (const Event event = run.trace().eventAt(k); event.ends) {
            const OpCounts counts = countsOf(
                run.program(), run.program().work(run.trace().workOf(event.instance)), run.trace().op(event.instance));
            unit += static_cast<double>(counts.exp2);
            emulated += static_cast<double>(counts.exp2Emulated);
        }
    const QJsonObject tree = run.read("exp");
    run.same("exp", number(valueOf(child(tree, QStringLiteral("by the unit so far")))), unit, QStringLiteral("so far"));
    run.same("exp", number(valueOf(child(tree, QStringLiteral("emulated so far")))), emulated,
        QStringLiteral("emulated so far"));
}

} // namespace

class WindowAgreement : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void valuesAreThoseOfTheDump_data();
    void valuesAreThoseOfTheDump();
    void everyViewIsComparedOrLeftOutForAReason() { QCOMPARE(missing('v', m_compared), QString()); }

private:
    QTemporaryDir m_folder;
    std::map<std::string, int> m_compared;
};

void WindowAgreement::valuesAreThoseOfTheDump_data()
{
    QTest::addColumn<int>("which");
    for (std::size_t k = 0; k < versions().size(); ++k)
        QTest::newRow(versions()[k].first) << static_cast<int>(k);
}

void WindowAgreement::valuesAreThoseOfTheDump()
{
    QFETCH(int, which);
    Agreement run(versions()[static_cast<std::size_t>(which)].second);
    const auto seed = static_cast<unsigned>(which) + 1;
    for (const Visit& visit : moments(run.trace(), seed, 2, 2)) {
        run.go(visit.cta, visit.position);
        checkLedger(run);
        checkMemory(run);
        checkTiles(run);
        checkExp(run);
        checkNumbers(run, visit);
        checkInspector(run, seed);
        const json& rows = run.dump()["rows"];
        const int row = visit.n > 0 ? visit.i * 8 + static_cast<int>(seed) % 8
            : rows.empty()          ? 0
                                    : rows[seed % rows.size()]["row"].get<int>();
        run.session().selection.chooseRow(row);
        checkGlossary(run, row);
        if (visit.n > 0)
            checkRow(run, visit, row);
    }
    for (const auto& [view, count] : run.compared)
        m_compared[view] += count;
    QVERIFY2(run.differences.isEmpty(), qPrintable(run.differences.join(QLatin1Char('\n'))));
}

QTEST_MAIN(WindowAgreement)
#include "window_agreement_test.moc"
