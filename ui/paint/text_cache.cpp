// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/text_cache.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QGlyphRun>
#include <QHash>
#include <QTextLayout>
#include <QThread>

#include <optional>

namespace flashstep::paint {

namespace {

struct Key {
    QString family, text;
    int pixels = 0, weight = 0;
    bool operator==(const Key&) const = default;
};

uint qHash(const Key& key, uint seed = 0)
{
    return ::qHash(key.text, seed) ^ (static_cast<uint>(key.pixels) * 2654435761U)
        ^ (static_cast<uint>(key.weight) * 40503U) ^ static_cast<uint>(key.family.size());
}

struct Shaped {
    double width = 0;
    double ascent = 0;
    std::optional<QList<QGlyphRun>> runs; // made when it is drawn
};

constexpr int most = 8192; // texts; numbers that change with every step would go on for ever

// Of the application's thread, which paints the window over and over. Glyphs belong to the fonts of one thread, so the
// others, which draw a picture once, keep none. Until the end of the program: the fonts behind may go before.
QHash<Key, Shaped>* cache()
{
    const QCoreApplication* application = QCoreApplication::instance();
    if (!application || application->thread() != QThread::currentThread())
        return nullptr;
    static auto* kept = new QHash<Key, Shaped>; // NOLINT: see above
    return kept;
}

Shaped& find(QHash<Key, Shaped>& all, const QFont& font, const QString& text)
{
    const Key key { font.family(), text, font.pixelSize(), font.weight() };
    const auto found = all.find(key);
    if (found != all.end())
        return *found;
    if (all.size() >= most)
        all.clear();
    return *all.insert(key, { QFontMetricsF(font).horizontalAdvance(text), 0, std::nullopt });
}

void shape(Shaped& shaped, const QFont& font, const QString& text)
{
    QTextLayout layout(text, font);
    layout.setCacheEnabled(true);
    layout.beginLayout();
    QTextLine line = layout.createLine();
    layout.endLayout();
    shaped.ascent = line.isValid() ? line.ascent() : 0;
    shaped.runs = layout.glyphRuns();
}

} // namespace

double shapedWidth(const QFont& font, const QString& text)
{
    QHash<Key, Shaped>* all = cache();
    return all ? find(*all, font, text).width : QFontMetricsF(font).horizontalAdvance(text);
}

void drawShaped(QPainter& painter, const QPointF& origin, const QFont& font, const QString& text)
{
    QHash<Key, Shaped>* all = cache();
    Shaped once;
    Shaped& shaped = all ? find(*all, font, text) : once; // by the same glyphs, so that every thread draws alike
    if (!shaped.runs)
        shape(shaped, font, text);
    const QPointF top(origin.x(), origin.y() - shaped.ascent);
    for (const QGlyphRun& run : *shaped.runs)
        painter.drawGlyphRun(top, run);
}

} // namespace flashstep::paint
