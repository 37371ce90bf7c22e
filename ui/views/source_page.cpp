// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/source_page.h"

#include "resources/embedded/resources.h"
#include "ui/document.h"
#include "ui/playback.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <KSyntaxHighlighting/AbstractHighlighter>
#include <KSyntaxHighlighting/Definition>
#include <KSyntaxHighlighting/Format>
#include <KSyntaxHighlighting/Repository>
#include <KSyntaxHighlighting/State>
#include <KSyntaxHighlighting/Theme>

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <set>

namespace flashstep::ui {

namespace {

// The definitions are the library's, the tones our own.
class Inker : public KSyntaxHighlighting::AbstractHighlighter {
public:
    std::vector<SourcePage::Ink> next(const QString& line)
    {
        m_inks.clear();
        m_at = 0;
        m_state = highlightLine(line, m_state);
        if (m_at < line.size())
            m_inks.push_back({ static_cast<int>(line.size()) - m_at });
        return m_inks;
    }

protected:
    void applyFormat(int offset, int length, const KSyntaxHighlighting::Format& format) override
    {
        using Style = KSyntaxHighlighting::Theme::TextStyle;
        using Tone = SourcePage::Ink::Tone;
        const Style style = format.textStyle();
        const bool comment = style == Style::Comment || style == Style::Documentation || style == Style::Annotation
            || style == Style::CommentVar || style == Style::Information || style == Style::RegionMarker;
        const bool strong = style == Style::Keyword || style == Style::ControlFlow;
        const bool second = style == Style::String || style == Style::Char || style == Style::Preprocessor
            || style == Style::Import || style == Style::DataType || style == Style::Attribute;
        if (offset < m_at || length <= 0)
            return;
        if (offset > m_at)
            m_inks.push_back({ offset - m_at });
        m_inks.push_back({ length, comment ? Tone::Third : second ? Tone::Second : Tone::First, strong });
        m_at = offset + length;
    }

private:
    KSyntaxHighlighting::State m_state;
    std::vector<SourcePage::Ink> m_inks;
    int m_at = 0;
};

QString tr(const char* text)
{
    return QCoreApplication::translate("flashstep::ui::SourcePage", text);
}

// "warp 0" … "warp 3" on one line read "warps 0–3", "softmax0", "softmax1" read "softmax0–1".
QString rolesTogether(const std::set<QString>& roles)
{
    std::map<QString, std::vector<int>> families; // by what stands before the number
    QStringList others;
    for (const QString& role : roles) {
        int digits = 0;
        while (digits < role.size() && role[role.size() - 1 - digits].isDigit())
            ++digits;
        if (digits == 0)
            others.append(role);
        else
            families[role.left(role.size() - digits)].push_back(role.rightRef(digits).toInt());
    }
    QStringList parts;
    for (auto& [family, numbers] : families) {
        std::sort(numbers.begin(), numbers.end());
        const bool several = numbers.size() > 1;
        const bool run = numbers.back() - numbers.front() + 1 == static_cast<int>(numbers.size());
        QStringList words;
        for (const int number : numbers)
            words.append(QString::number(number));
        const QString before
            = several && family.endsWith(QLatin1Char(' ')) ? family.trimmed() + QStringLiteral("s ") : family;
        parts.append(before
            + (several && run ? words.front() + QChar(0x2013) + words.back() : words.join(QStringLiteral(", "))));
    }
    return (others + parts).join(QStringLiteral(", "));
}

int indentOf(const QString& text)
{
    return static_cast<int>(
        std::find_if(text.begin(), text.end(), [](QChar c) { return !c.isSpace(); }) - text.begin());
}

} // namespace

void SourcePage::take(const QString& text, const QString& language, KSyntaxHighlighting::Repository& repository)
{
    QStringList lines = text.split(QLatin1Char('\n'));
    while (!lines.isEmpty() && lines.last().isEmpty())
        lines.removeLast();
    Inker inker;
    if (!language.isEmpty())
        inker.setDefinition(repository.definitionForName(language));
    for (const QString& line : lines) {
        Line made;
        made.text = line;
        made.number = QString::number(m_lines.size() + 1);
        made.indent = indentOf(line);
        made.inks = language.isEmpty() ? std::vector<Ink> { Ink { static_cast<int>(line.size()) } } : inker.next(line);
        m_lines.push_back(std::move(made));
    }
}

void SourcePage::load(const Session& session, KSyntaxHighlighting::Repository& repository)
{
    m_hasOps.clear();
    m_map = {};
    m_file = m_title = m_note = QString();
    const auto isNew = [this] {
        if (m_file == m_set && !m_lines.empty())
            return false;
        m_lines.clear();
        m_set = m_file;
        return true;
    };
    if (session.document.empty()) {
        m_lines.clear();
        m_note = tr("Nothing is open");
        return;
    }
    const Program& program = session.document.program();
    if (m_kind == SourceText::Schedule) {
        m_file = QString::fromStdString(program.source);
        m_title = tr("the schedule that was run");
        const auto text = resource("source/" + program.source);
        if (!text)
            m_lines.clear();
        else if (isNew())
            take(fromView(*text), QStringLiteral("C++"), repository);
    } else {
        Result<std::optional<AnchoredText>> read = anchoredText(m_kind, program.algorithm, program.pass);
        if (!read || !read->has_value()) {
            m_lines.clear();
            m_note = !read                   ? QString::fromStdString(read.error().line())
                : m_kind == SourceText::Cuda ? tr("no CUDA kernel of this version here yet")
                                             : tr("there is no such text of this version");
            return;
        }
        AnchoredText& text = **read;
        m_file = QString::fromStdString(text.file);
        m_title = QString::fromStdString(text.title);
        m_note = QString::fromStdString(text.note);
        if (m_kind == SourceText::Paper) {
            // What it is, and what is not certain, stands above the lines themselves.
            text.lines.insert(text.lines.begin(), { AnchoredLine { text.title, {}, {} }, { text.note, {}, {} } });
            const std::vector<AnchoredLine> none;
            for (const AnchoredLine& line : isNew() ? text.lines : none) {
                Line made;
                made.text = QString::fromStdString(line.text);
                made.number = QString::fromStdString(line.number);
                made.indent = indentOf(made.text);
                made.prose = m_lines.size() < 2;
                made.inks = { Ink { static_cast<int>(made.text.size()),
                    made.prose ? Ink::Tone::Third : Ink::Tone::First, line.number.empty() && !made.prose } };
                m_lines.push_back(std::move(made));
            }
        } else if (isNew()) {
            QStringList lines;
            for (const AnchoredLine& line : text.lines)
                lines.append(QString::fromStdString(line.text));
            take(lines.join(QLatin1Char('\n')), QString::fromStdString(text.language), repository);
        }
        Result<LineMap> map = LineMap::make(text, program);
        if (!map) {
            m_lines.clear();
            m_note = QString::fromStdString(map.error().line());
            return;
        }
        m_map = std::move(*map);
    }
    m_hasOps.assign(m_lines.size() + 1, false);
    if (m_kind == SourceText::Schedule) {
        for (const Op& op : program.ops)
            if (op.line < m_hasOps.size())
                m_hasOps[op.line] = true;
    } else {
        for (int line = 1; line <= count(); ++line)
            m_hasOps[static_cast<std::size_t>(line)] = m_map.anchored(line);
    }
}

bool SourcePage::hasOps(int line) const
{
    return line > 0 && line < static_cast<int>(m_hasOps.size()) && m_hasOps[static_cast<std::size_t>(line)];
}

int SourcePage::lineOf(const Op& op) const
{
    return m_kind == SourceText::Schedule ? static_cast<int>(op.line) : m_map.lineOf(op);
}

LineMap::Place SourcePage::placeOf(const Trace& trace, InstanceId instance) const
{
    const Program& program = trace.program();
    const OpId id = trace.opOf(instance);
    const Op& op = program.op(id);
    if (m_kind == SourceText::Schedule)
        return { static_cast<int>(op.line), true };
    for (const RoleRange& role : trace.streamOf(trace.workOf(instance)).roles)
        if (role.role == op.role && id.index() >= role.first && id.index() < role.first + role.count)
            return m_map.placeOf(program, role, id);
    return {};
}

std::map<int, SourcePage::Current> SourcePage::current(
    const Session& session, const std::vector<RoleState>& states) const
{
    std::map<int, Current> out;
    if (session.document.empty() || !available())
        return out;
    const Trace& trace = session.document.trace();
    std::map<int, std::set<QString>> roles;
    for (const RoleState& state : states) {
        if (!state.current.valid() || state.kind == RoleState::Kind::Done)
            continue;
        const LineMap::Place place = placeOf(trace, state.current);
        if (place.line == 0)
            continue;
        roles[place.line].insert(QString::fromStdString(trace.program().roles[state.role.index()].name));
        out[place.line].exact |= place.exact;
    }
    for (const auto& [line, names] : roles)
        out[line].roles = rolesTogether(names);
    return out;
}

std::optional<Position> SourcePage::execution(const Session& session, int line, bool after) const
{
    if (session.document.empty() || !session.selection.cta().valid() || line <= 0)
        return {};
    const Trace& trace = session.document.trace();
    const Program& program = session.document.program();
    const Position here = session.playback.position();
    std::optional<Position> nearest; // on the side asked for
    std::optional<Position> farthest; // from which that side is reached again
    for (const WorkId work : trace.worksOf(session.selection.cta())) {
        const Stream& stream = trace.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            if (lineOf(program.ops[k]) != line)
                continue;
            const InstanceId instance = trace.instance(work, OpId(k));
            if (!trace.began(instance))
                continue;
            const Position at = trace.beginPosition(instance);
            if ((after ? at > here : at < here) && (!nearest || (after ? at < *nearest : at > *nearest)))
                nearest = at;
            if (!farthest || (after ? at < *farthest : at > *farthest))
                farthest = at;
        }
    }
    return nearest ? nearest : farthest;
}

} // namespace flashstep::ui
