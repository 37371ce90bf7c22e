// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/places_view.h"

#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/paint/text.h"
#include "ui/places.h"
#include "ui/playback.h"

#include <QContextMenuEvent>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>

namespace flashstep::ui {

namespace {

constexpr int indexRole = Qt::UserRole;
constexpr int breakpointRole = Qt::UserRole + 1;

QString emptyText()
{
    return QObject::tr("Ctrl+B keeps this moment, F9 stops playing at this step. Both are saved with the scenario.");
}

} // namespace

PlacesView::PlacesView(const Session& session, Places& places, QWidget* parent)
    : QTreeWidget(parent)
    , m_session(session)
    , m_places(places)
{
    setObjectName(QStringLiteral("view.bookmarks"));
    setAccessibleName(tr("Bookmarks and breakpoints"));
    setHeaderHidden(true);
    setColumnCount(2);
    setRootIsDecorated(false);
    setUniformRowHeights(true);
    setIndentation(0);
    setEditTriggers(QAbstractItemView::EditKeyPressed);
    header()->setStretchLastSection(false);
    header()->setSectionResizeMode(0, QHeaderView::Stretch);
    header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    connect(this, &QTreeWidget::itemActivated, this, &PlacesView::go);
    connect(this, &QTreeWidget::itemClicked, this, [this](QTreeWidgetItem* item) {
        if (!item->data(0, breakpointRole).toBool()) // a click on a breakpoint may be meant for its tick
            go(item);
    });
    connect(this, &QTreeWidget::itemChanged, this, &PlacesView::edited);
    connect(&places, &Places::changed, this, &PlacesView::rebuild);
    connect(&session.appearance, &Appearance::changed, this, &PlacesView::rebuild);
    rebuild();
}

void PlacesView::go(QTreeWidgetItem* item)
{
    const auto index = item->data(0, indexRole).toUInt();
    if (item->data(0, breakpointRole).toBool())
        emit runTo(m_places.all().breakpoints[index].condition);
    else
        emit goTo(m_places.all().bookmarks[index].at);
}

// By key it is about the current entry.
void PlacesView::contextMenuEvent(QContextMenuEvent* event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    if (byKey && currentItem() == nullptr)
        setCurrentItem(topLevelItem(0));
    QTreeWidgetItem* item = byKey ? currentItem() : itemAt(viewport()->mapFromGlobal(event->globalPos()));
    if (item == nullptr)
        return;
    setCurrentItem(item);
    // Entries are made anew when places change, so the menu asks for the current one when it is chosen from.
    const auto onItem = [this](auto what) {
        return [this, what] {
            if (currentItem() != nullptr)
                what(currentItem());
        };
    };
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const bool stops = item->data(0, breakpointRole).toBool();
    menu->addAction(
        stops ? tr("Run to its next moment") : tr("Go there"), this, onItem([this](QTreeWidgetItem* at) { go(at); }));
    menu->addAction(stops ? tr("Change the condition") : tr("Rename"), this,
        onItem([this](QTreeWidgetItem* at) { editItem(at, 0); }));
    menu->addAction(tr("Remove"), this, onItem([this](QTreeWidgetItem* at) { remove(at); }));
    menu->popup(byKey ? viewport()->mapToGlobal(visualItemRect(item).bottomLeft()) : event->globalPos());
    event->accept();
}

void PlacesView::rebuild()
{
    m_filling = true;
    clear();
    const Appearance& look = m_session.appearance;
    std::size_t k = 0;
    for (const Bookmark& bookmark : m_places.all().bookmarks) {
        const Result<Moment> at = m_places.find(bookmark);
        const QString key = bookmark.number >= 0 ? QStringLiteral("%1  ").arg(bookmark.number) : QString();
        const QString place = at ? tr("%1 cy").arg(paint::grouped(
                                  static_cast<std::int64_t>(m_session.document.trace().timeAt(at->position))))
                                 : tr("not in this run");
        auto* item = new QTreeWidgetItem(this, { bookmark.name, key + place });
        item->setToolTip(0, bookmark.at);
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable);
        item->setData(0, indexRole, static_cast<unsigned>(k++));
        item->setData(0, breakpointRole, false);
        item->setForeground(1, look.theme().t2);
    }
    k = 0;
    for (const Breakpoint& breakpoint : m_places.all().breakpoints) {
        auto* item = new QTreeWidgetItem(this, { breakpoint.condition, tr("breakpoint") });
        item->setToolTip(0, tr("Playing stops where %1 comes true").arg(breakpoint.condition));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable | Qt::ItemIsEditable);
        item->setCheckState(0, breakpoint.enabled ? Qt::Checked : Qt::Unchecked);
        item->setData(0, indexRole, static_cast<unsigned>(k++));
        item->setData(0, breakpointRole, true);
        item->setForeground(1, look.theme().t2);
    }
    for (int row = 0; row < topLevelItemCount(); ++row)
        for (int column = 0; column < 2; ++column)
            topLevelItem(row)->setFont(column, look.uiFont(11.5));
    for (int row = 0; row < topLevelItemCount(); ++row)
        topLevelItem(row)->setSizeHint(0, QSize(0, look.px(20)));
    m_filling = false;
    viewport()->update();
}

