// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/export_sample.h"

#include "ui/paint/mp4.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

#include <chrono>
#include <thread>

using namespace flashstep;
using namespace flashstep::paint;
using flashstep::test::exported;
using flashstep::test::filmOf;

namespace {

ExportOptions small()
{
    ExportOptions o;
    o.format = "mp4";
    o.view = "tiles";
    o.size = "641x480"; // odd: a column is added
    o.fps = "5";
    o.from = "block(i=6, n=1)";
    o.to = "block(i=6, n=5)";
    return o;
}

// Puts a program called ffmpeg first into the search path, or leaves none there, until it goes.
class StandIn {
public:
    // `work`: shell commands; $file is what is to be written.
    explicit StandIn(const QByteArray& work, const QByteArray& encoders = "libx264")
        : m_path(qgetenv("PATH"))
    {
        QFile script(m_dir.filePath(QStringLiteral("ffmpeg")));
        if (work.isEmpty() || !script.open(QIODevice::WriteOnly))
            return;
        script.write("#!/bin/sh\ncase \"$*\" in *-encoders*) echo ' V....D " + encoders
            + " an encoder'; exit 0;; esac\nfor last; do :; done\nfile=${last#file:}\n" + work + "\n");
        script.close();
        script.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        qputenv("PATH", m_dir.path().toLocal8Bit() + ":/usr/bin:/bin");
    }
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;
    ~StandIn() { qputenv("PATH", m_path); }
    void leaveNone() { qputenv("PATH", m_dir.path().toLocal8Bit()); }

private:
    QTemporaryDir m_dir;
    QByteArray m_path;
};

QByteArray bytesOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

bool isEmpty(const QTemporaryDir& dir)
{
    return QDir(dir.path()).entryList(QDir::Files | QDir::Hidden).isEmpty();
}

QByteArray output(const QString& program, const QStringList& arguments)
{
    QProcess process;
    process.start(program, arguments, QIODevice::ReadOnly);
    process.waitForFinished();
    return process.readAllStandardOutput();
}

} // namespace

