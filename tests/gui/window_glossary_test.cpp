// SPDX-License-Identifier: GPL-3.0-or-later
// The glossary: every card can be found, read and followed, and says what its term is at this moment.
#include "core/emulation/run.h"
#include "core/program/scenario.h"
#include "core/trace/state.h"
#include "tests/gui/open_window.h"
#include "ui/actions.h"
#include "ui/main_window.h"
#include "ui/paint/text.h"
#include "ui/views/accessible.h"
#include "ui/views/explain_view.h"
#include "ui/views/glossary_view.h"
#include "ui/views/ledger.h"
#include "ui/views/term_card.h"

#include <QAccessible>
#include <QApplication>
#include <QDockWidget>
#include <QJsonArray>
#include <QLineEdit>
#include <QListWidget>
#include <QSignalSpy>
#include <QSlider>
#include <QTemporaryDir>
#include <QTextBlock>
#include <QTextBrowser>
#include <QToolTip>
#include <QtTest>

#include <memory>

using namespace flashstep;
using namespace flashstep::ui;
using flashstep::test::openAt;

namespace {

const QString moment = QStringLiteral("block(i=6, n=2)");

GlossaryView& glossaryOf(MainWindow& window)
{
    return *qobject_cast<GlossaryView*>(window.view(QStringLiteral("glossary")));
}

QStringList listed(GlossaryView& view)
{
    QStringList keys;
    auto* list = view.findChild<QListWidget*>();
    for (int k = 0; k < list->count(); ++k)
        keys.append(list->item(k)->data(Qt::UserRole).toString());
    return keys;
}

QString fact(const Session& session, const char* key, const QString& name)
{
    for (const TermFact& each : termFacts(*glossary().find(key), session))
        if (each.name.startsWith(name))
            return each.value;
    return {};
}

} // namespace

class WindowGlossary : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { qputenv("XDG_DATA_HOME", m_folder.path().toUtf8()); }
    void opensFromTheMenuAndIsClosedAtFirst();
    void searchNarrowsTheList();
    void readingGivesEveryCard();
    void factsAreTheTraces();
    void crossReferencesAreFollowed();
    void wordsOfTheExplanationAreLinks();
    void headersAndKnobsHaveCards();
    void linksLeaveTagsAlone();

private:
    QTemporaryDir m_folder;
};

void WindowGlossary::opensFromTheMenuAndIsClosedAtFirst()
{
    const auto window = openAt(moment);
    GlossaryView& view = glossaryOf(*window);
    QVERIFY(!view.isVisible());
    window->actions().action(QStringLiteral("show.glossary"))->trigger();
    QApplication::processEvents();
    QVERIFY(view.isVisible());
    QVERIFY(!view.visibleRegion().isEmpty());
    if (qEnvironmentVariableIsSet("FLASHSTEP_KEEP_PICTURES")) { // to be looked at
        window->showView(QStringLiteral("glossary"));
        view.showTerm(QStringLiteral("P"));
        QApplication::processEvents();
        window->grab().save(qEnvironmentVariable("FLASHSTEP_KEEP_PICTURES") + QStringLiteral("/glossary.png"));
        QToolTip::showText(
            QPoint(100, 100), termCardHtml(QStringLiteral("reference in use"), window->session()), window.get());
        QApplication::processEvents();
        for (QWidget* each : QApplication::topLevelWidgets())
            if (each->isVisible() && each->inherits("QTipLabel"))
                each->grab().save(qEnvironmentVariable("FLASHSTEP_KEEP_PICTURES") + QStringLiteral("/tip.png"));
    }
    window->setLayout(Layout::Learn);
    QVERIFY(!view.isVisible());
}

