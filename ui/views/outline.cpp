// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/outline.h"

#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/playback.h"

#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>
#include <functional>
#include <map>

namespace flashstep::ui {

namespace {

constexpr int positionRole = Qt::UserRole + 1; // where the step is complete
constexpr int beginRole = Qt::UserRole + 2; // where it begins

enum class Stage { Before, Now, After };

Stage stageOf(const QVariant& begin, const QVariant& end, Position p)
{
    if (p.value >= end.toUInt())
        return Stage::After;
    return p.value >= begin.toUInt() && p.value > 0 ? Stage::Now : Stage::Before;
}

class StepDelegate : public QStyledItemDelegate {
public:
    StepDelegate(const Session& session, QObject* parent)
        : QStyledItemDelegate(parent)
        , m_session(session)
    {
    }

    [[nodiscard]] static Stage stageOf(const QModelIndex& index, Position p)
    {
        return flashstep::ui::stageOf(index.data(beginRole), index.data(positionRole), p);
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const paint::Theme& theme = m_session.appearance.theme();
        const Stage stage = stageOf(index, m_session.playback.position());
        const bool leaf = !index.model()->hasChildren(index);
        // The step that the role is at; copies and products under way before it have a mark alone.
        bool strong = stage == Stage::Now && leaf;
        for (int row = index.row() + 1; strong && row < index.row() + 40; ++row) {
            const QModelIndex later = index.sibling(row, 0);
            if (!later.isValid())
                break;
            strong = stageOf(later, m_session.playback.position()) != Stage::Now;
        }
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        if (strong) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(theme.text);
            painter->drawRoundedRect(QRectF(option.rect).adjusted(0, 1, -4, -1), 3, 3);
        }
        const QColor ink = strong ? theme.selectedText : stage == Stage::Before ? theme.t2 : theme.text;
        painter->setPen(ink);
        painter->setFont(m_session.appearance.uiFont(11.5, stage == Stage::Now ? QFont::DemiBold : QFont::Normal));
        const QRect mark(option.rect.left() + 4, option.rect.top(), 14, option.rect.height());
        if (stage == Stage::After)
            painter->drawText(mark, Qt::AlignVCenter | Qt::AlignLeft, QStringLiteral("✓"));
        else if (stage == Stage::Now && leaf)
            painter->drawText(mark, Qt::AlignVCenter | Qt::AlignLeft, QStringLiteral("▸"));
        const QRect words = option.rect.adjusted(20, 0, -6, 0);
        painter->drawText(words, Qt::AlignVCenter | Qt::AlignLeft,
            painter->fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, words.width()));
        if (option.state & QStyle::State_HasFocus) {
            painter->setPen(QPen(theme.text, 1));
            painter->setBrush(Qt::NoBrush);
            painter->drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -4.5, -0.5), 3, 3);
        }
        painter->restore();
    }

    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& /*option*/, const QModelIndex& /*index*/) const override
    {
        return { 60, m_session.appearance.px(20) };
    }

private:
    const Session m_session;
};

// Says to a screen reader what the eye sees in its mark.
class StepItem : public QTreeWidgetItem {
public:
    using QTreeWidgetItem::QTreeWidgetItem;
    [[nodiscard]] QVariant data(int column, int role) const override
    {
        const auto* tree = qobject_cast<const Outline*>(treeWidget());
        if (role != Qt::AccessibleTextRole || !tree)
            return QTreeWidgetItem::data(column, role);
        const Stage stage = stageOf(data(0, beginRole), data(0, positionRole), tree->position());
        return QStringLiteral("%1, %2").arg(text(column),
            stage == Stage::After     ? Outline::tr("done")
                : stage == Stage::Now ? Outline::tr("now")
                                      : Outline::tr("to come"));
    }
};

QTreeWidgetItem* addStep(QTreeWidgetItem* parent, const QString& text)
{
    auto* item = new StepItem(parent, QStringList { text });
    item->setData(0, beginRole, 0xffffffffU);
    item->setData(0, positionRole, 0U);
    return item;
}

// A step lasts from the first of its parts to the last.
void include(QTreeWidgetItem* item, const Trace& trace, InstanceId instance)
{
    for (; item; item = item->parent()) {
        if (trace.began(instance))
            item->setData(
                0, beginRole, std::min(item->data(0, beginRole).toUInt(), trace.beginPosition(instance).value));
        const unsigned end = trace.ended(instance) ? trace.endPosition(instance).value : 0xffffffffU;
        item->setData(0, positionRole, std::max(item->data(0, positionRole).toUInt(), end));
    }
}

} // namespace

