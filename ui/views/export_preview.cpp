// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/export_preview.h"

#include "core/emulation/run.h"
#include "core/io/csv.h"
#include "ui/appearance.h"
#include "ui/paint/export.h"
#include "ui/paint/film.h"

#include <QPainter>

#include <algorithm>
#include <ostream>
#include <streambuf>

namespace flashstep::ui {

namespace {

paint::PictureRequest pictureIn(
    const ExportContext& context, const QString& scenarioName, const ExportRequest& request, QSizeF room)
{
    const paint::ExportSource source { context.run.get(), &context.labels, scenarioName };
    paint::PictureRequest picture = paint::pictureOf(source, request);
    picture.scale = std::min({ room.width() / picture.size.width(), room.height() / picture.size.height(), 2.0 });
    return picture;
}

// A film by its frame at the moment in hand; a picture as it is.
QImage imageOf(const ExportContext& context, const QString& scenarioName, ExportRequest request, double scale)
{
    request.scale = scale;
    const paint::ExportSource source { context.run.get(), &context.labels, scenarioName };
    if (request.format->name == "gif" || request.format->name == "mp4")
        if (const Result<paint::Film> film = paint::Film::of(source, request))
            return film->frame(film->frameAt(request.at.value_or(context.at)));
    return paint::renderPicture(paint::pictureOf(source, request));
}

// Takes what it has room for, and then asks the writer to stop.
class Head : public std::streambuf {
public:
    [[nodiscard]] std::stop_token stop() const { return m_stop.get_token(); }
    [[nodiscard]] const std::string& text() const { return m_text; }

protected:
    std::streamsize xsputn(const char* bytes, std::streamsize count) override
    {
        if (m_text.size() >= most)
            m_stop.request_stop();
        else
            m_text.append(bytes, static_cast<std::size_t>(count));
        return count;
    }
    int_type overflow(int_type character) override
    {
        const auto byte = static_cast<char>(character);
        return xsputn(&byte, 1) == 1 ? character : traits_type::eof();
    }

private:
    static constexpr std::size_t most = 4000;
    std::string m_text;
    std::stop_source m_stop;
};

QStringList firstRows(const ExportContext& context, const ExportRequest& request)
{
    Head head;
    std::ostream out(&head);
    const Status written = writeCsv(*context.run, request.table, request.range, out, { head.stop(), {} });
    QStringList rows = QString::fromStdString(head.text()).split(QStringLiteral("\n"));
    if (!written || rows.back().isEmpty())
        rows.removeLast(); // cut short, or after the last
    return rows.mid(0, 15);
}

} // namespace

ExportPreview::ExportPreview(
    const ExportContext& context, QString scenarioName, const Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_context(context)
    , m_scenarioName(std::move(scenarioName))
    , m_appearance(appearance)
{
    setAccessibleName(tr("Preview"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setMinimumSize(appearance.px(180), appearance.px(140));
    m_settle.setSingleShot(true);
    m_settle.setInterval(120);
    connect(&m_settle, &QTimer::timeout, this, &ExportPreview::drawNext);
}

ExportPreview::~ExportPreview()
{
    m_worker = {};
}

QSize ExportPreview::sizeHint() const
{
    return { m_appearance.px(420), m_appearance.px(300) };
}

void ExportPreview::preview(const ExportRequest& request, const QString& words)
{
    m_words = words;
    if (words.isEmpty() == m_made.image.isNull())
        m_made = {}; // of the other kind
    m_wanted = m_waiting = request;
    m_settle.start();
    tell();
}

void ExportPreview::showWords(const QString& words)
{
    m_settle.stop();
    m_wanted.reset();
    m_waiting.reset();
    m_made = {};
    m_words = words;
    tell();
}

void ExportPreview::setCaption(const QString& caption)
{
    m_caption = caption;
    tell();
}

// What is seen, for those who do not.
void ExportPreview::tell()
{
    const QString seen = m_wanted && m_words.isEmpty() ? tr("The %1 in the %2 palette.")
                                                             .arg(QString::fromStdString(m_wanted->view))
                                                             .arg(QString::fromStdString(m_wanted->theme))
                                                       : m_words;
    setAccessibleDescription((QStringList { seen, m_caption } + m_made.rows).join(QLatin1Char('\n')));
    update();
}

int ExportPreview::captionHeight() const
{
    return m_appearance.px(24);
}

QSizeF ExportPreview::room() const
{
    return QSizeF(width(), std::max(1, height() - captionHeight())) * devicePixelRatioF();
}

void ExportPreview::drawNext()
{
    if (m_drawing || !m_waiting)
        return;
    m_drawing = true;
    m_worker = std::jthread([this, context = m_context, name = m_scenarioName, request = *m_waiting, room = room()] {
        Made made;
        if (request.format->drawn) {
            const paint::PictureRequest picture = pictureIn(context, name, request, room);
            made.size = picture.size;
            made.image = imageOf(context, name, request, picture.scale);
        } else {
            made.rows = firstRows(context, request);
        }
        QMetaObject::invokeMethod(
            this, [this, made] { take(made); }, Qt::QueuedConnection);
    });
    m_waiting.reset();
}

void ExportPreview::take(const Made& made)
{
    m_drawing = false;
    if (m_waiting)
        drawNext();
    if (!m_wanted || m_waiting)
        return; // already something else
    m_made = made;
    m_made.image.setDevicePixelRatio(devicePixelRatioF());
    tell();
    emit drawn();
}

void ExportPreview::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const paint::Theme& theme = m_appearance.theme();
    QRect used(0, 0, width(), 0);
    if (!m_made.image.isNull()) {
        const QSize size = m_made.image.size() / m_made.image.devicePixelRatio();
        used = QRect(QPoint((width() - size.width()) / 2, 0), size);
        painter.drawImage(used, m_made.image);
        painter.setPen(theme.line);
        painter.drawRect(used.adjusted(0, 0, -1, -1));
    } else if (!m_words.isEmpty()) {
        painter.setPen(theme.text);
        painter.setFont(m_appearance.uiFont(12.5));
        painter.drawText(rect(), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, m_words, &used);
    }
    painter.setPen(theme.t2);
    painter.setFont(m_appearance.uiFont(11));
    painter.drawText(QRect(used.left(), used.bottom() + m_appearance.px(6), width() - used.left(), captionHeight()),
        Qt::AlignLeft | Qt::AlignTop, m_caption);
    painter.setFont(m_appearance.mono(10.5));
    const QFontMetrics metrics = painter.fontMetrics();
    int base = used.bottom() + m_appearance.px(6) + captionHeight() + metrics.ascent();
    for (const QString& row : m_made.rows) {
        painter.setPen(&row == &m_made.rows.front() ? theme.text : theme.t2);
        painter.drawText(0, base, metrics.elidedText(row, Qt::ElideRight, width()));
        base += m_appearance.px(17);
    }
}

void ExportPreview::resizeEvent(QResizeEvent* /*event*/)
{
    if (m_wanted)
        preview(ExportRequest(*m_wanted), QString(m_words));
}

} // namespace flashstep::ui
