// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/glossary_view.h"

#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/views/controls.h"
#include "ui/views/term_card.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QScrollBar>
#include <QSplitter>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace flashstep::ui {

namespace {

constexpr int keyRole = Qt::UserRole;

} // namespace

GlossaryView::GlossaryView(const Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_search(new QLineEdit(this))
    , m_list(new QListWidget(this))
    , m_parts(new QSplitter(Qt::Vertical, this))
    , m_card(new QTextBrowser(this))
{
    setObjectName(QStringLiteral("view.glossary"));
    setAccessibleName(tr("Glossary"));
    setFocusProxy(m_search);
    setRole(this, "panel");
    m_search->setPlaceholderText(tr("Find a word"));
    m_search->setAccessibleName(tr("Find a word of the glossary"));
    m_search->setClearButtonEnabled(true);
    m_search->installEventFilter(this);
    m_list->setAccessibleName(tr("Words"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setUniformItemSizes(true);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_card->setAccessibleName(tr("Card"));
    m_card->setFrameShape(QFrame::NoFrame);
    m_card->setOpenLinks(false);
    m_card->document()->setDocumentMargin(12);
    auto* words = new QWidget(m_parts);
    auto* inset = new QVBoxLayout(words);
    inset->setContentsMargins(8, 0, 0, 0);
    inset->addWidget(m_list);
    m_parts->addWidget(words);
    m_parts->addWidget(m_card);
    m_parts->setChildrenCollapsible(false);
    m_parts->setHandleWidth(1);
    m_parts->setStretchFactor(0, 0);
    m_parts->setStretchFactor(1, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(8, 6, 8, 6);
    head->addWidget(m_search);
    column->addLayout(head);
    column->addWidget(m_parts, 1);
    connect(m_search, &QLineEdit::textChanged, this, &GlossaryView::fill);
    connect(m_list, &QListWidget::currentItemChanged, this, [this](const QListWidgetItem* item) {
        if (item)
            m_term = item->data(keyRole).toString();
        refresh();
    });
    connect(m_card, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
        if (const QString key = termOfLink(link.toString()); !key.isEmpty())
            showTerm(key);
    });
    const auto again = [this] {
        if (inSight(this))
            refresh();
    };
    connect(&session.document, &Document::changed, this, again);
    connect(&session.playback, &Playback::positionChanged, this, again);
    connect(&session.selection, &Selection::changed, this, again);
    connect(&session.appearance, &Appearance::changed, this, &GlossaryView::dress);
    fill();
    dress();
}

void GlossaryView::dress()
{
    m_list->setFont(m_session.appearance.uiFont(12));
    m_card->setFont(m_session.appearance.uiFont(12.5));
    m_card->document()->setDefaultFont(m_session.appearance.uiFont(12.5));
    m_html.clear();
    refresh();
}

// Low and wide, as in a column of docks, the words stand beside the card, else above it.
void GlossaryView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    const bool beside = height() < m_session.appearance.px(420);
    const Qt::Orientation wanted = beside ? Qt::Horizontal : Qt::Vertical;
    if (m_parts->orientation() == wanted && event->oldSize().isValid())
        return;
    m_parts->setOrientation(wanted);
    m_parts->widget(0)->setMaximumWidth(beside ? m_session.appearance.px(132) : QWIDGETSIZE_MAX);
    const int first = beside ? m_session.appearance.px(132) : height() * 2 / 5;
    m_parts->setSizes({ first, (beside ? width() : height()) - first });
}

void GlossaryView::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

// The list of what was searched for; the term shown stays if it is among them.
void GlossaryView::fill()
{
    const QString wanted = m_search->text().trimmed();
    std::vector<const GlossaryCard*> cards = glossary().search(wanted.toStdString());
    if (wanted.isEmpty())
        std::stable_sort(cards.begin(), cards.end(), [](const GlossaryCard* a, const GlossaryCard* b) {
            return QString::fromStdString(a->key).compare(QString::fromStdString(b->key), Qt::CaseInsensitive) < 0;
        });
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    int chosen = 0;
    for (const GlossaryCard* card : cards) {
        const QString key = QString::fromStdString(card->key);
        auto* item = new QListWidgetItem(key, m_list);
        item->setData(keyRole, key);
        item->setToolTip(QString::fromStdString(card->title));
        if (key == m_term && wanted.isEmpty())
            chosen = m_list->count() - 1;
    }
    if (m_list->count() > 0) {
        m_list->setCurrentRow(chosen);
        m_term = m_list->item(chosen)->data(keyRole).toString();
    }
    refresh();
}

void GlossaryView::showTerm(const QString& key)
{
    const GlossaryCard* card = glossary().find(key.toStdString());
    if (!card)
        return;
    m_term = QString::fromStdString(card->key);
    {
        const QSignalBlocker quiet(m_search);
        m_search->clear();
    }
    fill();
    if (QListWidgetItem* item = m_list->currentItem())
        m_list->scrollToItem(item, QAbstractItemView::PositionAtCenter);
}

void GlossaryView::refresh()
{
    if (m_list->count() == 0) {
        m_html.clear();
        m_card->setHtml(QStringLiteral("<p style='color:%1'>%2</p>")
                            .arg(m_session.appearance.theme().t2.name(), tr("No card has these words.")));
        return;
    }
    const QString html = termCardHtml(m_term, m_session, CardPlace::Page);
    if (html == m_html)
        return;
    m_html = html;
    const int place = m_card->verticalScrollBar()->value();
    m_card->setHtml(html);
    dressTermLinks(*m_card, m_session.appearance.theme().mid);
    m_card->verticalScrollBar()->setValue(place);
    announceChange(this);
}

// Up and Down walk through the list while one is typing.
bool GlossaryView::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_search && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Up || key == Qt::Key_Down) {
            const int row = m_list->currentRow() + (key == Qt::Key_Down ? 1 : -1);
            m_list->setCurrentRow(std::clamp(row, 0, std::max(0, m_list->count() - 1)));
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

std::vector<AccessibleNode> GlossaryView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    for (int k = 0; k < m_list->count(); ++k) {
        const GlossaryCard* card = glossary().find(m_list->item(k)->data(keyRole).toString().toStdString());
        if (!card)
            continue;
        const auto text = [](const std::string& words) { return QString::fromStdString(words); };
        AccessibleNode node { QAccessible::ListItem, text(card->key), text(card->title), {} };
        node.children.push_back({ QAccessible::Paragraph, text(card->text), {}, {} });
        for (const TermFact& fact : termFacts(*card, m_session))
            node.children.push_back({ QAccessible::StaticText, fact.name, fact.value, {} });
        node.children.push_back({ QAccessible::StaticText, tr("in FlashStep"), text(card->where), {} });
        node.children.push_back({ QAccessible::StaticText, tr("source"), text(card->source), {} });
        nodes.push_back(std::move(node));
    }
    return nodes;
}

} // namespace flashstep::ui