void WindowGlossary::searchNarrowsTheList()
{
    const auto window = openAt(moment);
    GlossaryView& view = glossaryOf(*window);
    window->showView(QStringLiteral("glossary"));
    QCOMPARE(listed(view).size(), static_cast<int>(glossary().cards().size()));
    auto* search = view.findChild<QLineEdit*>();
    QTest::keyClicks(search, QStringLiteral("shared"));
    QCOMPARE(listed(view).front(), QStringLiteral("SMEM"));
    QCOMPARE(view.term(), QStringLiteral("SMEM"));
    QVERIFY(listed(view).size() < 20);
    QTest::keyClick(search, Qt::Key_Down);
    QCOMPARE(view.term(), listed(view)[1]);
    search->setText(QStringLiteral("no such thing"));
    QVERIFY(listed(view).isEmpty());
    QVERIFY(view.findChild<QTextBrowser*>()->toPlainText().contains(QStringLiteral("No card")));
    search->clear();
    QCOMPARE(listed(view).size(), static_cast<int>(glossary().cards().size()));
}

void WindowGlossary::readingGivesEveryCard()
{
    const auto window = openAt(moment);
    window->showView(QStringLiteral("glossary"));
    const QJsonArray nodes
        = accessibleTree(QAccessible::queryAccessibleInterface(window->view(QStringLiteral("glossary"))))
              .value(QStringLiteral("children"))
              .toArray();
    QCOMPARE(nodes.size(), static_cast<int>(glossary().cards().size()));
    for (const QJsonValue& node : nodes) {
        const GlossaryCard* card
            = glossary().find(node.toObject().value(QStringLiteral("name")).toString().toStdString());
        QVERIFY(card);
        const QJsonArray parts = node.toObject().value(QStringLiteral("children")).toArray();
        QCOMPARE(parts.first().toObject().value(QStringLiteral("name")).toString().toStdString(), card->text);
        QCOMPARE(parts.last().toObject().value(QStringLiteral("value")).toString().toStdString(), card->source);
    }
}

void WindowGlossary::factsAreTheTraces()
{
    const auto window = openAt(moment);
    const Session session = window->session();
    const Trace& trace = session.document.trace();
    const CtaId cta = session.selection.cta();
    const Position p = session.playback.position();
    session.selection.chooseRow(50);
    const std::vector<RowState> rows = ledgerAt(trace, cta, p);
    const auto row = std::find_if(rows.begin(), rows.end(), [](const RowState& each) { return each.row == 50; });
    QVERIFY(row != rows.end());
    const QString of = QStringLiteral("row 50");
    QVERIFY(fact(session, "m", of).startsWith(paint::fixed(row->m, 3)));
    QVERIFY(fact(session, "reference in use", of).startsWith(paint::fixed(row->mUsed, 3)));
    QCOMPARE(fact(session, "row sum", of), paint::fixed(row->l, 4));
    QVERIFY(fact(session, "rescale", of).startsWith(QString::fromStdString(row->decision)));
    QVERIFY(fact(session, "LSE", of).startsWith(paint::fixed(row->mUsed + std::log(row->l), 4)));
    // O in the registers: its row, as the buffer holds it.
    const BufferId o = session.document.program().buffer("O", 0);
    const TileValues values = trace.value(cta, o, p);
    QVERIFY(fact(session, "O", of).startsWith(paint::fixed(static_cast<double>(values.at(2, 0)), 3)));
    QVERIFY(fact(session, "O", QStringLiteral("in registers")).contains(QStringLiteral("query tile 6")));
    QVERIFY(fact(session, "K", QStringLiteral("in SMEM")).contains(QStringLiteral("key block")));
    QVERIFY(fact(session, "CTA", QStringLiteral("chosen")).contains(QString::number(cta.index())));
    QVERIFY(!fact(session, "phase", QStringLiteral("syncthreads")).isEmpty());
    QVERIFY(termFacts(*glossary().find("Cody-Waite"), session).empty());
    // They follow the position.
    const QString before = fact(session, "row sum", of);
    QVERIFY(window->goTo(QStringLiteral("block(i=6, n=3)")).ok());
    QVERIFY(fact(session, "row sum", of) != before);
    MainWindow empty({ false, false });
    for (const GlossaryCard& card : glossary().cards()) {
        QVERIFY(termFacts(card, empty.session()).empty());
        QVERIFY(termCardHtml(QString::fromStdString(card.key), empty.session())
                    .contains(QString::fromStdString(card.text).toHtmlEscaped()));
    }
}

