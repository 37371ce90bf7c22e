// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/rich_text.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

namespace flashstep::paint {

namespace {

struct Piece {
    QString text;
    bool bold = false;
};
// What no line is broken in; a bold number and the comma behind it are one word.
using Word = std::vector<Piece>;

std::vector<Word> wordsOf(const std::vector<TextRun>& runs)
{
    std::vector<Word> words(1);
    for (const TextRun& run : runs) {
        const QStringList parts = QString::fromStdString(run.text).split(QLatin1Char(' '));
        for (int k = 0; k < parts.size(); ++k) {
            if (k > 0 && !words.back().empty())
                words.emplace_back();
            if (!parts[k].isEmpty())
                words.back().push_back({ parts[k], run.bold });
        }
    }
    if (words.back().empty())
        words.pop_back();
    return words;
}

struct Faces {
    QFont plain, bold;
    double space;
    explicit Faces(double px)
        : plain(canvasFont(px))
        , bold(canvasFont(px, QFont::DemiBold))
        , space(textWidth(plain, QStringLiteral("x x")) - 2 * textWidth(plain, QStringLiteral("x")))
    {
    }
    [[nodiscard]] double width(const Word& word) const
    {
        double sum = 0;
        for (const Piece& piece : word)
            sum += textWidth(piece.bold ? bold : plain, piece.text);
        return sum;
    }
};

using Line = std::vector<Word>;

std::vector<Line> linesOf(std::vector<Word> words, const Faces& faces, double width)
{
    std::vector<Line> lines;
    double x = 0;
    for (Word& word : words) {
        const double needs = faces.width(word);
        if (lines.empty() || x + faces.space + needs > width) {
            lines.emplace_back();
            x = 0;
        } else {
            x += faces.space;
        }
        x += needs;
        lines.back().push_back(std::move(word));
    }
    return lines;
}

// Makes room for "…" at the end of a line.
void shorten(Line& line, const Faces& faces, double width)
{
    const Word dots { { QStringLiteral("…"), false } };
    const auto length = [&] {
        double sum = faces.width(dots);
        for (const Word& word : line)
            sum += faces.width(word) + faces.space;
        return sum;
    };
    while (!line.empty() && length() > width)
        line.pop_back();
    line.push_back(dots);
}

} // namespace

int linesOfRuns(const std::vector<TextRun>& runs, double px, double width)
{
    const Faces faces(px);
    return static_cast<int>(linesOf(wordsOf(runs), faces, width).size());
}

void paintRuns(QPainter& painter, const QRectF& rect, const std::vector<TextRun>& runs, double px, double lineHeight,
    int most, const Theme& theme)
{
    const Faces faces(px);
    std::vector<Line> lines = linesOf(wordsOf(runs), faces, rect.width());
    if (lines.size() > static_cast<std::size_t>(most)) {
        lines.resize(static_cast<std::size_t>(most));
        shorten(lines.back(), faces, rect.width());
    }
    painter.setPen(theme.text);
    double y = rect.top();
    for (const Line& line : lines) {
        double x = rect.left();
        for (const Word& word : line) {
            for (const Piece& piece : word) {
                const QFont& font = piece.bold ? faces.bold : faces.plain;
                drawLine(painter, { x, y, 1, lineHeight }, Qt::AlignLeft, font, piece.text);
                x += textWidth(font, piece.text);
            }
            x += faces.space;
        }
        y += lineHeight;
    }
}

} // namespace flashstep::paint
