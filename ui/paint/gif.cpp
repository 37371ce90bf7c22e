// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/gif.h"

#include "core/io/files.h"
#include "ui/paint/palette.h"

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <ostream>

namespace flashstep::paint {

namespace {

constexpr int mostColours = 255; // and one that says "as in the frame before"
constexpr std::size_t countedFrames = 100; // whose colours make the table
constexpr double countingShare = 0.4; // of the work

const Error cancelledError { "cancelled", "", "" };

// An image file under way.
class GifWriter {
public:
    GifWriter(std::ostream& out, QSize size, QVector<QRgb> palette)
        : m_size(size)
        , m_unchanged(palette.size())
    {
        int error = 0;
        m_file = EGifOpen(&out, write, &error);
        if (m_file == nullptr)
            return;
        EGifSetGifVersion(m_file, true);
        const int colours = static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(2, palette.size() + 1))));
        std::vector<GifColorType> table(static_cast<std::size_t>(colours));
        for (int k = 0; k < palette.size(); ++k)
            table[static_cast<std::size_t>(k)] = { static_cast<GifByteType>(qRed(palette[k])),
                static_cast<GifByteType>(qGreen(palette[k])), static_cast<GifByteType>(qBlue(palette[k])) };
        ColorMapObject* const map = GifMakeMapObject(colours, table.data());
        m_good = map != nullptr
            && EGifPutScreenDesc(m_file, size.width(), size.height(), GifBitSize(colours), 0, map) == GIF_OK
            && putLoop();
        GifFreeMapObject(map);
    }
    GifWriter(const GifWriter&) = delete;
    GifWriter& operator=(const GifWriter&) = delete;
    ~GifWriter() { (void)close(); }

    // What differs from the frame before, for so many hundredths of a second.
    void put(const QImage& frame, int delay)
    {
        const QRect changed = m_before.isNull() ? frame.rect() : changedRect(frame);
        m_good = m_good && putControl(delay)
            && EGifPutImageDesc(m_file, changed.x(), changed.y(), changed.width(), changed.height(), false, nullptr)
                == GIF_OK;
        std::vector<GifPixelType> line(static_cast<std::size_t>(changed.width()));
        for (int y = changed.top(); m_good && y <= changed.bottom(); ++y) {
            const std::uint8_t* const now = frame.constScanLine(y);
            const std::uint8_t* const before = m_before.isNull() ? nullptr : m_before.constScanLine(y);
            for (int x = changed.left(); x <= changed.right(); ++x)
                line[static_cast<std::size_t>(x - changed.left())]
                    = before != nullptr && before[x] == now[x] ? static_cast<GifPixelType>(m_unchanged) : now[x];
            m_good = EGifPutLine(m_file, line.data(), changed.width()) == GIF_OK;
        }
        m_before = frame;
    }

    // Whether the file is whole.
    [[nodiscard]] bool close()
    {
        int error = 0;
        if (m_file != nullptr && EGifCloseFile(m_file, &error) != GIF_OK)
            m_good = false;
        m_file = nullptr;
        return m_good;
    }