void WindowGlossary::crossReferencesAreFollowed()
{
    const auto window = openAt(moment);
    GlossaryView& view = glossaryOf(*window);
    window->showView(QStringLiteral("glossary"));
    auto* browser = view.findChild<QTextBrowser*>();
    for (const GlossaryCard& card : glossary().cards()) {
        view.showTerm(QString::fromStdString(card.key));
        QCOMPARE(view.term().toStdString(), card.key);
        QVERIFY(browser->toPlainText().contains(QString::fromStdString(card.title)));
        emit browser->anchorClicked(QUrl(QStringLiteral("term:") + QString::fromStdString(card.see.front())));
        QCOMPARE(view.term().toStdString(), card.see.front());
    }
    view.showTerm(QStringLiteral("no such word"));
    QVERIFY(!view.term().isEmpty());
}

void WindowGlossary::wordsOfTheExplanationAreLinks()
{
    const auto window = openAt(moment);
    auto* explain = qobject_cast<ExplainView*>(window->view(QStringLiteral("explain")));
    QTRY_VERIFY(explain->toPlainText().contains(QStringLiteral("unnormalised")));
    QStringList keys;
    for (QTextBlock block = explain->document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (const QString key = termOfLink(it.fragment().charFormat().anchorHref()); !key.isEmpty()) {
                keys.append(key);
                QVERIFY(it.fragment().charFormat().underlineStyle() == QTextCharFormat::DotLine);
            }
    QVERIFY(keys.contains(QStringLiteral("O")));
    // Nothing is added or lost.
    QCOMPARE(explain->toPlainText().section(QLatin1Char('\n'), 1).mid(1), explain->sentences().mid(1));
    emit explain->anchorClicked(QUrl(QStringLiteral("term:O")));
    QVERIFY(glossaryOf(*window).isVisible());
    QCOMPARE(glossaryOf(*window).term(), QStringLiteral("O"));
}

void WindowGlossary::headersAndKnobsHaveCards()
{
    const auto window = openAt(moment);
    const auto* ledger = qobject_cast<LedgerView*>(window->view(QStringLiteral("ledger")));
    for (const int column : { LedgerModel::InUse, LedgerModel::RowMax, LedgerModel::Gap, LedgerModel::Decision,
             LedgerModel::Scale, LedgerModel::Sum })
        QVERIFY(ledger->model()
                    ->headerData(column, Qt::Horizontal, Qt::ToolTipRole)
                    .toString()
                    .contains(QStringLiteral("in FlashStep")));
    for (const Knob& knob : knobs())
        if (const QString term = termOfKnob(knob.key); !term.isEmpty())
            QVERIFY2(glossary().find(term.toStdString()), qPrintable(term));
    bool found = false;
    for (const QSlider* slider : window->view(QStringLiteral("scenario"))->findChildren<QSlider*>())
        found = found || slider->toolTip().contains(QStringLiteral("in FlashStep"));
    QVERIFY(found);
}

void WindowGlossary::linksLeaveTagsAlone()
{
    QVERIFY(linkTerms(QStringLiteral("in <b>SMEM</b>")).contains(QStringLiteral("<b><a href=\"term:SMEM\"")));
    QCOMPARE(linkTerms(QStringLiteral("<p style='SMEM'>x &lt; 2</p>")),
        QStringLiteral("<p style='SMEM'>x &lt; 2</p>")); // not inside a tag
    QVERIFY(linkTerms(QStringLiteral("the ℓ of a row")).contains(QStringLiteral(">ℓ</a> of")));
    const QString twice = linkTerms(QStringLiteral("SMEM and SMEM"));
    QCOMPARE(twice.count(QStringLiteral("<a ")), 1);
}

QTEST_MAIN(WindowGlossary)
#include "window_glossary_test.moc"
