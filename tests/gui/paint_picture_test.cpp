// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/paint_sample.h"

#include "ui/paint/picture.h"
#include "ui/paint/tokens.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QXmlStreamReader>
#include <QtTest>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

PictureRequest request(const QString& view)
{
    PictureRequest r;
    r.run = &test::sampleRun().run;
    r.tokens = tokensOf(test::sampleRun().labels, r.run->program->problem);
    r.view = view;
    const Moment m = test::momentOf(*r.run->trace, "block(i=6, n=2)");
    r.at = m.position;
    r.cta = m.cta;
    r.scenarioName = QStringLiteral("licence-causal.json");
    return r;
}

// All text of the SVG; fails when it is not well-formed.
QStringList texts(const QByteArray& svg)
{
    QStringList found;
    QXmlStreamReader reader(svg);
    while (!reader.atEnd()) {
        reader.readNext();
        if (reader.isStartElement() && reader.name() == QLatin1String("text"))
            found << reader.readElementText().trimmed();
    }
    if (reader.hasError())
        qWarning("%s", qPrintable(reader.errorString()));
    return reader.hasError() ? QStringList() : found;
}

} // namespace

class PaintPictureTest : public QObject {
    Q_OBJECT

private slots:
    void svgHasTheSameBytesTwice()
    {
        for (const QString& view : pictureViews())
            QCOMPARE(renderSvg(request(view)), renderSvg(request(view)));
    }

    void svgNamesTilesAsText()
    {
        const QStringList timeline = texts(renderSvg(request(QStringLiteral("timeline"))));
        QVERIFY(timeline.contains(QStringLiteral("exp2 (6, 5)")));
        QVERIFY(timeline.contains(QStringLiteral("warp 3")));
        const QStringList tiles = texts(renderSvg(request(QStringLiteral("tiles"))));
        QVERIFY(tiles.contains(QStringLiteral("(6, 5)")));
        QVERIFY(tiles.contains(QStringLiteral("K7")));
    }

    void svgBringsEverythingWithIt()
    {
        for (const QString& view : pictureViews()) {
            QByteArray svg = renderSvg(request(view));
            QVERIFY(!svg.contains("<image"));
            svg.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "");
            QVERIFY(!svg.contains("http"));
            QVERIFY(!svg.contains("font-family=\"Inter\""));
            QVERIFY(svg.contains("font-family=\"Inter, "));
            svg.replace("font-family=\"Inter, ", "").replace("font-family=\"'JetBrains Mono', ", "");
            QVERIFY(!svg.contains("font-family")); // none of the system's
            QVERIFY(!svg.contains("nan") && !svg.contains("=\"inf"));
        }
    }

    void everyPictureSaysWhereItComesFrom()
    {
        for (const QString& view : pictureViews()) {
            const QString all = texts(renderSvg(request(view))).join(QLatin1Char('\n'));
            for (const QString& words :
                { QStringLiteral("FlashAttention-2 forward"), QStringLiteral("All times are modelled"),
                    QStringLiteral("8 × 8"), QStringLiteral("timed as 128 × 128"),
                    QStringLiteral("licence-causal.json"), QStringLiteral("FlashStep") })
                QVERIFY2(all.contains(words), qPrintable(view + QStringLiteral(": ") + words));
        }
    }

    void timelineShowsTheStretchAskedFor()
    {
        PictureRequest r = request(QStringLiteral("timeline"));
        r.from = 9000;
        r.to = 9300;
        const QStringList found = texts(renderSvg(r));
        QVERIFY(found.contains(QStringLiteral("exp2 (6, 5)")));
        for (const QString& text : found)
            QVERIFY(!text.startsWith(QStringLiteral("S (6, 4)")));
    }

    void imagesScale()
    {
        PictureRequest r = request(QStringLiteral("tiles"));
        r.size = { 900, 700 };
        r.scale = 2;
        const QImage image = renderPicture(r);
        QCOMPARE(image.size(), QSize(1800, 1400));
        QCOMPARE(renderPicture(r), image);
        for (const QString& view : pictureViews())
            for (const QString& theme : { QStringLiteral("light"), QStringLiteral("dark"), QStringLiteral("print") }) {
                PictureRequest other = request(view);
                other.theme = theme;
                other.size = { 640, 480 };
                QCOMPARE(renderPicture(other).size(), other.size);
            }
    }

    void filesAreWholeOrNotThere()
    {
        QTemporaryDir dir;
        const QString png = dir.filePath(QStringLiteral("a.png")), svg = dir.filePath(QStringLiteral("a.svg"));
        QVERIFY(writePicture(request(QStringLiteral("timeline")), QStringLiteral("png"), png).ok());
        QVERIFY(writePicture(request(QStringLiteral("timeline")), QStringLiteral("svg"), svg).ok());
        QVERIFY(!QImage(png).isNull());
        QFile file(svg);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), renderSvg(request(QStringLiteral("timeline"))));
        QCOMPARE(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden).size(), 2);
        const Status failed = writePicture(
            request(QStringLiteral("timeline")), QStringLiteral("png"), dir.filePath(QStringLiteral("none/a.png")));
        QVERIFY(!failed.ok());
    }

    void badRequestsAreRefusedInOneLine()
    {
        const auto refused = [](const PictureRequest& r, const QString& format) {
            const Status status = writePicture(r, format, QStringLiteral("never"));
            return !status.ok() && !QString::fromStdString(status.error().line()).contains(QLatin1Char('\n'));
        };
        QVERIFY(refused(request(QStringLiteral("nonsense")), QStringLiteral("svg")));
        QVERIFY(refused(request(QStringLiteral("tiles")), QStringLiteral("bmp")));
        PictureRequest huge = request(QStringLiteral("tiles"));
        huge.size = { 40000, 40000 };
        QVERIFY(refused(huge, QStringLiteral("png")));
        PictureRequest empty;
        QVERIFY(refused(empty, QStringLiteral("svg")));
        QVERIFY(!QFile::exists(QStringLiteral("never")));
    }
};

QTEST_MAIN(PaintPictureTest)
#include "paint_picture_test.moc"
