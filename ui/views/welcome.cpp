// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/welcome.h"

#include "ui/appearance.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QStatusBar>
#include <QTimer>
#include <QToolTip>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace flashstep::ui {

namespace {

constexpr double narrowest = 4 * 196; // four columns with their numbers
constexpr double designWidth = 1440, designHeight = 760; // beyond, everything grows

std::vector<paint::WelcomeColumn> columns()
{
    const auto card = [](const char* algorithm, const char* gpu) {
        return paint::WelcomeCard { QString::fromLatin1(algorithm), QString::fromLatin1(gpu), nullptr, nullptr };
    };
    return {
        { QStringLiteral("FlashAttention-1"),
            WelcomeCanvas::tr("Tile by tile with running statistics: S and P stay on the chip. O goes to HBM and back "
                              "between key blocks."),
            { card("fa1", "a100") } },
        { QStringLiteral("FlashAttention-2"),
            WelcomeCanvas::tr("Query tiles outside, keys inside: O stays in registers and is divided once. Warps "
                              "split the queries."),
            { card("fa2", "a100"), card("fa2", "h100") } },
        { QStringLiteral("FlashAttention-3"),
            WelcomeCanvas::tr("A producer warp copies by TMA; warpgroups multiply asynchronously and take turns, "
                              "softmax under products."),
            { card("fa3", "h100") } },
        { QStringLiteral("FlashAttention-4"),
            WelcomeCanvas::tr("Two query tiles a CTA, accumulators in tensor memory, some exponentials by polynomial, "
                              "O rescaled only when a warp votes for it."),
            { card("fa4", "b200") } },
    };
}

} // namespace

WelcomeCanvas::WelcomeCanvas(Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("view.welcome"));
    setAccessibleName(tr("The four versions at a glance"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    m_scene.columns = columns();
    m_scene.chosen = 0;
    connect(&appearance, &Appearance::changed, this, [this] {
        fitHeight();
        update();
    });
}

void WelcomeCanvas::setOverview(std::shared_ptr<const Overview> overview, const QString& pending)
{
    m_overview = std::move(overview);
    m_scene.pending = pending;
    for (paint::WelcomeColumn& column : m_scene.columns)
        for (paint::WelcomeCard& card : column.cards) {
            card.dense = card.causal = nullptr;
            for (std::size_t k = 0; m_overview && k < m_overview->rows.size(); ++k) {
                const OverviewRow& row = m_overview->rows[k];
                if (fromView(row.scenario.algorithm) == card.algorithm && fromView(row.scenario.gpu) == card.gpu)
                    (row.scenario.problem.mask.kind == MaskKind::Causal ? card.causal : card.dense) = &row;
            }
        }
    update();
    announceChange(this);
}

double WelcomeCanvas::scale() const
{
    const double window = m_appearance.scale();
    return window
        * std::clamp(std::min(width() / (window * designWidth), height() / (window * designHeight)), 1.0, 1.5);
}

QRectF WelcomeCanvas::area() const
{
    return { 0, 0, width() / scale(), height() / scale() };
}

void WelcomeCanvas::fitHeight()
{
    setMinimumWidth(m_appearance.px(narrowest));
    const QRectF narrow(0, 0, width() / m_appearance.scale(), 0);
    setMinimumHeight(m_appearance.px(paint::layoutWelcome(narrow, m_scene).height));
}

void WelcomeCanvas::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    fitHeight();
}

QRect WelcomeCanvas::cardRect(int index) const
{
    const paint::WelcomeLayout layout = paint::layoutWelcome(area(), m_scene);
    const QRectF at = layout.cards.at(static_cast<std::size_t>(index));
    return QRectF(at.topLeft() * scale(), at.size() * scale()).toRect();
}

const paint::WelcomeCard* WelcomeCanvas::card(int index) const
{
    for (const paint::WelcomeColumn& column : m_scene.columns)
        for (const paint::WelcomeCard& card : column.cards)
            if (index-- == 0)
                return &card;
    return nullptr;
}

void WelcomeCanvas::choose(int index)
{
    m_scene.chosen = index;
    emit revealed(cardRect(index));
    update();
    announceChange(this);
}

void WelcomeCanvas::open(int index)
{
    if (const paint::WelcomeCard* found = card(index))
        emit opened(found->algorithm, found->gpu);
}

void WelcomeCanvas::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), theme.win);
    painter.scale(scale(), scale());
    paint::paintWelcome(painter, area(), m_scene, theme);
}

