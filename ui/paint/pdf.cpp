// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/pdf.h"

#include "ui/paint/fonts.h"

#include <QBuffer>
#include <QHash>
#include <QPageLayout>
#include <QPageSize>
#include <QPdfWriter>

#include <cmath>
#include <mutex>

namespace flashstep::paint {

namespace {

constexpr double pointsPerPixel = 0.75;

// The writer notes when it wrote. As many characters in their place leave the table of offsets true.
QByteArray withoutDate(QByteArray pdf)
{
    const QByteArray before("/CreationDate (D:");
    const int at = pdf.indexOf(before);
    for (int k = at + before.size(), digit = 0; at >= 0 && digit < 14; ++k, ++digit)
        pdf[k] = "20000101000000"[digit];
    return pdf;
}

// The writer keeps fonts in a hash, whose order has a seed of its own in every process. The seed is the whole
// program's, so one page is drawn at a time.
class FixedHashes {
public:
    FixedHashes() { qSetGlobalQHashSeed(0); }
    ~FixedHashes() { qSetGlobalQHashSeed(-1); }
    FixedHashes(const FixedHashes&) = delete;
    FixedHashes& operator=(const FixedHashes&) = delete;

private:
    static inline std::mutex s_one;
    const std::lock_guard<std::mutex> m_alone { s_one };
};

} // namespace

QByteArray pdfOf(QSize size, const QString& title, const QColor& ground, const std::function<void(QPainter&)>& draw)
{
    const FixedHashes fixed;
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    const QSize points(static_cast<int>(std::ceil(size.width() * pointsPerPixel)),
        static_cast<int>(std::ceil(size.height() * pointsPerPixel)));
    writer.setPageLayout({ QPageSize(QSizeF(points), QPageSize::Point, QString(), QPageSize::ExactMatch),
        QPageLayout::Portrait, QMarginsF() });
    writer.setTitle(title);
    writer.setCreator(QStringLiteral("FlashStep"));
    writer.setResolution(96);
    QPainter painter(&writer);
    painter.setFont(canvasFont(12));
    painter.fillRect(QRectF(QPointF(0, 0), QSizeF(points) / pointsPerPixel), ground);
    draw(painter);
    painter.end();
    return withoutDate(buffer.data());
}

} // namespace flashstep::paint
