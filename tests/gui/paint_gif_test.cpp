// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/export_sample.h"

#include "ui/paint/gif.h"
#include "ui/paint/palette.h"

#include <QDir>
#include <QFile>
#include <QImageReader>
#include <QTemporaryDir>
#include <QtTest>

#include <sstream>

using namespace flashstep;
using namespace flashstep::paint;
using flashstep::test::exported;
using flashstep::test::filmOf;

namespace {

// The stretch in which query tile 6 takes in its blocks 2 to 5.
ExportOptions small(const char* view)
{
    ExportOptions o;
    o.format = "gif";
    o.view = view;
    o.size = "640x480";
    o.from = "block(i=6, n=1)";
    o.to = "block(i=6, n=5)";
    return o;
}

struct Decoded {
    QVector<QImage> frames; // as a viewer shows them, one after the other
    QVector<int> delays; // ms
    int loops = 0;
};

// By Qt's own reader of GIF.
Decoded decoded(const QString& path)
{
    QImageReader reader(path, "gif");
    Decoded film;
    while (reader.canRead()) {
        const QImage frame = reader.read();
        if (frame.isNull())
            break;
        film.frames << frame.convertToFormat(QImage::Format_RGB32);
        film.delays << reader.nextImageDelay();
    }
    film.loops = reader.loopCount();
    return film;
}

struct Block {
    QRect rect;
    int disposal = 0;
};

int word(const QByteArray& bytes, int at)
{
    return static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1]) << 8;
}

int skipSubBlocks(const QByteArray& bytes, int at)
{
    while (bytes[at] != 0)
        at += static_cast<unsigned char>(bytes[at]) + 1;
    return at + 1;
}

// Where each frame lies, by the grammar of GIF89a.
QVector<Block> blocksOf(const QByteArray& bytes)
{
    QVector<Block> blocks;
    int disposal = 0;
    int at = 13 + (bytes[10] & 0x80 ? 3 << ((bytes[10] & 7) + 1) : 0);
    while (bytes[at] != ';') {
        if (bytes[at] == '!') {
            if (static_cast<unsigned char>(bytes[at + 1]) == 0xf9)
                disposal = bytes[at + 3] >> 2 & 7;
            at = skipSubBlocks(bytes, at + 2);
        } else if (bytes[at] == ',') {
            blocks << Block { QRect(word(bytes, at + 1), word(bytes, at + 3), word(bytes, at + 5), word(bytes, at + 7)),
                disposal };
            if (bytes[at + 9] & 0x80) // no table of its own is expected
                return {};
            at = skipSubBlocks(bytes, at + 11);
        } else {
            return {};
        }
    }
    return blocks;
}

QRect changed(const QImage& a, const QImage& b)
{
    QRect rect;
    for (int y = 0; y < a.height(); ++y)
        for (int x = 0; x < a.width(); ++x)
            if (a.pixel(x, y) != b.pixel(x, y))
                rect |= QRect(x, y, 1, 1);
    return rect;
}

QByteArray bytesOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QImage noise(unsigned seed, int colours)
{
    QImage image(64, 48, QImage::Format_RGB32);
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x) {
            seed = seed * 1664525U + 1013904223U;
            const unsigned k = (seed >> 8) % static_cast<unsigned>(colours);
            image.setPixel(
                x, y, qRgb(static_cast<int>(k * 37 % 256), static_cast<int>(k * 91 % 256), static_cast<int>(k % 256)));
        }
    return image;
}

} // namespace

