// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/side_panels.h"

#include "core/ptx/words.h"
#include "ui/appearance.h"
#include "ui/kernel/kernel_words.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <bit>
#include <cmath>

namespace flashstep::ui {

LaneBoxes::LaneBoxes(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.lanes"));
    setAccessibleName(tr("Lanes of the warp"));
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&state, &KernelState::moved, this, [this] { update(); });
    connect(&state, &KernelState::looked, this, [this] { update(); });
    connect(&appearance, &Appearance::changed, this, [this] { updateGeometry(); });
}

QSize LaneBoxes::sizeHint() const
{
    return { m_appearance.px(280), m_appearance.px(46) };
}

void LaneBoxes::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    const double left = m_appearance.px(12), wide = (width() - 2 * left) / 16.0, high = m_appearance.px(20);
    for (int lane = 0; lane < 32; ++lane) {
        const QRectF box(
            std::round(left + lane % 16 * wide), m_appearance.px(2) + lane / 16 * high, std::floor(wide) - 1, high - 2);
        const bool does = (now.mask >> lane & 1U) != 0, came = (now.active >> lane & 1U) != 0;
        QColor ink = theme.t3;
        if (does) {
            painter.fillRect(box, theme.text);
            ink = theme.panel;
        } else if (came)
            paint::fillWait(painter, box, theme);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(lane == m_state.lane() ? theme.text : theme.mid, lane == m_state.lane() ? 2 : 1));
        painter.drawRect(box.adjusted(0, 0, -1, -1));
        painter.setPen(came && !does ? theme.text : ink);
        paint::drawLine(painter, box, Qt::AlignHCenter, m_appearance.mono(10), QString::number(lane));
    }
}

void LaneBoxes::mouseMoveEvent(QMouseEvent* event)
{
    const double left = m_appearance.px(12), wide = (width() - 2 * left) / 16.0;
    const int column = static_cast<int>((event->localPos().x() - left) / wide);
    const int row = event->localPos().y() < m_appearance.px(22) ? 0 : 1;
    m_state.pointLane(column >= 0 && column < 16 ? row * 16 + column : -1);
}

void LaneBoxes::leaveEvent(QEvent* /*event*/)
{
    m_state.pointLane(-1);
}

std::vector<AccessibleNode> LaneBoxes::accessibleNodes() const
{
    if (m_state.empty())
        return {};
    const KernelState::Now& now = m_state.now();
    return { { QAccessible::StaticText, tr("do it"), lanesText(now.mask), {} },
        { QAccessible::StaticText, tr("guarded off"), lanesText(now.active & ~now.mask), {} } };
}

namespace {

QTextBrowser* makeBrowser(const QString& name, QWidget* parent)
{
    auto* text = new QTextBrowser(parent);
    text->setAccessibleName(name);
    text->setFrameShape(QFrame::NoFrame);
    text->setOpenLinks(false);
    text->document()->setDocumentMargin(10);
    return text;
}

// The same place in a text that is put anew at each step.
void putHtml(QTextBrowser* text, const QString& html)
{
    const int at = text->verticalScrollBar()->value();
    text->setHtml(html);
    text->verticalScrollBar()->setValue(at);
}

} // namespace

