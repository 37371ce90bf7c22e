// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/export_sample.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QXmlStreamReader>
#include <QtTest>

#include <sstream>

using namespace flashstep;
using namespace flashstep::paint;
using flashstep::test::exported;

namespace {

ExportOptions small()
{
    ExportOptions o;
    o.format = "html";
    o.size = "640x360";
    o.scale = "1";
    o.cta = "6";
    return o;
}

// What a reader that is not ours finds in the page.
struct Found {
    QStringList headings, words, strong, links, ids, outside;
    QVector<QImage> pictures;
    QString error;
};

Found read(const QByteArray& page)
{
    Found found;
    QXmlStreamReader reader(page);
    QString* text = nullptr;
    while (!reader.atEnd()) {
        reader.readNext();
        const QXmlStreamAttributes attributes = reader.attributes();
        if (reader.isCharacters() && text)
            *text += reader.text().toString();
        if (reader.isEndElement() && (reader.name() == QLatin1String("p") || reader.name() == QLatin1String("h2")))
            text = nullptr;
        if (!reader.isStartElement())
            continue;
        if (attributes.hasAttribute(QLatin1String("id")))
            found.ids << attributes.value(QLatin1String("id")).toString();
        if (reader.name() == QLatin1String("h2"))
            text = &(found.headings << QString()).last();
        if (reader.name() == QLatin1String("p") && attributes.value(QLatin1String("class")) == QLatin1String("words"))
            text = &(found.words << QString()).last();
        if (reader.name() == QLatin1String("a"))
            found.links << attributes.value(QLatin1String("href")).toString();
        if (reader.name() == QLatin1String("img")) {
            const QByteArray source = attributes.value(QLatin1String("src")).toLatin1();
            found.pictures << QImage::fromData(QByteArray::fromBase64(source.mid(source.indexOf(',') + 1)), "PNG");
        }
        if (reader.name() == QLatin1String("script") || reader.name() == QLatin1String("link")
            || reader.name() == QLatin1String("iframe"))
            found.outside << reader.name().toString();
    }
    found.error = reader.hasError() ? reader.errorString() : QString();
    return found;
}

QByteArray page(const ExportOptions& options, const ExportSource& source)
{
    const QTemporaryDir dir;
    const QString path = dir.filePath(QStringLiteral("a.html"));
    const Status status = writeExport(source, test::requestOf(options), path, {});
    QFile file(path);
    return status.ok() && file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// The sentences of `narrate`, without its marks.
QStringList narrated(const Labels& labels, Level level, CtaId cta)
{
    std::ostringstream told;
    const Run& run = test::sampleRun().run;
    if (!narrateMarkdown(run, labels, Range::whole(*run.trace), level, cta, "en", told).ok())
        return {};
    QStringList lines;
    static const QRegularExpression lead(QStringLiteral("^- `\\d+ cy` CTA \\d+: "));
    for (QString line : QString::fromStdString(told.str()).split(QLatin1Char('\n')))
        if (line.contains(lead))
            lines << line.remove(lead).remove(QStringLiteral("**"));
    return lines;
}

} // namespace

class PaintHtmlTest : public QObject {
    Q_OBJECT

private slots:
    void everyStepHasASectionWithItsWords_data()
    {
        QTest::addColumn<QByteArray>("level");
        QTest::addColumn<QByteArray>("cta");
        QTest::newRow("blocks of a tile") << QByteArray("inner-tile") << QByteArray("6");
        QTest::newRow("tiles") << QByteArray("outer-tile") << QByteArray();
        QTest::newRow("operations") << QByteArray("operation") << QByteArray("1");
    }
    void everyStepHasASectionWithItsWords()
    {
        QFETCH(QByteArray, level);
        QFETCH(QByteArray, cta);
        ExportOptions o = small();
        o.level = level.toStdString();
        o.cta = cta.toStdString();
        const Found found = read(page(o, test::sampleSource()));
        QCOMPARE(found.error, QString());
        const QStringList expected = narrated(
            test::sampleRun().labels, *levelFromName(o.level), cta.isEmpty() ? CtaId::none() : CtaId(cta.toUInt()));
        QVERIFY(expected.size() >= 7);
        QCOMPARE(found.words, expected);
        QCOMPARE(found.headings.size(), expected.size());
        QCOMPARE(found.pictures.size(), expected.size());
        for (const QString& link : found.links)
            QVERIFY(found.ids.contains(link.mid(1)));
        QCOMPARE(found.links.size(), expected.size());
        QCOMPARE(QSet<QString>(found.ids.begin(), found.ids.end()).size(), found.ids.size());
    }

