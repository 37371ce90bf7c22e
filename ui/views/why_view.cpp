// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/why_view.h"

#include "core/emulation/run.h"
#include "core/io/why_text.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/insights.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QScrollBar>
#include <QUrl>

#include <algorithm>

namespace flashstep::ui {

namespace {

constexpr std::size_t shownLinks = 3; // of a chain, until it is asked for whole
constexpr std::size_t mostLinks = 100;
constexpr std::size_t mostFaults = 20;

// NaN is as wrong as can be.
bool isWrong(const Report& report)
{
    return report.maxAbsError && report.errorBound && !(*report.maxAbsError <= *report.errorBound);
}

QString cycles(Cycle value)
{
    return QObject::tr("%1 cy").arg(paint::grouped(static_cast<std::int64_t>(value)));
}

QString toMoment(Position p, const QString& text)
{
    return QStringLiteral("<a href='at:%1'>%2</a>").arg(p.value).arg(text);
}

QString escaped(const std::string& text)
{
    return QString::fromStdString(text).toHtmlEscaped();
}

// "128 of 256 threads", "16 384 of 24 576 bytes".
QString countOf(const Program& program, const BarrierState& state)
{
    return QObject::tr("%1 of %2 %3")
        .arg(paint::grouped(state.arrived))
        .arg(paint::grouped(state.expected))
        .arg(QString::fromStdString(program.barriers[state.barrier.index()].unit));
}

QString partyText(const Program& program, const BarrierParty& party, const QString& unit)
{
    const QString who = QString::fromStdString(program.roles[party.role.index()].name)
        + (party.ofPeer ? QObject::tr(" of the other CTA") : QString());
    const QString worth = paint::grouped(party.worth);
    const QString where = QObject::tr("line %1").arg(party.line);
    const auto said = [&](const QString& text) { return text.arg(who, worth, unit, where); };
    switch (party.kind) {
    case BarrierParty::Kind::Arrives:
        return said(QObject::tr("%1 arrives, worth %2 %3, and goes on (%4)"));
    case BarrierParty::Kind::Meets:
        return said(QObject::tr("%1 arrives, worth %2 %3, and waits (%4)"));
    case BarrierParty::Kind::Announces:
        return said(QObject::tr("%1 announces %2 %3 to come (%4)"));
    case BarrierParty::Kind::Lands:
        return said(QObject::tr("a copy of %1 brings %2 %3 when it lands (%4)"));
    case BarrierParty::Kind::Commits:
        return QObject::tr("%1's commit arrives, worth %2, once its products are done (%3)").arg(who, worth, where);
    case BarrierParty::Kind::Waits:
        return QObject::tr("%1 waits (%2)").arg(who, where);
    }
    return {};
}

} // namespace

WhyView::WhyView(const Session& session, QWidget* parent)
    : QTextBrowser(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("view.why"));
    setAccessibleName(tr("Why waiting: waits, barriers and faults"));
    setFrameShape(QFrame::NoFrame);
    setOpenLinks(false);
    document()->setDocumentMargin(12);
    m_soon.setSingleShot(true);
    m_soon.setInterval(0);
    connect(&m_soon, &QTimer::timeout, this, &WhyView::refresh);
    const auto again = [this] { refreshSoon(); };
    connect(&session.document, &Document::changed, this, [this] {
        m_open.clear();
        m_chains.clear();
        refreshSoon();
    });
    connect(&session.playback, &Playback::positionChanged, this, again);
    connect(&session.selection, &Selection::changed, this, again);
    connect(&session.appearance, &Appearance::changed, this, again);
    connect(&session.insights, &Insights::changed, this, again);
    connect(this, &QTextBrowser::anchorClicked, this, &WhyView::follow);
}

void WhyView::showEvent(QShowEvent* event)
{
    QTextBrowser::showEvent(event);
    refresh();
}

void WhyView::refreshSoon()
{
    if (inSight(this) && !m_soon.isActive())
        m_soon.start();
}

std::vector<WaitExplained> WhyView::waits() const
{
    const CtaId cta = m_session.selection.cta();
    if (m_session.document.empty() || !cta.valid() || !m_session.document.trace().hasEvents(cta))
        return {};
    const std::shared_ptr<const Causes> causes = m_session.insights.causes();
    return causes ? waitsAt(*causes, cta, m_session.playback.position()) : std::vector<WaitExplained>();
}

std::vector<BarrierState> WhyView::barriers() const
{
    const CtaId cta = m_session.selection.cta();
    if (m_session.document.empty() || !cta.valid() || !m_session.document.trace().hasEvents(cta))
        return {};
    return barriersAt(m_session.document.trace(), cta, m_session.playback.position());
}

