// SPDX-License-Identifier: GPL-3.0-or-later
// What pictures, pages and films say of the run that they are of: its faults, its settings, its inputs.
#include "tests/gui/picture_reading.h"
#include "tests/support/paint_sample.h"

#include "ui/paint/film.h"
#include "ui/paint/picture.h"

#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

using namespace flashstep;
using namespace flashstep::paint;
using namespace flashstep::test;

namespace {

flashstep::Run runOf(const std::vector<std::pair<std::string, std::string>>& given)
{
    ScenarioFile file;
    for (const auto& [key, value] : given)
        if (const Status set = setOption(file, key, value); !set)
            qFatal("%s", set.error().line().c_str());
    auto inputs = loadInputs(file);
    if (!inputs)
        qFatal("%s", inputs.error().line().c_str());
    auto run = runScenario(file.scenario, inputs->inputs, Progress {});
    if (!run)
        qFatal("%s", run.error().line().c_str());
    return std::move(run).value();
}

const std::vector<std::pair<std::string, std::string>> smallFa2 { { "algorithm", "fa2" }, { "seqlen_q", "32" },
    { "seqlen_k", "128" }, { "head_dim", "16" }, { "tile", "8x8" }, { "cost_tile", "128x128" } };

// FA2 that reads K before it is there.
const flashstep::Run& hazardous()
{
    static const flashstep::Run run = [] {
        auto given = smallFa2;
        given.emplace_back("break", "wait:K_visible");
        return runOf(given);
    }();
    return run;
}

// FA4 whose statistics wait for arrivals that nobody makes.
const flashstep::Run& stuck()
{
    static const flashstep::Run run
        = runOf({ { "algorithm", "fa4" }, { "seqlen_q", "16" }, { "seqlen_k", "32" }, { "head_dim", "64" },
            { "tile", "8x8" }, { "cost_tile", "128x128" }, { "break", "count:SoftmaxStatsW2=9999" } });
    return run;
}

PictureRequest request(const flashstep::Run& run, const QString& view)
{
    PictureRequest r;
    r.run = &run;
    r.view = view;
    r.at = run.trace->end();
    r.scenarioName = QStringLiteral("a.json");
    r.size = fittingSize(r);
    return r;
}

QString allWords(const PictureRequest& r)
{
    QString all;
    for (const SvgWords& words : wordsOf(renderSvg(r)))
        all += words.text + QLatin1Char(' ');
    return all;
}

int pixelsOf(const QImage& image, const QColor& colour, const QRect& place)
{
    int count = 0;
    for (int y = place.top(); y <= place.bottom(); ++y)
        for (int x = place.left(); x <= place.right(); ++x)
            count += image.pixel(x, y) == colour.rgb() ? 1 : 0;
    return count;
}

QByteArray written(const flashstep::Run& run, const char* format)
{
    ExportOptions options;
    options.format = format;
    options.size = "480x360";
    options.scale = "1";
    const auto asked = understandExport(options, *run.trace);
    const QTemporaryDir dir;
    const QString path = dir.filePath(QStringLiteral("a"));
    const Labels labels;
    QFile file(path);
    return asked && writeExport({ &run, &labels, QString() }, *asked, path, {}).ok() && file.open(QIODevice::ReadOnly)
        ? file.readAll()
        : QByteArray();
}

} // namespace

class PaintFaultTest : public QObject {
    Q_OBJECT

private slots:
    void theRunsAreWhatTheyAreTakenFor()
    {
        QVERIFY(hazardous().report.hazards > 0);
        QVERIFY(!stuck().trace->deadlock().empty());
    }

    void everyPictureOfABrokenRunSaysSo()
    {
        for (const QString& view : pictureViews()) {
            const QString hazards = allWords(request(hazardous(), view));
            QVERIFY2(hazards.contains(QStringLiteral(" hazards, the first: ")), qPrintable(view));
            QVERIFY2(hazards.contains(QStringLiteral("break=wait:K_visible")), qPrintable(view));
            const QString deadlock = allWords(request(stuck(), view));
            QVERIFY2(deadlock.contains(QStringLiteral("Deadlock at cycle")), qPrintable(view));
            const QString sound = allWords(request(sampleRun().run, view));
            QVERIFY2(!sound.contains(QStringLiteral("Deadlock")) && !sound.contains(QStringLiteral("hazard")),
                qPrintable(view));
        }
    }

