// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace flashstep::paint {

namespace {

constexpr std::size_t mostExact = std::size_t { 1 } << 17; // colours told apart; of the others 5 bits a channel
constexpr std::size_t mostKnown = std::size_t { 1 } << 18;

QRgb coarse(QRgb colour)
{
    return qRgb((qRed(colour) & 0xf8) | 4, (qGreen(colour) & 0xf8) | 4, (qBlue(colour) & 0xf8) | 4);
}

struct Weighted {
    std::array<int, 3> channels {};
    QRgb colour = 0;
    double weight = 0;
};

double distance(const Weighted& a, const Weighted& b)
{
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c)
        sum += static_cast<double>((a.channels[c] - b.channels[c]) * (a.channels[c] - b.channels[c]));
    return sum;
}

// Colours [begin, end), the one that stands for them, and how far they lie from it.
struct Box {
    std::size_t begin = 0, end = 0, stands = 0;
    double error = 0;
};

Box boxOf(const std::vector<Weighted>& all, std::size_t begin, std::size_t end)
{
    Box box { begin, end, begin, 0 };
    for (std::size_t k = begin; k < end; ++k)
        if (all[k].weight > all[box.stands].weight)
            box.stands = k;
    for (std::size_t k = begin; k < end; ++k)
        box.error += all[k].weight * distance(all[k], all[box.stands]);
    return box;
}

// Where the box falls apart best: along the channel that varies most, at its mean.
std::pair<std::size_t, double> cutOf(const std::vector<Weighted>& all, const Box& box)
{
    std::pair<std::size_t, double> cut { 0, 0 };
    double widest = -1;
    for (std::size_t c = 0; c < 3; ++c) {
        double weight = 0, sum = 0, squares = 0;
        for (std::size_t k = box.begin; k < box.end; ++k) {
            const double value = all[k].channels[c];
            weight += all[k].weight;
            sum += all[k].weight * value;
            squares += all[k].weight * value * value;
        }
        const double mean = sum / weight, variance = squares / weight - mean * mean;
        if (variance > widest) {
            widest = variance;
            cut = { c, mean };
        }
    }
    return cut;
}

bool split(std::vector<Weighted>& all, std::vector<Box>& boxes)
{
    const auto worst
        = std::max_element(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.error < b.error; });
    if (worst->error <= 0)
        return false;
    const auto [channel, mean] = cutOf(all, *worst);
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(worst->begin),
               last = all.begin() + static_cast<std::ptrdiff_t>(worst->end);
    const auto middle
        = std::stable_partition(first, last, [c = channel, m = mean](const Weighted& w) { return w.channels[c] <= m; });
    if (middle == first || middle == last)
        return false;
    const auto at = static_cast<std::size_t>(middle - all.begin()), end = worst->end;
    *worst = boxOf(all, worst->begin, at);
    boxes.push_back(boxOf(all, at, end));
    return true;
}

} // namespace

void ColourCount::add(const QImage& image)
{
    std::unordered_map<QRgb, std::uint64_t>::iterator last = m_counts.end();
    for (int y = 0; y < image.height(); ++y) {
        const auto* row = reinterpret_cast<const QRgb*>(image.constScanLine(y));
        QRgb previous = 0; // transparent: no pixel's
        for (int x = 0; x < image.width(); ++x) {
            const QRgb colour = row[x] | 0xff000000U;
            if (colour != previous) {
                last = m_counts.find(colour);
                if (last == m_counts.end())
                    last = m_counts.try_emplace(m_counts.size() < mostExact ? colour : coarse(colour), 0).first;
                previous = colour;
            }
            ++last->second;
        }
    }
}

std::vector<ColourCount::Entry> ColourCount::entries() const
{
    std::vector<Entry> all;
    all.reserve(m_counts.size());
    for (const auto& [colour, count] : m_counts)
        all.push_back({ colour, count });
    std::sort(all.begin(), all.end(),
        [](const Entry& a, const Entry& b) { return a.count != b.count ? a.count > b.count : a.colour < b.colour; });
    return all;
}

QVector<QRgb> choosePalette(const ColourCount& count, int most)
{
    std::vector<Weighted> all;
    for (const ColourCount::Entry& entry : count.entries())
        all.push_back({ { qRed(entry.colour), qGreen(entry.colour), qBlue(entry.colour) }, entry.colour,
            std::sqrt(static_cast<double>(entry.count)) }); // else the ground would outweigh every letter
    QVector<QRgb> palette;
    if (all.size() <= static_cast<std::size_t>(most)) {
        for (const Weighted& w : all)
            palette.append(w.colour);
        return palette;
    }
    std::vector<Box> boxes { boxOf(all, 0, all.size()) };
    while (boxes.size() < static_cast<std::size_t>(most) && split(all, boxes)) { }
    for (const Box& box : boxes)
        palette.append(all[box.stands].colour);
    return palette;
}

PaletteMapper::PaletteMapper(QVector<QRgb> palette)
    : m_palette(std::move(palette))
{
}

std::uint8_t PaletteMapper::nearest(QRgb colour)
{
    if (const auto known = m_known.find(colour); known != m_known.end())
        return known->second;
    int best = 0, least = std::numeric_limits<int>::max();
    for (int k = 0; k < m_palette.size(); ++k) {
        const int r = qRed(colour) - qRed(m_palette[k]), g = qGreen(colour) - qGreen(m_palette[k]),
                  b = qBlue(colour) - qBlue(m_palette[k]);
        if (const int far = r * r + g * g + b * b; far < least) {
            least = far;
            best = k;
        }
    }
    if (m_known.size() < mostKnown)
        m_known.emplace(colour, static_cast<std::uint8_t>(best));
    return static_cast<std::uint8_t>(best);
}

QImage PaletteMapper::map(const QImage& image)
{
    QImage mapped(image.size(), QImage::Format_Indexed8);
    mapped.setDotsPerMeterX(image.dotsPerMeterX());
    mapped.setDotsPerMeterY(image.dotsPerMeterY());
    if (mapped.isNull())
        return mapped;
    mapped.setColorTable(m_palette);
    mapped.setDevicePixelRatio(image.devicePixelRatio());
    for (int y = 0; y < image.height(); ++y) {
        const auto* from = reinterpret_cast<const QRgb*>(image.constScanLine(y));
        std::uint8_t* to = mapped.scanLine(y);
        QRgb previous = 0;
        std::uint8_t index = 0;
        for (int x = 0; x < image.width(); ++x) {
            const QRgb colour = from[x] | 0xff000000U;
            if (colour != previous)
                index = nearest(colour);
            previous = colour;
            to[x] = index;
        }
    }
    return mapped;
}

} // namespace flashstep::paint