// Where the numbers come from, one hover away.
QString WelcomeCanvas::detail(const paint::WelcomeCard& card) const
{
    QStringList lines;
    for (const OverviewRow* row : { card.dense, card.causal }) {
        if (!row)
            continue;
        lines.append(tr("%1: modelled, %2 µs at %3 MHz; %4 binds")
                         .arg(row == card.causal ? tr("causal") : tr("dense"))
                         .arg(row->prediction.microseconds, 0, 'f', 0)
                         .arg(row->prediction.clockMhz, 0, 'f', 0)
                         .arg(fromView(row->prediction.binding())));
        for (const PublishedFigure& figure : row->published)
            lines.append(tr("published: %1 TFLOP/s, %2%3")
                             .arg(figure.tflops, 0, 'f', 0)
                             .arg(fromView(figure.label), figure.sameWork ? QString() : tr(" (other work)")));
    }
    if (card.dense && !card.dense->prediction.guesses.empty()) {
        QStringList guesses;
        for (const std::string_view guess : card.dense->prediction.guesses)
            guesses.append(fromView(guess));
        lines.append(tr("These figures are guesses: %1").arg(guesses.join(QStringLiteral(", "))));
    }
    lines.append(tr("Click to step through it, with small tiles and every number"));
    return lines.join(QLatin1Char('\n'));
}

bool WelcomeCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        const int at = paint::cardAt(paint::layoutWelcome(area(), m_scene), QPointF(help->pos()) / scale());
        if (const paint::WelcomeCard* found = at < 0 ? nullptr : card(at))
            QToolTip::showText(help->globalPos(), detail(*found), this);
        else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

void WelcomeCanvas::mouseMoveEvent(QMouseEvent* event)
{
    const int at = paint::cardAt(paint::layoutWelcome(area(), m_scene), event->localPos() / scale());
    if (at == m_scene.hovered)
        return;
    m_scene.hovered = at;
    setCursor(at < 0 ? Qt::ArrowCursor : Qt::PointingHandCursor);
    update();
}

void WelcomeCanvas::mouseReleaseEvent(QMouseEvent* event)
{
    const int at = paint::cardAt(paint::layoutWelcome(area(), m_scene), event->localPos() / scale());
    if (event->button() == Qt::LeftButton && at >= 0)
        open(at);
}

void WelcomeCanvas::leaveEvent(QEvent* /*event*/)
{
    m_scene.hovered = -1;
    update();
}

void WelcomeCanvas::keyPressEvent(QKeyEvent* event)
{
    const int last = static_cast<int>(paint::layoutWelcome(area(), m_scene).cards.size()) - 1;
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Up:
        return choose(std::max(0, m_scene.chosen - 1));
    case Qt::Key_Right:
    case Qt::Key_Down:
        return choose(std::min(last, m_scene.chosen + 1));
    case Qt::Key_Home:
        return choose(0);
    case Qt::Key_End:
        return choose(last);
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        return open(m_scene.chosen);
    default:
        QWidget::keyPressEvent(event);
    }
}

void WelcomeCanvas::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    m_scene.ring = true;
    update();
}

void WelcomeCanvas::focusOutEvent(QFocusEvent* event)
{
    QWidget::focusOutEvent(event);
    m_scene.ring = false;
    update();
}

// A node for each version, below it one for each GPU with its numbers.
std::vector<AccessibleNode> WelcomeCanvas::accessibleNodes() const
{
    const auto percent = [](double share) { return paint::shareText(share); };
    std::vector<AccessibleNode> nodes;
    int index = 0;
    for (const paint::WelcomeColumn& column : m_scene.columns) {
        AccessibleNode version { QAccessible::Grouping, column.title, column.idea, {} };
        for (const paint::WelcomeCard& card : column.cards) {
            const bool chosen = index++ == m_scene.chosen;
            AccessibleNode gpu { QAccessible::Button, tr("%1 on %2").arg(column.title, card.gpu.toUpper()),
                card.dense ? chosen ? tr("chosen") : QString() : m_scene.pending, {} };
            for (const OverviewRow* row : { card.dense, card.causal }) {
                if (!row)
                    continue;
                const QString mask = row == card.causal ? tr("causal") : tr("dense");
                gpu.children.push_back({ QAccessible::StaticText, mask,
                    tr("%1 TFLOP/s modelled, %2 of its peak, %3")
                        .arg(paint::rateText(*row), percent(row->peakShare()), paint::publishedText(*row)),
                    {} });
                QStringList shares;
                for (const Engine engine : paint::toldEngines())
                    shares.append(QStringLiteral("%1 %2").arg(
                        fromView(name(engine)), percent(row->prediction.shares[static_cast<std::size_t>(engine)])));
                gpu.children.push_back({ QAccessible::StaticText, tr("%1, engines").arg(mask),
                    tr("%1; %2 binds").arg(shares.join(QStringLiteral(", ")), fromView(row->prediction.binding())),
                    {} });
            }
            version.children.push_back(std::move(gpu));
        }
        nodes.push_back(std::move(version));
    }
    return nodes;
}

