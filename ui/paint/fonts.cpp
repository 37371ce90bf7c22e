// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"

#include "resources/embedded/resources.h"

#include <QCoreApplication>
#include <QFontDatabase>
#include <QString>
#include <QThread>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>

namespace flashstep::paint {

namespace {

struct Faces {
    bool complete = true;
    QString sans = QStringLiteral("Inter");
    QString mono = QStringLiteral("JetBrains Mono");
};

bool add(std::string_view file)
{
    const auto bytes = resource(file);
    if (!bytes)
        return false;
    // The bytes are part of the program and stay where they are.
    const QByteArray data = QByteArray::fromRawData(bytes->data(), static_cast<int>(bytes->size()));
    return QFontDatabase::addApplicationFontFromData(data) >= 0;
}

Faces addFaces()
{
    constexpr std::array<std::string_view, 7> files { "fonts/Inter-Regular.otf", "fonts/Inter-Medium.otf",
        "fonts/Inter-SemiBold.otf", "fonts/JetBrainsMono-Regular.ttf", "fonts/JetBrainsMono-Medium.ttf",
        "fonts/JetBrainsMono-SemiBold.ttf", "fonts/DroidSansFallbackFull.ttf" };
    Faces faces;
    for (const std::string_view file : files)
        faces.complete = add(file) && faces.complete;
    return faces;
}

const Faces& faces()
{
    static const Faces added = addFaces();
    return added;
}

QFont face(const QString& family, const QString& fallback, double px, QFont::Weight weight)
{
    QFont font(family);
    font.setFamilies({ family, fallback, QStringLiteral("Droid Sans Fallback") });
    font.setPixelSize(std::max(1, static_cast<int>(std::lround(px)))); // Qt 5 draws no fractions, whatever it is given
    font.setWeight(weight);
    font.setHintingPreference(QFont::PreferNoHinting); // the same advance widths at every scale
    // In grey: colours at the edges would be those of one screen, and pictures differ with it.
    font.setStyleStrategy(static_cast<QFont::StyleStrategy>(QFont::PreferAntialias | QFont::NoSubpixelAntialias));
    return font;
}

QFont made(bool mono, double px, QFont::Weight weight)
{
    return mono ? face(faces().mono, QStringLiteral("DejaVu Sans Mono"), px, weight)
                : face(faces().sans, QStringLiteral("DejaVu Sans"), px, weight);
}

// A font looks for its glyphs when it is first used, and its copies know what it found; so the application's thread,
// which paints the window, keeps them. They stay until the end of the program, since Qt's own tables may go before.
QFont kept(bool mono, double px, QFont::Weight weight)
{
    const QCoreApplication* application = QCoreApplication::instance();
    if (!application || application->thread() != QThread::currentThread())
        return made(mono, px, weight);
    static auto* fonts = new std::map<std::tuple<bool, long, int>, QFont>; // NOLINT: see above
    const auto key = std::tuple(mono, std::lround(px), static_cast<int>(weight));
    const auto found = fonts->find(key);
    return found != fonts->end() ? found->second : fonts->emplace(key, made(mono, px, weight)).first->second;
}

} // namespace

bool loadFonts()
{
    return faces().complete;
}

QFont canvasFont(double px, QFont::Weight weight)
{
    return kept(false, px, weight);
}

QFont monoFont(double px, QFont::Weight weight)
{
    return kept(true, px, weight);
}

} // namespace flashstep::paint
