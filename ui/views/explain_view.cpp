// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/explain_view.h"

#include "core/emulation/run.h"
#include "core/io/narrate.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/term_card.h"

#include <QHelpEvent>
#include <QRegularExpression>
#include <QTextDocument>
#include <QToolTip>

namespace flashstep::ui {

namespace {

const Words& english()
{
    static const Words words = [] {
        Result<Words> read = Words::load("en");
        return read ? std::move(*read) : Words();
    }();
    return words;
}

struct Told {
    QString title, text; // with **numbers** marked
};

Told tell(const Session& session)
{
    if (session.document.empty() || !session.selection.cta().valid())
        return { QString(), QObject::tr("Open a scenario, and each step is explained here with its numbers.") };
    const Narrator narrator(*session.document.run(), session.document.labels(), english());
    const CtaId cta = session.selection.cta();
    const Position p = newestOf(session.document.trace(), cta, session.playback.position());
    return { QString::fromStdString(narrator.title(p, cta)), QString::fromStdString(narrator.explain(p, cta)) };
}

QString htmlOf(const QString& marked)
{
    static const QRegularExpression bold(QStringLiteral("\\*\\*(.+?)\\*\\*"));
    QString html = marked.toHtmlEscaped();
    html.replace(bold, QStringLiteral("<b>\\1</b>"));
    html.replace(QLatin1Char('\n'), QStringLiteral("<br>"));
    return html;
}

QString capitalised(QString text)
{
    if (!text.isEmpty())
        text[0] = text[0].toUpper();
    return text;
}

} // namespace

ExplainView::ExplainView(const Session& session, QWidget* parent)
    : QTextBrowser(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("view.explain"));
    setAccessibleName(tr("Explanation of this step"));
    setFrameShape(QFrame::NoFrame);
    setOpenLinks(false);
    document()->setDocumentMargin(12);
    connect(this, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
        if (const QString key = termOfLink(link.toString()); !key.isEmpty())
            emit termClicked(key);
    });
    m_soon.setSingleShot(true);
    m_soon.setInterval(0);
    connect(&m_soon, &QTimer::timeout, this, &ExplainView::refresh);
    const auto again = [this] { refreshSoon(); };
    connect(&session.document, &Document::changed, this, again);
    connect(&session.playback, &Playback::positionChanged, this, again);
    connect(&session.selection, &Selection::changed, this, again);
    connect(&session.appearance, &Appearance::changed, this, again);
    refresh();
}

void ExplainView::refreshSoon()
{
    if (!m_soon.isActive())
        m_soon.start();
}

void ExplainView::refresh()
{
    m_soon.stop();
    const Told told = tell(m_session);
    const Appearance& look = m_session.appearance;
    const QFont font = look.uiFont(12.5);
    if (font != document()->defaultFont()) {
        setFont(font);
        document()->setDefaultFont(font);
    }
    QString html = QStringLiteral("<style>b { font-weight: 600; }</style>");
    if (!told.title.isEmpty())
        html += QStringLiteral("<p style='margin:0 0 4px 0; color:%1; font-size:%2px'>%3</p>")
                    .arg(look.theme().t2.name())
                    .arg(look.px(11))
                    .arg(htmlOf(capitalised(told.title)));
    html += QStringLiteral("<p style='margin:0; line-height:135%; color:%1'>%2</p>")
                .arg(look.theme().text.name(), linkTerms(htmlOf(capitalised(told.text))));
    if (html == m_html) // another step of which the same is to be said
        return;
    m_html = html;
    setHtml(html);
    dressTermLinks(*this, look.theme().mid);
    announceChange(this);
}

bool ExplainView::viewportEvent(QEvent* event)
{
    if (event->type() != QEvent::ToolTip)
        return QTextBrowser::viewportEvent(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString key = termOfLink(anchorAt(help->pos()));
    QToolTip::showText(help->globalPos(), key.isEmpty() ? QString() : termCardHtml(key, m_session), viewport());
    return true;
}

QString ExplainView::sentences() const
{
    return tell(m_session).text.remove(QStringLiteral("**"));
}

std::vector<AccessibleNode> ExplainView::accessibleNodes() const
{
    const Told told = tell(m_session);
    return { { QAccessible::Heading, told.title, {}, {} },
        { QAccessible::Paragraph, QString(told.text).remove(QStringLiteral("**")), {}, {} } };
}

} // namespace flashstep::ui