InstructionCard::InstructionCard(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_appearance(appearance)
    , m_text(makeBrowser(tr("The current instruction"), this))
{
    setObjectName(QStringLiteral("kernel.instruction"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 8, 0, 0);
    column->setSpacing(0);
    column->addWidget(new LaneBoxes(state, appearance, this));
    column->addWidget(m_text, 1);
    connect(&state, &KernelState::moved, this, [this] { refresh(); });
    connect(&appearance, &Appearance::changed, this, [this] { refresh(); });
}

QString InstructionCard::text() const
{
    return m_text->toPlainText();
}

void InstructionCard::refresh()
{
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    const paint::Theme& theme = m_appearance.theme();
    const QString mono = m_appearance.mono(11).family(), dim = theme.t2.name();
    QString html
        = QStringLiteral("<style>p{margin:0 0 6px 0} .c{font-family:'%1'} .d{color:%2}</style>").arg(mono, dim);
    if (now.pc == ptx::none || now.pc >= now.code->instructions.size()) {
        putHtml(m_text,
            html
                + QStringLiteral("<p>%1</p>")
                      .arg(tr("Warp %1 of CTA %2 %3.")
                               .arg(now.warp)
                               .arg(now.cta)
                               .arg(standingOf(m_state, now.warp).state)));
        return;
    }
    const ptx::Statement& s = now.code->statementAt(now.pc);
    const std::uint32_t line = s.line;
    const auto& text = m_state.subject().module->text;
    html += QStringLiteral("<p class=c><b>%1</b></p>")
                .arg(QString::fromStdString(line >= 1 && line <= text.size() ? text[line - 1] : s.text())
                         .trimmed()
                         .toHtmlEscaped());
    if (const auto meaning = ptx::meaningOf(s); !meaning.empty())
        html += QStringLiteral("<p>%1</p>").arg(fromView(meaning).toHtmlEscaped());
    if (s.guard != ptx::none)
        html += QStringLiteral("<p>%1</p>")
                    .arg(tr("Guarded by %1%2: %3 %4 off.")
                             .arg(s.guardNegated ? QStringLiteral("!") : QString(),
                                 QString::fromStdString(now.code->function->registers[s.guard].name),
                                 lanesText(now.active & ~now.mask),
                                 std::popcount(now.active & ~now.mask) == 1 ? tr("is") : tr("are")));
    html += QStringLiteral("<p>%1</p>").arg(tr("Done by %1.").arg(lanesText(now.mask)));
    const ptx::Instruction& i = now.code->instructions[now.pc];
    html += QStringLiteral("<p>%1: %2.</p>")
                .arg(tr("Warp %1, %2").arg(now.warp).arg(fromView(ptx::name(i.unit))),
                    standingOf(m_state, now.warp).state.toHtmlEscaped());
    QStringList chain;
    for (const ptx::CudaLine& at : m_state.chain(now.pc))
        chain.append(placeText({ m_state.fileName(at.file), static_cast<int>(at.line) }));
    html += QStringLiteral("<p class=d>%1</p>")
                .arg(tr("PTX line %1 of %2")
                         .arg(line)
                         .arg(placeText({ m_state.subject().ptxFile, 0 }).section(QLatin1Char(' '), 0, 0))
                    + (chain.isEmpty() ? QString()
                                       : QStringLiteral(" · ") + chain.join(tr(", inlined at ")).toHtmlEscaped()));
    if (const auto form = ptx::formOf(s))
        html += QStringLiteral("<p class=d>%1<br><span class=c>%2</span></p>")
                    .arg(tr("PTX ISA %1").arg(fromView(form->section)), fromView(form->syntax).toHtmlEscaped());
    putHtml(m_text, html);
}

WarpList::WarpList(KernelState& state, Appearance& appearance, QWidget* parent)
    : QTextBrowser(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.warps"));
    setAccessibleName(tr("Warps of the CTA, what they wait for, barriers and copies"));
    setFrameShape(QFrame::NoFrame);
    setOpenLinks(false);
    document()->setDocumentMargin(10);
    connect(this, &QTextBrowser::anchorClicked, this, [this](const QUrl& url) {
        m_state.follow(
            m_state.now().cta, static_cast<std::uint32_t>(url.toString().section(QLatin1Char(':'), 1).toUInt()));
    });
    connect(&state, &KernelState::moved, this, [this] { refresh(); });
    connect(&appearance, &Appearance::changed, this, [this] { refresh(); });
}

void WarpList::refresh()
{
    if (m_state.empty())
        return;
    const paint::Theme& theme = m_appearance.theme();
    QString html = QStringLiteral("<style>p{margin:0 0 7px 0} .d{color:%1} a{color:%2}</style>")
                       .arg(theme.t2.name(), theme.text.name());
    for (std::uint32_t w = 0; w < m_state.warpCount(); ++w) {
        const WarpStanding standing = standingOf(m_state, w);
        const QString name = tr("warp %1").arg(w);
        const bool shown = w == m_state.now().warp;
        html += QStringLiteral("<p><a href=\"warp:%1\">%2</a> %3%4</p>")
                    .arg(w)
                    .arg(shown ? QStringLiteral("<b>%1</b>").arg(name) : name,
                        standing.stuck ? QStringLiteral("<span style=\"color:%1\">%2</span>")
                                             .arg(theme.fault.name(), standing.state.toHtmlEscaped())
                                       : standing.state.toHtmlEscaped(),
                        standing.where.isEmpty()
                            ? QString()
                            : QStringLiteral("<br><span class=d>%1</span>").arg(standing.where.toHtmlEscaped()));
    }
    const auto section = [&](const QString& title, const QStringList& lines) {
        if (lines.isEmpty())
            return;
        html += QStringLiteral("<p><b>%1</b>").arg(title);
        for (const QString& line : lines)
            html += QStringLiteral("<br>%1").arg(line.toHtmlEscaped());
        html += QStringLiteral("</p>");
    };
    section(tr("Barriers"), barrierLines(m_state));
    section(tr("Copies"), copyLines(m_state));
    putHtml(this, html);
}

namespace {

// A fault: what it is in the fault's colour, the rest as text; the current one framed.
class FindingDelegate : public QStyledItemDelegate {
public:
    FindingDelegate(const Appearance& appearance, QObject* parent)
        : QStyledItemDelegate(parent)
        , m_appearance(appearance)
    {
    }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const paint::Theme& theme = m_appearance.theme();
        const QString text = index.data(Qt::DisplayRole).toString();
        const bool fault = index.data(Qt::UserRole).isValid();
        painter->save();
        if ((option.state & QStyle::State_Selected) != 0 && fault) {
            painter->fillRect(option.rect, theme.highlight);
            painter->setPen(theme.mid);
            painter->drawRect(option.rect.adjusted(0, 0, -1, -1));
        }
        if (fault)
            painter->fillRect(QRect(option.rect.left() + m_appearance.px(4), option.rect.top() + m_appearance.px(4),
                                  m_appearance.px(3), option.rect.height() - m_appearance.px(8)),
                theme.fault);
        QRect room = inside(option.rect);
        const QString first = text.section(QLatin1Char('\n'), 0, 0), rest = text.section(QLatin1Char('\n'), 1);
        painter->setFont(m_appearance.uiFont(12));
        painter->setPen(fault ? theme.fault : theme.text);
        QRect used;
        painter->drawText(room, Qt::AlignLeft | Qt::TextWordWrap, first, &used);
        room.setTop(used.bottom() + m_appearance.px(2));
        painter->setFont(m_appearance.uiFont(11));
        painter->setPen(theme.t2);
        painter->drawText(room, Qt::AlignLeft | Qt::TextWordWrap, rest);
        painter->restore();
    }
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const QString text = index.data(Qt::DisplayRole).toString();
        const auto* view = qobject_cast<const QListWidget*>(option.widget);
        const int width = view != nullptr ? view->viewport()->width() : option.rect.width();
        const QRect room = inside(QRect(0, 0, width, 10000));
        const int high = QFontMetrics(m_appearance.uiFont(12))
                             .boundingRect(room, Qt::TextWordWrap, text.section(QLatin1Char('\n'), 0, 0))
                             .height()
            + QFontMetrics(m_appearance.uiFont(11))
                  .boundingRect(room, Qt::TextWordWrap, text.section(QLatin1Char('\n'), 1))
                  .height();
        return { width, high + m_appearance.px(16) };
    }

private:
    [[nodiscard]] QRect inside(const QRect& rect) const
    {
        return rect.adjusted(m_appearance.px(14), m_appearance.px(6), -m_appearance.px(10), -m_appearance.px(4));
    }

    const Appearance& m_appearance;
};

} // namespace

