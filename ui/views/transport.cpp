// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/transport.h"

#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/paint/fonts.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/controls.h"
#include "ui/views/term_card.h"
#include "ui/views/timeline_canvas.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>
#include <QToolTip>

#include <cmath>

namespace flashstep::ui {

namespace {

// "1 294 / 2 902   8 160 cy  4.45 µs modelled   CTA 3 · key block 5", numbers in columns that never move.
class Readout : public QWidget, public AccessibleView {
public:
    Readout(const Session& session, QWidget* parent)
        : QWidget(parent)
        , m_session(session)
    {
        setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
        setAccessibleName(QObject::tr("Position"));
    }

    [[nodiscard]] std::vector<AccessibleNode> accessibleNodes() const override
    {
        if (m_session.document.empty())
            return {};
        const Trace& trace = m_session.document.trace();
        const Position p = m_session.playback.position();
        const auto node = [](const QString& name, const QString& value) {
            return AccessibleNode { QAccessible::StaticText, name, value, {} };
        };
        return { node(QObject::tr("position"), QString::number(p.value)),
            node(QObject::tr("end"), QString::number(trace.end().value)),
            node(QObject::tr("cycle"), QString::number(trace.timeAt(p))), node(QObject::tr("place"), place()) };
    }

    bool event(QEvent* event) override
    {
        if (event->type() != QEvent::ToolTip || m_session.document.empty())
            return QWidget::event(event);
        QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), // NOLINT: what Qt sends with this type
            termCardHtml(QStringLiteral("modelled time"), m_session), this);
        return true;
    }

    [[nodiscard]] QSize minimumSizeHint() const override { return { m_session.appearance.px(210), 20 }; }
    [[nodiscard]] QSize sizeHint() const override { return { m_session.appearance.px(440), 20 }; }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        if (m_session.document.empty())
            return;
        const paint::Theme& theme = m_session.appearance.theme();
        const Trace& trace = m_session.document.trace();
        const Position p = m_session.playback.position();
        const Cycle cycle = trace.timeAt(p);
        QPainter painter(this);
        painter.scale(m_session.appearance.scale(), m_session.appearance.scale());
        const double right = width() / m_session.appearance.scale();
        const double height = this->height() / m_session.appearance.scale();
        double x = 0;
        const auto put
            = [&](const QString& text, const QFont& font, const QColor& ink, double room, Qt::Alignment side) {
                  room = std::max(room, paint::textWidth(font, text));
                  if (x + room > right)
                      return;
                  painter.setPen(ink);
                  paint::drawLine(painter, QRectF(x, 0, room, height), side, font, text);
                  x += room;
              };
        const QFont mono = paint::monoFont(13, QFont::Medium);
        const QFont small = paint::canvasFont(11.5);
        const auto column = [&](std::int64_t largest) { return paint::textWidth(mono, paint::grouped(largest)); };
        put(paint::grouped(p.value), mono, theme.text, column(trace.end().value), Qt::AlignRight);
        put(QStringLiteral(" / ") + paint::grouped(trace.end().value), mono, theme.t2, 0, Qt::AlignLeft);
        x += 14;
        put(paint::grouped(cycle), mono, theme.text, column(trace.cycles()), Qt::AlignRight);
        put(QStringLiteral(" cy"), mono, theme.t2, 0, Qt::AlignLeft);
        x += 10;
        put(paint::duration(static_cast<double>(cycle), trace.clockMhz()), small, theme.t2,
            paint::textWidth(small, QStringLiteral("000.00 µs")), Qt::AlignRight);
        x += 4;
        put(QObject::tr("modelled"), small, theme.t2, 0, Qt::AlignLeft);
        x += 14;
        put(place(), paint::canvasFont(11.5, QFont::DemiBold), theme.text, 0, Qt::AlignLeft);
    }

private:
    [[nodiscard]] QString place() const
    {
        const TileRef tile = tileOnShow(m_session);
        const auto cta = static_cast<qulonglong>(m_session.selection.cta().index());
        return tile.j >= 0 ? QObject::tr("CTA %1 · key block %2").arg(cta).arg(tile.j) : QObject::tr("CTA %1").arg(cta);
    }

    const Session m_session;
};

} // namespace

Scrubber::Scrubber(const Session& session, TimelineCanvas& timeline, QWidget* parent)
    : Canvas(session, QStringLiteral("scrubber"), tr("Scrubber: the whole run"), parent)
    , m_timeline(timeline)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setCursor(Qt::PointingHandCursor);
    setToolTip(tr("Drag to go to any moment of the run; drag the outline to choose what the timeline shows"));
    connect(&timeline, &TimelineCanvas::viewChanged, this, [this] { update(); });
}

