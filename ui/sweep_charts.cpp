// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/sweep_charts.h"

#include "ui/paint/text.h"
#include "ui/text.h"

#include <QCategoryAxis>
#include <QLineSeries>
#include <QLogValueAxis>
#include <QScatterSeries>
#include <QValueAxis>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace flashstep::ui {

namespace {

using namespace QtCharts;

constexpr std::size_t mostPanels = 6, mostLines = 8;

QString text(const std::string& value)
{
    return QString::fromStdString(value);
}

std::optional<double> numberIn(const std::string& cell)
{
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    return error == std::errc() && end == cell.data() + cell.size() && std::isfinite(value) ? std::optional(value)
                                                                                            : std::nullopt;
}

using Values = std::vector<std::string>;

// The different cells of a column, as they come.
Values valuesOf(const CsvTableText& table, std::size_t column)
{
    Values values;
    for (const CsvTableText::Row& row : table.rows)
        if (std::ranges::find(values, row.cells[column]) == values.end())
            values.push_back(row.cells[column]);
    return values;
}

// Where each value stands along the axis: numbers as numbers, of a wide span by their logarithm, words one by one.
std::vector<double> placesOf(const Values& values)
{
    std::vector<double> places;
    for (const std::string& value : values)
        if (const auto number = numberIn(value))
            places.push_back(*number);
    const bool numbers = places.size() == values.size() && std::ranges::is_sorted(places, std::less_equal<>());
    if (!numbers) {
        places.resize(values.size());
        for (std::size_t k = 0; k < places.size(); ++k)
            places[k] = static_cast<double>(k);
    } else if (places.front() > 0 && places.back() / places.front() >= 8) {
        for (double& place : places)
            place = std::log2(place);
    }
    return places;
}

class SweepPage {
public:
    SweepPage(const CsvTableText& table, const QString& themeName)
        : m_table(table)
        , m_theme(paint::Theme::byName(themeName))
    {
        m_page.theme = themeName;
    }

    Result<ChartPage> make()
    {
        const auto first = m_table.column("flashstep");
        const auto status = m_table.column("status");
        if (!first || *first == 0 || !status || !m_table.column("cycles") || !m_table.column("tflops"))
            return Error { "not the table of a sweep", m_table.where, "a file that 'sweep' or 'merge' wrote" };
        m_varied = *first;
        for (const CsvTableText::Row& row : m_table.rows)
            if (row.cells[*status] != "refused")
                m_ran.push_back(&row);
        if (m_ran.empty())
            return Error { "nothing in it has run", m_table.where, "" };
        chooseValue();
        makePanels();
        writeWords();
        return std::move(m_page);
    }

private:
    // Throughput, where every row has one; else time.
    void chooseValue()
    {
        const std::size_t tflops = *m_table.column("tflops");
        const bool all = std::ranges::all_of(
            m_ran, [&](const CsvTableText::Row* row) { return numberIn(row->cells[tflops]).has_value(); });
        m_value = all ? tflops : *m_table.column("cycles");
        m_valueName = all ? QStringLiteral("TFLOP/s") : QObject::tr("cycles");
    }

    void makePanels()
    {
        std::vector<Values> facets;
        for (const CsvTableText::Row* row : m_ran) {
            Values facet = facetOf(*row);
            if (std::ranges::find(facets, facet) == facets.end())
                facets.push_back(std::move(facet));
        }
        m_facets = facets.size();
        for (std::size_t k = 0; k < std::min(facets.size(), mostPanels); ++k)
            m_page.panels.push_back(panelOf(facets[k]));
        m_page.columns = m_page.panels.size() == 1 ? 1 : m_page.panels.size() <= 4 ? 2 : 3;
    }