void WhyView::openBarrier(BarrierId barrier)
{
    m_open.insert(barrier.index());
    refresh();
    scrollToAnchor(QStringLiteral("barrier%1").arg(barrier.index()));
}

void WhyView::follow(const QUrl& link)
{
    const QString path = link.path();
    if (link.scheme() == QStringLiteral("at")) {
        m_session.playback.pause();
        m_session.playback.seek(Position { path.toUInt() });
        return;
    }
    const std::size_t index = path.toULong();
    std::set<std::size_t>& shown = link.scheme() == QStringLiteral("barrier") ? m_open : m_chains;
    if (!shown.insert(index).second)
        shown.erase(index);
    refresh();
}

QString WhyView::faultsHtml() const
{
    const Run& run = *m_session.document.run();
    const Program& program = *run.program;
    const QString fault = m_session.appearance.theme().fault.name();
    QString html;
    const auto line = [&](const QString& text) { html += QStringLiteral("<p class='item'>%1</p>").arg(text); };
    if (!run.trace->deadlock().empty()) {
        html += QStringLiteral("<p class='head'><span style='color:%1'>%2</span></p>").arg(fault, tr("Deadlock"));
        for (std::size_t k = 0; k < std::min(mostFaults, run.trace->deadlock().size()); ++k) {
            const Blocked& blocked = run.trace->deadlock()[k];
            line(tr("<b>%1</b> of CTA %2 waits for ever: %3")
                     .arg(escaped(program.roles[blocked.role.index()].name))
                     .arg(static_cast<qulonglong>(blocked.cta.index()))
                     .arg(escaped(blocked.waitingFor)));
        }
    }
    if (const Report& report = run.report; isWrong(report)) {
        html += QStringLiteral("<p class='head'><span style='color:%1'>%2</span></p>").arg(fault, tr("Wrong numbers"));
        line(tr("O is up to <b>%1</b> off from float64; %2 in this number format may reach %3.")
                 .arg(*report.maxAbsError, 0, 'g', 3)
                 .arg(QString::fromStdString(program.algorithm).toUpper())
                 .arg(*report.errorBound, 0, 'g', 2));
    }
    if (run.report.hazardList.empty())
        return html;
    html += QStringLiteral("<p class='head'><span style='color:%1'>%2</span></p>")
                .arg(fault, tr("%n hazard(s)", nullptr, static_cast<int>(run.report.hazards)));
    for (std::size_t k = 0; k < std::min(mostFaults, run.report.hazardList.size()); ++k) {
        const Hazard& hazard = run.report.hazardList[k];
        const QString what = hazard.buffer.valid() ? escaped(program.buffers[hazard.buffer.index()].name)
            : hazard.barrier.valid()               ? escaped(program.barriers[hazard.barrier.index()].name)
                                                   : QString();
        line(tr("%1 · %2 <b>%3</b>, CTA %4: %5 of %6")
                 .arg(toMoment(run.trace->positionAt(hazard.cycle), cycles(hazard.cycle)), escaped(hazard.kind), what)
                 .arg(static_cast<qulonglong>(hazard.cta.index()))
                 .arg(escaped(labelOf(program, program.op(hazard.op))),
                     escaped(program.roles[hazard.role.index()].name)));
    }
    if (run.report.hazards > mostFaults)
        line(tr("and %1 more").arg(run.report.hazards - mostFaults));
    return html;
}

QString WhyView::linkHtml(const WaitLink& link) const
{
    const Trace& trace = m_session.document.trace();
    const Position at = link.kind == WaitLink::Kind::Barrier || link.kind == WaitLink::Kind::Group
        ? trace.beginPosition(link.instance)
        : trace.positionAt(link.begin);
    return toMoment(at, cycles(link.begin)) + QStringLiteral(" · ") + escaped(linkText(trace, link));
}