QSize Scrubber::sizeHint() const
{
    return { m_session.appearance.px(480), m_session.appearance.px(32) };
}

QColor Scrubber::ground() const
{
    return m_session.appearance.theme().win;
}

void Scrubber::draw(QPainter& painter, const QRectF& /*rect*/)
{
    paint::paintScrubber(painter, plot(), m_timeline.runScene(), m_timeline.runView(), m_session.appearance.theme());
    if (!m_marks.empty())
        paint::paintScrubberMarks(painter, plot(), marks(), m_session.appearance.theme());
}

void Scrubber::setMarks(const std::vector<Mark>& marks)
{
    m_marks = marks;
    update();
}

std::vector<paint::ScrubberMark> Scrubber::marks() const
{
    std::vector<paint::ScrubberMark> marks;
    if (!ready())
        return marks;
    const Trace& trace = m_session.document.trace();
    const double cycles = std::max<double>(1, static_cast<double>(trace.cycles()));
    for (const Mark& mark : m_marks)
        marks.push_back({ static_cast<double>(trace.timeAt(mark.position)) / cycles, mark.number, mark.name });
    return marks;
}

bool Scrubber::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && ready()) {
        auto* help = static_cast<QHelpEvent*>(event); // NOLINT: what Qt sends with this type
        const auto at = paint::scrubberMarkAt(marksRect(), marks(), toCanvas(help->pos()));
        QString words = toolTip();
        if (at)
            words = m_marks[*at].number.isEmpty() ? tr("Bookmark: %1").arg(m_marks[*at].name)
                                                  : tr("Bookmark %1: %2").arg(m_marks[*at].number, m_marks[*at].name);
        QToolTip::showText(help->globalPos(), words, this);
        return true;
    }
    return Canvas::event(event);
}

QRectF Scrubber::plot() const
{
    return canvasRect().adjusted(4, 2, -4, -2);
}

double Scrubber::cycleAt(double x) const
{
    return paint::scrubberToCycle(plot(), m_session.document.trace(), x);
}

Scrubber::Drag Scrubber::dragAt(const QPointF& point) const
{
    constexpr double reach = 3;
    const paint::TimelineIndex* index = m_timeline.index();
    if (!index)
        return Drag::None;
    const QRectF window = paint::scrubberWindow(plot(), *index, m_timeline.runView());
    const bool whole = window.width() >= plot().width() - 2;
    const bool wide = window.width() > 4 * reach;
    if (whole || !window.adjusted(-reach, -reach, reach, reach).contains(point))
        return Drag::Seek;
    if (wide && std::abs(point.x() - window.left()) <= reach)
        return Drag::From;
    if (wide && std::abs(point.x() - window.right()) <= reach)
        return Drag::To;
    const bool edge
        = std::abs(point.y() - window.top()) <= reach + 1 || std::abs(point.y() - window.bottom()) <= reach + 1;
    return edge ? Drag::Window : Drag::Seek;
}

void Scrubber::mousePressEvent(QMouseEvent* event)
{
    if (!ready() || event->button() != Qt::LeftButton)
        return;
    const QPointF here = toCanvas(event->localPos());
    m_drag = event->modifiers() & Qt::ShiftModifier ? Drag::Window : dragAt(here);
    m_last = cycleAt(here.x());
    m_onMark.reset();
    if (m_drag == Drag::Seek || m_drag == Drag::Window)
        if (const auto at = paint::scrubberMarkAt(marksRect(), marks(), here);
            at && !(event->modifiers() & Qt::ShiftModifier)) {
            const Mark mark = m_marks[*at];
            m_onMark = event->localPos();
            m_drag = Drag::Seek;
            if (mark.cta.valid())
                m_session.selection.chooseCta(mark.cta);
            return m_session.playback.seek(mark.position);
        }
    mouseMoveEvent(event);
}

void Scrubber::mouseMoveEvent(QMouseEvent* event)
{
    if (!ready())
        return;
    const QPointF here = toCanvas(event->localPos());
    if (!(event->buttons() & Qt::LeftButton)) {
        const Drag would = dragAt(here);
        setCursor(would == Drag::From || would == Drag::To ? Qt::SizeHorCursor
                : would == Drag::Window                    ? Qt::OpenHandCursor
                                                           : Qt::PointingHandCursor);
    } else if (m_onMark && (event->localPos() - *m_onMark).manhattanLength() <= QApplication::startDragDistance()) {
        return; // still on the mark that was pressed
    } else if (m_drag == Drag::Seek) {
        m_onMark.reset();
        m_session.playback.seek(
            m_session.document.trace().positionAt(static_cast<Cycle>(std::max(0.0, std::round(cycleAt(here.x()))))));
    } else if (m_drag != Drag::None) {
        dragWindow(here.x());
    }
}

