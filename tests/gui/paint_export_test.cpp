// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures as files, read back by others: SVG by Qt's reader, PDF by poppler's tools.
#include "tests/gui/picture_reading.h"
#include "tests/support/paint_sample.h"

#include "ui/paint/picture.h"
#include "ui/paint/tokens.h"

#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

using namespace flashstep;
using namespace flashstep::paint;
using namespace flashstep::test;

namespace {

PictureRequest request(const QString& view, const QString& panels = {})
{
    PictureRequest r;
    r.run = &sampleRun().run;
    r.tokens = tokensOf(sampleRun().labels, r.run->program->problem);
    r.view = view;
    if (!panels.isEmpty())
        r.panels = panels.split(QLatin1Char(','));
    const Moment m = flashstep::test::momentOf(*r.run->trace, "block(i=6, n=3)");
    r.at = m.position;
    r.cta = m.cta;
    r.scenarioName = QStringLiteral("licence-causal.json");
    return r;
}

void everyPicture()
{
    QTest::addColumn<QString>("view");
    QTest::addColumn<QString>("panels");
    for (const QString& view : pictureViews())
        QTest::newRow(qPrintable(view)) << view << QString();
    QTest::newRow("panels") << QStringLiteral("figure") << QStringLiteral("timeline,tiles,memory,ledger,grid");
}

} // namespace

class PaintExportTest : public QObject {
    Q_OBJECT

private slots:
    void wordsStayOnThePage_data() { everyPicture(); }
    void wordsStayOnThePage()
    {
        QFETCH(QString, view);
        QFETCH(QString, panels);
        for (const QString& theme : { QStringLiteral("light"), QStringLiteral("dark"), QStringLiteral("print") })
            for (const QSize& size : { QSize(200, 200), QSize(640, 480), QSize(333, 1001), QSize(2500, 300),
                     QSize(1440, 900), QSize(16384, 16384) }) {
                PictureRequest r = request(view, panels);
                r.theme = theme;
                r.size = size;
                const QVector<SvgWords> words = wordsOf(renderSvg(r));
                QVERIFY(words.size() > 20);
                for (const SvgWords& each : words) {
                    const QString where = QStringLiteral("%1x%2 %3: '%4' at %5, %6 to %7")
                                              .arg(size.width())
                                              .arg(size.height())
                                              .arg(theme, each.text)
                                              .arg(each.box.left())
                                              .arg(each.box.top())
                                              .arg(each.box.right());
                    QVERIFY2(
                        QRectF(QPointF(), QSizeF(size)).adjusted(-1, -1, 1, 1).contains(each.box), qPrintable(where));
                }
                if (theme != QStringLiteral("print") && size.width() < 1000)
                    QVERIFY(coloursOf(renderPicture(r)) > 8);
            }
    }

    void wordsDoNotLieOnEachOther_data() { everyPicture(); }
    void wordsDoNotLieOnEachOther()
    {
        QFETCH(QString, view);
        QFETCH(QString, panels);
        if (view == QStringLiteral("ledger") || panels.contains(QStringLiteral("ledger")))
            return; // words over its columns are set at an angle: their boxes say little
        for (const QSize& size : { fittingSize(request(view, panels)), QSize(800, 600), QSize(1100, 1400) }) {
            PictureRequest r = request(view, panels);
            r.at = r.run->trace->end(); // no playhead, whose flag may cover a label of the ruler
            r.size = size;
            const QVector<SvgWords> words = wordsOf(renderSvg(r));
            for (int a = 0; a < words.size(); ++a)
                for (int b = 0; b < a; ++b) {
                    const QRectF common = words[a].box & words[b].box;
                    QVERIFY2(common.width() < 1.5 || common.height() < 0.2 * words[a].box.height(),
                        qPrintable(QStringLiteral("%1x%2: '%3' on '%4'")
                                       .arg(size.width())
                                       .arg(size.height())
                                       .arg(words[a].text, words[b].text)));
                }
        }
    }

    void svgAndPdfShowWhatThePixelsShow_data() { everyPicture(); }
    void svgAndPdfShowWhatThePixelsShow()
    {
        QFETCH(QString, view);
        QFETCH(QString, panels);
        for (const QString& theme : { QStringLiteral("print"), QStringLiteral("dark") }) {
            PictureRequest r = request(view, panels);
            r.theme = theme;
            r.size = fittingSize(r);
            const QImage pixels = renderPicture(r);
            const Difference svg = differenceOf(pixels, svgPixels(renderSvg(r), r.size));
            QVERIFY2(svg.small(), qPrintable(QStringLiteral("svg ") + svg.text()));
            QTemporaryDir directory;
            const Difference pdf = differenceOf(pixels, pdfPixels(renderPdf(r), directory));
            QVERIFY2(pdf.small(), qPrintable(QStringLiteral("pdf ") + pdf.text()));
        }
    }

    void aChangedPictureIsSeen()
    {
        PictureRequest r = request(QStringLiteral("figure"));
        const QImage pixels = renderPicture(r);
        QImage spoilt = pixels;
        QPainter painter(&spoilt);
        painter.fillRect(QRect(0, 398, 150, 30), Theme::print().tiles[0].fill);
        painter.end();
        QVERIFY(differenceOf(pixels, pixels).small());
        QVERIFY(!differenceOf(pixels, spoilt).small());
    }