class PaintGifTest : public QObject {
    Q_OBJECT

private slots:
    void aViewerSeesThePaintedFrames_data()
    {
        QTest::addColumn<QByteArray>("view");
        QTest::addColumn<QByteArray>("theme");
        for (const char* view : { "timeline", "tiles", "memory", "ledger" })
            QTest::newRow(view) << QByteArray(view) << QByteArray("print");
        QTest::newRow("dark") << QByteArray("tiles") << QByteArray("dark");
    }
    void aViewerSeesThePaintedFrames()
    {
        QFETCH(QByteArray, view);
        QFETCH(QByteArray, theme);
        ExportOptions o = small(view.constData());
        o.theme = theme.toStdString();
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.gif"));
        QVERIFY(exported(o, path).ok());
        const Film film = filmOf(o);
        const Decoded seen = decoded(path);
        QCOMPARE(film.frames(), std::size_t { 4 }); // blocks 2 to 5 of tile 6's CTA
        QCOMPARE(seen.frames.size(), 4);
        for (int k = 0; k < seen.frames.size(); ++k) {
            const test::Difference difference
                = test::differenceOf(seen.frames[k], film.frame(static_cast<std::size_t>(k)));
            QVERIFY2(difference.mean < 1.0 && difference.largest < 48,
                qPrintable(QStringLiteral("frame %1: %2, %3").arg(k).arg(difference.mean).arg(difference.largest)));
        }
    }

    void everyStepIsAFrame()
    {
        ExportOptions o;
        o.format = "gif";
        o.view = "tiles";
        o.size = "480x360";
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.gif"));
        QVERIFY(exported(o, path).ok());
        std::ostringstream told;
        const Run& run = test::sampleRun().run;
        QVERIFY(narrateMarkdown(run, {}, Range::whole(*run.trace), Level::InnerTile, CtaId::none(), "en", told).ok());
        const QByteArray markdown = QByteArray::fromStdString(told.str());
        QCOMPARE(decoded(path).frames.size(), markdown.count("\n- "));
        QCOMPARE(markdown.count("\n- "), 36); // 8 x 8 tiles, causal
    }

    void framesLastAsLongAsAsked()
    {
        ExportOptions o = small("memory");
        o.fps = "3";
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.gif"));
        QVERIFY(exported(o, path).ok());
        const Decoded seen = decoded(path);
        QCOMPARE(seen.loops, -1); // for ever
        QCOMPARE(seen.delays, (QVector<int> { 330, 340, 330, 330 + 10 * gifRest }));
    }

    void onlyWhatChangedIsWritten()
    {
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.gif"));
        QVERIFY(exported(small("tiles"), path).ok());
        const Decoded seen = decoded(path);
        const QVector<Block> blocks = blocksOf(bytesOf(path));
        QCOMPARE(blocks.size(), seen.frames.size());
        QCOMPARE(blocks[0].rect, QRect(0, 0, 640, 480));
        for (int k = 1; k < blocks.size(); ++k) {
            QCOMPARE(blocks[k].rect, changed(seen.frames[k - 1], seen.frames[k]));
            QCOMPARE(blocks[k].disposal, 1); // stays under the next
        }
    }

    void theSameRequestGivesTheSameBytes()
    {
        const QTemporaryDir dir;
        const QString a = dir.filePath(QStringLiteral("a.gif")), b = dir.filePath(QStringLiteral("b.gif"));
        QVERIFY(exported(small("tiles"), a).ok());
        QVERIFY(exported(small("tiles"), b).ok());
        QVERIFY(!bytesOf(a).isEmpty());
        QCOMPARE(bytesOf(a), bytesOf(b));
    }