// ---- the page -------------------------------------------------------------------------------------------------------

WelcomePage::WelcomePage(Appearance& appearance, QMenu* recent, QWidget* window)
    : QWidget(window)
    , m_appearance(appearance)
    , m_what(makeLabel({}, "info", this))
    , m_legend(makeLabel({}, "info", this))
{
    setObjectName(QStringLiteral("welcome"));
    setAccessibleName(tr("Welcome"));
    auto* title = makeLabel(tr("The four versions at a glance"), "viewtitle", this);
    auto* open = new QPushButton(tr("Open scenario …"), this);
    auto* last = new QPushButton(tr("Recent files"), this);
    last->setMenu(recent);
    auto* close = new QPushButton(tr("Back to the steps"), this);
    close->setToolTip(tr("Close this page (Esc)"));
    auto* row = new QHBoxLayout;
    row->setContentsMargins(16, 10, 16, 6);
    row->setSpacing(12);
    row->addWidget(title);
    row->addWidget(m_what, 1);
    row->addWidget(open);
    row->addWidget(last);
    row->addWidget(close);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_canvas = new WelcomeCanvas(appearance, scroll);
    scroll->setWidget(m_canvas);
    m_legend->setContentsMargins(16, 4, 16, 8);
    m_legend->setWordWrap(true);
    m_legend->setText(tr("All rates and utilisations are modelled. Upright line: what is published for the same GPU, "
                         "head dimension, mask and length; ~ with other heads or batches. Engines: busy share of the "
                         "dense run; the busiest binds. Click a version to step through it."));
    m_stops = { m_canvas, open, last, close };
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(row);
    column->addWidget(scroll, 1);
    column->addWidget(m_legend);
    connect(m_canvas, &WelcomeCanvas::opened, this, &WelcomePage::opened);
    connect(m_canvas, &WelcomeCanvas::revealed, scroll, [scroll](const QRect& card) {
        scroll->ensureVisible(card.center().x(), card.center().y(), card.width() / 2, card.height() / 2);
    });
    connect(open, &QPushButton::clicked, this, &WelcomePage::openRequested);
    connect(close, &QPushButton::clicked, this, &WelcomePage::dismiss);
    connect(&m_loader, &OverviewLoader::loaded, this, &WelcomePage::refresh);
    window->installEventFilter(this);
    hide();
}

void WelcomePage::present()
{
    m_loader.start();
    refresh();
    place();
    show();
    raise();
    m_canvas->setFocus(Qt::ShortcutFocusReason);
}

void WelcomePage::dismiss()
{
    if (!isVisible())
        return;
    hide();
    emit dismissed();
}

bool WelcomePage::settled() const
{
    return m_loader.overview() || !m_loader.failure().isEmpty();
}

void WelcomePage::refresh()
{
    const std::shared_ptr<const Overview>& overview = m_loader.overview();
    m_canvas->setOverview(overview,
        !m_loader.failure().isEmpty() ? tr("not known: %1").arg(m_loader.failure()) : tr("being predicted …"));
    if (!overview || overview->rows.empty())
        return;
    const Problem& p = overview->rows.front().scenario.problem;
    m_what->setText(tr("forward, bf16, head dimension %1, %2 queries and keys · modelled")
                        .arg(p.headDim)
                        .arg(paint::grouped(p.seqlenQ)));
}

// Everything between menu bar and status bar.
void WelcomePage::place()
{
    const auto* window = qobject_cast<QMainWindow*>(parentWidget());
    const int top = window->menuBar()->geometry().bottom() + 1;
    setGeometry(0, top, window->width(), window->statusBar()->geometry().top() - top);
}

bool WelcomePage::eventFilter(QObject* watched, QEvent* event)
{
    if (isVisible() && (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest))
        QTimer::singleShot(0, this, [this] {
            place();
            raise();
        });
    return QWidget::eventFilter(watched, event);
}

bool WelcomePage::focusNextPrevChild(bool next)
{
    const int count = static_cast<int>(m_stops.size());
    const int here = std::max(0, static_cast<int>(m_stops.indexOf(focusWidget())));
    m_stops[(here + (next ? 1 : count - 1)) % count]->setFocus(next ? Qt::TabFocusReason : Qt::BacktabFocusReason);
    return true;
}

void WelcomePage::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_appearance.theme().win);
}

} // namespace flashstep::ui