Outline::Outline(const Session& session, QWidget* parent)
    : QTreeWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("view.outline"));
    setAccessibleName(tr("Outline: steps of the chosen CTA"));
    setHeaderHidden(true);
    setUniformRowHeights(true);
    setIndentation(12);
    setItemDelegate(new StepDelegate(session, this));
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    const auto go = [this](QTreeWidgetItem* item) { m_session.playback.seek(placeOf(item)); };
    connect(this, &QTreeWidget::itemClicked, this, go);
    connect(this, &QTreeWidget::itemActivated, this, go);
    connect(&session.document, &Document::changed, this, [this] {
        m_trace = nullptr; // another run may lie where the last one did
        rebuild();
    });
    connect(&session.selection, &Selection::changed, this, &Outline::rebuild);
    connect(&session.playback, &Playback::positionChanged, this, &Outline::refresh);
    connect(&session.appearance, &Appearance::changed, this, &Outline::dress);
    dress();
    rebuild();
}

void Outline::dress()
{
    setIndentation(m_session.appearance.px(12));
    scheduleDelayedItemsLayout();
    viewport()->update();
}

Position Outline::position() const
{
    return m_session.playback.position();
}

Position Outline::placeOf(const QTreeWidgetItem* item) const
{
    return Position { item->data(0, item->childCount() > 0 ? beginRole : positionRole).toUInt() };
}

void Outline::rebuild()
{
    const CtaId cta = m_session.selection.cta();
    const Trace* trace = m_session.document.empty() ? nullptr : &m_session.document.trace();
    if (cta == m_cta && trace == m_trace && topLevelItemCount() > 0)
        return;
    m_cta = cta;
    m_trace = trace;
    clear();
    if (!trace || !cta.valid()) {
        QTreeWidgetItem* none = addStep(nullptr, tr("Nothing is open yet."));
        none->setData(0, positionRole, 0xffffffffU);
        none->setFlags(Qt::NoItemFlags);
        addTopLevelItem(none);
        return;
    }
    const auto works = trace->worksOf(cta);
    const QString place = tr("CTA %1 on SM %2").arg(static_cast<qulonglong>(cta.index())).arg(trace->span(cta).sm)
        + QStringLiteral(" · ");
    const bool several = works.size() > 1;
    auto* root = addStep(nullptr,
        place + (several ? tr("%n work tile(s)", nullptr, static_cast<int>(works.size())) : rowsOf(works.front())));
    root->setToolTip(0, root->text(0));
    addTopLevelItem(root);
    for (const WorkId work : works)
        addWork(several ? addStep(root, tr("Q%1 · ").arg(trace->program().work(work).i) + rowsOf(work)) : root, work);
    root->setExpanded(true);
    refresh();
}

QString Outline::rowsOf(WorkId id) const
{
    const Program& program = m_trace->program();
    const Work& work = program.work(id);
    const LaunchDecl& launch = program.launches[work.launch];
    if (launch.sweep > 0 && work.i + launch.sweep < program.queryTiles()) {
        QStringList tiles;
        for (int i = work.i; i < program.queryTiles() && tiles.size() < 4; i += launch.sweep)
            tiles << (tiles.size() < 3 ? QString::number(i) : QString(QChar(0x2026)));
        return tr("query tiles ") + tiles.join(tr(", "));
    }
    QStringList parts;
    for (int k = 0; k < launch.tilesPerWork; ++k) {
        const int i = k * launch.tileStride, first = work.row + i * launch.queryRows;
        const int last = first + program.rowsInside(work, i) - 1;
        if (k == 0 || last >= first)
            parts << (program.packed > 1
                    ? QStringLiteral("%1–%2").arg(first / program.packed).arg(last / program.packed)
                    : QStringLiteral("%1–%2").arg(first).arg(last));
    }
    const QString rows = tr("queries ") + parts.join(tr(", "));
    return program.packed > 1 ? rows + tr(" of heads %1–%2").arg(work.h).arg(work.h + program.packed - 1) : rows;
}