private:
    static int write(GifFileType* file, const GifByteType* bytes, int count)
    {
        auto& out = *static_cast<std::ostream*>(file->UserData);
        out.write(reinterpret_cast<const char*>(bytes), count);
        return out ? count : 0;
    }

    // For ever: the block that players read since Netscape.
    bool putLoop()
    {
        constexpr std::array<unsigned char, 3> forEver { 1, 0, 0 };
        return EGifPutExtensionLeader(m_file, APPLICATION_EXT_FUNC_CODE) == GIF_OK
            && EGifPutExtensionBlock(m_file, 11, "NETSCAPE2.0") == GIF_OK
            && EGifPutExtensionBlock(m_file, static_cast<int>(forEver.size()), forEver.data()) == GIF_OK
            && EGifPutExtensionTrailer(m_file) == GIF_OK;
    }

    bool putControl(int delay)
    {
        const GraphicsControlBlock control { DISPOSE_DO_NOT, false, delay,
            m_before.isNull() ? NO_TRANSPARENT_COLOR : m_unchanged };
        std::array<GifByteType, 4> bytes {};
        const std::size_t count = EGifGCBToExtension(&control, bytes.data());
        return EGifPutExtension(m_file, GRAPHICS_EXT_FUNC_CODE, static_cast<int>(count), bytes.data()) == GIF_OK;
    }

    // The smallest rectangle that holds every pixel that changed; one pixel where none did.
    [[nodiscard]] QRect changedRect(const QImage& frame) const
    {
        int left = m_size.width(), right = -1, top = -1, bottom = -1;
        for (int y = 0; y < m_size.height(); ++y) {
            const std::uint8_t* const now = frame.constScanLine(y);
            const std::uint8_t* const before = m_before.constScanLine(y);
            const int first = static_cast<int>(std::mismatch(now, now + m_size.width(), before).first - now);
            if (first == m_size.width())
                continue;
            int last = m_size.width() - 1;
            while (now[last] == before[last])
                --last;
            left = std::min(left, first);
            right = std::max(right, last);
            top = top < 0 ? y : top;
            bottom = y;
        }
        return top < 0 ? QRect(0, 0, 1, 1) : QRect(QPoint(left, top), QPoint(right, bottom));
    }

    QSize m_size;
    int m_unchanged;
    GifFileType* m_file = nullptr;
    QImage m_before;
    bool m_good = false;
};

// The colours of the film: of all frames, or of some spread over it.
Result<QVector<QRgb>> coloursOf(const Film& film, const Progress& progress)
{
    const std::size_t every = (film.frames() + countedFrames - 1) / countedFrames;
    ColourCount count;
    for (std::size_t k = film.frames() - 1; k < film.frames(); k -= every) { // below 0 it wraps, and ends
        if (progress.cancelled())
            return cancelledError;
        progress.at(countingShare * static_cast<double>(film.frames() - k) / static_cast<double>(film.frames()));
        count.add(film.frame(k));
    }
    return choosePalette(count, mostColours);
}

Status writeFrames(const Film& film, std::ostream& out, const Progress& progress)
{
    const Result<QVector<QRgb>> palette = coloursOf(film, progress);
    if (!palette)
        return palette.error();
    PaletteMapper mapper(*palette);
    GifWriter writer(out, film.size(), *palette);
    for (std::size_t k = 0; k < film.frames(); ++k) {
        if (progress.cancelled())
            return cancelledError;
        const QImage frame = mapper.map(film.frame(k));
        if (frame.isNull())
            return Error { "not enough memory for a frame", "gif", "a smaller --size" };
        const int begin = k == 0 ? 0 : gifFrameEnd(k - 1, film.fps());
        const int rest = k + 1 == film.frames() ? gifRest : 0;
        writer.put(frame, std::min(gifFrameEnd(k, film.fps()) - begin + rest, 0xffff));
        progress.at(
            countingShare + (1 - countingShare) * static_cast<double>(k + 1) / static_cast<double>(film.frames()));
    }
    if (!writer.close())
        return Error { "cannot write the film", "gif", "is the disk full?" };
    return Nothing {};
}

} // namespace

int gifFrameEnd(std::size_t k, double fps)
{
    return static_cast<int>(std::lround(100.0 * static_cast<double>(k + 1) / fps));
}

Status writeGif(const ExportSource& source, const ExportRequest& request, const QString& path, const Progress& progress)
{
    if (request.fps && *request.fps > fastestGif)
        return Error { "a GIF cannot show so many frames a second", "--fps", "up to 50; or mp4" };
    const Result<Film> film = Film::of(source, request);
    if (!film)
        return film.error();
    progress.remark(film->steps().note());
    return writeFileAtomically(
        path.toStdString(), [&](std::ostream& out) { return writeFrames(*film, out, progress); });
}

} // namespace flashstep::paint
