// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/playback.h"

#include "core/trace/condition.h"
#include "ui/current.h"
#include "ui/document.h"

#include <algorithm>

namespace flashstep::ui {

Playback::Playback(const Document& document, QObject* parent)
    : QObject(parent)
    , m_document(document)
{
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &Playback::tick);
    connect(&document, &Document::replaced, this, &Playback::restart);
    connect(&document, &Document::changed, this, &Playback::modeChanged);
    connect(&document, &Document::changed, this, &Playback::positionChanged);
}

Position Playback::end() const
{
    return m_document.empty() ? Position {} : m_document.trace().end();
}

void Playback::seek(Position position)
{
    position = std::min(position, end());
    if (position == m_position)
        return;
    m_position = position;
    emit positionChanged();
}

Position Playback::stepTarget() const
{
    // Outside the followed CTA's life there is nothing of it to look for.
    Position from = m_position;
    if (m_followed.valid() && m_level <= Level::Operation)
        if (const auto extent = extentOf(m_document.trace(), m_followed)) {
            if (from >= extent->second)
                return end();
            from = std::max(from, Position { extent->first.value - 1 });
        }
    return m_document.trace().next(from, m_level, m_followed);
}

void Playback::stepForward()
{
    if (!m_document.empty())
        seek(stepTarget());
}

void Playback::stepBack()
{
    if (m_document.empty())
        return;
    Position from = m_position;
    if (m_followed.valid() && m_level <= Level::Operation)
        if (const auto extent = extentOf(m_document.trace(), m_followed)) {
            if (from <= extent->first)
                return seekStart();
            from = std::min(from, Position { extent->second.value + 1 });
        }
    seek(m_document.trace().previous(from, m_level, m_followed));
}

void Playback::play()
{
    if (m_document.empty() || playing())
        return;
    if (atEnd())
        seekStart();
    m_timer.start(m_speed > 0 ? static_cast<int>(1000 / m_speed) : 0);
    emit modeChanged();
}

void Playback::pause()
{
    if (!playing())
        return;
    m_timer.stop();
    emit modeChanged();
}

void Playback::stop()
{
    pause();
    seekStart();
}

void Playback::tick()
{
    const Position before = m_position;
    if (m_document.empty())
        return pause();
    const Position after = stepTarget();
    if (const auto stop = m_stops && after > before ? m_stops(before, after) : std::nullopt) {
        pause();
        seek(*stop);
        emit stopped();
        return;
    }
    seek(after);
    if (m_position == before || atEnd())
        pause();
}

void Playback::setLevel(Level level)
{
    if (level == m_level)
        return;
    m_level = level;
    emit modeChanged();
}

void Playback::finer()
{
    if (m_level != Level::Event)
        setLevel(static_cast<Level>(static_cast<int>(m_level) - 1));
}

void Playback::coarser()
{
    if (m_level != Level::Cta)
        setLevel(static_cast<Level>(static_cast<int>(m_level) + 1));
}

void Playback::setSpeed(double stepsPerSecond)
{
    if (stepsPerSecond == m_speed)
        return;
    m_speed = stepsPerSecond;
    if (playing())
        m_timer.setInterval(m_speed > 0 ? static_cast<int>(1000 / m_speed) : 0);
    emit modeChanged();
}

void Playback::shiftSpeed(int by)
{
    const auto* here = std::find(speeds.begin(), speeds.end(), m_speed);
    const auto index
        = std::clamp<std::ptrdiff_t>(here - speeds.begin() + by, 0, static_cast<std::ptrdiff_t>(speeds.size()) - 1);
    setSpeed(speeds[static_cast<std::size_t>(index)]);
}

void Playback::follow(CtaId cta)
{
    if (cta == m_followed)
        return;
    m_followed = cta;
    emit modeChanged();
}

bool Playback::runTo(const Condition& condition, bool forward)
{
    if (m_document.empty())
        return false;
    pause();
    const auto found = forward ? condition.next(m_document.trace(), m_position, m_followed)
                               : condition.previous(m_document.trace(), m_position, m_followed);
    if (found)
        seek(found->position);
    return found.has_value();
}

void Playback::restart()
{
    m_timer.stop();
    m_followed = CtaId::none();
    m_position = Position {};
}

} // namespace flashstep::ui
