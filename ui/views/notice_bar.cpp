// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/notice_bar.h"

#include "core/base/result.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>

namespace flashstep::ui {

NoticeBar::NoticeBar(QWidget* parent)
    : QFrame(parent)
    , m_text(makeLabel({}, "field", this))
    , m_bar(new QProgressBar(this))
    , m_cancel(new QPushButton(tr("Cancel"), this))
    , m_close(new QPushButton(tr("Close"), this))
    , m_offer(new QPushButton(this))
{
    setRole(this, "notice");
    setAccessibleName(tr("Notice"));
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_bar->setRange(0, 1000);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(14, 6, 14, 6);
    row->setSpacing(12);
    row->addWidget(m_text, 3);
    row->addWidget(m_bar, 2);
    row->addWidget(m_offer);
    row->addWidget(m_cancel);
    row->addWidget(m_close);
    m_delay.setSingleShot(true);
    m_delay.setInterval(200);
    connect(&m_delay, &QTimer::timeout, this, [this] {
        m_text->setText(m_running);
        present(false, true);
    });
    connect(m_cancel, &QPushButton::clicked, this, &NoticeBar::cancelRequested);
    connect(m_close, &QPushButton::clicked, this, &NoticeBar::dismiss);
    connect(m_offer, &QPushButton::clicked, this, [this] {
        dismiss();
        m_accept();
    });
    hide();
}

void NoticeBar::showRunning(const QString& what)
{
    m_bar->setValue(0);
    m_running = what;
    if (m_cancel->isVisible())
        m_text->setText(what);
    else if (!m_delay.isActive())
        m_delay.start();
}

void NoticeBar::setProgress(double fraction)
{
    m_bar->setValue(static_cast<int>(fraction * 1000));
}

void NoticeBar::showError(const Error& error)
{
    QString text = QStringLiteral("<b>%1</b>").arg(QString::fromStdString(error.what).toHtmlEscaped());
    if (!error.where.empty())
        text += QStringLiteral(" — ") + QString::fromStdString(error.where).toHtmlEscaped();
    if (!error.hint.empty())
        text += tr("<br>What would be accepted: %1").arg(QString::fromStdString(error.hint).toHtmlEscaped());
    m_text->setText(text);
    present(true, false);
}

void NoticeBar::showText(const QString& text)
{
    m_text->setText(text.toHtmlEscaped());
    present(false, false);
}

void NoticeBar::showOffer(const QString& text, const QString& button, const std::function<void()>& accept)
{
    showText(text);
    m_accept = accept;
    m_offer->setText(button);
    m_offer->show();
}

void NoticeBar::present(bool fault, bool running)
{
    m_delay.stop();
    m_fault = fault;
    setProperty("fault", fault);
    style()->unpolish(this);
    style()->polish(this);
    m_offer->hide();
    m_bar->setVisible(running);
    m_cancel->setVisible(running);
    m_close->setVisible(!running);
    show();
}

void NoticeBar::dismiss()
{
    m_delay.stop();
    m_fault = false;
    hide();
}

QString NoticeBar::text() const
{
    return m_text->text();
}

} // namespace flashstep::ui