    void picturesShowTheirStep()
    {
        const Found found = read(page(small(), test::sampleSource()));
        const Trace& trace = *test::sampleRun().run.trace;
        QCOMPARE(found.pictures.size(), 7);
        for (int n = 1; n <= found.pictures.size(); ++n) {
            PictureRequest picture = pictureOf(test::sampleSource(), test::requestOf(small()));
            picture.bare = true;
            picture.at = *trace.block(0, 0, 6, n);
            picture.cta = CtaId(6);
            const test::Difference difference = test::differenceOf(found.pictures[n - 1], renderPicture(picture));
            QVERIFY2(difference.mean < 1 && difference.largest < 48, qPrintable(QString::number(difference.mean)));
        }
    }

    void nothingIsFetchedFromOutside()
    {
        QByteArray all = page(small(), test::sampleSource());
        QVERIFY(read(all).outside.isEmpty());
        all.replace("http://www.w3.org/1999/xhtml", "");
        QVERIFY(!all.isEmpty() && !all.contains("http") && !all.contains("url(") && !all.contains("@import"));
    }

    void wordsOfTheInputStayText()
    {
        Labels labels = test::sampleRun().labels;
        for (std::string& token : labels.tokens)
            token = "<script>&\"'**`\x01]]>\xe2\x88\x9e\xef\xbf\xbf" + token;
        const ExportSource source { &test::sampleRun().run, &labels, QStringLiteral("<a&b>.json") };
        ExportOptions o = small();
        o.level = "operation";
        o.cta = "0";
        const Found found = read(page(o, source));
        QCOMPARE(found.error, QString());
        QVERIFY(found.outside.isEmpty());
        QStringList expected = narrated(labels, Level::Operation, CtaId(0));
        QVERIFY(expected.join(QString()).contains(QStringLiteral("<script>")));
        for (QString& line : expected)
            line.replace(QChar(1), QChar(QChar::ReplacementCharacter))
                .replace(QChar(0xffff), QChar(QChar::ReplacementCharacter));
        QCOMPARE(found.words, expected);
    }

    void theSameRequestGivesTheSameBytes()
    {
        const QByteArray first = page(small(), test::sampleSource());
        QVERIFY(!first.isEmpty());
        QCOMPARE(page(small(), test::sampleSource()), first);
    }

    void cancelLeavesNoFile()
    {
        const QTemporaryDir dir;
        test::HalfWay half;
        const Status status = exported(small(), dir.filePath(QStringLiteral("a.html")), half.progress());
        QVERIFY(!status.ok());
        QVERIFY(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden).isEmpty());
    }

    void whatIsLeftOutIsSaid()
    {
        ExportOptions o = small();
        o.level = "event";
        o.size = "200x200";
        o.cta.clear();
        std::string note;
        Progress progress;
        progress.note = [&](const std::string& text) { note = text; };
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.html"));
        QVERIFY(exported(o, path, progress).ok());
        QCOMPARE(note, std::string("4768 event steps: every 12th is shown"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray all = file.readAll();
        QCOMPARE(read(all).words.size(), 398);
        QVERIFY(all.contains("<dd>4768 event steps: every 12th is shown</dd>"));
    }
};

QTEST_MAIN(PaintHtmlTest)
#include "paint_html_test.moc"
