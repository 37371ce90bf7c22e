// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/glossary.h"
#include "ui/session.h"

#include <QString>

#include <string_view>
#include <vector>

class QColor;
class QTextBrowser;

namespace flashstep::ui {

// The glossary in English, read once.
[[nodiscard]] const Glossary& glossary();

// What a term is at this moment of this run: "where: SMEM Q, query tile 6", "row 50: 12.40". Empty where the run says
// nothing of it.
struct TermFact {
    QString name, value;
};
[[nodiscard]] std::vector<TermFact> termFacts(const GlossaryCard& card, const Session& session);

// The card of a term as rich text, for a tool tip (at most 360 px wide) or for the glossary's own page, where its
// cross references are links "term:KEY". Empty for an unknown word.
enum class CardPlace { ToolTip, Page };
[[nodiscard]] QString termCardHtml(const QString& key, const Session& session, CardPlace place = CardPlace::ToolTip);
// A tool tip of two parts: what a thing is for, then the card of its term, without what changes from moment to moment.
[[nodiscard]] QString tipWithTerm(const QString& help, const QString& key, const Session& session);
// The term behind a knob of the scenario; empty where there is none.
[[nodiscard]] QString termOfKnob(std::string_view knob);

// Rich text with its words of the glossary made links "term:KEY"; tags stay as they are.
[[nodiscard]] QString linkTerms(const QString& html);
// Makes such links subtle (dotted, in the text's own colour). To be called after setHtml.
void dressTermLinks(QTextBrowser& browser, const QColor& line);
// The key behind a link, empty for other links.
[[nodiscard]] QString termOfLink(const QString& link);

} // namespace flashstep::ui