class PaintMp4Test : public QObject {
    Q_OBJECT

private slots:
    void theEncoderGetsEveryFrameAsItIs()
    {
        const StandIn encoder("cat > \"$file\"");
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.mp4"));
        const Status status = exported(small(), path);
        QVERIFY2(status.ok(), status.ok() ? "" : status.error().line().c_str());
        const Film film = filmOf(small());
        QCOMPARE(film.size(), QSize(642, 480));
        QCOMPARE(film.frames(), std::size_t { 4 });
        const QByteArray raw = bytesOf(path);
        const int bytes = 642 * 480 * 3;
        QCOMPARE(raw.size(), 4 * bytes);
        for (int k = 0; k < 4; ++k) {
            const QImage sent(
                reinterpret_cast<const uchar*>(raw.constData()) + k * bytes, 642, 480, 642 * 3, QImage::Format_RGB888);
            QCOMPARE(test::differenceOf(sent, film.frame(static_cast<std::size_t>(k))).largest, 0);
        }
        QCOMPARE(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden), QStringList { QStringLiteral("a.mp4") });
    }

    void theEncoderIsToldWhatItGets()
    {
        const StandIn encoder("cat > /dev/null; echo \"$*\" > \"$file\"");
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.mp4"));
        QVERIFY(exported(small(), path).ok());
        const QByteArray words = bytesOf(path);
        for (const char* expected : { "-pix_fmt rgb24 -s 642x480 -framerate 5 ", "-c:v libx264", "-pix_fmt yuv420p",
                 "-fflags +bitexact", "-movflags +faststart" })
            QVERIFY2(words.contains(expected), expected);
    }

    void whatTheEncoderSaysIsTheError()
    {
        const StandIn encoder("head -c 1000 > /dev/null; printf '[libx264 @ 0x55d0]  no room \\n more\\n' >&2; exit 1");
        const QTemporaryDir dir;
        const Status status = exported(small(), dir.filePath(QStringLiteral("a.mp4")));
        QVERIFY(!status.ok());
        QCOMPARE(status.error().line(), std::string("ffmpeg: the encoder failed: no room (gif needs none)"));
        QVERIFY(isEmpty(dir));
    }

    void anEncoderThatEndsEarlyIsAnError()
    {
        const StandIn encoder("echo half > \"$file\"; exit 0");
        const QTemporaryDir dir;
        const Status status = exported(small(), dir.filePath(QStringLiteral("a.mp4")));
        QVERIFY(!status.ok());
        QVERIFY(isEmpty(dir));
    }

    void anEncoderThatTalksTooMuchDoesNotBlock()
    {
        const StandIn encoder("head -c 1000000 /dev/zero | tr '\\0' x >&2; cat > \"$file\"");
        const QTemporaryDir dir;
        QVERIFY(exported(small(), dir.filePath(QStringLiteral("a.mp4"))).ok());
    }

    void cancelEndsAnEncoderThatHangs_data()
    {
        QTest::addColumn<QByteArray>("work");
        QTest::newRow("taking nothing") << QByteArray("echo begun > \"$file\"; exec sleep 60");
        QTest::newRow("never done") << QByteArray("cat > \"$file\"; exec sleep 60");
    }
    void cancelEndsAnEncoderThatHangs()
    {
        QFETCH(QByteArray, work);
        const StandIn encoder(work);
        const QTemporaryDir dir;
        std::stop_source source;
        std::jthread later([&](const std::stop_token&) {
            std::this_thread::sleep_for(std::chrono::milliseconds(700));
            source.request_stop();
        });
        QElapsedTimer timer;
        timer.start();
        Progress progress;
        progress.stop = source.get_token();
        const Status status = exported(small(), dir.filePath(QStringLiteral("a.mp4")), progress);
        QVERIFY(!status.ok());
        QCOMPARE(status.error().what, std::string("cancelled"));
        QVERIFY(timer.elapsed() < 30'000);
        QVERIFY(isEmpty(dir));
    }

    void withoutAnEncoderNothingIsBegun()
    {
        StandIn none("");
        none.leaveNone();
        const Status here = checkHere(*findExportFormat("mp4"));
        QVERIFY(!here.ok());
        QVERIFY(here.error().what.find("ffmpeg") != std::string::npos);
        QVERIFY(checkHere(*findExportFormat("gif")).ok());
        const QTemporaryDir dir;
        QVERIFY(!exported(small(), dir.filePath(QStringLiteral("a.mp4"))).ok());
        QVERIFY(isEmpty(dir));
    }

    void theBestEncoderIsTaken()
    {
        {
            const StandIn encoder("exit 1", "mpeg4\n V....D libx264");
            QCOMPARE(findEncoder()->codec, QStringLiteral("libx264"));
        }
        {
            const StandIn encoder("exit 1", "mpeg4");
            QCOMPARE(findEncoder()->codec, QStringLiteral("mpeg4"));
        }
        const StandIn encoder("exit 1", "vp9");
        QVERIFY(!findEncoder().ok());
        QVERIFY(!checkHere(*findExportFormat("mp4")).ok());
    }

    void ffmpegWritesWhatPlayersShow()
    {
        const QString ffprobe = QStandardPaths::findExecutable(QStringLiteral("ffprobe"));
        if (ffprobe.isEmpty() || !findEncoder().ok())
            QSKIP("there is no ffmpeg here");
        const QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("a.mp4")), again = dir.filePath(QStringLiteral("b.mp4"));
        QVERIFY(exported(small(), path).ok());
        QVERIFY(exported(small(), again).ok());
        QCOMPARE(bytesOf(path), bytesOf(again));
        QVERIFY(bytesOf(path).indexOf("moov") < bytesOf(path).indexOf("mdat")); // begins to play while it loads
        QCOMPARE(output(ffprobe,
                     { QStringLiteral("-v"), QStringLiteral("error"), QStringLiteral("-count_frames"),
                         QStringLiteral("-show_entries"),
                         QStringLiteral("stream=width,height,pix_fmt,r_frame_rate,nb_read_frames"),
                         QStringLiteral("-of"), QStringLiteral("csv=p=0"), path })
                     .trimmed(),
            QByteArray("642,480,yuv420p,5/1,4"));
        const QByteArray raw = output(findEncoder()->program,
            { QStringLiteral("-v"), QStringLiteral("error"), QStringLiteral("-i"), path, QStringLiteral("-f"),
                QStringLiteral("rawvideo"), QStringLiteral("-pix_fmt"), QStringLiteral("rgb24"), QStringLiteral("-") });
        const int bytes = 642 * 480 * 3;
        QCOMPARE(raw.size(), 4 * bytes);
        const Film film = filmOf(small());
        for (int k = 0; k < 4; ++k) {
            const QImage seen(
                reinterpret_cast<const uchar*>(raw.constData()) + k * bytes, 642, 480, 642 * 3, QImage::Format_RGB888);
            const double mean = test::differenceOf(seen, film.frame(static_cast<std::size_t>(k))).mean;
            QVERIFY2(mean < 3, qPrintable(QString::number(mean)));
        }
    }
};

QTEST_MAIN(PaintMp4Test)
#include "paint_mp4_test.moc"