void Outline::addWork(QTreeWidgetItem* parent, WorkId id)
{
    if (!m_trace->hasEvents(id)) { // of a grid timed in two steps
        addStep(parent, tr("its steps were not kept"));
        return;
    }
    const Program& program = m_trace->program();
    const Work& here = program.work(id);
    // The first role that computes stands for all: the others run the same steps on other rows, or bring it its tiles.
    const std::vector<RoleRange>& roles = m_trace->streamOf(id).roles;
    const auto computes = [&](const RoleRange& r) {
        const auto first = program.ops.begin() + r.first;
        return std::any_of(first, first + r.count, [](const Op& op) { return op.kind == OpKind::Mma; });
    };
    const auto decides = [&](const RoleRange& r) {
        const auto first = program.ops.begin() + r.first;
        return std::any_of(first, first + r.count, [](const Op& op) { return op.kind == OpKind::RowMax; });
    };
    auto found = std::find_if(roles.begin(), roles.end(), computes);
    if (found == roles.end()) // the second CTA of a pair: the first issues its products
        found = std::find_if(roles.begin(), roles.end(), decides);
    const RoleRange& role = found == roles.end() ? roles.front() : *found;
    if (program.launches[here.launch].sweep > 0)
        return addSweep(parent, id, role);
    QTreeWidgetItem* group = nullptr;
    // Where products run by themselves visits overlap, and the outline goes back to the one before; else a visit that
    // comes again is another pass over the keys.
    const auto firstOp = program.ops.begin() + role.first;
    const bool overlaps
        = std::any_of(firstOp, firstOp + role.count, [](const Op& o) { return o.kind == OpKind::Mma && o.async; });
    std::map<int, QTreeWidgetItem*> blocks; // by visit
    int n = -1;
    bool looped = false;
    std::uint32_t lastVisit = 0; // the last op of the loop
    for (std::uint32_t k = 0; k < role.count; ++k)
        if (program.op(OpId(role.first + k)).n > 0)
            lastVisit = k;
    for (std::uint32_t k = 0; k < role.count; ++k) {
        const OpId op(role.first + k);
        const Op& o = program.op(op);
        const InstanceId instance = m_trace->instance(id, op);
        const bool leftOut = o.when != When::Always && !m_trace->began(instance);
        if (o.kind == OpKind::Commit || o.kind == OpKind::Arrive || leftOut)
            continue;
        const bool moves
            = o.kind == OpKind::Load || o.kind == OpKind::Wait || o.kind == OpKind::Sync || o.kind == OpKind::Fence;
        if (group && looped && o.n == 0 && n > 0 && (moves || k < lastVisit)) {
            // What is done inside the loop without naming a block belongs to the one that is being worked on.
        } else if (!group || o.n != n) {
            n = o.n;
            looped = looped || n > 0;
            QTreeWidgetItem*& known = blocks[n];
            if (n == 0 || known == nullptr || !overlaps) {
                const QString title = n > 0 ? tr("key block %1").arg(program.keyBlock(here, o))
                    : looped                ? tr("finish")
                                            : tr("begin");
                known = addStep(parent, title);
            }
            group = known;
        }
        include(addStep(group, QString::fromStdString(labelOf(program, o)).replace(QLatin1Char('_'), QLatin1Char(' '))),
            *m_trace, instance);
    }
}

// A sweep takes a key block on chip and visits one query tile after the other with it, then the next block.
void Outline::addSweep(QTreeWidgetItem* parent, WorkId id, const RoleRange& role)
{
    const Program& program = m_trace->program();
    const Work& here = program.work(id);
    QTreeWidgetItem *block = nullptr, *group = nullptr;
    int j = -1, i = -1;
    for (std::uint32_t k = 0; k < role.count; ++k) {
        const OpId op(role.first + k);
        const Op& o = program.op(op);
        const InstanceId instance = m_trace->instance(id, op);
        if (o.kind == OpKind::Commit || o.kind == OpKind::Arrive
            || (o.when != When::Always && !m_trace->began(instance)))
            continue;
        const int keys = program.keyBlock(here, o), rows = program.queryTile(here, o);
        if (keys >= 0 && keys != j) {
            j = keys;
            i = -1;
            block = addStep(parent, tr("key block %1").arg(j));
            group = addStep(block, tr("K and V come in"));
        }
        // What has no visit of its own (the next Q, waits) belongs to the tile that is being worked on.
        if (block != nullptr && o.n > 0 && rows != i) {
            i = rows;
            group = addStep(block, tr("query tile %1").arg(i));
        }
        if (group == nullptr)
            group = addStep(parent, tr("rows that see no key"));
        include(addStep(group, QString::fromStdString(labelOf(program, o)).replace(QLatin1Char('_'), QLatin1Char(' '))),
            *m_trace, instance);
    }
}

namespace {

// Opens the child that is going on and closes the others; the one that is, or nothing.
QTreeWidgetItem* openNow(QTreeWidgetItem* parent, const std::function<bool(QTreeWidgetItem*)>& goesOn)
{
    QTreeWidgetItem* now = nullptr;
    for (int k = 0; k < parent->childCount() && !now; ++k)
        if (goesOn(parent->child(k)))
            now = parent->child(k);
    for (int k = 0; now && k < parent->childCount(); ++k)
        if (parent->child(k)->isExpanded() != (parent->child(k) == now))
            parent->child(k)->setExpanded(parent->child(k) == now);
    return now;
}

} // namespace

void Outline::refresh()
{
    viewport()->update();
    if (topLevelItemCount() == 0)
        return;
    const Position p = m_session.playback.position();
    const auto goesOn
        = [&](QTreeWidgetItem* item) { return StepDelegate::stageOf(indexFromItem(item), p) == Stage::Now; };
    QTreeWidgetItem* now = openNow(topLevelItem(0), goesOn);
    while (now && now->childCount() > 0 && now->child(0)->childCount() > 0) { // a work tile among several, or a sweep
        QTreeWidgetItem* part = openNow(now, goesOn);
        if (!part)
            break;
        now = part;
    }
    if (!now)
        return;
    for (int k = 0; k < now->childCount(); ++k)
        if (StepDelegate::stageOf(indexFromItem(now->child(k)), p) == Stage::Now) {
            scrollToItem(now->child(k));
            return;
        }
    scrollToItem(now);
}

} // namespace flashstep::ui
