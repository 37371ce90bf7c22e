// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/source_view.h"

#include "core/trace/state.h"
#include "resources/embedded/resources.h"
#include "ui/appearance.h"
#include "ui/current.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/text.h"

#include <KSyntaxHighlighting/Definition>
#include <KSyntaxHighlighting/Format>
#include <KSyntaxHighlighting/Repository>
#include <KSyntaxHighlighting/SyntaxHighlighter>
#include <KSyntaxHighlighting/Theme>

#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>

#include <algorithm>
#include <set>

namespace flashstep::ui {

// The definitions are the library's, the colours our own: the frame has no hue, so code speaks by weight and lightness.
class QuietHighlighter : public KSyntaxHighlighting::SyntaxHighlighter {
public:
    using KSyntaxHighlighting::SyntaxHighlighter::SyntaxHighlighter;

    void setColours(const paint::Theme& theme)
    {
        m_text = theme.text;
        m_second = theme.t2;
        m_third = theme.t3;
    }

protected:
    void applyFormat(int offset, int length, const KSyntaxHighlighting::Format& format) override
    {
        using Style = KSyntaxHighlighting::Theme::TextStyle;
        const Style style = format.textStyle();
        QTextCharFormat out;
        const bool comment = style == Style::Comment || style == Style::Documentation || style == Style::Annotation
            || style == Style::CommentVar || style == Style::Information || style == Style::RegionMarker;
        const bool strong = style == Style::Keyword || style == Style::ControlFlow;
        const bool second = style == Style::String || style == Style::Char || style == Style::Preprocessor
            || style == Style::Import || style == Style::DataType || style == Style::Attribute;
        out.setForeground(comment ? m_third : second ? m_second : m_text);
        out.setFontWeight(strong ? QFont::DemiBold : QFont::Normal);
        setFormat(offset, length, out);
    }

private:
    QColor m_text, m_second, m_third;
};

namespace {

class Gutter : public QWidget {
public:
    explicit Gutter(SourceView* view)
        : QWidget(view)
        , m_view(view)
    {
    }
    [[nodiscard]] QSize sizeHint() const override { return { m_view->gutterWidth(), 0 }; }

protected:
    void paintEvent(QPaintEvent* event) override { m_view->paintGutter(event); }

private:
    SourceView* m_view;
};

// "warp 0" to "warp 3" on one line read "warps 0–3".
QString rolesTogether(const std::set<QString>& roles)
{
    const QString warp = QStringLiteral("warp ");
    std::vector<int> numbers;
    QStringList others;
    for (const QString& role : roles) {
        bool isNumber = false;
        const int number = role.startsWith(warp) ? role.mid(warp.size()).toInt(&isNumber) : 0;
        if (isNumber)
            numbers.push_back(number);
        else
            others.append(role);
    }
    std::sort(numbers.begin(), numbers.end());
    if (numbers.size() == 1)
        others.prepend(warp + QString::number(numbers.front()));
    else if (numbers.size() > 1) {
        const bool run = numbers.back() - numbers.front() + 1 == static_cast<int>(numbers.size());
        QStringList parts;
        for (const int number : numbers)
            parts.append(QString::number(number));
        others.prepend(run ? QStringLiteral("warps %1–%2").arg(numbers.front()).arg(numbers.back())
                           : QStringLiteral("warps ") + parts.join(QStringLiteral(", ")));
    }
    return others.join(QStringLiteral(", "));
}

} // namespace

SourceView::SourceView(const Session& session, QWidget* parent)
    : QPlainTextEdit(parent)
    , m_session(session)
    , m_repository(std::make_unique<KSyntaxHighlighting::Repository>())
    , m_highlighter(new QuietHighlighter(document()))
    , m_gutter(new Gutter(this))
{
    setObjectName(QStringLiteral("view.source"));
    setAccessibleName(tr("Source of the schedule"));
    setReadOnly(true);
    setLineWrapMode(QPlainTextEdit::NoWrap);
    setUndoRedoEnabled(false);
    setFrameShape(QFrame::NoFrame);
    viewport()->setCursor(Qt::PointingHandCursor);
    setToolTip(tr("Click a line to go to the next time it is run"));
    connect(this, &QPlainTextEdit::updateRequest, m_gutter, [this](const QRect& rect, int dy) {
        if (dy != 0)
            m_gutter->scroll(0, dy);
        else
            m_gutter->update(0, rect.y(), m_gutter->width(), rect.height());
    });
    connect(&session.document, &Document::changed, this, &SourceView::load);
    connect(&session.playback, &Playback::positionChanged, this, &SourceView::refresh);
    connect(&session.selection, &Selection::changed, this, &SourceView::refresh);
    connect(&session.appearance, &Appearance::changed, this, &SourceView::dress);
    dress();
    load();
}

SourceView::~SourceView() = default;

void SourceView::load()
{
    const QString file
        = m_session.document.empty() ? QString() : QString::fromStdString(m_session.document.program().source);
    if (file != m_file) {
        m_file = file;
        const auto text = resource("source/" + file.toStdString());
        setPlainText(text ? fromView(*text) : QString());
        emit fileChanged(file);
    }
    m_primary = 0;
    refresh();
}

void SourceView::dress()
{
    using KSyntaxHighlighting::Repository;
    const QFont mono = m_session.appearance.mono(11);
    setFont(mono);
    document()->setDefaultFont(mono);
    setTabStopDistance(4 * QFontMetricsF(mono).horizontalAdvance(QLatin1Char(' ')));
    const bool dark = m_session.appearance.theme().isDark;
    m_highlighter->setDefinition(m_repository->definitionForName(QStringLiteral("C++")));
    m_highlighter->setTheme(m_repository->defaultTheme(dark ? Repository::DarkTheme : Repository::LightTheme));
    m_highlighter->setColours(m_session.appearance.theme());
    m_highlighter->rehighlight();
    setViewportMargins(gutterWidth(), 0, 0, 0);
    viewport()->update();
    m_gutter->update();
}

void SourceView::refresh()
{
    std::map<int, std::set<QString>> roles;
    int primary = 0;
    if (!m_session.document.empty() && m_session.selection.cta().valid()) {
        const Trace& trace = m_session.document.trace();
        const Program& program = m_session.document.program();
        for (const RoleState& state : rolesAt(trace, m_session.selection.cta(), m_session.playback.position())) {
            if (!state.current.valid() || state.kind == RoleState::Kind::Done)
                continue;
            const Op& op = program.op(trace.opOf(state.current));
            roles[static_cast<int>(op.line)].insert(QString::fromStdString(program.roles[state.role.index()].name));
        }
        const InstanceId now = currentInstance(m_session);
        if (now.valid())
            primary = static_cast<int>(program.op(trace.opOf(now)).line);
    }
    m_current.clear();
    for (const auto& [line, names] : roles)
        m_current[line] = rolesTogether(names);
    if (primary > 0 && primary != m_primary) {
        // Kept in sight with a few lines round it, without jumping while it is.
        const QTextBlock block = document()->findBlockByNumber(primary - 1);
        const QRectF place = lineRect(primary);
        const int margin = 2 * QFontMetrics(font()).height();
        if (block.isValid()
            && (place.isEmpty() || place.top() < margin || place.bottom() > viewport()->height() - margin)) {
            const int shown = std::max(1, viewport()->height() / std::max(1, QFontMetrics(font()).lineSpacing()));
            verticalScrollBar()->setValue(std::max(0, primary - 1 - shown / 2));
        }
        const QString text = block.text();
        const int indent = static_cast<int>(
            std::find_if(text.begin(), text.end(), [](QChar c) { return !c.isSpace(); }) - text.begin());
        const double advance = QFontMetricsF(font()).horizontalAdvance(QLatin1Char(' '));
        horizontalScrollBar()->setValue(static_cast<int>(std::max(0, indent - 4) * advance));
    }
    m_primary = primary;
    viewport()->update();
    m_gutter->update();
    announceChange(this);
}

QRectF SourceView::lineRect(int line) const
{
    const QTextBlock block = document()->findBlockByNumber(line - 1);
    if (!block.isValid())
        return {};
    const QRectF rect = blockBoundingGeometry(block).translated(contentOffset());
    return { 0, rect.top(), static_cast<double>(viewport()->width()), rect.height() };
}

int SourceView::gutterWidth() const
{
    return m_session.appearance.px(88);
}

void SourceView::paintGutter(QPaintEvent* event)
{
    const paint::Theme& theme = m_session.appearance.theme();
    QPainter painter(m_gutter);
    painter.fillRect(event->rect(), theme.panel);
    painter.setFont(m_session.appearance.mono(10));
    for (QTextBlock block = firstVisibleBlock(); block.isValid() && !m_file.isEmpty(); block = block.next()) {
        const int line = block.blockNumber() + 1;
        const QRectF rect = lineRect(line);
        if (rect.top() > event->rect().bottom())
            break;
        const bool here = m_current.count(line) > 0 || line == m_primary;
        if (here) {
            painter.fillRect(QRectF(4, rect.top(), m_gutter->width() - 4, rect.height()), theme.highlight);
            painter.setPen(theme.mid);
            painter.drawLine(QPointF(4, rect.top()), QPointF(m_gutter->width(), rect.top()));
            painter.drawLine(QPointF(4, rect.bottom() - 1), QPointF(m_gutter->width(), rect.bottom() - 1));
            painter.drawLine(QPointF(4, rect.top()), QPointF(4, rect.bottom() - 1));
        }
        painter.setPen(here ? theme.text : theme.t3);
        const auto roles = m_current.find(line);
        painter.setFont(roles == m_current.end() ? m_session.appearance.mono(10)
                                                 : m_session.appearance.uiFont(10.5, QFont::Medium));
        painter.drawText(QRectF(18, rect.top(), m_gutter->width() - 26, rect.height()),
            Qt::AlignRight | Qt::AlignVCenter, roles == m_current.end() ? QString::number(line) : roles->second);
        if (line == m_primary)
            painter.drawText(
                QRectF(8, rect.top(), 14, rect.height()), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("▸"));
    }
}

void SourceView::paintEvent(QPaintEvent* event)
{
    const paint::Theme& theme = m_session.appearance.theme();
    {
        QPainter painter(viewport());
        for (const auto& [line, roles] : m_current) {
            const QRectF rect = lineRect(line);
            painter.fillRect(rect, theme.highlight);
            painter.setPen(theme.mid);
            painter.drawLine(rect.topLeft(), rect.topRight());
            painter.drawLine(QPointF(0, rect.bottom() - 1), QPointF(rect.right(), rect.bottom() - 1));
        }
    }
    QPlainTextEdit::paintEvent(event);
}

void SourceView::resizeEvent(QResizeEvent* event)
{
    QPlainTextEdit::resizeEvent(event);
    setViewportMargins(gutterWidth(), 0, 0, 0);
    const QRect content = contentsRect();
    m_gutter->setGeometry(content.left(), content.top(), gutterWidth(), content.height());
}

void SourceView::mousePressEvent(QMouseEvent* event)
{
    m_pressed = event->pos();
    QPlainTextEdit::mousePressEvent(event);
}

void SourceView::mouseReleaseEvent(QMouseEvent* event)
{
    QPlainTextEdit::mouseReleaseEvent(event);
    const bool clicked = event->button() == Qt::LeftButton && (event->pos() - m_pressed).manhattanLength() < 4
        && !textCursor().hasSelection();
    if (clicked)
        goToLine(cursorForPosition(event->pos()).blockNumber() + 1);
}

void SourceView::goToLine(int line)
{
    if (m_session.document.empty() || !m_session.selection.cta().valid())
        return;
    const Trace& trace = m_session.document.trace();
    const Program& program = m_session.document.program();
    const CtaId cta = m_session.selection.cta();
    const Position here = m_session.playback.position();
    Position next = trace.end();
    Position first = trace.end();
    bool found = false;
    bool foundNext = false;
    for (const WorkId work : trace.worksOf(cta)) {
        const Stream& stream = trace.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const InstanceId instance = trace.instance(work, OpId(k));
            if (static_cast<int>(program.ops[k].line) != line || !trace.began(instance))
                continue;
            const Position at = trace.beginPosition(instance);
            found = true;
            first = std::min(first, at);
            if (at > here) {
                foundNext = true;
                next = std::min(next, at);
            }
        }
    }
    if (found)
        m_session.playback.seek(foundNext ? next : first);
}

std::vector<AccessibleNode> SourceView::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    nodes.push_back({ QAccessible::StaticText, tr("file"), m_file, {} });
    for (const auto& [line, roles] : m_current)
        nodes.push_back({ QAccessible::StaticText, QStringLiteral("%1:%2").arg(m_file).arg(line),
            roles + QStringLiteral(": ") + document()->findBlockByNumber(line - 1).text().trimmed(), {} });
    return nodes;
}

} // namespace flashstep::ui