    void aSmallerFrameShowsAllOfIt()
    {
        ExportOptions o = small("tiles");
        const QImage whole = filmOf(o).frame(0);
        o.scale = "0.5";
        const QImage half = filmOf(o).frame(0);
        QCOMPARE(half.size(), whole.size() / 2);
        const QImage shrunk = whole.scaled(half.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
        const test::Difference difference = test::differenceOf(half, shrunk);
        QVERIFY2(difference.mean < 6, qPrintable(QString::number(difference.mean)));
    }
    void theCaptionStaysWhereItIs()
    {
        const Film film = filmOf(small("tiles"));
        const QRgb ground = Theme::print().alt.rgb(), panel = Theme::print().panel.rgb();
        int top = 0;
        for (std::size_t k = 0; k < film.frames(); ++k) {
            const QImage frame = film.frame(k);
            int y = frame.height() - 1;
            QCOMPARE(frame.pixel(639, y), ground);
            while (y > 0 && frame.pixel(639, y) != panel) // above it the bar of the time
                --y;
            QVERIFY(y > frame.height() / 2 && y < frame.height() - 60);
            top = k == 0 ? y : top;
            QCOMPARE(y, top);
        }
    }

    void cancelLeavesNoFile()
    {
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.gif"));
        test::HalfWay half;
        const Status status = exported(small("memory"), path, half.progress());
        QVERIFY(!status.ok());
        QCOMPARE(status.error().what, std::string("cancelled"));
        QVERIFY(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden).isEmpty());
    }

    void whatCannotBeShownIsRefused_data()
    {
        QTest::addColumn<QByteArray>("option");
        QTest::addColumn<QByteArray>("value");
        QTest::newRow("fast") << QByteArray("fps") << QByteArray("60");
        QTest::newRow("small") << QByteArray("size") << QByteArray("300x300");
        QTest::newRow("large") << QByteArray("size") << QByteArray("8000x8000");
        QTest::newRow("empty") << QByteArray("to") << QByteArray("block(i=6, n=1)");
    }
    void whatCannotBeShownIsRefused()
    {
        QFETCH(QByteArray, option);
        QFETCH(QByteArray, value);
        ExportOptions o = small("tiles");
        (option == "fps" ? o.fps : option == "size" ? o.size : o.to) = value.toStdString();
        const QTemporaryDir dir;
        const Status status = exported(o, dir.filePath(QStringLiteral("a.gif")));
        QVERIFY(!status.ok());
        QVERIFY(!QString::fromStdString(status.error().line()).contains(QLatin1Char('\n')));
        QVERIFY(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden).isEmpty());
    }

    void fewColoursAreKeptExactly()
    {
        ColourCount count;
        const QImage image = noise(1, 200);
        count.add(image);
        PaletteMapper mapper(choosePalette(count, 255));
        QCOMPARE(mapper.palette().size(), 200);
        QCOMPARE(mapper.map(image).convertToFormat(QImage::Format_RGB32), image);
    }

    void ofManyColoursTheFrequentAreKeptExactly()
    {
        QImage image = noise(2, 3000);
        QPainter painter(&image);
        const QVector<QRgb> flat { qRgb(255, 255, 255), qRgb(75, 127, 200), qRgb(241, 179, 80), qRgb(16, 100, 95) };
        for (int k = 0; k < flat.size(); ++k)
            painter.fillRect(QRect(16 * k, 0, 16, 32), QColor(flat[k]));
        painter.end();
        ColourCount count;
        count.add(image);
        const QVector<QRgb> palette = choosePalette(count, 64);
        QCOMPARE(palette.size(), 64);
        for (const QRgb colour : flat)
            QVERIFY(palette.contains(colour));
    }

    void eachPixelTakesTheNearestColour()
    {
        const QImage image = noise(3, 3000);
        ColourCount count;
        count.add(image);
        PaletteMapper mapper(choosePalette(count, 32));
        const QImage mapped = mapper.map(image).convertToFormat(QImage::Format_RGB32);
        const auto far = [](QRgb a, QRgb b) {
            const int r = qRed(a) - qRed(b), g = qGreen(a) - qGreen(b), c = qBlue(a) - qBlue(b);
            return r * r + g * g + c * c;
        };
        for (int y = 0; y < image.height(); y += 5)
            for (int x = 0; x < image.width(); ++x)
                for (const QRgb other : mapper.palette())
                    QVERIFY(far(image.pixel(x, y), mapped.pixel(x, y)) <= far(image.pixel(x, y), other));
    }
};

QTEST_MAIN(PaintGifTest)
#include "paint_gif_test.moc"
