// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/paint/theme.h"

#include <QFontInfo>
#include <QtTest>

#include <cmath>
#include <limits>

using namespace flashstep;
using namespace flashstep::paint;

class PaintThemeTest : public QObject {
    Q_OBJECT

private slots:
    void textReadsOnEveryGround()
    {
        for (const Theme* theme : { &Theme::light(), &Theme::dark(), &Theme::print() })
            for (const QColor& ground : { theme->panel, theme->alt, theme->win }) {
                for (const QColor& text : { theme->text, theme->t2, theme->t3 })
                    QVERIFY2(contrast(text, ground) >= 4.5, qPrintable(theme->name + text.name() + ground.name()));
                QVERIFY(contrast(theme->mid, ground) >= 3);
                QVERIFY(contrast(theme->fault, ground) >= 4.5);
            }
    }

    void tilesStandOutAndTheirInkReads()
    {
        for (const Theme* theme : { &Theme::light(), &Theme::dark() }) {
            for (const TileColour& tile : theme->tiles) {
                QVERIFY2(contrast(tile.edge, theme->panel) >= 3, qPrintable(tile.edge.name()));
                QVERIFY2(contrast(tile.ink, tile.fill) >= 4.5, qPrintable(tile.fill.name()));
                QVERIFY2(contrast(theme->text, tile.tint) >= 4.5, qPrintable(tile.tint.name()));
            }
            for (const QColor& engine : theme->engines) {
                QVERIFY2(contrast(engine, theme->panel) >= 3, qPrintable(engine.name()));
                QVERIFY2(contrast(Qt::black, engine) >= 4.5, qPrintable(engine.name()));
            }
            QVERIFY(contrast(theme->hatch, theme->waitGround) >= 3);
        }
    }

    void inkReadsAllAlongTheValueMaps()
    {
        for (const Theme* theme : { &Theme::light(), &Theme::dark() })
            for (const auto* stops : { &theme->diverging, &theme->sequential })
                for (int k = 0; k <= 200; ++k) {
                    const QColor ground = mapColour(*stops, k / 200.0);
                    QVERIFY2(contrast(inkOn(ground), ground) >= 4.5, qPrintable(ground.name()));
                }
    }

    void keyBlocksCycleThroughEight()
    {
        QCOMPARE(Theme::light().keyBlock(11).fill, Theme::light().tiles[3].fill);
        QCOMPARE(Theme::light().keyBlock(-1).fill, Theme::light().neutral.fill);
    }

    void shippedFontsAreUsed()
    {
        QVERIFY(loadFonts());
        QCOMPARE(QFontInfo(canvasFont(12)).family(), QStringLiteral("Inter"));
        QCOMPARE(QFontInfo(monoFont(12)).family(), QStringLiteral("JetBrains Mono"));
        QVERIFY(textWidth(canvasFont(11), QStringLiteral("tensor core"))
            < textWidth(canvasFont(12), QStringLiteral("tensor core")));
        QCOMPARE(textWidth(monoFont(12), QStringLiteral("0000")), textWidth(monoFont(12), QStringLiteral("1111")));
    }

    void numbersAreWrittenAsAgreed()
    {
        const QString minus(QChar(0x2212)), blank(QChar(0x00a0));
        QCOMPARE(grouped(1234567), QStringLiteral("1") + blank + QStringLiteral("234") + blank + QStringLiteral("567"));
        QCOMPARE(grouped(-999), minus + QStringLiteral("999"));
        QCOMPARE(fixed(-1.036, 2), minus + QStringLiteral("1.04"));
        QCOMPARE(fixed(-0.001, 2), QStringLiteral("0.00"));
        QCOMPARE(fixed(-std::numeric_limits<double>::infinity(), 2), minus + QChar(0x221e));
        QCOMPARE(fixed(std::nan(""), 2), QString(QChar(0x2013)));
        QCOMPARE(shortDecimal(67.516), QStringLiteral("67.52"));
        QCOMPARE(shortDecimal(0.0399), QStringLiteral("0.040"));
        QCOMPARE(factor(1), QStringLiteral("1"));
        QCOMPARE(factor(0.00109), QStringLiteral("0.00109"));
        QCOMPARE(factor(3.14e-7), QStringLiteral("3.1e") + minus + QStringLiteral("7"));
        QCOMPARE(number(1, NumberFormat::Hex, DType::Bf16), QStringLiteral("0x3F80"));
        QCOMPARE(number(-0.75, NumberFormat::Exact, DType::Fp32), minus + QStringLiteral("3/4"));
        QCOMPARE(
            number(0.1, NumberFormat::Exact, DType::Bf16), QStringLiteral("205·2^") + minus + QStringLiteral("11"));
        QCOMPARE(duration(8160, 1830), QStringLiteral("4.46 µs"));
        QCOMPARE(byteCount(32768), QStringLiteral("32") + blank + QStringLiteral("KB"));
    }

    void patternsDoNotCrawl()
    {
        // The same place shows the same pixels, whichever rectangle carries the pattern.
        QImage one(60, 30, QImage::Format_RGB32), two(60, 30, QImage::Format_RGB32);
        one.fill(Qt::white);
        two.fill(Qt::white);
        {
            QPainter p(&one);
            fillWait(p, QRectF(0, 0, 60, 30), Theme::light());
        }
        {
            QPainter p(&two);
            fillWait(p, QRectF(7, 5, 53, 25), Theme::light());
        }
        QCOMPARE(one.copy(10, 8, 40, 20), two.copy(10, 8, 40, 20));
    }
};

QTEST_MAIN(PaintThemeTest)
#include "paint_theme_test.moc"
