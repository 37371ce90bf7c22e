// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/theme.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace flashstep::paint {

namespace {

double channel(double value)
{
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

double luminance(const QColor& colour)
{
    return 0.2126 * channel(colour.redF()) + 0.7152 * channel(colour.greenF()) + 0.0722 * channel(colour.blueF());
}

QColor rgb(QRgb value)
{
    return QColor(value);
}

struct Entry {
    QRgb fill, edge;
    bool whiteInk;
};

// "=" in the style's table: the fill itself stands out enough.
constexpr std::array<Entry, 10> lightTiles { { { 0x4b7fc8, 0x4b7fc8, false }, { 0xf1b350, 0xae813a, false },
    { 0x10645f, 0x10645f, true }, { 0xd37ea5, 0xc27498, false }, { 0x50398f, 0x50398f, true },
    { 0xd2e67b, 0x86934f, false }, { 0x9b5e38, 0x9b5e38, true }, { 0x66b8d4, 0x5293aa, false },
    { 0x90488b, 0x90488b, true }, { 0x6c947a, 0x6c947a, false } } };
constexpr std::array<Entry, 10> darkTiles { { { 0x5f8fd3, 0x5f8fd3, false }, { 0xf7bc64, 0xf7bc64, false },
    { 0x2d807a, 0x2d807a, true }, { 0xdc8aaf, 0xdc8aaf, false }, { 0x715cb5, 0x7763b8, true },
    { 0xd6e88b, 0xd6e88b, false }, { 0xae734f, 0xae734f, false }, { 0x73c0db, 0x73c0db, false },
    { 0x9a5895, 0x9a5895, true }, { 0x79a186, 0x79a186, false } } };

void setTiles(Theme& theme, const std::array<Entry, 10>& entries)
{
    for (std::size_t k = 0; k < entries.size(); ++k) {
        const QColor fill = rgb(entries[k].fill);
        theme.tiles[k] = { fill, rgb(entries[k].edge), entries[k].whiteInk ? QColor(Qt::white) : QColor(Qt::black),
            mix(fill, theme.panel, 0.38) };
    }
    const QColor grey = mix(theme.mid, theme.panel, 0.45);
    theme.neutral = { grey, theme.mid, inkOn(grey), mix(theme.mid, theme.panel, 0.34) };
}

Theme makeLight()
{
    Theme t;
    t.name = QStringLiteral("light");
    t.win = rgb(0xeef0f2);
    t.panel = rgb(0xffffff);
    t.alt = rgb(0xf6f7f9);
    t.line = rgb(0xd9dde2);
    t.mid = rgb(0x7f8893);
    t.text = rgb(0x1b2027);
    t.t2 = rgb(0x48515c);
    t.t3 = rgb(0x646d78);
    t.selectedText = rgb(0xffffff);
    t.highlight = rgb(0xfff3d6);
    t.fault = rgb(0xc3271b);
    t.waitGround = rgb(0xf4f5f7);
    t.hatch = rgb(0x858e99);
    setTiles(t, lightTiles);
    // tensor, exp, alu, issue, smem, l2, hbm, tma, registers
    t.engines = { rgb(0x8a7aa8), rgb(0xa98b5d), rgb(0x8a956c), rgb(0x8f8681), rgb(0x9a7d86), rgb(0x6f8f9c),
        rgb(0x6c83a6), rgb(0x568a7c), rgb(0xb48c7c), rgb(0x7d9287) };
    t.diverging = { rgb(0x155a8a), rgb(0x5f9fcb), rgb(0xf4f5f6), rgb(0xe0a45c), rgb(0x8a4b08) };
    t.sequential = { rgb(0xffffff), rgb(0xd3e3dc), rgb(0x86b9a8), rgb(0x3c8577), rgb(0x0c4a47) };
    return t;
}

Theme makeDark()
{
    Theme t;
    t.name = QStringLiteral("dark");
    t.isDark = true;
    t.win = rgb(0x121519);
    t.panel = rgb(0x1a1e23);
    t.alt = rgb(0x20252b);
    t.line = rgb(0x343b43);
    t.mid = rgb(0x727d89);
    t.text = rgb(0xe7eaee);
    t.t2 = rgb(0xb8c0c9);
    t.t3 = rgb(0x929ca7);
    t.selectedText = rgb(0x14181c);
    t.highlight = rgb(0x37321f);
    t.fault = rgb(0xff7a6b);
    t.waitGround = rgb(0x20252b);
    t.hatch = rgb(0x727d89);
    setTiles(t, darkTiles);
    t.engines = { rgb(0x9787b6), rgb(0xb59a6c), rgb(0x98a37c), rgb(0x9c948f), rgb(0xa88b94), rgb(0x7b9ba8),
        rgb(0x7b92b5), rgb(0x629688), rgb(0xc09888), rgb(0x8aa094) };
    t.diverging = { rgb(0x8cc6f0), rgb(0x3f7fae), rgb(0x262b31), rgb(0xa8692a), rgb(0xf0b56f) };
    t.sequential = { rgb(0x1a1e23), rgb(0x1f4542), rgb(0x2f7a70), rgb(0x63b3a2), rgb(0xc4efe0) };
    return t;
}

Theme makePrint()
{
    Theme t = makeLight();
    t.name = QStringLiteral("print");
    t.win = t.panel;
    return t;
}

} // namespace

const TileColour& Theme::keyBlock(int j) const
{
    return j < 0 ? neutral : tiles[static_cast<std::size_t>(j) % 8];
}

const Theme& Theme::light()
{
    static const Theme theme = makeLight();
    return theme;
}

const Theme& Theme::dark()
{
    static const Theme theme = makeDark();
    return theme;
}

const Theme& Theme::print()
{
    static const Theme theme = makePrint();
    return theme;
}

const Theme& Theme::byName(const QString& name)
{
    if (name == dark().name)
        return dark();
    return name == print().name ? print() : light();
}

QPalette makePalette(const Theme& theme)
{
    QPalette palette;
    const auto set
        = [&](QPalette::ColorRole role, const QColor& colour) { palette.setColor(QPalette::All, role, colour); };
    set(QPalette::Window, theme.win);
    set(QPalette::Base, theme.panel);
    set(QPalette::Button, theme.panel);
    set(QPalette::AlternateBase, theme.alt);
    set(QPalette::Midlight, theme.line);
    set(QPalette::Light, theme.panel);
    set(QPalette::Mid, theme.mid);
    set(QPalette::Dark, theme.mid);
    set(QPalette::Shadow, theme.line);
    set(QPalette::WindowText, theme.text);
    set(QPalette::Text, theme.text);
    set(QPalette::ButtonText, theme.text);
    set(QPalette::BrightText, theme.fault);
    set(QPalette::Highlight, theme.text);
    set(QPalette::HighlightedText, theme.selectedText);
    set(QPalette::PlaceholderText, theme.t3);
    set(QPalette::Link, theme.text);
    set(QPalette::LinkVisited, theme.text);
    set(QPalette::ToolTipBase, theme.text);
    set(QPalette::ToolTipText, theme.panel);
    for (const QPalette::ColorRole role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText })
        palette.setColor(QPalette::Disabled, role, theme.t3);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, theme.mid);
    return palette;
}

