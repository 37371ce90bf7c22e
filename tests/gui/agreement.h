// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/command.h"

#include "core/emulation/run.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/headless.h"
#include "ui/main_window.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/accessible.h"

#include <nlohmann/json.hpp>

#include <QAccessible>
#include <QApplication>
#include <QJsonArray>
#include <QRegularExpression>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>

namespace flashstep::test {

// What `flashstep --read` says of a view beside what `flashstep-cli dump --what state` says of the same moment.
using Given = std::vector<std::pair<std::string, std::string>>;

inline Given smallProblem(const std::string& algorithm, const std::string& knob = {})
{
    Given given { { "algorithm", algorithm }, { "seqlen_q", "64" }, { "seqlen_k", "64" }, { "head_dim", "16" },
        { "tile", "8x8" }, { "cost_tile", "128x128" } };
    if (!knob.empty())
        given.emplace_back("what_if", knob);
    return given;
}

// Every version, and what changes who does what.
inline std::vector<std::pair<const char*, Given>> versions()
{
    std::vector<std::pair<const char*, Given>> all { { "standard", smallProblem("standard") },
        { "fa1", smallProblem("fa1") }, { "fa2", smallProblem("fa2") }, { "fa3", smallProblem("fa3") },
        { "fa4", smallProblem("fa4") }, { "fa4 pair", smallProblem("fa4", "two-cta=on") },
        { "fa3 persistent", smallProblem("fa3", "scheduler=persistent") } };
    all.back().second.emplace_back("what_if", "sms=3");
    all.back().second.emplace_back("mask", "causal");
    return all;
}

inline std::unique_ptr<ui::MainWindow> windowOf(const Given& given)
{
    auto window = std::make_unique<ui::MainWindow>(ui::MainWindow::Options { false, false });
    ui::HeadlessRequest request;
    request.given = given;
    window->resize(request.size);
    window->show();
    if (const Status status = ui::prepareWindow(*window, request, true); !status)
        qFatal("%s", status.error().line().c_str());
    return window;
}

inline nlohmann::json cliJson(const Given& given, std::vector<std::string> words)
{
    for (const auto& [key, value] : given) {
        std::string option = "--" + key;
        std::replace(option.begin(), option.end(), '_', '-');
        words.insert(words.end(), { option, value });
    }
    words.emplace_back("--json");
    const CommandResult result = runCli(words);
    if (result.status != 0)
        qFatal("flashstep-cli: %s", result.error.c_str());
    return nlohmann::json::parse(result.out);
}

// A number as either program writes it.
inline double number(const nlohmann::json& value)
{
    if (value.is_number())
        return value.get<double>();
    const std::string text = value.is_string() ? value.get<std::string>() : "nan";
    return text == "-inf" ? -std::numeric_limits<double>::infinity()
        : text == "inf"   ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
}
inline double number(QString text)
{
    text.remove(QChar(0x00a0)).remove(QChar(0x202f)).replace(QChar(0x2212), QLatin1Char('-'));
    text.replace(QChar(0x221e), QStringLiteral("inf"));
    if (text == QString(QChar(0x2013)) || text == QStringLiteral("nan"))
        return std::numeric_limits<double>::quiet_NaN();
    if (text == QStringLiteral("inf") || text == QStringLiteral("-inf"))
        return text[0] == QLatin1Char('-') ? -std::numeric_limits<double>::infinity()
                                           : std::numeric_limits<double>::infinity();
    bool ok = false;
    const double value = text.toDouble(&ok);
    return ok ? value : 1e300; // equal to nothing
}
inline bool sameNumber(double a, double b, double tolerance = 0)
{
    return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= tolerance;
}
// The numbers that a pattern's groups catch; empty where it does not fit.
inline std::vector<double> numbersIn(const QString& text, const char* pattern)
{
    const auto match = QRegularExpression(QString::fromUtf8(pattern)).match(text);
    std::vector<double> found;
    for (int k = 1; k <= match.lastCapturedIndex(); ++k)
        found.push_back(number(match.captured(k)));
    return found;
}

inline QString nameOf(const QJsonObject& node)
{
    return node.value(QStringLiteral("name")).toString();
}
inline QString valueOf(const QJsonObject& node)
{
    return node.value(QStringLiteral("value")).toString();
}
inline std::vector<QJsonObject> childrenOf(const QJsonObject& node)
{
    std::vector<QJsonObject> all;
    for (const QJsonValue& child : node.value(QStringLiteral("children")).toArray())
        all.push_back(child.toObject());
    return all;
}
// The first of that name among the children, or anywhere below.
inline QJsonObject child(const QJsonObject& node, const QString& name)
{
    for (const QJsonObject& each : childrenOf(node))
        if (nameOf(each) == name)
            return each;
    return {};
}
inline QJsonObject below(const QJsonObject& node, const QString& name)
{
    for (const QJsonObject& each : childrenOf(node)) {
        if (nameOf(each) == name)
            return each;
        if (const QJsonObject deeper = below(each, name); !deeper.isEmpty())
            return deeper;
    }
    return {};
}

// One version, at one moment after the other.
class Agreement {
public:
    explicit Agreement(Given given)
        : m_given(std::move(given))
        , m_window(windowOf(m_given))
    {
    }

    ui::MainWindow& window() { return *m_window; }
    [[nodiscard]] ui::Session session() const { return m_window->session(); }
    [[nodiscard]] const Trace& trace() const { return session().document.trace(); }
    [[nodiscard]] const Program& program() const { return session().document.program(); }
    [[nodiscard]] CtaId cta() const { return session().selection.cta(); }
    [[nodiscard]] Position position() const { return session().playback.position(); }
    [[nodiscard]] const nlohmann::json& dump() const { return m_dump; }

