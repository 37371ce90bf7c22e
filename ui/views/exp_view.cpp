// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/exp_view.h"

#include "core/emulation/run.h"
#include "core/io/published_errors.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

namespace {

constexpr std::array<const char*, 5> shares { "", "off", "0.125", "0.25", "0.5" };

std::optional<std::string> knobOf(const Scenario& scenario, std::string_view key)
{
    std::optional<std::string> value;
    for (const auto& [name, text] : scenario.knobs)
        if (name == key)
            value = text;
    return value;
}

QString figure(const Figure& f)
{
    QString text = QStringLiteral("%1 %2: %3").arg(f.value).arg(fromView(f.unit), fromView(f.source));
    if (!f.note.empty())
        text += QStringLiteral(" (%1)").arg(fromView(f.note));
    return text;
}

} // namespace

ExpView::ExpView(const Session& session, QWidget* parent)
    : Canvas(session, QStringLiteral("exp"), tr("Exponentials: unit against polynomial"), parent)
    , m_knobs(new QWidget(parent))
    , m_share(new ComboBox(m_knobs))
    , m_degree(new ComboBox(m_knobs))
{
    auto* row = new QHBoxLayout(m_knobs);
    row->setContentsMargins(8, 4, 8, 4);
    row->setSpacing(6);
    m_share->addItems(
        { tr("as the kernel"), tr("none"), QStringLiteral("1/8"), QStringLiteral("1/4"), QStringLiteral("1/2") });
    m_share->setAccessibleName(tr("Share of the exponentials by polynomial"));
    m_share->setToolTip(m_share->accessibleName());
    for (int degree = 1; degree <= 5; ++degree)
        m_degree->addItem(QString::number(degree));
    m_degree->setAccessibleName(tr("Degree of the polynomial"));
    m_degree->setToolTip(m_degree->accessibleName());
    row->addWidget(makeLabel(tr("emulated"), "info", m_knobs));
    row->addWidget(m_share);
    row->addWidget(makeLabel(tr("degree"), "info", m_knobs));
    row->addWidget(m_degree);
    row->addStretch(1);
    connect(m_share, QOverload<int>::of(&QComboBox::activated), this,
        [this](int index) { turn("exp2-emulation", shares[static_cast<std::size_t>(index)]); });
    connect(m_degree, QOverload<int>::of(&QComboBox::activated), this,
        [this](int index) { turn("exp2-degree", std::to_string(index + 1)); });
    connect(&session.document, &Document::changed, this, &ExpView::follow);
    connect(&session.appearance, &Appearance::changed, this, &ExpView::follow);
    follow();
}

void ExpView::follow()
{
    const bool can = ready() && scene().can();
    m_knobs->setVisible(can);
    if (!ready())
        return;
    setMinimumHeight(m_session.appearance.px(paint::layoutExp(canvasRect(), scene()).height));
    const Scenario& scenario = m_session.document.file().scenario;
    const std::string share = knobOf(scenario, "exp2-emulation").value_or("");
    const auto found = std::find_if(shares.begin(), shares.end(), [&](const char* known) {
        return share == known || (!share.empty() && *known != '\0' && knobNumber(share) == knobNumber(known));
    });
    m_share->setCurrentIndex(found == shares.end() ? -1 : static_cast<int>(found - shares.begin()));
    m_degree->setCurrentIndex(m_session.document.program().softmax.polynomialDegree - 1);
}

void ExpView::turn(const std::string& knob, const std::string& value)
{
    if (m_session.document.empty())
        return;
    ScenarioFile file = m_session.document.wanted();
    auto& set = file.scenario.knobs;
    set.erase(
        std::remove_if(set.begin(), set.end(), [&](const auto& other) { return other.first == knob; }), set.end());
    if (!value.empty() && !setOption(file, "what_if", knob + "=" + value))
        return;
    emit requested(file);
}

paint::ExpScene ExpView::scene() const
{
    const Run& run = *m_session.document.run();
    paint::ExpScene scene;
    scene.trace = run.trace.get();
    scene.gpu = &run.gpu;
    scene.position = m_session.playback.position();
    scene.hardware = run.report.exp2Hardware;
    scene.emulated = run.report.exp2Emulated;
    scene.knobTurned = knobOf(run.scenario, "exp2-emulation").has_value();
    if (const TileRef on = tileOnShow(m_session); on.i >= 0 && on.j >= 0)
        scene.tile = paint::tileNumbers(
            *run.trace, m_session.selection.batch(), m_session.selection.head(), on.i, on.j, scene.position);
    return scene;
}

QString ExpView::emptyText() const
{
    return tr("No scenario is open.");
}

void ExpView::draw(QPainter& painter, const QRectF& rect)
{
    paint::paintExp(painter, rect, scene(), m_session.appearance.theme());
}

void ExpView::mousePressEvent(QMouseEvent* event)
{
    setFocus(Qt::MouseFocusReason);
    if (!ready())
        return;
    const paint::ExpScene now = scene();
    const int way = paint::layoutExp(canvasRect(), now).wayAt(toCanvas(event->localPos()));
    if (way > 0 && now.can())
        turn("exp2-degree", std::to_string(way));
    else if (way == 0 && now.can())
        turn("exp2-emulation", "off");
}