FindingList::FindingList(KernelState& state, Appearance& appearance, QWidget* parent)
    : QListWidget(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.findings"));
    setAccessibleName(tr("Faults of the run"));
    setFrameShape(QFrame::NoFrame);
    setWordWrap(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setItemDelegate(new FindingDelegate(appearance, this));
    setResizeMode(QListView::Adjust);
    connect(&state, &KernelState::loaded, this, [this] { refresh(); });
    connect(&appearance, &Appearance::changed, this, [this] { refresh(); });
    const auto go = [this](QListWidgetItem* item) {
        const QVariant which = item->data(Qt::UserRole);
        if (which.isValid())
            which.toInt() < 0 ? m_state.seek(m_state.end()) : m_state.seekFinding(which.toUInt());
    };
    connect(this, &QListWidget::itemClicked, this, go);
    connect(this, &QListWidget::itemActivated, this, go);
}

QString FindingList::sentence(const KernelState& state, const ptx::Finding& f)
{
    const ptx::Code& code = *state.session().run().codes[f.launch];
    const auto who = [](const ptx::Party& p) {
        return p.lane < 0 ? tr("CTA %1, warp %2").arg(p.cta).arg(p.warp)
                          : tr("CTA %1, warp %2, lane %3").arg(p.cta).arg(p.warp).arg(p.lane);
    };
    const auto where = [&](std::uint32_t pc) {
        if (pc >= code.instructions.size())
            return QString();
        const ptx::CudaLine at = ptx::kernelLineOf(code, pc, state.subject().plan->file);
        return tr("%1, PTX line %2")
            .arg(placeText({ state.fileName(at.file), static_cast<int>(at.line) }))
            .arg(code.statementAt(pc).line);
    };
    const char letter = ptx::classOf(f.fault);
    QString text = fromView(ptx::name(f.fault));
    if (letter != 0)
        text += tr(" (class %1)").arg(QLatin1Char(letter));
    text += QStringLiteral(": ") + QString::fromStdString(f.text);
    text += QLatin1Char('\n') + QStringLiteral("%1 · %2").arg(who(f.party), where(f.party.pc));
    if (!f.place.empty())
        text += QStringLiteral(" · ") + QString::fromStdString(f.place);
    if (f.other)
        text += QLatin1Char('\n') + tr("with %1 · %2").arg(who(*f.other), where(f.other->pc));
    return text;
}

void FindingList::refresh()
{
    clear();
    if (m_state.empty())
        return;
    const ptx::KernelRun& run = m_state.session().run();
    for (std::size_t k = 0; k < run.findings.size(); ++k) {
        auto* item = new QListWidgetItem(sentence(m_state, run.findings[k]), this);
        item->setData(Qt::UserRole, static_cast<int>(k));
    }
    for (const ptx::BlockedWarp& b : run.deadlock) {
        auto* item = new QListWidgetItem(tr("deadlock: CTA %1, warp %2 waits for ever: %3")
                                             .arg(b.cta)
                                             .arg(b.warp)
                                             .arg(QString::fromStdString(b.waitingFor)),
            this);
        item->setData(Qt::UserRole, -1);
    }
    const int faults = static_cast<int>(run.findings.size() + run.deadlock.size());
    if (faults == 0)
        new QListWidgetItem(tr("no faults found"), this);
    emit counted(faults);
}

} // namespace flashstep::ui
