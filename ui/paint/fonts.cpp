// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/fonts.h"

#include "resources/embedded/resources.h"

#include <QFontDatabase>
#include <QString>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

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
    font.setStyleStrategy(QFont::PreferAntialias);
    return font;
}

} // namespace

bool loadFonts()
{
    return faces().complete;
}

QFont canvasFont(double px, QFont::Weight weight)
{
    return face(faces().sans, QStringLiteral("DejaVu Sans"), px, weight);
}

QFont monoFont(double px, QFont::Weight weight)
{
    return face(faces().mono, QStringLiteral("DejaVu Sans Mono"), px, weight);
}

} // namespace flashstep::paint
