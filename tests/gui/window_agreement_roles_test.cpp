// SPDX-License-Identifier: GPL-3.0-or-later
// What views tell of roles, time and place, against the command line at the same moments: all versions.
#include "tests/gui/agreement.h"

#include "core/io/narrate.h"
#include "core/trace/state.h"
#include "ui/insights.h"
#include "ui/paint/timeline_painter.h"

#include <QTemporaryDir>
#include <QtTest>

#include <functional>
#include <set>

using namespace flashstep;
using namespace flashstep::ui;
using namespace flashstep::test;
using nlohmann::json;

namespace {

QString text(const json& value)
{
    return QString::fromStdString(value.get<std::string>());
}

void checkTransport(Agreement& run)
{
    const QJsonObject tree = run.read("transport", true);
    for (const auto& [name, key] : { std::pair("position", "position"), std::pair("cycle", "cycles") })
        run.same("transport", number(valueOf(below(tree, QString::fromLatin1(name)))), number(run.dump()[key]),
            QString::fromLatin1(name));
    run.same("transport", number(valueOf(below(tree, QStringLiteral("end")))), run.trace().end().value,
        QStringLiteral("end"));
}

void checkTimeline(Agreement& run)
{
    const QJsonObject tree = run.read("timeline");
    for (const auto& [name, key] : { std::pair("position", "position"), std::pair("cycle", "cycles") })
        run.same("timeline", number(valueOf(child(tree, QString::fromLatin1(name)))), number(run.dump()[key]),
            QString::fromLatin1(name));
    const auto states = rolesAt(run.trace(), run.cta(), run.position());
    const json& roles = run.dump()["roles"];
    run.expect("timeline", states.size() == roles.size(), QStringLiteral("roles"));
    for (std::size_t r = 0; r < std::min(states.size(), roles.size()); ++r) {
        const QString role = text(roles[r]["role"]);
        const QJsonObject lane = child(tree, role);
        run.expect("timeline", !lane.isEmpty(), QStringLiteral("no lane of ") + role);
        const InstanceId current = states[r].current;
        if (!current.valid()) {
            run.expect("timeline", roles[r]["op"].is_null(), role);
            run.same("timeline", valueOf(lane), QStringLiteral("not started"), role);
            continue;
        }
        run.same("timeline", roles[r]["op"].is_null() ? QString() : text(roles[r]["op"]),
            QString::fromStdString(std::string(name(run.trace().op(current).kind))), role);
        const QString label = paint::sliceLabel(run.trace(), current, true);
        run.same("timeline", valueOf(lane), label, QStringLiteral("op of ") + role);
        const QString span = QStringLiteral("%1 to %2 cycles").arg(states[r].since).arg(run.trace().endCycle(current));
        bool found = false;
        for (const QJsonObject& slice : childrenOf(lane))
            found = found || (nameOf(slice) == label && valueOf(slice).startsWith(span));
        run.expect("timeline", found, QStringLiteral("%1 has no slice %2, %3").arg(role, label, span));
    }
}

// "load, warps 0–2, 5" → its roles.
std::set<QString> apart(const QString& roles, const json& known)
{
    std::set<QString> all;
    QString family;
    for (const QString& part : roles.split(QStringLiteral(", "))) {
        const auto match = QRegularExpression(QStringLiteral("^(.*?)(\\d+)(?:–(\\d+))?$")).match(part);
        if (!match.hasMatch()) {
            all.insert(part);
            continue;
        }
        if (!match.captured(1).isEmpty())
            family = match.captured(1);
        const int first = match.captured(2).toInt();
        const int last = match.captured(3).isEmpty() ? first : match.captured(3).toInt();
        for (int k = first; k <= last; ++k) {
            QString name = family + QString::number(k);
            const bool exists
                = std::any_of(known.begin(), known.end(), [&](const json& role) { return text(role["role"]) == name; });
            if (!exists && family.endsWith(QStringLiteral("s "))) // several
                name = family.chopped(2) + QLatin1Char(' ') + QString::number(k);
            all.insert(name);
        }
    }
    return all;
}

void checkSource(Agreement& run)
{
    const QJsonObject page = child(run.read("source"), QStringLiteral("schedule"));
    std::map<QString, std::set<QString>> expected, read;
    for (const json& role : run.dump()["roles"])
        if (!role["source"].is_null() && role["state"] != "done")
            expected[text(role["source"])].insert(text(role["role"]));
    for (const QJsonObject& line : childrenOf(page)) {
        const QString roles = valueOf(line).section(QStringLiteral(": "), 0, 0);
        read[nameOf(line)] = apart(roles, run.dump()["roles"]);
    }
    run.expect("source", read.size() == expected.size(),
        QStringLiteral("%1 lines, but roles are at %2").arg(read.size()).arg(expected.size()));
    for (const auto& [line, roles] : expected) {
        QStringList words;
        for (const QString& role : read[line])
            words.append(role);
        run.expect(
            "source", read[line] == roles, QStringLiteral("at %1 are “%2”").arg(line, words.join(QLatin1Char('|'))));
    }
}

void checkExplain(Agreement& run)
{
    Position newest = run.position();
    while (newest.value > 0 && run.trace().ctaOf(run.trace().eventAt(newest.value - 1).instance) != run.cta())
        --newest.value;
    const Narrator narrator(*run.session().document.run(), run.session().document.labels(), *Words::load("en"));
    const auto nodes = childrenOf(run.read("explain"));
    run.expect("explain", nodes.size() == 2, QStringLiteral("title and sentences"));
    if (nodes.size() != 2)
        return;
    run.same("explain", nameOf(nodes[0]), QString::fromStdString(narrator.title(newest, run.cta())),
        QStringLiteral("title"));
    run.same("explain", nameOf(nodes[1]),
        QString::fromStdString(narrator.explain(newest, run.cta())).remove(QStringLiteral("**")),
        QStringLiteral("sentences"));
    if (newest.value == 0)
        return;
    const Event event = run.trace().eventAt(newest.value - 1);
    const Op& op = run.trace().op(event.instance);
    if (event.ends && op.async) // done by the hardware on its own
        return;
    const QString role = QString::fromStdString(run.program().roles[op.role.index()].name);
    run.expect(
        "explain", nameOf(nodes[0]).contains(role), QStringLiteral("“%1” without %2").arg(nameOf(nodes[0]), role));
}

// The step that the outline is scrolled to, and those round it that can be seen.
void checkOutline(Agreement& run)
{
    const Trace& trace = run.trace();
    const auto nodes = childrenOf(run.read("outline", true));
    int now = 0;
    for (const QJsonObject& node : nodes) {
        const QString state = nameOf(node).section(QStringLiteral(", "), -1);
        const QString label = nameOf(node).section(QStringLiteral(", "), 0, -2);
        run.expect("outline",
            state == QStringLiteral("done") || state == QStringLiteral("now") || state == QStringLiteral("to come"),
            QStringLiteral("“%1” does not say whether it is done").arg(nameOf(node)));
        // Some step of this name is in that state, and what every step of the name agrees in is what is read.
        std::set<QString> states;
        for (const WorkId work : trace.worksOf(run.cta()))
            for (const RoleRange& range : trace.streamOf(work).roles)
                for (std::uint32_t k = range.first; k < range.first + range.count; ++k) {
                    const InstanceId instance = trace.instance(work, OpId(k));
                    const QString name = QString::fromStdString(labelOf(run.program(), run.program().op(OpId(k))))
                                             .replace(QLatin1Char('_'), QLatin1Char(' '));
                    if (name == label && trace.began(instance))
                        states.insert(trace.endedAt(instance, run.position()) ? QStringLiteral("done")
                                : trace.begunAt(instance, run.position())     ? QStringLiteral("now")
                                                                              : QStringLiteral("to come"));
                }
        if (!states.empty())
            run.expect("outline", states.count(state) > 0, QStringLiteral("“%1” is %2").arg(label, state));
        now += state == QStringLiteral("now") ? 1 : 0;
    }
    run.expect("outline", !nodes.empty(), QStringLiteral("no steps"));
    const json& roles = run.dump()["roles"];
    const bool goesOn = std::any_of(roles.begin(), roles.end(),
        [](const json& role) { return role["state"] == "running" || role["state"] == "waiting"; });
    if (!goesOn)
        run.same("outline", now, 0, QStringLiteral("steps under way"));
}

void checkGrid(Agreement& run)
{
    const QJsonObject tree = run.read("grid");
    for (std::size_t k = 0; k < run.program().ctaCount(); ++k) {
        const CtaSpan& span = run.trace().span(CtaId(k));
        const QJsonObject sm = child(tree, QStringLiteral("SM %1").arg(span.sm));
        const QString told = valueOf(child(sm, QStringLiteral("CTA %1").arg(k)));
        const auto read = numbersIn(told, "cycles (\\S+)–(\\S+) \\(");
        const QString what = QStringLiteral("of CTA %1 on SM %2: %3").arg(k).arg(span.sm).arg(told);
        run.expect("grid", read.size() == 2, QStringLiteral("no times ") + what);
        if (read.size() != 2)
            continue;
        run.same("grid", read[0], span.begin, QStringLiteral("begin ") + what);
        run.same("grid", read[1], span.end, QStringLiteral("end ") + what);
        if (k != run.cta().index())
            continue;
        std::set<std::string> states;
        for (const json& role : run.dump()["roles"])
            states.insert(role["state"].get<std::string>());
        if (states == std::set<std::string> { "done" })
            run.expect("grid", told.contains(QStringLiteral("done")), what);
        else if (states.count("running") > 0 || states.count("waiting") > 0)
            run.expect("grid", told.contains(QStringLiteral("running")), what);
    }
}

void checkWhy(Agreement& run)
{
    while (!run.session().insights.causes() || run.session().insights.busy())
        QApplication::processEvents();
    const QJsonObject tree = run.read("why");
    for (const json& barrier : run.dump()["barriers"]) {
        const QString name = text(barrier["name"]);
        const QString told = valueOf(child(tree, name));
        const auto read = numbersIn(told, "^(\\S+) of (\\S+) .*, phase (\\d+), parity (\\d)$");
        run.expect("why", read.size() == 4, QStringLiteral("%1: %2").arg(name, told));
        if (read.size() != 4)
            continue;
        run.same("why", read[0], number(barrier["arrived"]), QStringLiteral("arrived at ") + name);
        run.same("why", read[1], number(barrier["expected"]), QStringLiteral("expected at ") + name);
        run.same("why", read[2], number(barrier["phase"]), QStringLiteral("phase of ") + name);
        run.same("why", read[3], std::fmod(number(barrier["phase"]), 2), QStringLiteral("parity of ") + name);
    }
    // Besides, roles are listed whose op waits for an engine: to the dump those run.
    std::set<QString> listed;
    for (const QJsonObject& node : childrenOf(tree))
        if (node.value(QStringLiteral("role")).toString() == QStringLiteral("ListItem"))
            listed.insert(nameOf(node));
    const auto states = rolesAt(run.trace(), run.cta(), run.position());
    for (std::size_t r = 0; r < states.size(); ++r) {
        const json& role = run.dump()["roles"][r];
        const QString name = text(role["role"]);
        // A wait that is over at once, in the same cycle, is nothing to explain.
        if (const InstanceId current = states[r].current; current.valid() && run.trace().ended(current)
            && run.trace().beginCycle(current) == run.trace().endCycle(current))
            continue;
        const bool waits = role["state"] == "waiting" || role["state"] == "stuck";
        run.expect("why", !waits || listed.count(name) > 0, name + QStringLiteral(" waits, and is not listed"));
        run.expect("why", waits || role["state"] == "running" || listed.count(name) == 0,
            QStringLiteral("%1 is listed, and is %2").arg(name, text(role["state"])));
    }
}

void checkScenario(Agreement& run, const Given& given)
{
    const QJsonObject tree = run.read("scenario", true);
    std::map<std::string, QString> stated;
    for (const auto& [key, value] : given)
        stated[key] = QString::fromStdString(value);
    // Beside each field stands a label of the same name.
    const std::function<QString(const QJsonObject&, const QString&)> find
        = [&](const QJsonObject& in, const QString& label) {
              for (const QJsonObject& each : childrenOf(in)) {
                  if (nameOf(each) == label && !valueOf(each).isEmpty())
                      return valueOf(each);
                  if (const QString deeper = find(each, label); !deeper.isEmpty())
                      return deeper;
              }
              return QString();
          };
    const auto field = [&](const QString& label) { return find(tree, label); };
    run.same("scenario", field(QStringLiteral("queries")), stated["seqlen_q"], QStringLiteral("queries"));
    run.same("scenario", field(QStringLiteral("keys")), stated["seqlen_k"], QStringLiteral("keys"));
    run.same("scenario", field(QStringLiteral("shown")), stated["tile"], QStringLiteral("tile"));
    run.same("scenario", field(QStringLiteral("timed as")), stated["cost_tile"], QStringLiteral("cost tile"));
    run.expect("scenario", !below(tree, QStringLiteral("heads × dim: 1 × ") + stated["head_dim"]).isEmpty(),
        QStringLiteral("heads × dim"));
}

} // namespace

