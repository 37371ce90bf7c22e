// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFile>
#include <QFontMetricsF>
#include <QImage>
#include <QPainter>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QVector>
#include <QXmlStreamReader>

#include <algorithm>
#include <cmath>

// Pictures read by other means than those that wrote them.
namespace flashstep::test {

// What a program prints, by lines; one line that says so where it fails.
inline QStringList linesOf(const QString& program, const QStringList& arguments)
{
    QProcess process;
    process.start(program, arguments);
    if (!process.waitForFinished(120000) || process.exitCode() != 0)
        return { program + QStringLiteral(" failed: ") + QString::fromUtf8(process.readAllStandardError()) };
    QStringList lines = QString::fromUtf8(process.readAllStandardOutput()).split(QLatin1Char('\n'));
    while (!lines.isEmpty() && lines.last().trimmed().isEmpty())
        lines.removeLast();
    return lines;
}

struct SvgWords {
    QString text;
    QRectF box; // on the page
};

inline QTransform matrixOf(const QString& text)
{
    static const QRegularExpression form(QStringLiteral("matrix\\(([^)]*)\\)"));
    const QStringList parts = form.match(text).captured(1).split(QLatin1Char(','));
    if (parts.size() != 6)
        return {};
    return { parts[0].toDouble(), parts[1].toDouble(), parts[2].toDouble(), parts[3].toDouble(), parts[4].toDouble(),
        parts[5].toDouble() };
}

// Every text of an SVG with the place it takes; nothing where the file is not well-formed.
inline QVector<SvgWords> wordsOf(const QByteArray& svg)
{
    QVector<SvgWords> words;
    QVector<QTransform> transforms { QTransform() };
    QXmlStreamReader reader(svg);
    while (!reader.atEnd()) {
        reader.readNext();
        if (reader.isStartElement() && reader.name() == QLatin1String("text")) {
            const QXmlStreamAttributes a = reader.attributes();
            const auto value = [&](const char* name) { return a.value(QLatin1String(name)).toString(); };
            QFont font(value("font-family").section(QLatin1Char(','), 0, 0).remove(QLatin1Char('\'')));
            font.setPixelSize(static_cast<int>(std::lround(value("font-size").toDouble())));
            font.setWeight(value("font-weight") == QLatin1String("600") ? QFont::DemiBold
                    : value("font-weight") == QLatin1String("500")      ? QFont::Medium
                                                                        : QFont::Normal);
            font.setHintingPreference(QFont::PreferNoHinting);
            const QFontMetricsF metrics(font);
            const double x = value("x").toDouble(), y = value("y").toDouble();
            const QString text = reader.readElementText();
            const QRectF box(x, y - metrics.capHeight(), metrics.horizontalAdvance(text), metrics.capHeight());
            if (!text.trimmed().isEmpty())
                words.append({ text, transforms.last().mapRect(box) });
        } else if (reader.isStartElement()) {
            transforms.append(
                matrixOf(reader.attributes().value(QLatin1String("transform")).toString()) * transforms.last());
        } else if (reader.isEndElement() && transforms.size() > 1) {
            transforms.removeLast();
        }
    }
    return reader.hasError() ? QVector<SvgWords>() : words;
}

// By Qt's reader, which takes a list of families for the name of one: it is given the first.
inline QImage svgPixels(const QByteArray& svg, QSize size)
{
    QImage image(size, QImage::Format_RGB32);
    image.fill(Qt::white);
    static const QRegularExpression families(QStringLiteral("font-family=\"'?([^\"',]*)[^\"]*\""));
    const QString text = QString::fromUtf8(svg).replace(families, QStringLiteral("font-family=\"\\1\""));
    QSvgRenderer renderer(text.toUtf8());
    if (!renderer.isValid())
        return {};
    QPainter painter(&image);
    renderer.render(&painter, QRectF(QPointF(0, 0), QSizeF(size)));
    return image;
}

// By poppler, at a pixel of the picture for one of the image.
inline QImage pdfPixels(const QByteArray& pdf, const QTemporaryDir& directory)
{
    const QString path = directory.filePath(QStringLiteral("picture"));
    QFile file(path + QStringLiteral(".pdf"));
    if (!file.open(QIODevice::WriteOnly) || file.write(pdf) != pdf.size())
        return {};
    file.close();
    linesOf(QStringLiteral("pdftoppm"),
        { QStringLiteral("-r"), QStringLiteral("96"), QStringLiteral("-png"), QStringLiteral("-singlefile"),
            file.fileName(), path });
    return QImage(path + QStringLiteral(".png")).convertToFormat(QImage::Format_RGB32);
}

// Of two images, seen from some way off: squares of 4 x 4 pixels, so that how an edge is softened does not count.
struct Difference {
    double mean = 255; // of a channel, 0 … 255; hatched ground looks a little darker in one reader than in the next
    double patches = 1; // share of the squares that differ by more than a quarter of the range
    [[nodiscard]] bool small() const { return mean < 3.5 && patches < 0.001; }
    [[nodiscard]] QString text() const { return QStringLiteral("mean %1, patches %2 %").arg(mean).arg(100 * patches); }
};

inline Difference differenceOf(const QImage& a, const QImage& b)
{
    Difference difference;
    if (a.isNull() || std::abs(a.width() - b.width()) > 1 || std::abs(a.height() - b.height()) > 1)
        return difference;
    constexpr int side = 4;
    double sum = 0, squares = 0, differ = 0;
    for (int top = 0; top + side <= std::min(a.height(), b.height()); top += side)
        for (int left = 0; left + side <= std::min(a.width(), b.width()); left += side) {
            int channels[3] = { 0, 0, 0 };
            for (int y = top; y < top + side; ++y)
                for (int x = left; x < left + side; ++x) {
                    const QRgb p = a.pixel(x, y), q = b.pixel(x, y);
                    channels[0] += qRed(p) - qRed(q);
                    channels[1] += qGreen(p) - qGreen(q);
                    channels[2] += qBlue(p) - qBlue(q);
                }
            int most = 0;
            for (const int channel : channels) {
                sum += std::abs(channel) / static_cast<double>(side * side);
                most = std::max(most, std::abs(channel) / (side * side));
            }
            ++squares;
            differ += most > 64 ? 1 : 0;
        }
    difference.mean = sum / (3 * squares);
    difference.patches = differ / squares;
    return difference;
}

inline int coloursOf(const QImage& image)
{
    QSet<QRgb> colours;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x)
            colours.insert(image.pixel(x, y));
    return colours.size();
}

} // namespace flashstep::test