void Scrubber::dragWindow(double x)
{
    const double cycle = cycleAt(x);
    const paint::Extent extent = m_timeline.extent();
    paint::TimelineView view = m_timeline.view();
    if (m_drag == Drag::Window)
        view = paint::panned(extent, view, cycle - m_last);
    else if (m_drag == Drag::From && cycle < view.to - 8)
        view.from = std::max(cycle, extent.begin);
    else if (m_drag == Drag::To && cycle > view.from + 8)
        view.to = std::min(cycle, extent.end);
    m_last = cycle;
    m_timeline.setView(view);
}

void Scrubber::mouseReleaseEvent(QMouseEvent* /*event*/)
{
    m_drag = Drag::None;
}

void Scrubber::wheelEvent(QWheelEvent* event)
{
    if (!ready())
        return;
    const double anchor = cycleAt(toCanvas(event->position()).x());
    m_timeline.setView(
        paint::zoomed(m_timeline.extent(), m_timeline.view(), std::pow(1.0015, event->angleDelta().y()), anchor));
    event->accept();
}

std::vector<AccessibleNode> Scrubber::accessibleNodes() const
{
    if (!ready())
        return {};
    std::vector<AccessibleNode> nodes { { QAccessible::StaticText, tr("position"),
                                            QString::number(m_session.playback.position().value), {} },
        { QAccessible::StaticText, tr("end"), QString::number(m_session.playback.end().value), {} } };
    for (const Mark& mark : m_marks)
        nodes.push_back({ QAccessible::StaticText, tr("bookmark %1").arg(mark.number).trimmed(),
            tr("%1, position %2").arg(mark.name).arg(mark.position.value), {} });
    return nodes;
}

Transport::Transport(const Session& session, TimelineCanvas& timeline, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_level(new ComboBox(this))
    , m_scope(new ComboBox(this))
    , m_speed(new ComboBox(this))
    , m_readout(new Readout(session, this))
    , m_scrubber(new Scrubber(session, timeline, this))
{
    setObjectName(QStringLiteral("view.transport"));
    setAccessibleName(tr("Transport"));
    setFocusPolicy(Qt::StrongFocus);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 0, 12, 0);
    row->setSpacing(2);
    m_first = addButton(static_cast<int>(Symbol::First), tr("To the start"), tr("Home"), 28);
    m_back = addButton(static_cast<int>(Symbol::Back), tr("Step back"), tr("Shift+F10 or ←"), 28);
    m_play = addButton(static_cast<int>(Symbol::Play), tr("Play or pause"), tr("F5 or Space"), 34);
    m_forward = addButton(static_cast<int>(Symbol::Forward), tr("Step forward"), tr("F10 or →"), 28);
    m_last = addButton(static_cast<int>(Symbol::Last), tr("To the end"), tr("End"), 28);
    row->addSpacing(8);
    for (int level = 0; level <= static_cast<int>(Level::Cta); ++level)
        m_level->addItem(
            QString::fromUtf8(name(static_cast<Level>(level)).data()).replace(QLatin1Char('-'), QLatin1Char(' ')),
            level);
    m_level->setToolTip(tr("How far a step goes (F11 finer, Shift+F11 coarser)"));
    m_level->setAccessibleName(tr("Step level"));
    m_scope->addItems({ tr("this CTA"), tr("all CTAs") });
    m_scope->setToolTip(tr("Whose steps count"));
    m_scope->setAccessibleName(tr("Whose steps"));
    for (const double speed : Playback::speeds)
        m_speed->addItem(speed > 0 ? tr("%1 / s").arg(speed) : tr("max"), speed);
    m_speed->setToolTip(tr("Steps per second ([ slower, ] faster)"));
    m_speed->setAccessibleName(tr("Speed"));
    row->addWidget(m_stepLabel = makeLabel(tr("step"), "info", this));
    row->addSpacing(4);
    row->addWidget(m_level);
    row->addWidget(m_scope);
    row->addSpacing(8);
    row->addWidget(m_speedLabel = makeLabel(tr("speed"), "info", this));
    row->addSpacing(4);
    row->addWidget(m_speed);
    row->addSpacing(14);
    row->addWidget(m_readout, 5);
    row->addWidget(m_scrubber, 4);

    Playback& playback = session.playback;
    connect(m_first, &QToolButton::clicked, &playback, &Playback::seekStart);
    connect(m_back, &QToolButton::clicked, &playback, &Playback::stepBack);
    connect(m_play, &QToolButton::clicked, &playback, &Playback::togglePlay);
    connect(m_forward, &QToolButton::clicked, &playback, &Playback::stepForward);
    connect(m_last, &QToolButton::clicked, &playback, &Playback::seekEnd);
    connect(m_level, QOverload<int>::of(&QComboBox::activated), &playback,
        [this](int index) { m_session.playback.setLevel(static_cast<Level>(index)); });
    connect(m_scope, QOverload<int>::of(&QComboBox::activated), &playback,
        [this](int index) { m_session.playback.follow(index == 0 ? m_session.selection.cta() : CtaId::none()); });
    connect(m_speed, QOverload<int>::of(&QComboBox::activated), &playback,
        [this](int index) { m_session.playback.setSpeed(m_speed->itemData(index).toDouble()); });
    connect(&playback, &Playback::positionChanged, this, &Transport::showPosition);
    connect(&playback, &Playback::modeChanged, this, &Transport::showMode);
    connect(&session.selection, &Selection::changed, this, &Transport::showPosition);
    connect(&session.document, &Document::changed, this, &Transport::showMode);
    connect(&session.appearance, &Appearance::changed, this, &Transport::dress);
    dress();
    showMode();
}

