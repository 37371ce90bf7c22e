// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/paint_sample.h"
#include "ui/paint/film.h"

#include <QString>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stop_token>

namespace flashstep::test {

inline paint::ExportSource sampleSource()
{
    return { &sampleRun().run, &sampleRun().labels, QStringLiteral("licence-causal.json") };
}

inline ExportRequest requestOf(const ExportOptions& options)
{
    auto request = understandExport(options, *sampleRun().run.trace);
    if (!request) {
        std::fprintf(stderr, "%s\n", request.error().line().c_str());
        std::abort();
    }
    return *request;
}

inline Status exported(const ExportOptions& options, const QString& path, const Progress& progress = {})
{
    return paint::writeExport(sampleSource(), requestOf(options), path, progress);
}

inline paint::Film filmOf(const ExportOptions& options)
{
    auto film = paint::Film::of(sampleSource(), requestOf(options));
    if (!film) {
        std::fprintf(stderr, "%s\n", film.error().line().c_str());
        std::abort();
    }
    return std::move(film).value();
}

// Asks for a stop once half of the work is reported as done.
struct HalfWay {
    std::stop_source source;
    [[nodiscard]] Progress progress()
    {
        return { source.get_token(), [this](double share) {
                    if (share >= 0.5)
                        source.request_stop();
                } };
    }
};

// How two images of the same size differ: the largest and the mean difference of a channel, 0 … 255.
struct Difference {
    int largest = 255;
    double mean = 255;
};
inline Difference differenceOf(const QImage& a, const QImage& b)
{
    if (a.size() != b.size())
        return {};
    const QImage x = a.convertToFormat(QImage::Format_RGB32), y = b.convertToFormat(QImage::Format_RGB32);
    Difference difference { 0, 0 };
    for (int row = 0; row < x.height(); ++row)
        for (int column = 0; column < x.width(); ++column) {
            const QRgb p = x.pixel(column, row), q = y.pixel(column, row);
            for (const int d : { qRed(p) - qRed(q), qGreen(p) - qGreen(q), qBlue(p) - qBlue(q) }) {
                difference.largest = std::max(difference.largest, std::abs(d));
                difference.mean += std::abs(d);
            }
        }
    difference.mean /= 3.0 * x.width() * x.height();
    return difference;
}

} // namespace flashstep::test
