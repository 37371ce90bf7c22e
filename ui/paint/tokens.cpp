// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/tokens.h"

namespace flashstep::paint {

namespace {

// A word that shows: what a token's blanks stand for is not to be guessed from nothing.
QString shown(const std::string& token)
{
    const QString word = QString::fromStdString(token).trimmed();
    return word.isEmpty() && !token.empty() ? QString(QChar(0x2423)) : word;
}

} // namespace

Tokens tokensOf(const Labels& labels, const Problem& problem)
{
    Tokens tokens;
    for (int row = 0; labels.has(row) && row < problem.seqlenQ; ++row)
        tokens.queries << shown(labels.tokens[static_cast<std::size_t>(row)]);
    if (problem.seqlenK == problem.seqlenQ)
        tokens.keys = tokens.queries;
    return tokens;
}

} // namespace flashstep::paint