class WindowAgreementRoles : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void rolesTimeAndPlaceAreThoseOfTheDump_data();
    void rolesTimeAndPlaceAreThoseOfTheDump();
    void everyViewIsComparedOrLeftOutForAReason() { QCOMPARE(missing('r', m_compared), QString()); }

private:
    QTemporaryDir m_folder;
    std::map<std::string, int> m_compared;
};

void WindowAgreementRoles::rolesTimeAndPlaceAreThoseOfTheDump_data()
{
    QTest::addColumn<int>("which");
    for (std::size_t k = 0; k < versions().size(); ++k)
        QTest::newRow(versions()[k].first) << static_cast<int>(k);
}

void WindowAgreementRoles::rolesTimeAndPlaceAreThoseOfTheDump()
{
    QFETCH(int, which);
    const Given given = versions()[static_cast<std::size_t>(which)].second;
    Agreement run(given);
    checkScenario(run, given);
    for (const Visit& visit : moments(run.trace(), static_cast<unsigned>(which) + 101, 4, 2)) {
        run.go(visit.cta, visit.position);
        checkTransport(run);
        checkTimeline(run);
        checkSource(run);
        checkExplain(run);
        checkOutline(run);
        checkGrid(run);
        checkWhy(run);
    }
    for (const auto& [view, count] : run.compared)
        m_compared[view] += count;
    QVERIFY2(run.differences.isEmpty(), qPrintable(run.differences.join(QLatin1Char('\n'))));
}

QTEST_MAIN(WindowAgreementRoles)
#include "window_agreement_roles_test.moc"
