// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/mp4.h"

#include "core/io/files.h"

#include <QElapsedTimer>
#include <QProcess>
#include <QStandardPaths>

namespace flashstep::paint {

namespace {

constexpr int askEvery = 50; // ms, whether the export was cancelled
constexpr int patience = 60'000; // ms without a byte taken
constexpr int answerTime = 15'000; // ms to say what it can do
constexpr int longestMessage = 4096;

struct Codec {
    const char* name;
    std::vector<const char*> options;
};
// In order of preference. One thread: the bytes then do not depend on how many processors there are.
const std::vector<Codec>& codecs()
{
    static const std::vector<Codec> all { { "libx264", { "-preset", "medium", "-crf", "16", "-threads", "1" } },
        { "libopenh264", { "-b:v", "6M", "-threads", "1" } }, { "mpeg4", { "-q:v", "2", "-threads", "1" } } };
    return all;
}

// "[libx264 @ 0x55…] what is wrong" without the address, which is another one each time.
QString firstLine(const QByteArray& messages)
{
    for (QString line : QString::fromUtf8(messages).split(QLatin1Char('\n'))) {
        if (line.startsWith(QLatin1Char('[')))
            line = line.mid(line.indexOf(QLatin1Char(']')) + 1);
        if (line = line.simplified(); !line.isEmpty())
            return line;
    }
    return QStringLiteral("it ended without a word");
}

QStringList argumentsFor(const Encoder& encoder, const Film& film, const QString& file)
{
    QStringList words { QStringLiteral("-hide_banner"), QStringLiteral("-nostats"), QStringLiteral("-loglevel"),
        QStringLiteral("error"), QStringLiteral("-f"), QStringLiteral("rawvideo"), QStringLiteral("-pix_fmt"),
        QStringLiteral("rgb24"), QStringLiteral("-s"),
        QStringLiteral("%1x%2").arg(film.size().width()).arg(film.size().height()), QStringLiteral("-framerate"),
        QString::number(film.fps(), 'g', 12), QStringLiteral("-i"), QStringLiteral("pipe:0"), QStringLiteral("-an"),
        QStringLiteral("-vf"),
        QStringLiteral("scale=out_color_matrix=bt709:out_range=limited:flags=accurate_rnd+full_chroma_int+bitexact"),
        QStringLiteral("-c:v"), encoder.codec };
    for (const Codec& codec : codecs())
        if (encoder.codec == QLatin1String(codec.name))
            for (const char* option : codec.options)
                words << QLatin1String(option);
    words << QStringLiteral("-pix_fmt") << QStringLiteral("yuv420p") << QStringLiteral("-colorspace")
          << QStringLiteral("bt709") << QStringLiteral("-color_primaries") << QStringLiteral("bt709")
          << QStringLiteral("-color_trc") << QStringLiteral("bt709") << QStringLiteral("-color_range")
          << QStringLiteral("tv") << QStringLiteral("-fflags") << QStringLiteral("+bitexact")
          << QStringLiteral("-flags:v") << QStringLiteral("+bitexact") << QStringLiteral("-map_metadata")
          << QStringLiteral("-1") << QStringLiteral("-movflags") << QStringLiteral("+faststart") << QStringLiteral("-f")
          << QStringLiteral("mp4") << QStringLiteral("-y") << QStringLiteral("file:") + file;
    return words;
}

// The encoder at work; ended with this object, whatever it does.
class Encoding {
public:
    Encoding(const Encoder& encoder, const QStringList& arguments, const Progress& progress)
        : m_progress(progress)
    {
        m_process.setStandardOutputFile(QProcess::nullDevice());
        m_process.start(encoder.program, arguments);
    }
    Encoding(const Encoding&) = delete;
    Encoding& operator=(const Encoding&) = delete;
    ~Encoding()
    {
        if (m_process.state() == QProcess::NotRunning)
            return;
        m_process.kill();
        m_process.waitForFinished();
    }

    [[nodiscard]] bool started() { return m_process.waitForStarted(patience); }