double contrast(const QColor& a, const QColor& b)
{
    const double la = luminance(a), lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

QColor mix(const QColor& over, const QColor& ground, double share)
{
    const auto blend = [share](int a, int b) { return static_cast<int>(std::lround(a * share + b * (1 - share))); };
    return QColor(
        blend(over.red(), ground.red()), blend(over.green(), ground.green()), blend(over.blue(), ground.blue()));
}

QColor inkOn(const QColor& ground)
{
    return contrast(ground, Qt::white) > contrast(ground, Qt::black) ? Qt::white : Qt::black;
}

QColor mapColour(const std::array<QColor, 5>& stops, double t)
{
    const double place = std::clamp(t, 0.0, 1.0) * 4;
    const auto k = std::min<std::size_t>(static_cast<std::size_t>(place), 3);
    return mix(stops[k + 1], stops[k], place - static_cast<double>(k));
}

QColor divergingColour(const Theme& theme, double value, double limit)
{
    return mapColour(theme.diverging, limit > 0 ? 0.5 + 0.5 * value / limit : 0.5);
}

QColor sequentialColour(const Theme& theme, double value, double maximum)
{
    return mapColour(theme.sequential, maximum > 0 ? std::sqrt(std::max(value, 0.0) / maximum) : 0.0);
}

} // namespace flashstep::paint