QToolButton* Transport::addButton(int symbol, const QString& name, const QString& key, double width)
{
    auto* button = new QToolButton(this);
    button->setProperty("symbol", symbol);
    button->setProperty("fullWidth", width);
    button->setAccessibleName(name);
    button->setToolTip(QStringLiteral("%1 (%2)").arg(name, key));
    button->setFocusPolicy(Qt::NoFocus); // the bar has the focus: its keys are the same in all of it
    setRole(button, symbol == static_cast<int>(Symbol::Play) ? "play" : "icon");
    layout()->addWidget(button);
    return button;
}

void Transport::dress()
{
    const Appearance& look = m_session.appearance;
    const paint::Theme& theme = look.theme();
    setFixedHeight(look.px(40));
    m_scrubber->setFixedHeight(look.px(34));
    m_scrubber->setMaximumWidth(look.px(420));
    for (QToolButton* button : { m_first, m_back, m_play, m_forward, m_last }) {
        const auto symbol = static_cast<Symbol>(button->property("symbol").toInt());
        const bool play = button == m_play;
        const bool pause = play && m_session.playback.playing();
        const QColor ink = play ? theme.selectedText : theme.text;
        button->setIcon(symbolIcon(pause ? Symbol::Pause : symbol, ink, ink, play ? theme.selectedText : theme.t3));
        button->setIconSize(QSize(look.px(16), look.px(16)));
        button->setFixedSize(look.px(button->property("fullWidth").toDouble()), look.px(28));
    }
}

void Transport::showPosition()
{
    const bool empty = m_session.document.empty();
    const bool start = m_session.playback.position().value == 0;
    m_first->setEnabled(!empty && !start);
    m_back->setEnabled(!empty && !start);
    m_forward->setEnabled(!empty && !m_session.playback.atEnd());
    m_last->setEnabled(!empty && !m_session.playback.atEnd());
    m_play->setEnabled(!empty);
    m_readout->update();
}

void Transport::showMode()
{
    const Playback& playback = m_session.playback;
    m_level->setCurrentIndex(static_cast<int>(playback.level()));
    m_scope->setCurrentIndex(playback.followed().valid() ? 0 : 1);
    m_speed->setCurrentIndex(m_speed->findData(playback.speed()));
    dress();
    showPosition();
}

void Transport::resizeEvent(QResizeEvent* event)
{
    const double room = width() / m_session.appearance.scale();
    m_stepLabel->setVisible(room > 1150);
    m_speedLabel->setVisible(room > 1150);
    m_scope->setVisible(room > 900);
    m_speed->setVisible(room > 700);
    QWidget::resizeEvent(event);
}

void Transport::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_session.appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), theme.win);
    painter.fillRect(0, 0, width(), 1, theme.line);
    painter.fillRect(0, height() - 1, width(), 1, theme.line);
    if (hasFocus())
        painter.fillRect(0, 0, 3, height(), theme.text);
}

void Transport::focusInEvent(QFocusEvent* /*event*/)
{
    update();
}

void Transport::focusOutEvent(QFocusEvent* /*event*/)
{
    update();
}

} // namespace flashstep::ui
