// SPDX-License-Identifier: GPL-3.0-or-later
// What is told by colour has to be told to everybody: the palette as people see it who lack a kind of cone. The
// simulation is Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
// Deficiency" (IEEE TVCG 15(6), 2009), at severity 1, on linear RGB; distances are those of OKLab (Ottosson, 2020),
// times 100.
#include "ui/paint/pattern.h"
#include "ui/paint/theme.h"

#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QtTest>

#include <algorithm>
#include <array>
#include <cmath>

using namespace flashstep;
using namespace flashstep::paint;

namespace {

using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

struct Sight {
    const char* name;
    Matrix matrix;
};
constexpr Sight sights[] {
    { "normal", { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } } },
    { "protanopia",
        { { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 },
            { -0.003882, -0.048116, 1.051998 } } } },
    { "deuteranopia",
        { { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 },
            { -0.011820, 0.042940, 0.968881 } } } },
    { "tritanopia",
        { { { 1.255528, -0.076749, -0.178779 }, { -0.078411, 0.930809, 0.147602 },
            { 0.004733, 0.691367, 0.303900 } } } },
};

Triple times(const Matrix& m, const Triple& v)
{
    Triple out {};
    for (std::size_t r = 0; r < 3; ++r)
        for (std::size_t c = 0; c < 3; ++c)
            out[r] += m[r][c] * v[c];
    return out;
}

double linear(double value)
{
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

// OKLab of a colour as somebody sees it: lightness first.
Triple seen(const QColor& colour, const Sight& sight)
{
    constexpr Matrix cones { { { 0.4122214708, 0.5363325363, 0.0514459929 },
        { 0.2119034982, 0.6806995451, 0.1073969566 }, { 0.0883024619, 0.2817188376, 0.6299787005 } } };
    constexpr Matrix axes { { { 0.2104542553, 0.7936177850, -0.0040720468 },
        { 1.9779984951, -2.4285922050, 0.4505937099 }, { 0.0259040371, 0.7827717662, -0.8086757660 } } };
    Triple rgb = times(sight.matrix, { linear(colour.redF()), linear(colour.greenF()), linear(colour.blueF()) });
    for (double& value : rgb)
        value = std::clamp(value, 0.0, 1.0);
    Triple lms = times(cones, rgb);
    for (double& value : lms)
        value = std::cbrt(value);
    return times(axes, lms);
}

double lightness(const QColor& colour, const Sight& sight)
{
    return 100 * seen(colour, sight)[0];
}

double distance(const QColor& a, const QColor& b, const Sight& sight)
{
    const Triple x = seen(a, sight), y = seen(b, sight);
    return 100 * std::sqrt(std::pow(x[0] - y[0], 2) + std::pow(x[1] - y[1], 2) + std::pow(x[2] - y[2], 2));
}

QByteArray where(const Theme& theme, const Sight& sight, int a, int b, double value)
{
    return QStringLiteral("%1, %2: %3 and %4, %5")
        .arg(theme.name, QLatin1String(sight.name))
        .arg(a)
        .arg(b)
        .arg(value)
        .toUtf8();
}

// The share of pixels of a patch that are darker or lighter than its ground, by the pattern alone.
double marked(void (*fill)(QPainter&, const QRectF&, const Theme&), const Theme& theme)
{
    QImage patch(84, 84, QImage::Format_RGB32);
    patch.fill(theme.panel);
    {
        QPainter painter(&patch);
        fill(painter, patch.rect(), theme);
    }
    int count = 0;
    QMap<QRgb, int> tally;
    for (int y = 0; y < patch.height(); ++y)
        for (int x = 0; x < patch.width(); ++x)
            ++tally[patch.pixel(x, y)];
    const int ground = *std::max_element(tally.cbegin(), tally.cend());
    count = patch.width() * patch.height() - ground;
    return static_cast<double>(count) / (patch.width() * patch.height());
}

} // namespace

class PaintColourTest : public QObject {
    Q_OBJECT

private slots:
    void keyBlocksStayApart();
    void neighboursDifferInLightness();
    void enginesStandOutFromWhatIsNoEngine();
    void faultIsNeverColourAlone();
    void patternsDiffer();
    void valueMapsAreOrderedByLightness();
    void wordsAndLinesReadOnEveryGround();
    void coloursComeFromTheTheme();
};

