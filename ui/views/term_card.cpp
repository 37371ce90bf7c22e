// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/term_card.h"

#include "ui/appearance.h"
#include "ui/text.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTextCursor>

#include <array>
#include <utility>
#include <vector>

namespace flashstep::ui {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("flashstep::ui::TermCard", text);
}

QString escaped(const std::string& text)
{
    return QString::fromStdString(text).toHtmlEscaped();
}

QString link(const std::string& key, const QString& text)
{
    return QStringLiteral("<a href=\"term:%1\" style=\"color:inherit; text-decoration:none\">%2</a>")
        .arg(escaped(key), text);
}

QString cardHtml(const GlossaryCard* card, const Session& session, CardPlace place, const std::vector<TermFact>& facts)
{
    if (!card)
        return {};
    const Appearance& look = session.appearance;
    const paint::Theme& theme = look.theme();
    const bool tip = place == CardPlace::ToolTip;
    // A tool tip is ink on paper turned round.
    const QColor second = tip ? paint::mix(theme.panel, theme.text, 0.72) : theme.t2;
    const QString small = QStringLiteral("color:%1; font-size:%2px").arg(second.name()).arg(look.px(tip ? 10.5 : 11));
    QString html = QStringLiteral("<p style='margin:0 0 4px 0'><span style='font-size:%1px; font-weight:600'>%2</span> "
                                  "<span style='%3'>%4</span></p><p style='margin:0 0 6px 0'>%5</p>")
                       .arg(look.px(tip ? 12 : 14))
                       .arg(escaped(card->key), small, escaped(card->title),
                           tip ? escaped(card->text) : linkTerms(escaped(card->text)));
    if (!facts.empty()) {
        html += QStringLiteral("<table cellspacing=0 cellpadding=0 style='margin:4px 0 6px 0'>");
        for (const TermFact& fact : facts)
            html += QStringLiteral("<tr><td style='%1; padding-right:10px; white-space:nowrap'>%2</td><td>%3</td></tr>")
                        .arg(small, fact.name.toHtmlEscaped(), fact.value.toHtmlEscaped());
        html += QStringLiteral("</table>");
    }
    const auto line = [&](const QString& name, const QString& value) {
        html += QStringLiteral("<p style='margin:0 0 2px 0; %1'>%2: %3</p>").arg(small, name, value);
    };
    if (!tip && !card->also.empty()) {
        QStringList also;
        for (const std::string& word : card->also)
            also.append(escaped(word));
        line(tr("also"), also.join(QStringLiteral(", ")));
    }
    QString where = escaped(card->where);
    where.replace(QRegularExpression(QStringLiteral("`([^`]*)`")), QStringLiteral("<b>\\1</b>"));
    line(tr("in FlashStep"), where);
    if (!tip) {
        QStringList see;
        for (const std::string& other : card->see)
            see.append(link(other, escaped(other)));
        line(tr("see"), see.join(QStringLiteral(", ")));
    }
    line(tr("source"), escaped(card->source));
    return tip ? QStringLiteral("<table width='%1'><tr><td>%2</td></tr></table>").arg(look.px(340)).arg(html) : html;
}

} // namespace

const Glossary& glossary()
{
    static const Glossary words = [] {
        Result<Glossary> read = Glossary::load("en");
        return read ? std::move(*read) : Glossary();
    }();
    return words;
}

QString termCardHtml(const QString& key, const Session& session, CardPlace place)
{
    const GlossaryCard* card = glossary().find(key.toStdString());
    return card ? cardHtml(card, session, place, termFacts(*card, session)) : QString();
}

QString tipWithTerm(const QString& help, const QString& key, const Session& session)
{
    const QString card = cardHtml(glossary().find(key.toStdString()), session, CardPlace::ToolTip, {});
    if (card.isEmpty())
        return help;
    QString own = help.toHtmlEscaped();
    own.replace(QLatin1Char('\n'), QStringLiteral("<br>"));
    return QStringLiteral("<table width='%1'><tr><td>%2</td></tr></table><hr>%3")
        .arg(session.appearance.px(340))
        .arg(own, card);
}

QString termOfKnob(std::string_view knob)
{
    static constexpr std::array<std::pair<std::string_view, const char*>, 28> terms { {
        { "ping-pong", "ping-pong" },
        { "intra-overlap", "WGMMA" },
        { "warp-specialisation", "warp specialisation" },
        { "stages", "stage" },
        { "consumer-warpgroups", "warpgroup" },
        { "q-stage", "stage" },
        { "rescale-threshold", "threshold" },
        { "assumed-rescale-rate", "vote" },
        { "exp2-emulation", "exp2 emulation" },
        { "exp2-degree", "Cody-Waite" },
        { "two-cta", "2-CTA MMA" },
        { "scheduler", "persistent" },
        { "copy", "TMA" },
        { "swizzle", "swizzle" },
        { "multicast", "multicast" },
        { "divide", "normalise" },
        { "loop-order", "query tile" },
        { "warp-split", "warp" },
        { "pack-gqa", "GQA packing" },
        { "causal-alignment", "causal mask" },
        { "empty-row-lse", "LSE" },
        { "register-contention", "registers" },
        { "sms", "SM" },
        { "tensor-rate", "tensor core" },
        { "mufu-rate", "MUFU" },
        { "tmem-columns", "TMEM" },
        { "l2-mib", "L2" },
        { "hbm-gbps", "HBM" },
    } };
    for (const auto& [key, term] : terms)
        if (key == knob)
            return QString::fromLatin1(term);
    return knob.substr(0, 5) == "smem-" ? QStringLiteral("SMEM") : QString();
}

QString linkTerms(const QString& html)
{
    // The text alone, with tags and entities as gaps of the same length that no word reaches across.
    const std::string bytes = html.toStdString();
    std::string text = bytes;
    char closes = 0;
    for (char& c : text) {
        if (closes == 0 && (c == '<' || c == '&'))
            closes = c == '<' ? '>' : ';';
        const bool ends = closes != 0 && c == closes;
        if (closes != 0)
            c = '\n';
        if (ends)
            closes = 0;
    }
    std::string out;
    std::size_t at = 0;
    for (const Glossary::Span& span : glossary().wordsIn(text)) {
        out += bytes.substr(at, span.begin - at);
        out += link(span.card->key, QString::fromStdString(bytes.substr(span.begin, span.length))).toStdString();
        at = span.begin + span.length;
    }
    return QString::fromStdString(out + bytes.substr(at));
}

void dressTermLinks(QTextBrowser& browser, const QColor& line)
{
    std::vector<std::pair<int, int>> places; // found first: setting a format cuts the text into other pieces
    for (QTextBlock block = browser.document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (const QTextFragment fragment = it.fragment();
                fragment.isValid() && !termOfLink(fragment.charFormat().anchorHref()).isEmpty())
                places.emplace_back(fragment.position(), fragment.length());
    QTextCharFormat format;
    format.setForeground(browser.palette().text());
    format.setUnderlineStyle(QTextCharFormat::DotLine);
    format.setUnderlineColor(line);
    for (const auto& [position, length] : places) {
        QTextCursor cursor(browser.document());
        cursor.setPosition(position);
        cursor.setPosition(position + length, QTextCursor::KeepAnchor);
        cursor.mergeCharFormat(format);
    }
}

QString termOfLink(const QString& link)
{
    return link.startsWith(QStringLiteral("term:")) ? link.mid(5) : QString();
}

} // namespace flashstep::ui
