// SPDX-License-Identifier: GPL-3.0-or-later
// Every picture and file of docs/gallery.md is what the command beside it makes.
#include "tests/gui/picture_reading.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QImageReader>
#include <QtTest>

namespace {

const QString folder = QStringLiteral("docs/gallery/");

QString source(const QString& path)
{
    return QStringLiteral(FLASHSTEP_SOURCE_DIR "/") + path;
}

QByteArray bytesOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// The commands of the page: lines of its ```sh blocks, continued ones joined.
QStringList commands()
{
    QStringList found;
    bool inside = false;
    QString line;
    for (const QString& each :
        QString::fromUtf8(bytesOf(source(QStringLiteral("docs/gallery.md")))).split(QLatin1Char('\n'))) {
        if (each.startsWith(QStringLiteral("```"))) {
            inside = !inside && each == QStringLiteral("```sh");
            continue;
        }
        if (!inside)
            continue;
        line += each;
        if (line.endsWith(QLatin1Char('\\'))) {
            line.chop(1);
            continue;
        }
        if (!line.trimmed().isEmpty())
            found << line.simplified();
        line.clear();
    }
    return found;
}

// What a command writes: its --out, --shot or --picture in the gallery's folder.
QString target(const QString& command)
{
    static const QRegularExpression out(QStringLiteral("(?:--out|--shot|--picture) docs/gallery/(\\S+)"));
    return out.match(command).captured(1);
}

bool isData(const QString& suffix)
{
    return !QStringList { QStringLiteral("png"), QStringLiteral("gif"), QStringLiteral("pdf"), QStringLiteral("mp4") }
                .contains(suffix);
}

QVector<QImage> framesOf(const QString& path)
{
    if (path.endsWith(QStringLiteral(".pdf"))) {
        const QTemporaryDir directory;
        return { flashstep::test::pdfPixels(bytesOf(path), directory) };
    }
    QVector<QImage> frames;
    QImageReader reader(path);
    while (reader.canRead()) {
        const QImage frame = reader.read();
        if (frame.isNull())
            break;
        frames << frame.convertToFormat(QImage::Format_RGB32);
    }
    return frames;
}

} // namespace

class GalleryTest : public QObject {
    Q_OBJECT

private slots:
    void everyCommandMakesItsFileAgain_data()
    {
        QTest::addColumn<QString>("command");
        for (const QString& command : commands())
            if (!target(command).isEmpty())
                QTest::newRow(qPrintable(target(command))) << command;
    }
    void everyCommandMakesItsFileAgain()
    {
        QFETCH(QString, command);
        QTemporaryDir directory;
        const QString name = target(command), made = directory.filePath(name), kept = source(folder + name);
        QVERIFY2(QFile::exists(kept), qPrintable(kept));
        QString run = command;
        run.replace(QStringLiteral("build/release/bin/"), QStringLiteral(FLASHSTEP_BINARY_DIR "/bin/"));
        run.replace(QRegularExpression(QStringLiteral("(--out|--shot|--picture) docs/gallery/")),
            QStringLiteral("\\1 ") + directory.path() + QLatin1Char('/'));
        QProcess shell;
        shell.setWorkingDirectory(source(QString()));
        shell.start(QStringLiteral("bash"), { QStringLiteral("-c"), run });
        QVERIFY(shell.waitForFinished(240000));
        QVERIFY2(shell.exitCode() == 0, shell.readAllStandardError().constData());
        const QString suffix = QFileInfo(name).suffix();
        if (isData(suffix)) {
            QVERIFY2(bytesOf(made) == bytesOf(kept), qPrintable(name + QStringLiteral(" differs")));
            return;
        }
        if (suffix == QStringLiteral("mp4")) { // as the encoder at hand writes it
            QVERIFY(bytesOf(made).size() > 0);
            return;
        }
        const QVector<QImage> mine = framesOf(made), theirs = framesOf(kept);
        QVERIFY(!mine.isEmpty());
        QCOMPARE(mine.size(), theirs.size());
        for (int k = 0; k < mine.size(); ++k) {
            const flashstep::test::Difference difference = flashstep::test::differenceOf(mine[k], theirs[k]);
            QVERIFY2(difference.small(),
                qPrintable(QStringLiteral("%1, frame %2: %3").arg(name).arg(k).arg(difference.text())));
        }
    }

    void everyPictureOnThePageHasItsCommand()
    {
        const QString page = QString::fromUtf8(bytesOf(source(QStringLiteral("docs/gallery.md"))));
        QStringList targets;
        for (const QString& command : commands())
            targets << target(command);
        targets.removeAll(QString());
        QVERIFY(targets.size() >= 4);
        static const QRegularExpression shown(QStringLiteral("!\\[[^\\]]*\\]\\(gallery/([^)]+)\\)"));
        int pictures = 0;
        for (auto match = shown.globalMatch(page); match.hasNext(); ++pictures) {
            const QString name = match.next().captured(1);
            QVERIFY2(targets.contains(name), qPrintable(name + QStringLiteral(" has no command")));
        }
        QVERIFY(pictures >= 4);
    }
};

QTEST_MAIN(GalleryTest)
#include "gallery_test.moc"