QString WhyView::waitsHtml() const
{
    const CtaId cta = m_session.selection.cta();
    const Trace& trace = m_session.document.trace();
    const Program& program = trace.program();
    QString html = QStringLiteral("<p class='head'>%1</p>")
                       .arg(tr("Waiting now in CTA %1").arg(static_cast<qulonglong>(cta.index())));
    if (!trace.hasEvents(cta))
        return html + QStringLiteral("<p class='item'>%1</p>").arg(tr("The events of this CTA were not kept."));
    if (!m_session.insights.causes())
        return html + QStringLiteral("<p class='item'>%1</p>").arg(tr("Looking for causes …"));
    const std::vector<WaitExplained> all = waits();
    if (all.empty())
        return html + QStringLiteral("<p class='item'>%1</p>").arg(tr("Nothing waits at this moment."));
    const std::vector<BarrierState> states = barriers();
    const Cycle now = trace.timeAt(m_session.playback.position());
    for (const WaitExplained& why : all) {
        const WaitLink& wait = why.wait;
        const Op& op = trace.op(wait.instance);
        QString text = tr("<b>%1</b> has waited <b>%2</b>")
                           .arg(escaped(program.roles[op.role.index()].name), cycles(now - std::min(now, wait.begin)));
        const auto state = std::find_if(
            states.begin(), states.end(), [&](const BarrierState& s) { return s.barrier == op.barrier; });
        if (wait.kind == WaitLink::Kind::Barrier && state != states.end())
            text += tr(" at <a href='barrier:%1'>%2</a>, where %3 have come")
                        .arg(static_cast<qulonglong>(op.barrier.index()))
                        .arg(escaped(barrierOf(trace, wait)), countOf(program, *state));
        text += QStringLiteral(": ") + escaped(reasonOf(trace, wait)) + QLatin1Char('.');
        if (wait.stuck)
            text += QStringLiteral(" <span style='color:%1'>%2</span>")
                        .arg(m_session.appearance.theme().fault.name(), tr("Nobody ever comes."));
        else if (wait.releasedBy)
            text += tr(" It goes on at %1, %2 %3, %4.")
                        .arg(toMoment(trace.positionAt(wait.end), cycles(wait.end)),
                            wait.kind == WaitLink::Kind::Engine ? tr("when the engine is done with")
                                : wait.releasedBy->ended        ? tr("by the end of")
                                                                : tr("by"),
                            escaped(opText(trace, wait.releasedBy->instance)),
                            escaped(whoText(trace, wait.releasedBy->instance)));
        html += QStringLiteral("<p class='item'>%1</p>").arg(text);
        const bool whole = m_chains.count(wait.instance.index()) > 0;
        const std::size_t shown = std::min(why.chain.size(), whole ? mostLinks : shownLinks);
        for (std::size_t k = 0; k < shown; ++k)
            html += QStringLiteral("<p class='link'>↳ %1</p>").arg(linkHtml(why.chain[k]));
        if (const std::string end = stuckText(why); !end.empty())
            html += QStringLiteral("<p class='link'>%1</p>").arg(escaped(end));
        if (why.chain.size() > shownLinks)
            html += QStringLiteral("<p class='link'><a href='chain:%1'>%2</a></p>")
                        .arg(static_cast<qulonglong>(wait.instance.index()))
                        .arg(whole ? tr("fold") : tr("the whole chain, %1 links").arg(why.chain.size()));
    }
    return html;
}

QString WhyView::cardHtml(const BarrierState& state) const
{
    const Trace& trace = m_session.document.trace();
    const Program& program = trace.program();
    const BarrierDecl& decl = program.barriers[state.barrier.index()];
    const QString unit = QString::fromStdString(decl.unit);
    QString html
        = QStringLiteral("<p class='link'>%1</p>")
              .arg((decl.named ? tr("A named barrier: it counts %1.") : tr("An mbarrier in SMEM: it counts %1."))
                       .arg(unit));
    for (const BarrierParty& party :
        partiesOf(trace, m_session.selection.cta(), state.barrier, m_session.playback.position()))
        html += QStringLiteral("<p class='link'>· %1</p>").arg(partyText(program, party, unit).toHtmlEscaped());
    // Who has come in the turn under way, and who completed the first: where a credit is given, it shows there.
    const auto arrivals = trace.arrivals(m_session.selection.cta(), state.barrier);
    const auto came = [&](const Arrival& arrival) {
        const InstanceId who = trace.eventAt(arrival.event).instance;
        const Position at { arrival.event + 1 };
        return tr("%1 at %2")
            .arg(escaped(whoText(trace, who) + ", " + opText(trace, who)), toMoment(at, cycles(trace.timeAt(at))));
    };
    for (const Arrival& arrival : arrivals)
        if (arrival.turns == 1) {
            html += QStringLiteral("<p class='link'>%1</p>")
                        .arg(tr("Its first turn was completed by %1.").arg(came(arrival)));
            break;
        }
    for (const Arrival& arrival : arrivals) {
        const bool here = static_cast<int>(arrival.turns) == state.phase && arrival.arrived > 0
            && arrival.event < m_session.playback.position().value;
        if (here)
            html += QStringLiteral("<p class='link'>%1</p>").arg(tr("In this turn: %1.").arg(came(arrival)));
    }
    return html;
}

