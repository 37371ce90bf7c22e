// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QImage>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace flashstep::paint {

// How often each colour occurs in some images (Format_RGB32). Beyond a number of colours new ones are counted in
// coarser steps, so that the memory is bounded.
class ColourCount {
public:
    void add(const QImage& image);

    struct Entry {
        QRgb colour = 0;
        std::uint64_t count = 0;
    };
    [[nodiscard]] std::vector<Entry> entries() const; // most frequent first

private:
    std::unordered_map<QRgb, std::uint64_t> m_counts;
};

// At most `most` colours that stand for those counted: themselves where they are few. Else groups of close ones by
// median cut, each stood for by its most frequent colour: flat areas keep theirs exactly, and nothing is dithered.
[[nodiscard]] QVector<QRgb> choosePalette(const ColourCount& count, int most);

// Images in the colours of a palette: each pixel the nearest.
class PaletteMapper {
public:
    explicit PaletteMapper(QVector<QRgb> palette);
    [[nodiscard]] QImage map(const QImage& image); // Format_RGB32 to Format_Indexed8
    [[nodiscard]] const QVector<QRgb>& palette() const { return m_palette; }

private:
    [[nodiscard]] std::uint8_t nearest(QRgb colour);

    QVector<QRgb> m_palette;
    std::unordered_map<QRgb, std::uint8_t> m_known;
};

} // namespace flashstep::paint
