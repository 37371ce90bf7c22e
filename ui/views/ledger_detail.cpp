// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/ledger_detail.h"

#include "core/emulation/run.h"
#include "core/tensor/real_math.h"
#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/paint/ledger_votes.h"
#include "ui/paint/text.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"
#include "ui/views/ledger.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <cmath>

namespace flashstep::ui {

// The lines and, above them, the strip of votes.
class DetailPane : public QWidget {
public:
    DetailPane(const Session& session, const LedgerModel& model, const LedgerDetail& detail)
        : m_session(session)
        , m_model(model)
        , m_detail(detail)
    {
        setAccessibleName(LedgerDetail::tr("One row in full"));
    }

    [[nodiscard]] int heightNeeded() const
    {
        return m_session.appearance.px(
            inset + strip() + lineHeight * static_cast<double>(m_detail.lines().size()) + inset);
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        QPainter painter(this);
        const paint::Theme& theme = m_session.appearance.theme();
        painter.fillRect(rect(), theme.panel);
        const double scale = m_session.appearance.scale();
        painter.scale(scale, scale);
        const double width = this->width() / scale;
        double y = inset;
        for (std::size_t k = 0; k < m_detail.lines().size(); ++k) {
            if (k == 1 && strip() > 0) {
                paint::paintVotes(painter, QRectF(side, y, width - 2 * side, strip() - 4), m_model.tile(),
                    m_model.votes(), m_detail.facts().row, theme);
                y += strip();
            }
            paintLine(painter, QRectF(side, y, width - 2 * side, lineHeight), m_detail.lines()[k], theme);
            y += lineHeight;
        }
    }

    bool event(QEvent* event) override
    {
        if (event->type() != QEvent::ToolTip)
            return QWidget::event(event);
        const auto* help = static_cast<QHelpEvent*>(event);
        const double y = help->pos().y() / m_session.appearance.scale() - inset;
        const bool under = y >= lineHeight + strip();
        const double line = under ? (y - strip()) / lineHeight : y / lineHeight;
        if (y >= lineHeight && !under)
            QToolTip::showText(help->globalPos(),
                LedgerDetail::tr("A cell per row: filled where it asks to be rescaled. A warp multiplies all its rows "
                                 "when one of them asks; ▲ marks the warps that do."));
        else if (line >= 0 && line < static_cast<double>(m_detail.lines().size()))
            QToolTip::showText(help->globalPos(), m_detail.lines()[static_cast<std::size_t>(line)].tip);
        return true;
    }

private:
    static constexpr double lineHeight = 15, inset = 4, side = 10;

    [[nodiscard]] double strip() const { return m_model.votes().empty() ? 0 : 30; }

    void paintLine(QPainter& painter, const QRectF& rect, const DetailLine& line, const paint::Theme& theme) const
    {
        // The canvas is scaled, so fonts are taken at full size.
        const double scale = m_session.appearance.scale();
        const QFont words = m_session.appearance.uiFont(11 / scale, line.heading ? QFont::DemiBold : QFont::Normal);
        const QFont mono = m_session.appearance.mono(11 / scale);
        painter.setPen(line.heading ? theme.text : theme.t2);
        const double value = line.value.isEmpty() ? 0 : paint::textWidth(mono, line.value) + 8;
        paint::drawElided(painter, rect.adjusted(0, 0, -value, 0), Qt::AlignLeft, words, line.label);
        painter.setPen(theme.text);
        paint::drawLine(painter, rect, Qt::AlignRight, mono, line.value);
    }

    const Session m_session;
    const LedgerModel& m_model;
    const LedgerDetail& m_detail;
};

LedgerDetail::LedgerDetail(const Session& session, const LedgerModel& model, QWidget* parent)
    : QScrollArea(parent)
    , m_session(session)
    , m_model(model)
    , m_pane(new DetailPane(session, model, *this))
{
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setWidgetResizable(true);
    setFocusPolicy(Qt::TabFocus); // read by keys too
    setAccessibleName(tr("One row in full"));
    setWidget(m_pane);
}

paint::RowFacts LedgerDetail::factsNow() const
{
    const int row = m_model.rowOnShow();
    if (row < 0 || m_session.document.empty())
        return {};
    return paint::rowFacts(m_session.document.trace(), m_session.document.run()->inputs.get(),
        m_session.selection.batch(), m_session.selection.head(), m_model.tile(), row, m_session.playback.position());
}

std::vector<DetailLine> LedgerDetail::read() const
{
    const paint::RowFacts facts = factsNow();
    return facts.row < 0 ? std::vector<DetailLine> {} : detailLines(m_session, m_model.tile(), m_model.votes(), facts);
}

void LedgerDetail::refresh()
{
    m_facts = factsNow();
    m_lines = m_facts.row < 0 ? std::vector<DetailLine> {}
                              : detailLines(m_session, m_model.tile(), m_model.votes(), m_facts);
    m_pane->setMinimumHeight(m_pane->heightNeeded());
    m_pane->update();
}

} // namespace flashstep::ui