    void pdfHasItsFontsAndNoPixels_data() { everyPicture(); }
    void pdfHasItsFontsAndNoPixels()
    {
        QFETCH(QString, view);
        QFETCH(QString, panels);
        PictureRequest r = request(view, panels);
        r.size = fittingSize(r);
        QTemporaryDir directory;
        const QString path = directory.filePath(QStringLiteral("a.pdf"));
        QVERIFY(writePicture(r, QStringLiteral("pdf"), path).ok());
        const QStringList fonts = linesOf(QStringLiteral("pdffonts"), { path }).mid(2);
        QVERIFY(fonts.size() >= 2);
        for (const QString& font : fonts) {
            QVERIFY2(font.startsWith(QStringLiteral("Inter")) || font.startsWith(QStringLiteral("JetBrainsMono")),
                qPrintable(font));
            static const QRegularExpression embedded(QStringLiteral("Identity-H +yes "));
            QVERIFY2(embedded.match(font).hasMatch(), qPrintable(font));
        }
        QCOMPARE(linesOf(QStringLiteral("pdfimages"), { QStringLiteral("-list"), path }).size(), 2); // its two headings
        const QString info = linesOf(QStringLiteral("pdfinfo"), { path }).join(QLatin1Char('\n'));
        QVERIFY(info.contains(QStringLiteral("Pages:           1")));
        QVERIFY2(
            info.contains(
                QStringLiteral("Page size:       %1 x %2 pts").arg(0.75 * r.size.width()).arg(0.75 * r.size.height())),
            qPrintable(info));
        QVERIFY(info.contains(QStringLiteral("Sat Jan  1 00:00:00 2000")));
        const QString text
            = linesOf(QStringLiteral("pdftotext"), { path, QStringLiteral("-") }).join(QLatin1Char('\n'));
        for (const QString& words : { QStringLiteral("FlashAttention-2 forward"), QStringLiteral("8 × 8"),
                 QStringLiteral("All times are modelled"), QStringLiteral("licence-causal.json") })
            QVERIFY2(text.contains(words), qPrintable(words + QStringLiteral(" in ") + text));
        if (view == QStringLiteral("timeline") || view == QStringLiteral("tiles")
            || (view == QStringLiteral("figure") && panels.isEmpty()))
            QVERIFY(text.contains(QStringLiteral("(6, ")) || text.contains(QStringLiteral("(7, ")));
    }

    void pdfHasTheSameBytesTwice_data() { everyPicture(); }
    void pdfHasTheSameBytesTwice()
    {
        QFETCH(QString, view);
        QFETCH(QString, panels);
        QCOMPARE(renderPdf(request(view, panels)), renderPdf(request(view, panels)));
    }

    void everyProcessWritesTheSameBytes()
    {
        QTemporaryDir directory;
        for (const QString& format : { QStringLiteral("svg"), QStringLiteral("pdf"), QStringLiteral("png") }) {
            QByteArray first;
            for (const int k : { 1, 2, 3 }) {
                const QString path = directory.filePath(QStringLiteral("%1.%2").arg(k).arg(format));
                linesOf(QStringLiteral(FLASHSTEP_BINARY_DIR "/bin/flashstep-cli"),
                    { QStringLiteral("export"), QStringLiteral("--scenario"),
                        QStringLiteral(FLASHSTEP_SOURCE_DIR "/docs/gallery/fa4.json"), QStringLiteral("--view"),
                        QStringLiteral("figure"), QStringLiteral("--format"), format, QStringLiteral("--out"), path });
                QFile file(path);
                QVERIFY(file.open(QIODevice::ReadOnly));
                const QByteArray bytes = file.readAll();
                QVERIFY(bytes.size() > 10000);
                QVERIFY(k == 1 || bytes == first);
                first = bytes;
            }
        }
    }

    void whatNobodySizesIsAsHighAsItsContent_data() { everyPicture(); }
    void whatNobodySizesIsAsHighAsItsContent()
    {
        QFETCH(QString, view);
        QFETCH(QString, panels);
        PictureRequest r = request(view, panels);
        r.size = fittingSize(r);
        QCOMPARE(r.size.width(), 1440);
        const QImage image = renderPicture(r);
        // The line above the provenance is the last thing before the foot; less than a tenth of the sheet above it is
        // bare.
        int bare = 0, most = 0;
        for (int y = 0; y < image.height(); ++y) {
            bool empty = true;
            for (int x = 0; x < image.width() && empty; x += 2)
                empty = image.pixel(x, y) == image.pixel(0, 0);
            bare = empty ? bare + 1 : 0;
            most = std::max(most, bare);
        }
        QVERIFY2(most < 0.12 * image.height(), qPrintable(QString::number(most)));
    }

    void panelsSayWhatAndWhen()
    {
        const QVector<SvgWords> words
            = wordsOf(renderSvg(request(QStringLiteral("figure"), QStringLiteral("tiles,memory,ledger"))));
        QStringList texts;
        for (const SvgWords& each : words)
            texts << each.text;
        const QString cycle = grouped(sampleRun().run.trace->timeAt(request(QStringLiteral("tiles")).at));
        for (const QString& text : { QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c"),
                 QStringLiteral("The score matrix at cycle ") + cycle,
                 QStringLiteral("Memory of CTA 6 at cycle ") + cycle })
            QVERIFY2(texts.contains(text), qPrintable(text + QStringLiteral(" in ") + texts.join(QLatin1Char('|'))));
    }
};

QTEST_MAIN(PaintExportTest)
#include "paint_export_test.moc"
