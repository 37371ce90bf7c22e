// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/svg.h"

#include "ui/paint/fonts.h"

#include <QBuffer>
#include <QRegularExpression>
#include <QSvgGenerator>

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
    // A group opens with each change of the painter's state, whether or not something is drawn in it, and names a font
    // that every text names again.
    static const QRegularExpression empty(QStringLiteral("<g [^>]*>\\s*</g>\\s*"));
    static const QRegularExpression groupFont(QStringLiteral(
        "(<g [^>]*?)\\nfont-family=\"[^\"]*\" font-size=\"\\d+\" font-weight=\"\\d+\" font-style=\"normal\" \\n>"));
    svg.replace(empty, QString());
    svg.replace(groupFont, QStringLiteral("\\1>"));
    // Qt's own scale of weights, times ten.
    svg.replace(QStringLiteral("font-weight=\"570\""), QStringLiteral("font-weight=\"500\""));
    svg.replace(QStringLiteral("font-weight=\"630\""), QStringLiteral("font-weight=\"600\""));
    return svg;
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
    generator.setTitle(title);
    generator.setDescription(description);
    QPainter painter(&generator);
    painter.setFont(canvasFont(12)); // else groups name the system's font, which differs between machines
    draw(painter);
    painter.end();
    return tidied(QString::fromUtf8(buffer.data()), size).toUtf8();
}

} // namespace flashstep::paint