    [[nodiscard]] Values facetOf(const CsvTableText::Row& row) const
    {
        return { row.cells.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, m_varied)),
            row.cells.begin() + static_cast<std::ptrdiff_t>(m_varied) };
    }

    ChartPanel panelOf(const Values& facet)
    {
        ChartPanel panel;
        QStringList words;
        for (std::size_t k = 0; k < facet.size(); ++k)
            words << QStringLiteral("%1 %2").arg(text(m_table.columns[2 + k]), text(facet[k]));
        panel.title = words.isEmpty() ? QObject::tr("%1, modelled").arg(m_valueName) : words.join(QStringLiteral(", "));
        panel.chart = plainChart();
        const Values xs = valuesOf(m_table, 0);
        const std::vector<double> places = placesOf(xs);
        addAxes(panel, xs, places);
        const Values lines = m_varied > 1 ? valuesOf(m_table, 1) : Values { std::string() };
        m_lines = lines.size();
        for (std::size_t k = 0; k < std::min(lines.size(), mostLines); ++k)
            addLine(panel, facet, xs, places, lines[k], k);
        return panel;
    }

    void addAxes(ChartPanel& panel, const Values& xs, const std::vector<double>& places)
    {
        auto* x = new QCategoryAxis;
        x->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
        const double span = places.size() > 1 ? places.back() - places.front() : 1;
        x->setRange(places.front() - 0.06 * span, places.back() + 0.06 * span);
        for (std::size_t k = 0; k < xs.size(); ++k)
            x->append(text(xs[k]), places[k]);
        addAxis(*panel.chart, x, Qt::AlignBottom, text(m_table.columns[0]), m_theme);
        double low = std::numeric_limits<double>::infinity(), high = 0;
        for (const CsvTableText::Row* row : m_ran)
            if (const auto value = numberIn(row->cells[m_value])) {
                low = std::min(low, *value);
                high = std::max(high, *value);
            }
        if (low > 0 && high / low >= 50) {
            auto* y = new QLogValueAxis;
            spanLog(y, low, high);
            addAxis(*panel.chart, y, Qt::AlignLeft, m_valueName, m_theme);
        } else {
            auto* y = new QValueAxis;
            y->setLabelFormat(QStringLiteral("%g"));
            y->setRange(0, high > 0 ? 1.05 * high : 1);
            y->applyNiceNumbers();
            addAxis(*panel.chart, y, Qt::AlignLeft, m_valueName, m_theme);
        }
    }

    void addLine(ChartPanel& panel, const Values& facet, const Values& xs, const std::vector<double>& places,
        const std::string& name, std::size_t k)
    {
        constexpr std::array<Qt::PenStyle, 4> styles { Qt::SolidLine, Qt::DashLine, Qt::DotLine, Qt::DashDotLine };
        // Dark and light entries take turns in the palette: only those that stand out as lines.
        constexpr std::array<std::size_t, mostLines> colours { 0, 2, 6, 4, 3, 7, 1, 5 };
        const QColor colour = m_theme.tiles[colours[k]].edge;
        const QPen pen(colour, 2, styles[k % styles.size()], Qt::FlatCap, Qt::RoundJoin);
        auto* points = new QScatterSeries;
        auto* line = new QLineSeries;
        for (std::size_t x = 0; x < xs.size(); ++x) {
            const auto value = valueAt(facet, xs[x], name);
            if (!value)
                continue;
            line->append(places[x], *value);
            points->append(places[x], *value);
        }
        line->setPen(pen);
        points->setColor(colour);
        points->setBorderColor(colour);
        points->setMarkerSize(9);
        points->setMarkerShape(k % 2 == 0 ? QScatterSeries::MarkerShapeCircle : QScatterSeries::MarkerShapeRectangle);
        addSeries(*panel.chart, line);
        addSeries(*panel.chart, points);
        if (m_varied > 1)
            panel.keys.push_back(
                { ChartKey::Mark::Line, pen, QStringLiteral("%1 %2").arg(text(m_table.columns[1]), text(name)) });
    }

    [[nodiscard]] std::optional<double> valueAt(
        const Values& facet, const std::string& x, const std::string& name) const
    {
        for (const CsvTableText::Row* row : m_ran)
            if (row->cells[0] == x && (m_varied < 2 || row->cells[1] == name) && facetOf(*row) == facet)
                return numberIn(row->cells[m_value]);
        return std::nullopt;
    }

    // What is the same in every row that ran.
    [[nodiscard]] QString fixedWords() const
    {
        QStringList words;
        for (const char* column : { "algorithm", "pass", "gpu", "dtype", "mask", "batch", "heads", "seqlen_q",
                 "seqlen_k", "head_dim", "tile" }) {
            const auto k = m_table.column(column);
            if (!k || *k < m_varied)
                continue;
            const std::string& value = m_ran.front()->cells[*k];
            if (std::ranges::all_of(m_ran, [&](const CsvTableText::Row* row) { return row->cells[*k] == value; }))
                words << QStringLiteral("%1 %2").arg(
                    QString::fromLatin1(column).replace(QLatin1Char('_'), QLatin1Char('-')), text(value));
        }
        return words.join(QStringLiteral(", "));
    }

    void writeWords()
    {
        QStringList over;
        for (std::size_t k = 0; k < m_varied; ++k)
            over << text(m_table.columns[k]);
        m_page.title = QObject::tr("%1 over %2").arg(m_valueName, over.front());
        if (over.size() > 1)
            m_page.title += QObject::tr(" by %1").arg(over.mid(1).join(QObject::tr(" and ")));
        m_page.subtitle = QObject::tr("Modelled.  %1.").arg(fixedWords());
        QStringList left;
        if (const std::size_t refused = m_table.rows.size() - m_ran.size(); refused > 0)
            left << QObject::tr("%1 of %2 combinations were refused and have no point")
                        .arg(refused)
                        .arg(m_table.rows.size());
        if (m_lines > mostLines)
            left << QObject::tr("the first %1 of %2 lines").arg(mostLines).arg(m_lines);
        if (m_facets > mostPanels)
            left << QObject::tr("the first %1 of %2 panels").arg(mostPanels).arg(m_facets);
        if (!left.isEmpty())
            m_page.subtitle += QStringLiteral("  ") + left.join(QStringLiteral("; ")) + QLatin1Char('.');
        m_page.provenance = QObject::tr("%1 combinations.  All times are modelled, none is measured.  FlashStep %2.")
                                .arg(m_table.rows.size())
                                .arg(text(m_ran.front()->cells[m_varied]));
    }

    const CsvTableText& m_table;
    const paint::Theme& m_theme;
    ChartPage m_page;
    std::size_t m_varied = 0, m_value = 0, m_facets = 0, m_lines = 0;
    QString m_valueName;
    std::vector<const CsvTableText::Row*> m_ran;
};

} // namespace

Result<ChartPage> sweepCharts(const CsvTableText& table, const QString& theme)
{
    return SweepPage(table, theme).make();
}

} // namespace flashstep::ui