    void go(CtaId cta, Position p)
    {
        session().selection.clear();
        session().selection.chooseCta(cta);
        session().playback.seek(p);
        QApplication::processEvents();
        m_dump = cliJson(m_given,
            { "dump", "--what", "state", "--buffer", "all", "--at", std::to_string(p.value), "--cta",
                std::to_string(cta.index()) });
    }

    // The live tree of a view as it stands; raised first where asked, as one whose widgets only then tell of
    // themselves.
    [[nodiscard]] QJsonObject read(const char* view, bool raise = false)
    {
        if (raise) {
            m_window->showView(QString::fromLatin1(view));
            QApplication::processEvents();
        }
        return ui::accessibleTree(QAccessible::queryAccessibleInterface(m_window->view(QString::fromLatin1(view))));
    }

    // What was compared, by view, and what did not agree.
    void expect(const char* view, bool holds, const QString& what)
    {
        ++compared[view];
        if (!holds && ++m_wrong <= 40)
            differences.append(QStringLiteral("%1, CTA %2, position %3: %4")
                                   .arg(QString::fromLatin1(view))
                                   .arg(cta().index())
                                   .arg(position().value)
                                   .arg(what));
    }
    void same(const char* view, double read, double dumped, const QString& what, double tolerance = 0)
    {
        expect(view, sameNumber(read, dumped, tolerance),
            QStringLiteral("%1 is read as %2, but is %3").arg(what).arg(read, 0, 'g', 17).arg(dumped, 0, 'g', 17));
    }
    void same(const char* view, const QString& read, const QString& dumped, const QString& what)
    {
        expect(view, read == dumped, QStringLiteral("%1 is read as “%2”, but is “%3”").arg(what, read, dumped));
    }

    std::map<std::string, int> compared;
    QStringList differences;

private:
    const Given m_given;
    std::unique_ptr<ui::MainWindow> m_window;
    nlohmann::json m_dump;
    int m_wrong = 0;
};

// Every view: what of it is compared, in which of the test programs, or why nothing is.
struct Compared {
    const char* view;
    char where; // 'v': window_agreement_test.cpp, 'r': window_agreement_roles_test.cpp, '-': left out
    const char* what;
};
inline const std::vector<Compared>& comparedViews()
{
    static const std::vector<Compared> all {
        { "ledger", 'v', "m, m_used, l, blocks, decision and scale of each row" },
        { "row", 'v', "maximum, reference and l of the chosen row at every block" },
        { "inspector", 'v', "every value of a buffer" },
        { "numbers", 'v', "elements of S and P, m, reference and l of each row" },
        { "glossary", 'v', "m, reference, l and LSE of the chosen row; barriers" },
        { "tiles", 'v', "state of each tile" },
        { "memory", 'v', "what each buffer holds, phases of barriers, who waits for what" },
        { "exp", 'v', "exponentials so far" },
        { "timeline", 'r', "the current op of each role with its begin and end" },
        { "source", 'r', "the current line of each role" },
        { "explain", 'r', "the narrator's sentences for the CTA's newest event" },
        { "outline", 'r', "whether a step is done, under way or to come" },
        { "transport", 'r', "position and cycle" },
        { "grid", 'r', "when each CTA runs" },
        { "why", 'r', "who waits; expected, arrived and phase of each barrier" },
        { "scenario", 'r', "sizes of the problem and its tiles" },
        { "welcome", '-', "compares the versions on published problems, knows nothing of the run that is open" },
        { "differences", '-', "holds a recording against the schedule, none is open in a run alone" },
        { "bookmarks", '-', "lists places that the user has kept, none in a run that has just been opened" },
    };
    return all;
}
// Each view is known to the table, and each that is in this program's charge was compared.
inline QString missing(char where, const std::map<std::string, int>& compared)
{
    for (const QString& name : ui::MainWindow::viewNames())
        if (std::none_of(comparedViews().begin(), comparedViews().end(),
                [&](const Compared& each) { return name == QLatin1String(each.view); }))
            return name + QStringLiteral(" is a view that the table of this test does not know");
    for (const Compared& each : comparedViews())
        if (each.where == where && compared.count(each.view) == 0)
            return QStringLiteral("nothing of %1 was compared").arg(QString::fromLatin1(each.view));
    return {};
}

// Of one seed: moments of CTAs while they run, and where a block has just landed in O.
struct Visit {
    CtaId cta;
    Position position;
    int i = -1, n = 0; // block(i, n), if it is one
};
inline std::vector<Visit> moments(const Trace& trace, unsigned seed, int anywhere, int blocks)
{
    std::mt19937 random(seed);
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    std::vector<Visit> all;
    const Program& program = trace.program();
    for (int k = 0; k < anywhere; ++k) {
        const CtaId cta(below(program.ctaCount()));
        const auto extent = ui::extentOf(trace, cta);
        const std::uint32_t first = extent ? extent->first.value : 0;
        const std::uint32_t last = extent ? extent->second.value : trace.end().value;
        all.push_back({ cta, Position { first + static_cast<std::uint32_t>(below(last - first + 1)) } });
    }
    for (int tries = 0; blocks > 0 && tries < 100; ++tries) {
        const int i = static_cast<int>(below(static_cast<std::size_t>(program.queryTiles())));
        const int n = 1 + static_cast<int>(below(static_cast<std::size_t>(program.keyBlocks())));
        if (const auto at = trace.block(0, 0, i, n)) {
            all.push_back({ trace.ctaOfTile(0, 0, i), *at, i, n });
            --blocks;
        }
    }
    return all;
}

} // namespace flashstep::test
