// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/outline.h"

#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/playback.h"

#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>

namespace flashstep::ui {

namespace {

constexpr int positionRole = Qt::UserRole + 1; // where the step is complete
constexpr int beginRole = Qt::UserRole + 2; // where it begins

enum class Stage { Before, Now, After };

class StepDelegate : public QStyledItemDelegate {
public:
    StepDelegate(const Session& session, QObject* parent)
        : QStyledItemDelegate(parent)
        , m_session(session)
    {
    }

    [[nodiscard]] static Stage stageOf(const QModelIndex& index, Position p)
    {
        if (p.value >= index.data(positionRole).toUInt())
            return Stage::After;
        return p.value >= index.data(beginRole).toUInt() && p.value > 0 ? Stage::Now : Stage::Before;
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const paint::Theme& theme = m_session.appearance.theme();
        const Stage stage = stageOf(index, m_session.playback.position());
        const bool leaf = !index.model()->hasChildren(index);
        const bool strong = stage == Stage::Now && leaf;
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
        else if (strong)
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

QTreeWidgetItem* addStep(QTreeWidgetItem* parent, const QString& text)
{
    auto* item = new QTreeWidgetItem(parent, { text });
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

Position Outline::placeOf(const QTreeWidgetItem* item) const
{
    return Position { item->data(0, item->childCount() > 0 ? beginRole : positionRole).toUInt() };
}

void Outline::rebuild()
{
    const CtaId cta = m_session.selection.cta();
    const Trace* trace = m_session.document.empty() ? nullptr : &m_session.document.trace();
    if (cta == m_cta && trace == m_trace)
        return;
    m_cta = cta;
    m_trace = trace;
    clear();
    if (!trace || !cta.valid())
        return;
    const Program& program = m_session.document.program();
    const Cta& here = program.ctas[cta.index()];
    auto* root = addStep(nullptr,
        tr("CTA %1 on SM %2 · queries %3–%4")
            .arg(static_cast<qulonglong>(cta.index()))
            .arg(trace->span(cta).sm)
            .arg(here.row)
            .arg(here.row + program.rowsInside(here) - 1));
    addTopLevelItem(root);
    // The first role stands for all: warps run the same steps on other rows.
    const RoleRange& role = program.streamOf(cta).roles.front();
    QTreeWidgetItem* group = nullptr;
    int n = -1;
    bool looped = false;
    for (std::uint32_t k = 0; k < role.count; ++k) {
        const OpId id(role.first + k);
        const Op& op = program.op(id);
        if (op.kind == OpKind::Commit)
            continue;
        const bool moves = op.kind == OpKind::Load || op.kind == OpKind::Wait || op.kind == OpKind::Sync;
        if (group && looped && op.n == 0 && moves && n > 0) {
            // Copies and waits inside the loop belong to the block that is being worked on.
        } else if (!group || op.n != n) {
            n = op.n;
            looped = looped || n > 0;
            const QString title = n > 0 ? tr("key block %1").arg(program.keyBlock(here, op))
                : looped                ? tr("finish")
                                        : tr("begin");
            group = addStep(root, title);
        }
        include(
            addStep(group, QString::fromStdString(labelOf(program, op)).replace(QLatin1Char('_'), QLatin1Char(' '))),
            *trace, trace->instance(cta, id));
    }
    root->setExpanded(true);
    refresh();
}

void Outline::refresh()
{
    viewport()->update();
    if (topLevelItemCount() == 0)
        return;
    const Position p = m_session.playback.position();
    QTreeWidgetItem* root = topLevelItem(0);
    QTreeWidgetItem* now = nullptr;
    for (int g = 0; g < root->childCount(); ++g) {
        QTreeWidgetItem* group = root->child(g);
        const bool open = StepDelegate::stageOf(indexFromItem(group), p) == Stage::Now;
        if (open && !now)
            now = group;
    }
    if (!now)
        return;
    for (int g = 0; g < root->childCount(); ++g)
        if (root->child(g)->isExpanded() != (root->child(g) == now))
            root->child(g)->setExpanded(root->child(g) == now);
    for (int k = 0; k < now->childCount(); ++k)
        if (StepDelegate::stageOf(indexFromItem(now->child(k)), p) == Stage::Now) {
            scrollToItem(now->child(k));
            return;
        }
    scrollToItem(now);
}

} // namespace flashstep::ui