QString WhyView::barriersHtml() const
{
    const Program& program = m_session.document.program();
    const QString mono = m_session.appearance.mono(11).family();
    QString html = QStringLiteral("<p class='head'>%1</p>").arg(tr("Barriers"));
    const std::vector<BarrierState> states = barriers();
    if (states.empty())
        return html + QStringLiteral("<p class='item'>%1</p>").arg(tr("This CTA has none."));
    for (const BarrierState& state : states) {
        const std::size_t index = state.barrier.index();
        html += QStringLiteral("<p class='item'><a name='barrier%1' href='barrier:%1'>%2</a> · %3 · %4</p>")
                    .arg(static_cast<qulonglong>(index))
                    .arg(escaped(program.barriers[index].name), countOf(program, state),
                        tr("phase %1, parity %2").arg(state.phase).arg(state.phase % 2));
        if (m_open.count(index) > 0)
            html += cardHtml(state);
    }
    return html;
}

void WhyView::refresh()
{
    m_soon.stop();
    const Appearance& look = m_session.appearance;
    const QFont font = look.uiFont(11.5);
    if (font != document()->defaultFont()) {
        setFont(font);
        document()->setDefaultFont(font);
    }
    const QString style = QStringLiteral("p.head { margin: 6px 0 3px 0; font-weight: 600; font-size: %1px; color: %2; }"
                                         "p.item { margin: 0 0 3px 0; color: %2; }"
                                         "p.link { margin: 0 0 2px 12px; color: %3; }"
                                         "a { color: %2; text-decoration: underline; } b { font-weight: 600; }")
                              .arg(look.px(12))
                              .arg(look.theme().text.name(), look.theme().t2.name());
    const bool empty = m_session.document.empty() || !m_session.selection.cta().valid();
    const QString html = QStringLiteral("<style>%1</style>").arg(style)
        + (empty ? QStringLiteral("<p class='item'>%1</p>").arg(tr("No scenario is open."))
                 : faultsHtml() + waitsHtml() + barriersHtml());
    if (html == m_html)
        return;
    m_html = html;
    const int at = verticalScrollBar()->value();
    setHtml(html);
    verticalScrollBar()->setValue(at);
    announceChange(this);
}

std::vector<AccessibleNode> WhyView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (m_session.document.empty() || !m_session.selection.cta().valid())
        return { { QAccessible::StaticText, tr("No scenario is open."), {}, {} } };
    const Trace& trace = m_session.document.trace();
    const Run& run = *m_session.document.run();
    for (const Blocked& blocked : trace.deadlock())
        nodes.push_back({ QAccessible::ListItem,
            tr("deadlock: %1 of CTA %2")
                .arg(QString::fromStdString(trace.program().roles[blocked.role.index()].name))
                .arg(static_cast<qulonglong>(blocked.cta.index())),
            QString::fromStdString(blocked.waitingFor), {} });
    if (isWrong(run.report))
        nodes.push_back({ QAccessible::ListItem, tr("wrong numbers"),
            tr("O is up to %1 off from float64; %2 would be within bounds")
                .arg(*run.report.maxAbsError)
                .arg(*run.report.errorBound),
            {} });
    for (const Hazard& hazard : run.report.hazardList)
        if (nodes.size() < mostFaults)
            nodes.push_back({ QAccessible::ListItem, tr("hazard: %1").arg(QString::fromStdString(hazard.kind)),
                tr("cycle %1, CTA %2, %3")
                    .arg(hazard.cycle)
                    .arg(static_cast<qulonglong>(hazard.cta.index()))
                    .arg(QString::fromStdString(labelOf(trace.program(), trace.program().op(hazard.op)))),
                {} });
    for (const WaitExplained& why : waits()) {
        AccessibleNode node { QAccessible::ListItem,
            QString::fromStdString(trace.program().roles[trace.op(why.wait.instance).role.index()].name),
            QString::fromStdString(linkText(trace, why.wait)), {} };
        for (std::size_t k = 0; k < std::min(why.chain.size(), shownLinks); ++k)
            node.children.push_back(
                { QAccessible::StaticText, {}, QString::fromStdString(linkText(trace, why.chain[k])), {} });
        nodes.push_back(std::move(node));
    }
    for (const BarrierState& state : barriers()) {
        const BarrierDecl& decl = trace.program().barriers[state.barrier.index()];
        AccessibleNode node { QAccessible::Row, QString::fromStdString(decl.name),
            tr("%1, phase %2, parity %3").arg(countOf(trace.program(), state)).arg(state.phase).arg(state.phase % 2),
            {} };
        for (const BarrierParty& party :
            partiesOf(trace, m_session.selection.cta(), state.barrier, m_session.playback.position()))
            node.children.push_back({ QAccessible::StaticText, QString::fromStdString(std::string(name(party.kind))),
                partyText(trace.program(), party, QString::fromStdString(decl.unit)), {} });
        nodes.push_back(std::move(node));
    }
    return nodes;
}

} // namespace flashstep::ui