// Neighbours (j and j + 1, which lie side by side on the stage and follow each other on a lane) must be told apart at a
// glance: twice what any two of the eight differ by at least, since those carry their number besides. The figures are
// what the palette was chosen to reach; a distance of 2 is about the least that is seen at all.
void PaintColourTest::keyBlocksStayApart()
{
    struct Least {
        double any, neighbours;
    };
    constexpr std::array<Least, 4> light { { { 12.5, 16.3 }, { 7.3, 16.7 }, { 6.8, 16.5 }, { 8.8, 14.4 } } };
    constexpr std::array<Least, 4> dark { { { 10.9, 13.9 }, { 6.5, 11.5 }, { 6.3, 13.8 }, { 8.8, 12.5 } } };
    for (const Theme* theme : { &Theme::light(), &Theme::dark(), &Theme::print() })
        for (std::size_t s = 0; s < std::size(sights); ++s) {
            const Least& least = (theme->isDark ? dark : light)[s];
            for (int a = 0; a < 8; ++a)
                for (int b = 0; b < a; ++b) {
                    const double apart = distance(theme->keyBlock(a).fill, theme->keyBlock(b).fill, sights[s]);
                    const bool neighbours = a == b + 1 || (a == 7 && b == 0);
                    QVERIFY2(apart >= (neighbours ? least.neighbours : least.any),
                        where(*theme, sights[s], b, a, apart).constData());
                }
            // Q and O are grey: no key block may look like them.
            for (int a = 0; a < 8; ++a) {
                const double apart = distance(theme->keyBlock(a).fill, theme->neutral.fill, sights[s]);
                QVERIFY2(apart >= 5, where(*theme, sights[s], a, -1, apart).constData());
            }
        }
}

// A projector that washes hues out, or a print without colours, leaves lightness.
void PaintColourTest::neighboursDifferInLightness()
{
    for (const Theme* theme : { &Theme::light(), &Theme::dark(), &Theme::print() })
        for (const Sight& sight : sights)
            for (int j = 0; j < 8; ++j) {
                const double step = std::abs(
                    lightness(theme->keyBlock(j).fill, sight) - lightness(theme->keyBlock(j + 1).fill, sight));
                QVERIFY2(step >= 11, where(*theme, sight, j, (j + 1) % 8, step).constData());
            }
}

// Engines are told apart by their lanes and its words; their hues come close to each other, so all that is asked of
// them is to be seen as busy: away from the panel and from the ground of a wait.
void PaintColourTest::enginesStandOutFromWhatIsNoEngine()
{
    for (const Theme* theme : { &Theme::light(), &Theme::dark() })
        for (const Sight& sight : sights)
            for (std::size_t e = 0; e < theme->engines.size(); ++e)
                for (const QColor& ground : { theme->panel, theme->waitGround }) {
                    const double step = std::abs(lightness(theme->engines[e], sight) - lightness(ground, sight));
                    QVERIFY2(step >= 20, where(*theme, sight, static_cast<int>(e), -1, step).constData());
                }
}

// In the eyes of some the fault colour is a brown among others, so what is faulty wears a pattern or a word besides. On
// its grounds and beside text it is seen by everybody.
void PaintColourTest::faultIsNeverColourAlone()
{
    for (const Theme* theme : { &Theme::light(), &Theme::dark(), &Theme::print() }) {
        for (const Sight& sight : sights) {
            for (const QColor& ground : { theme->panel, theme->alt, theme->win, theme->waitGround })
                QVERIFY(distance(theme->fault, ground, sight) >= 30);
            QVERIFY(distance(theme->fault, theme->text, sight) >= 15);
        }
        QVERIFY(marked(fillFault, *theme) > 0.15); // lines on its patch, whatever their hue
    }
}

// Waiting, masked and faulty differ in how much of a patch they cover, with no hue at all.
void PaintColourTest::patternsDiffer()
{
    for (const Theme* theme : { &Theme::light(), &Theme::dark() }) {
        const double wait = marked(fillWait, *theme), masked = marked(fillMasked, *theme),
                     fault = marked(fillFault, *theme);
        QVERIFY(wait > 0.1 && masked > 0.05 && fault > 0.1);
        QImage images[3];
        void (*fills[])(QPainter&, const QRectF&, const Theme&) = { fillWait, fillMasked, fillFault };
        for (int k = 0; k < 3; ++k) {
            images[k] = QImage(84, 84, QImage::Format_RGB32);
            images[k].fill(theme->panel);
            QPainter painter(&images[k]);
            fills[k](painter, images[k].rect(), *theme);
            painter.end();
            images[k] = images[k].convertToFormat(QImage::Format_Grayscale8);
        }
        QVERIFY(images[0] != images[1] && images[1] != images[2] && images[0] != images[2]);
        // The hatch of a wait leans one way, that of a fault the other: mirrored, neither is the other.
        QVERIFY(images[0].mirrored(true, false) != images[2]);
    }
}

