// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/trace.h"

#include <QObject>
#include <QTimer>

#include <functional>

namespace flashstep {
class Condition;
}

namespace flashstep::ui {

class Document;

// The single owner of "where we are". Every view reads its position; nothing else moves it.
class Playback : public QObject {
    Q_OBJECT
public:
    explicit Playback(const Document& document, QObject* parent = nullptr);

    [[nodiscard]] Position position() const { return m_position; }
    [[nodiscard]] Position end() const;
    [[nodiscard]] bool atEnd() const { return m_position >= end(); }
    [[nodiscard]] Level level() const { return m_level; }
    [[nodiscard]] bool playing() const { return m_timer.isActive(); }
    // Steps per second; 0: as fast as frames can be drawn.
    [[nodiscard]] double speed() const { return m_speed; }
    // Whose steps count; none(): everybody's.
    [[nodiscard]] CtaId followed() const { return m_followed; }
    // The first moment in (from, to] at which playing has to stop, if any.
    using Stops = std::function<std::optional<Position>(Position from, Position to)>;
    void setStops(Stops stops) { m_stops = std::move(stops); }
    // Goes to the nearest moment at which it comes true; false where there is none.
    bool runTo(const Condition& condition, bool forward);

    static constexpr std::array<double, 6> speeds { 1, 2, 5, 10, 25, 0 };

public slots:
    void seek(flashstep::Position position);
    void seekStart() { seek(Position { 0 }); }
    void seekEnd() { seek(end()); }
    void stepForward();
    void stepBack();
    void play();
    void pause();
    void togglePlay() { playing() ? pause() : play(); }
    void stop(); // pause and go back to the start
    void setLevel(flashstep::Level level);
    void finer();
    void coarser();
    void setSpeed(double stepsPerSecond);
    void faster() { shiftSpeed(1); }
    void slower() { shiftSpeed(-1); }
    void follow(flashstep::CtaId cta);

signals:
    void positionChanged();
    void modeChanged(); // playing, level, speed, followed
    void stopped(); // playing came to a breakpoint

private:
    void tick();
    [[nodiscard]] Position stepTarget() const;
    void shiftSpeed(int by);
    void restart();

    const Document& m_document;
    QTimer m_timer;
    Position m_position;
    Level m_level = Level::Operation;
    double m_speed = 5;
    CtaId m_followed;
    Stops m_stops;
};

} // namespace flashstep::ui
