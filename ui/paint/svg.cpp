// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/svg.h"

#include "ui/paint/fonts.h"

#include <QBuffer>
#include <QFontInfo>
#include <QRegularExpression>
#include <QSvgGenerator>

#include <cmath>

namespace flashstep::paint {

namespace {

QString tidied(QString svg, QSize size)
{
    // The generator gives the size in millimetres of a screen it assumes; a picture's units are pixels.
    static const QRegularExpression head(QStringLiteral("<svg width=\"[^\"]*\" height=\"[^\"]*\""));
    svg.replace(head, QStringLiteral("<svg width=\"%1\" height=\"%2\"").arg(size.width()).arg(size.height()));
    svg.replace(QStringLiteral("font-family=\"Inter\""),
        QStringLiteral("font-family=\"Inter, 'Noto Sans', 'DejaVu Sans', sans-serif\""));
    svg.replace(QStringLiteral("font-family=\"JetBrains Mono\""),
        QStringLiteral("font-family=\"'JetBrains Mono', 'DejaVu Sans Mono', monospace\""));
    // Qt's own scale of weights, times ten.
    svg.replace(QStringLiteral("font-weight=\"570\""), QStringLiteral("font-weight=\"500\""));
    svg.replace(QStringLiteral("font-weight=\"630\""), QStringLiteral("font-weight=\"600\""));
    // Sizes go through points: 11.5 comes back as 11.4999….
    static const QRegularExpression fontSize(QStringLiteral("font-size=\"([0-9.]+)\""));
    QString rounded;
    int from = 0;
    for (auto matches = fontSize.globalMatch(svg); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        rounded += svg.midRef(from, match.capturedStart(1) - from);
        rounded += QString::number(std::round(match.captured(1).toDouble() * 100) / 100);
        from = match.capturedEnd(1);
    }
    return rounded + svg.midRef(from);
}

} // namespace

QByteArray svgOf(
    QSize size, const QString& title, const QString& description, const std::function<void(QPainter&)>& draw)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setResolution(
        static_cast<int>(std::lround(72 * QFontInfo(canvasFont(100)).pixelSize() / canvasFont(100).pointSizeF())));
    generator.setTitle(title);
    generator.setDescription(description);
    QPainter painter(&generator);
    draw(painter);
    painter.end();
    return tidied(QString::fromUtf8(buffer.data()), size).toUtf8();
}

} // namespace flashstep::paint