    void faultsHaveTheirColour()
    {
        for (const char* theme : { "light", "dark", "print" }) {
            PictureRequest r = request(hazardous(), QStringLiteral("timeline"));
            r.theme = QString::fromLatin1(theme);
            const QColor fault = Theme::byName(r.theme).fault;
            const QRect head(0, 0, r.size.width(), 100);
            QVERIFY(pixelsOf(renderPicture(r), fault, head) > 20);
            r.run = &sampleRun().run;
            r.at = r.run->trace->end();
            QCOMPARE(pixelsOf(renderPicture(r), fault, head), 0);
        }
    }

    void filmsHaveTheFaultBelowEveryFrame()
    {
        ExportOptions options;
        options.format = "gif";
        options.view = "timeline";
        options.size = "800x600";
        options.scale = "1";
        const auto strip = [&](const flashstep::Run& run) {
            const auto asked = understandExport(options, *run.trace);
            const Labels labels;
            const auto film = Film::of({ &run, &labels, QString() }, *asked);
            return pixelsOf(
                film->frame(0), Theme::byName(QString::fromStdString(asked->theme)).fault, { 0, 560, 800, 40 });
        };
        QVERIFY(strip(hazardous()) > 10);
        QCOMPARE(strip(sampleRun().run), 0);
    }

    void pagesMarkTheFault()
    {
        QVERIFY(written(hazardous(), "html").contains("<p class=\"fault\">"));
        QVERIFY(!written(sampleRun().run, "html").contains("<p class=\"fault\">"));
    }

    void provenanceNamesWhatWasTurned()
    {
        auto given = smallFa2;
        given.insert(given.end(),
            { { "gpu", "h100" }, { "what_if", "swizzle=off" }, { "what_if", "divide=end" }, { "what_if", "divide=now" },
                { "heads", "4" }, { "kv_heads", "1" }, { "batch", "2" }, { "dtype", "fp32" } });
        const flashstep::Run run = runOf(given);
        const QString words = allWords(request(run, QStringLiteral("grid")));
        for (const char* part : { "a.json, with gpu=h100, divide=now, swizzle=off.", "batch 2 × 4 heads, one K/V head",
                 "fp32 values, timed as bf16" })
            QVERIFY2(words.contains(QString::fromUtf8(part)), qPrintable(words));
    }

    void inputsAreNamedWithTheirFolder()
    {
        QVERIFY(
            allWords(request(sampleRun().run, QStringLiteral("tiles"))).contains(QStringLiteral("licence-64/q.npy")));
    }

    void nothingIsMadeSmallerThatFitsItsSheet()
    {
        for (const QString& view : pictureViews())
            for (const SvgWords& words : wordsOf(renderSvg(request(hazardous(), view))))
                if (words.text.startsWith(QStringLiteral("FlashAttention-2 forward")))
                    QVERIFY2(words.box.height() > 14,
                        qPrintable(QStringLiteral("%1: %2").arg(view).arg(words.box.height())));
    }

    void coloursThatComeAgainAreSaidToDoSo()
    {
        const QString again = QStringLiteral("and again from block 8");
        QVERIFY(allWords(request(hazardous(), QStringLiteral("timeline"))).contains(again)); // 16 blocks
        QVERIFY(!allWords(request(sampleRun().run, QStringLiteral("timeline"))).contains(again)); // 8
    }

    void stillsHaveMeanAndTopOfCounters()
    {
        PictureRequest r = request(sampleRun().run, QStringLiteral("timeline"));
        QVERIFY(allWords(r).contains(QStringLiteral("mean ")) && allWords(r).contains(QStringLiteral("top ")));
        r.at = Position { r.at.value / 2 };
        QVERIFY(!allWords(r).contains(QStringLiteral("mean ")));
    }
};

QTEST_MAIN(PaintFaultTest)
#include "paint_fault_test.moc"