void PaintColourTest::valueMapsAreOrderedByLightness()
{
    for (const Theme* theme : { &Theme::light(), &Theme::dark() })
        for (const Sight& sight : sights) {
            // The sequential map goes one way, from the panel on; its ends are as far apart as a map's can be.
            const double first = lightness(theme->sequential.front(), sight),
                         last = lightness(theme->sequential.back(), sight);
            QVERIFY(std::abs(first - last) >= 55);
            for (int k = 1; k <= 64; ++k) {
                const double before = lightness(mapColour(theme->sequential, (k - 1) / 64.0), sight);
                const double here = lightness(mapColour(theme->sequential, k / 64.0), sight);
                QVERIFY2((here - before) * (last - first) > 0, where(*theme, sight, k - 1, k, here).constData());
            }
            // The diverging one goes away from its centre on both sides; which side is told by hue, so the ends differ
            // in that for everybody.
            const double centre = lightness(theme->diverging[2], sight);
            for (int side : { -1, 1 }) {
                double before = centre;
                for (int k = 1; k <= 32; ++k) {
                    const double here = lightness(mapColour(theme->diverging, 0.5 + side * k / 64.0), sight);
                    QVERIFY2((here - before) * (theme->isDark ? 1 : -1) > 0,
                        where(*theme, sight, side, k, here).constData());
                    before = here;
                }
                QVERIFY(std::abs(before - centre) >= 40);
            }
            QVERIFY(distance(theme->diverging.front(), theme->diverging.back(), sight) >= 15);
            QVERIFY(distance(theme->diverging[1], theme->diverging[3], sight) >= 15);
        }
}

// WCAG 2.1: 4.5 : 1 for words (1.4.3), 3 : 1 for lines that mean something (1.4.11).
void PaintColourTest::wordsAndLinesReadOnEveryGround()
{
    for (const Theme* theme : { &Theme::light(), &Theme::dark(), &Theme::print() }) {
        for (const QColor& ground : { theme->panel, theme->alt, theme->win, theme->highlight, theme->waitGround }) {
            QVERIFY2(contrast(theme->text, ground) >= 4.5, qPrintable(theme->name + ground.name()));
            QVERIFY2(contrast(theme->t2, ground) >= 4.5, qPrintable(theme->name + ground.name()));
        }
        for (const QColor& ground : { theme->panel, theme->alt, theme->win })
            for (const QColor& line : { theme->mid, theme->fault, theme->text, theme->t3 })
                QVERIFY2(contrast(line, ground) >= 3, qPrintable(theme->name + line.name() + ground.name()));
        QVERIFY(contrast(theme->selectedText, theme->text) >= 4.5);
        QVERIFY(contrast(theme->hatch, theme->waitGround) >= 3);
        for (const TileColour& tile : theme->tiles) {
            QVERIFY(contrast(tile.ink, tile.fill) >= 4.5);
            QVERIFY(contrast(theme->text, tile.tint) >= 4.5);
            QVERIFY(contrast(tile.edge, theme->panel) >= 3);
        }
        QVERIFY(contrast(theme->neutral.ink, theme->neutral.fill) >= 4.5);
        QVERIFY(contrast(theme->text, theme->neutral.tint) >= 4.5);
        for (const QColor& engine : theme->engines) {
            QVERIFY(contrast(inkOn(engine), engine) >= 4.5);
            QVERIFY(contrast(engine, theme->panel) >= 3);
        }
    }
}

// No view brings a colour of its own: what is written as a literal would not follow the theme.
void PaintColourTest::coloursComeFromTheTheme()
{
    const QRegularExpression literal(QStringLiteral(
        R"(QColor\s*\(\s*(0x|\d|"|Qt::|QStringLiteral)|\bqRgba?\s*\(|QRgb\s*\{|#[0-9a-fA-F]{6}\b|Qt::(red|green|blue|yellow|cyan|magenta|gray|darkGray|lightGray|dark(Red|Green|Blue))\b)"));
    int files = 0;
    QDirIterator it(QStringLiteral(FLASHSTEP_SOURCE_DIR "/ui"), { QStringLiteral("*.cpp"), QStringLiteral("*.h") },
        QDir::Files, QDirIterator::Subdirectories);
    while (it.hasNext()) {
        QFile file(it.next());
        const QString name = QFileInfo(file).fileName();
        if (name == QStringLiteral("theme.cpp") || name == QStringLiteral("palette.cpp")) // that: of painted pixels
            continue;
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QRegularExpressionMatch found = literal.match(QString::fromUtf8(file.readAll()));
        QVERIFY2(!found.hasMatch(), qPrintable(QFileInfo(file).fileName() + QStringLiteral(": ") + found.captured()));
        ++files;
    }
    QVERIFY(files > 50);
}

QTEST_MAIN(PaintColourTest)
#include "paint_colour_test.moc"