    // Until the encoder has taken it.
    [[nodiscard]] Status take(const QByteArray& frame)
    {
        if (m_process.write(frame) != frame.size())
            return endedEarly();
        QElapsedTimer since;
        since.start();
        for (qint64 left = m_process.bytesToWrite(); left > 0; left = m_process.bytesToWrite()) {
            m_process.waitForBytesWritten(askEvery);
            listen();
            if (m_progress.cancelled())
                return Error { "cancelled", "", "" };
            if (m_process.state() == QProcess::NotRunning || m_process.error() == QProcess::WriteError)
                return endedEarly();
            if (m_process.bytesToWrite() < left)
                since.restart();
            else if (since.hasExpired(patience))
                return stuck();
        }
        return Nothing {};
    }

    // After the last frame.
    [[nodiscard]] Status finish()
    {
        m_process.closeWriteChannel();
        QElapsedTimer since;
        since.start();
        while (m_process.state() != QProcess::NotRunning && !m_process.waitForFinished(askEvery)) {
            listen();
            if (m_progress.cancelled())
                return Error { "cancelled", "", "" };
            if (since.hasExpired(patience))
                return stuck();
        }
        listen();
        return m_process.exitStatus() == QProcess::NormalExit && m_process.exitCode() == 0 ? Status(Nothing {})
                                                                                           : failed();
    }

private:
    // What it says is read all the time, so that it never waits for a reader; the beginning is kept.
    void listen()
    {
        const QByteArray more = m_process.readAllStandardError();
        m_messages += more.left(longestMessage - std::min(longestMessage, m_messages.size()));
    }
    [[nodiscard]] Status endedEarly()
    {
        m_process.waitForFinished(1000); // its last words
        listen();
        return failed();
    }
    [[nodiscard]] Error failed() const
    {
        return { "the encoder failed: " + firstLine(m_messages).toStdString(), "ffmpeg", "gif needs none" };
    }
    [[nodiscard]] static Status stuck()
    {
        return Error { "the encoder takes no more frames", "ffmpeg", "gif needs none" };
    }

    const Progress& m_progress;
    QProcess m_process;
    QByteArray m_messages;
};

// Rows without the padding of an image.
QByteArray rawFrame(const QImage& frame)
{
    const QImage rgb = frame.convertToFormat(QImage::Format_RGB888);
    QByteArray bytes;
    bytes.reserve(rgb.width() * rgb.height() * 3);
    for (int y = 0; y < rgb.height(); ++y)
        bytes.append(reinterpret_cast<const char*>(rgb.constScanLine(y)), rgb.width() * 3);
    return bytes;
}

Status encode(const Encoder& encoder, const Film& film, const QString& file, const Progress& progress)
{
    Encoding encoding(encoder, argumentsFor(encoder, film, file), progress);
    if (!encoding.started())
        return Error { "it cannot be started", encoder.program.toStdString(), "gif needs none" };
    for (std::size_t k = 0; k < film.frames(); ++k) {
        if (progress.cancelled())
            return Error { "cancelled", "", "" };
        if (Status taken = encoding.take(rawFrame(film.frame(k))); !taken)
            return taken;
        progress.at(static_cast<double>(k + 1) / static_cast<double>(film.frames()));
    }
    return encoding.finish();
}

} // namespace

Result<Encoder> findEncoder()
{
    const QString program = QStandardPaths::findExecutable(QStringLiteral("ffmpeg"));
    if (program.isEmpty())
        return Error { "mp4 needs the program ffmpeg, which is not there", "--format",
            "install the package ffmpeg, or gif, which needs none" };
    QProcess process;
    process.start(program, { QStringLiteral("-hide_banner"), QStringLiteral("-encoders") }, QIODevice::ReadOnly);
    const QByteArray known = process.waitForFinished(answerTime) ? process.readAllStandardOutput() : QByteArray();
    // " V....D libx264    libx264 H.264 / AVC …"
    for (const Codec& codec : codecs())
        if (known.contains(QByteArray(" ") + codec.name + ' '))
            return Encoder { program, QLatin1String(codec.name) };
    process.kill();
    process.waitForFinished();
    return Error { "mp4: this ffmpeg has no encoder for it", program.toStdString(),
        "one with libx264, libopenh264 or mpeg4; or gif, which needs none" };
}

Status writeMp4(const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress)
{
    const Result<Encoder> encoder = findEncoder();
    if (!encoder)
        return encoder.error();
    const Result<Film> film = Film::of(source, request);
    if (!film)
        return film.error();
    progress.remark(film->steps().note());
    return writePathAtomically(path.toStdString(),
        [&](const std::string& file) { return encode(*encoder, *film, QString::fromStdString(file), progress); });
}

} // namespace flashstep::paint
