// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/kernel_transport.h"

#include "ui/appearance.h"
#include "ui/paint/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QSlider>
#include <QToolButton>

#include <algorithm>

namespace flashstep::ui {

namespace {

constexpr int sliderSteps = 10000;

} // namespace

KernelTransport::KernelTransport(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_appearance(appearance)
    , m_kind(new Segments(this))
    , m_warp(new ComboBox(this))
    , m_cta(new ComboBox(this))
    , m_position(new QLabel(this))
    , m_slider(new QSlider(Qt::Horizontal, this))
{
    setObjectName(QStringLiteral("kernel.transport"));
    setAccessibleName(tr("Transport"));
    setFocusPolicy(Qt::StrongFocus);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 6, 12, 6);
    row->setSpacing(2);
    setLayout(row);
    m_first = addButton(static_cast<int>(Symbol::First), tr("To the start"), tr("Home"));
    m_back = addButton(static_cast<int>(Symbol::Back), tr("Step back"), tr("Shift+F10 or ←"));
    m_forward = addButton(static_cast<int>(Symbol::Forward), tr("Step forward"), tr("F10 or →"));
    m_last = addButton(static_cast<int>(Symbol::Last), tr("To the end"), tr("End"));
    row->addSpacing(8);
    m_kind->add(tr("instruction"), tr("A step is one PTX instruction of the warp (I, Shift+I)"));
    m_kind->add(tr("CUDA line"), tr("A step goes to the warp's next line of CUDA (L, Shift+L)"));
    m_kind->add(tr("barrier"), tr("A step goes through the warp's next barrier or wait (B, Shift+B)"));
    row->addWidget(m_kind);
    row->addSpacing(10);
    m_cta->setAccessibleName(tr("CTA"));
    m_warp->setAccessibleName(tr("Warp whose steps count"));
    m_warp->setToolTip(tr("Whose steps count; any: the warp whose turn it is"));
    row->addWidget(m_cta);
    row->addSpacing(4);
    row->addWidget(m_warp);
    row->addSpacing(12);
    m_position->setAccessibleName(tr("Position"));
    row->addWidget(m_position);
    row->addSpacing(10);
    m_slider->setRange(0, sliderSteps);
    m_slider->setAccessibleName(tr("Position in the run"));
    m_slider->setMinimumWidth(appearance.px(60));
    row->addWidget(m_slider, 1);
    connect(m_first, &QToolButton::clicked, this, [this] { m_state.seek(0); });
    connect(m_back, &QToolButton::clicked, this, [this] { step(false); });
    connect(m_forward, &QToolButton::clicked, this, [this] { step(true); });
    connect(m_last, &QToolButton::clicked, this, [this] { m_state.seek(m_state.end()); });
    connect(m_slider, &QSlider::valueChanged, this, [this](int value) {
        if (!m_state.empty())
            m_state.seek(static_cast<std::uint64_t>(
                static_cast<double>(value) / sliderSteps * static_cast<double>(m_state.end())));
    });
    connect(m_cta, QOverload<int>::of(&QComboBox::activated), this, [this] { choose(); });
    connect(m_warp, QOverload<int>::of(&QComboBox::activated), this, [this] { choose(); });
    connect(&state, &KernelState::moved, this, [this] { refresh(); });
    connect(&appearance, &Appearance::changed, this, [this] { dress(); });
    dress();
}

QToolButton* KernelTransport::addButton(int symbol, const QString& name, const QString& key)
{
    auto* button = new QToolButton(this);
    setRole(button, "icon");
    button->setProperty("symbol", symbol);
    button->setToolTip(QStringLiteral("%1 (%2)").arg(name, key));
    button->setAccessibleName(name);
    button->setFocusPolicy(Qt::TabFocus);
    layout()->addWidget(button);
    return button;
}

void KernelTransport::dress()
{
    const paint::Theme& theme = m_appearance.theme();
    for (QToolButton* button : { m_first, m_back, m_forward, m_last }) {
        button->setIcon(
            symbolIcon(static_cast<Symbol>(button->property("symbol").toInt()), theme.text, theme.text, theme.t3));
        button->setIconSize(QSize(m_appearance.px(16), m_appearance.px(16)));
        button->setFixedSize(m_appearance.px(28), m_appearance.px(26));
    }
    m_position->setFont(m_appearance.mono(12, QFont::Medium));
    refresh();
}

ptx::StepKind KernelTransport::kind() const
{
    return static_cast<ptx::StepKind>(std::max(0, m_kind->current()));
}

void KernelTransport::setKind(ptx::StepKind kind)
{
    m_kind->setCurrent(static_cast<int>(kind));
}

QString KernelTransport::textAt(std::uint64_t position, Cycle cycle) const
{
    const auto& launches = m_state.session().run().launches;
    const QString at = paint::grouped(static_cast<std::int64_t>(position));
    const QString end = paint::grouped(static_cast<std::int64_t>(m_state.end()));
    const QString which
        = launches.size() > 1 ? tr("launch %1 of %2, ").arg(m_state.now().launch + 1).arg(launches.size()) : QString();
    switch (m_length) {
    case 0:
        return tr("step %1 of %2 (%3modelled cycle %4)").arg(at, end, which, paint::grouped(cycle));
    case 1:
        return tr("%1 / %2 (%3modelled cycle %4)").arg(at, end, which, paint::grouped(cycle));
    case 2:
        return tr("%1 / %2 (modelled cycle %3)").arg(at, end, paint::grouped(cycle));
    default:
        return QStringLiteral("%1 / %2").arg(at, end);
    }
}

// As many words as there is room for at any position, so that nothing moves while stepping.
void KernelTransport::fitPosition()
{
    int others = m_appearance.px(24 + 8 + 10 + 4 + 12 + 10 + 8 + 90); // margins, gaps, and the least of a slider
    for (const QWidget* widget : { static_cast<QWidget*>(m_first), static_cast<QWidget*>(m_back),
             static_cast<QWidget*>(m_forward), static_cast<QWidget*>(m_last), static_cast<QWidget*>(m_kind),
             static_cast<QWidget*>(m_cta), static_cast<QWidget*>(m_warp) })
        others += widget->sizeHint().width();
    int wide = 0;
    for (m_length = 0; m_length < 4; ++m_length) {
        wide = static_cast<int>(
            paint::textWidth(m_position->font(), textAt(m_state.end(), m_state.session().run().cycles)) + 2);
        if (wide + others <= width())
            break;
    }
    m_position->setFixedWidth(wide);
}

QString KernelTransport::positionText() const
{
    return m_state.empty() ? QString() : textAt(m_state.position(), m_state.now().cycle);
}

void KernelTransport::fillWarps()
{
    const QSignalBlocker blockCta(m_cta), blockWarp(m_warp);
    const int ctas = static_cast<int>(m_state.ctaCount()), warps = static_cast<int>(m_state.warpCount());
    if (m_cta->count() != ctas) {
        m_cta->clear();
        for (int k = 0; k < ctas; ++k)
            m_cta->addItem(tr("CTA %1").arg(k));
    }
    if (m_warp->count() != warps + 1) {
        m_warp->clear();
        m_warp->addItem(tr("any warp"));
        for (int k = 0; k < warps; ++k)
            m_warp->addItem(tr("warp %1").arg(k));
    }
    m_cta->setCurrentIndex(static_cast<int>(m_state.now().cta));
    m_cta->setEnabled(!m_state.followsAny() && ctas > 1);
    m_warp->setCurrentIndex(m_state.followsAny() ? 0 : static_cast<int>(m_state.now().warp) + 1);
}

void KernelTransport::choose()
{
    if (m_state.empty())
        return;
    if (m_warp->currentIndex() == 0)
        m_state.followAny();
    else
        m_state.follow(
            static_cast<std::uint32_t>(m_cta->currentIndex()), static_cast<std::uint32_t>(m_warp->currentIndex() - 1));
}

void KernelTransport::refresh()
{
    const bool empty = m_state.empty();
    for (QWidget* widget : { static_cast<QWidget*>(m_first), static_cast<QWidget*>(m_back) })
        widget->setEnabled(!empty && m_state.position() > 0);
    for (QWidget* widget : { static_cast<QWidget*>(m_forward), static_cast<QWidget*>(m_last) })
        widget->setEnabled(!empty && m_state.position() < m_state.end());
    m_slider->setEnabled(!empty);
    if (empty)
        return;
    fillWarps();
    fitPosition();
    m_position->setText(positionText());
    const QSignalBlocker block(m_slider);
    m_slider->setValue(static_cast<int>(static_cast<double>(m_state.position())
        / static_cast<double>(std::max<std::uint64_t>(1, m_state.end())) * sliderSteps));
}

QSize KernelTransport::minimumSizeHint() const
{
    return { m_appearance.px(720), QWidget::minimumSizeHint().height() };
}

void KernelTransport::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    refresh();
}

void KernelTransport::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), theme.win);
    painter.fillRect(0, height() - 1, width(), 1, theme.line);
    if (hasFocus())
        painter.fillRect(0, 0, 3, height(), theme.text);
}

} // namespace flashstep::ui
