// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/source_tabs.h"

#include "ui/text.h"
#include "ui/views/source_view.h"

#include <QEvent>
#include <QFileInfo>
#include <QToolButton>

namespace flashstep::ui {

SourceTabs::SourceTabs(SourceView& view, DockTitle* title)
    : Segments(title)
    , m_view(view)
    , m_title(title)
{
    setAccessibleName(tr("Texts of the algorithm"));
    for (std::size_t k = 0; k < sourceTextCount; ++k)
        add(fromView(name(static_cast<SourceText>(k))));
    title->addWidget(this);
    title->installEventFilter(this);
    connect(this, &Segments::chosen, &view, [&view](int index) { view.setTab(static_cast<SourceText>(index)); });
    connect(&view, &SourceView::tabsChanged, this, &SourceTabs::refresh);
    refresh();
}

void SourceTabs::refresh()
{
    for (std::size_t k = 0; k < sourceTextCount; ++k) {
        const SourcePage& page = m_view.page(static_cast<SourceText>(k));
        QToolButton* tab = button(static_cast<int>(k));
        tab->setEnabled(page.available());
        QStringList lines { page.title(), page.file(), page.note() };
        lines.removeAll(QString());
        if (page.available())
            lines.append(tr("Ctrl+Page Up and Ctrl+Page Down turn these tabs."));
        tab->setToolTip(lines.join(QLatin1Char('\n')));
        tab->setAccessibleDescription(page.note());
    }
    setCurrent(static_cast<int>(m_view.tab()));
    fit();
}

void SourceTabs::fit()
{
    const int rest = m_title->width() - sizeHint().width();
    m_title->setTitle(rest > fontMetrics().horizontalAdvance(tr("Source")) + 96 ? tr("Source") : QString());
    m_title->setInfo(rest > 300 ? QFileInfo(m_view.page().file()).fileName() : QString());
}

bool SourceTabs::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize)
        fit();
    return Segments::eventFilter(watched, event);
}

} // namespace flashstep::ui