bool ExpView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip || !ready())
        return Canvas::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QPointF at = toCanvas(help->pos());
    const paint::ExpScene now = scene();
    const paint::ExpLayout parts = paint::layoutExp(canvasRect(), now);
    QString text;
    if (const int way = parts.wayAt(at); way >= 0) {
        const Exp2Errors& errors = paint::expErrors()[static_cast<std::size_t>(way)];
        text = tr(
            "%1: largest relative error %2 in fp32, %3 once rounded to bf16, over 65 536 inputs. P is stored in 16 "
            "bits or fewer, so what fp32 loses hardly shows.")
                   .arg(paint::wayName(way), paint::factor(errors.fp32), paint::factor(errors.bf16));
        const std::string key = way == 0 ? "MUFU.EX2" : "polynomial degree " + std::to_string(way);
        if (const PublishedError* published = publishedError(key, "fp32", "max relative error"))
            text += tr(" The paper of FlashAttention-4 has %1 in fp32.").arg(paint::factor(published->value));
        if (way == 0)
            text += tr(" The unit's last bits are this model's own, inside the published bound of 2 ulp.");
        if (now.can())
            text += tr("\nClick to compute with it");
    } else if (parts.table.contains(at)) {
        text = tr("ulp: unit in the last place, 2^−23 in fp32 and 2^−7 in bf16 for results in [1, 2). Rounding alone "
                  "costs half of one. Last column: how many inputs get the bf16 that the exact result has.");
    } else if (parts.curves.contains(at)) {
        text = tr("Span between the least and the largest error in each 1/128 of [0, 1), computed");
    } else if (parts.split.contains(at)) {
        text = tr("Every element of every visited block, masked ones included; the scales of rows are not counted");
    } else if (parts.tile.contains(at)) {
        text = paint::emulationRule(now.trace->program(), *now.gpu, now.knobTurned).join(QLatin1Char(' ')).trimmed();
    } else if (parts.rates.contains(at)) {
        text = tr(
            "Exponential unit: %1\nPolynomial: %2 and one FMA a degree for a pair\nFMA: %3\nALU: %4\nIssue: %5\nFMA "
            "and ALU also scale, convert and sum, so kernels emulate less than the balance.")
                   .arg(figure(now.gpu->mufuPerClk), figure(now.gpu->polynomialInstructions),
                       figure(now.gpu->fmaPerClk), figure(now.gpu->aluPerClk), figure(now.gpu->issuePerClk));
    }
    QToolTip::showText(help->globalPos(), text);
    return true;
}

std::vector<AccessibleNode> ExpView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    const auto say = [](std::vector<AccessibleNode>& to, const QString& name, const QString& value) {
        to.push_back({ QAccessible::StaticText, name, value, {} });
    };
    if (!ready()) {
        say(nodes, emptyText(), {});
        return nodes;
    }
    const paint::ExpScene now = scene();
    const Program& program = now.trace->program();
    say(nodes, tr("by the exponential unit"), exactText(now.hardware));
    say(nodes, tr("emulated"), exactText(now.emulated));
    if (now.trace->wholeGrid()) {
        say(nodes, tr("by the unit so far"), exactText(now.trace->counter(Counter::Exp2, now.position)));
        say(nodes, tr("emulated so far"), exactText(now.trace->counter(Counter::Exp2Emulated, now.position)));
    }
    AccessibleNode tile { QAccessible::List, tr("P of tile (%1, %2)").arg(now.tile.i).arg(now.tile.j),
        paint::emulationRule(program, *now.gpu, now.knobTurned).join(QLatin1Char(' ')).trimmed(), {} };
    const int width = std::max(1, program.tile.keys / 4);
    for (int fragment = 0; fragment < 4; ++fragment)
        say(tile.children, tr("fragment %1").arg(fragment),
            tr("%1 of %2 keys emulated").arg(program.softmax.emulatedKeys(fragment * width, width)).arg(width));
    nodes.push_back(std::move(tile));
    AccessibleNode errors { QAccessible::Table, tr("largest error of 2^x on [0, 1)"),
        now.way() > 0 ? tr("in use: %1").arg(paint::wayName(now.way())) : tr("in use: the unit alone"), {} };
    for (int way = 0; way < 6; ++way) {
        const Exp2Errors& e = paint::expErrors()[static_cast<std::size_t>(way)];
        AccessibleNode line { QAccessible::Row, paint::wayName(way), {}, {} };
        say(line.children, tr("fp32 ulp"), exactText(e.ulpFp32));
        say(line.children, tr("bf16 ulp after rounding"), exactText(e.ulpBf16));
        say(line.children, tr("same bf16 as exact"), exactText(e.sameBf16));
        errors.children.push_back(std::move(line));
    }
    nodes.push_back(std::move(errors));
    const paint::ExpRates rates = paint::expRates(*now.gpu, program.softmax.polynomialDegree);
    say(nodes, tr("exponentials per clock and SM by the unit"), exactText(rates.unit));
    if (rates.polynomial > 0) {
        say(nodes, tr("by polynomial of degree %1").arg(program.softmax.polynomialDegree),
            tr("%1, bound by %2").arg(exactText(rates.polynomial), rates.bound));
        say(nodes, tr("share emulated at which both end together"), exactText(rates.balance));
    } else {
        say(nodes, tr("by polynomial"), tr("no packed fp32 arithmetic on this GPU"));
    }
    return nodes;
}

} // namespace flashstep::ui