void PlacesView::edited(QTreeWidgetItem* item, int column)
{
    if (m_filling || column != 0)
        return;
    Places::All all = m_places.all();
    const auto index = item->data(0, indexRole).toUInt();
    if (item->data(0, breakpointRole).toBool()) {
        all.breakpoints[index].enabled = item->checkState(0) == Qt::Checked;
        if (item->text(0) != all.breakpoints[index].condition) {
            const QString wanted = item->text(0);
            const bool enabled = all.breakpoints[index].enabled;
            if (m_places.addBreakpoint(wanted)) { // what is not understood stays as it was
                all = m_places.all();
                all.breakpoints.back().enabled = enabled;
                all.breakpoints.erase(all.breakpoints.begin() + static_cast<std::ptrdiff_t>(index));
            }
        }
    } else {
        all.bookmarks[index].name = item->text(0);
    }
    m_places.change(all, tr("change of %1").arg(item->text(0)));
    QMetaObject::invokeMethod(this, &PlacesView::rebuild, Qt::QueuedConnection);
}

void PlacesView::remove(QTreeWidgetItem* item)
{
    Places::All all = m_places.all();
    const auto index = static_cast<std::ptrdiff_t>(item->data(0, indexRole).toUInt());
    if (item->data(0, breakpointRole).toBool())
        all.breakpoints.erase(all.breakpoints.begin() + index);
    else
        all.bookmarks.erase(all.bookmarks.begin() + index);
    m_places.change(all, tr("removal of %1").arg(item->text(0)));
}

void PlacesView::keyPressEvent(QKeyEvent* event)
{
    if ((event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace) && currentItem() != nullptr)
        return remove(currentItem());
    QTreeWidget::keyPressEvent(event);
}

void PlacesView::paintEvent(QPaintEvent* event)
{
    QTreeWidget::paintEvent(event);
    if (topLevelItemCount() > 0)
        return;
    QPainter painter(viewport());
    painter.setPen(m_session.appearance.theme().t3);
    painter.setFont(m_session.appearance.uiFont(11.5));
    painter.drawText(viewport()->rect().adjusted(12, 10, -12, -10), Qt::TextWordWrap, emptyText());
}

std::vector<AccessibleNode> PlacesView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    for (const Bookmark& bookmark : m_places.all().bookmarks) {
        const Result<Moment> at = m_places.find(bookmark);
        nodes.push_back({ QAccessible::ListItem, tr("bookmark %1").arg(bookmark.name),
            at ? tr("position %1, %2").arg(at->position.value).arg(bookmark.at) : tr("not in this run"), {} });
    }
    for (const Breakpoint& breakpoint : m_places.all().breakpoints)
        nodes.push_back({ QAccessible::CheckBox, tr("breakpoint %1").arg(breakpoint.condition),
            breakpoint.enabled ? tr("on") : tr("off"), {} });
    if (nodes.empty())
        nodes.push_back({ QAccessible::StaticText, emptyText(), {}, {} });
    return nodes;
}

} // namespace flashstep::ui
