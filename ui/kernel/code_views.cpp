// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/code_views.h"

#include "resources/embedded/resources.h"
#include "ui/appearance.h"
#include "ui/kernel/code_list.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QRegularExpression>
#include <QSplitter>
#include <QVBoxLayout>

namespace flashstep::ui {

namespace {

QWidget* head(QLabel* title, QLabel* info, QWidget* parent)
{
    auto* bar = new QWidget(parent);
    setRole(bar, "dockhead");
    bar->setAttribute(Qt::WA_StyledBackground);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(12, 0, 12, 0);
    bar->setMinimumHeight(26);
    row->addWidget(title);
    row->addStretch(1);
    if (info != nullptr)
        row->addWidget(info);
    return bar;
}

std::vector<CodeList::Line> linesOf(const QString& text)
{
    std::vector<CodeList::Line> out;
    int number = 0;
    for (const QString& line : text.split(QLatin1Char('\n')))
        out.push_back({ line, ++number, static_cast<int>(line.indexOf(QStringLiteral("//"))), false });
    if (!out.empty() && out.back().text.isEmpty())
        out.pop_back();
    return out;
}

} // namespace

QString warpNames(const std::set<std::uint32_t>& warps)
{
    QStringList parts;
    for (auto at = warps.begin(); at != warps.end();) {
        const std::uint32_t first = *at;
        std::uint32_t last = first;
        while (++at != warps.end() && *at == last + 1)
            last = *at;
        parts.append(first == last ? QStringLiteral("w%1").arg(first)
                                   : QStringLiteral("w%1%2%3").arg(first).arg(QChar(0x2013)).arg(last));
    }
    return parts.join(QStringLiteral(", "));
}

CudaView::CudaView(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_kernelTitle(makeLabel(tr("CUDA"), "title", this))
    , m_helperTitle(makeLabel(tr("Inlined helper"), "title", this))
    , m_helperInfo(makeLabel({}, "info", this))
    , m_kernel(new CodeList(appearance, tr("CUDA source of the kernel"), this))
    , m_helper(new CodeList(appearance, tr("CUDA source of the helper that was inlined"), this))
    , m_split(new QSplitter(Qt::Vertical, this))
{
    setObjectName(QStringLiteral("kernel.cuda"));
    const auto pane = [this](QLabel* title, QLabel* info, CodeList* list) {
        auto* box = new QWidget(m_split);
        auto* column = new QVBoxLayout(box);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(0);
        column->addWidget(head(title, info, box));
        column->addWidget(list, 1);
        m_split->addWidget(box);
    };
    pane(m_kernelTitle, nullptr, m_kernel);
    pane(m_helperTitle, m_helperInfo, m_helper);
    m_split->setStretchFactor(0, 3);
    m_split->setStretchFactor(1, 2);
    m_split->setSizes({ 300, 180 });
    m_split->setChildrenCollapsible(false);
    auto* all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->addWidget(m_split);
    connectList(m_kernel, false);
    connectList(m_helper, true);
    connect(&state, &KernelState::loaded, this, &CudaView::load);
    connect(&state, &KernelState::moved, this, [this] { showMarks(true); });
    connect(&state, &KernelState::looked, this, [this] { showMarks(false); });
    connect(&state, &KernelState::marked, this, [this] { showMarks(false); });
}

std::string CudaView::fileOf(bool isHelper) const
{
    return isHelper ? m_helperFile : m_state.subject().plan->file;
}

void CudaView::connectList(CodeList* list, bool isHelper)
{
    connect(list, &CodeList::pointedAt, this, [this, isHelper](int line) {
        if (!m_state.empty())
            m_state.point(line == 0 ? std::set<std::uint32_t>() : m_state.pcsOf({ fileOf(isHelper), line }));
    });
    connect(list, &CodeList::asked, this, [this, isHelper](int line, bool backwards) {
        if (!m_state.empty() && !m_state.seekLine({ fileOf(isHelper), line }, !backwards))
            emit m_state.said(m_state.pcsOf({ fileOf(isHelper), line }).empty()
                    ? tr("no instruction stands for line %1").arg(line)
                    : tr("this warp does not execute line %1").arg(line));
    });
    connect(list, &CodeList::breakpointAsked, this, [this, isHelper](int line) {
        if (!m_state.empty())
            m_state.toggleBreakpoint({ fileOf(isHelper), line });
    });
    connect(list, &CodeList::menuAsked, this, [this, isHelper, list](int line, const QPoint& at) {
        if (m_state.empty())
            return;
        const SourcePlace place { fileOf(isHelper), line };
        QMenu menu(list);
        menu.addAction(tr("Go to its next execution"), list, [&] { emit list->asked(line, false); });
        menu.addAction(tr("Go to its previous execution"), list, [&] { emit list->asked(line, true); });
        menu.addAction(
            m_state.breakpoints().count(place) != 0 ? tr("Take the breakpoint away") : tr("Stop here: breakpoint"),
            list, [&] { m_state.toggleBreakpoint(place); });
        menu.exec(at);
    });
}

namespace {

void markCode(std::vector<CodeList::Line>& lines, const KernelState& state, const std::string& file)
{
    const auto& chains = state.subject().chains[state.now().launch];
    for (const CudaChain& chain : chains) {
        for (const ptx::CudaLine& at : chain) {
            if (at.line >= 1 && at.line <= lines.size() && state.fileName(at.file) == file)
                lines[at.line - 1].hasCode = true;
        }
    }
}

} // namespace

void CudaView::load()
{
    const std::string file = m_state.subject().plan->file;
    const auto text = resource("source/" + file);
    std::vector<CodeList::Line> lines = linesOf(text ? fromView(*text) : QString());
    markCode(lines, m_state, file);
    m_kernel->setLines(std::move(lines));
    m_kernelTitle->setText(QString::fromStdString(file));
    m_helperFile.clear();
    m_helper->setLines({});
}

void CudaView::openHelper(const std::string& file)
{
    if (file == m_helperFile)
        return;
    m_helperFile = file;
    const auto text = resource("source/" + file);
    std::vector<CodeList::Line> lines = linesOf(text ? fromView(*text) : QString());
    markCode(lines, m_state, file);
    m_helper->setLines(std::move(lines));
}

void CudaView::showMarks(bool follow)
{
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    const std::string kernelFile = m_state.subject().plan->file;
    CodeList::Marks own, inner;
    const bool somewhere = now.pc != ptx::none;
    const SourcePlace at = somewhere ? m_state.ownPlace(now.pc) : SourcePlace {};
    const SourcePlace within = somewhere ? m_state.innerPlace(now.pc) : SourcePlace {};
    if (at.file == kernelFile)
        own.current = at.line;
    const bool inHelper = !within.file.empty() && within.file != kernelFile;
    if (inHelper) {
        openHelper(within.file);
        inner.current = within.line;
        own.through = true;
    }
    std::map<int, std::set<std::uint32_t>> ownWho, innerWho;
    for (std::uint32_t w = 0; w < m_state.warpCount(); ++w) {
        const std::uint32_t pc = m_state.pcOf(w);
        if (pc == ptx::none)
            continue;
        const SourcePlace place = m_state.ownPlace(pc);
        if (place.file == kernelFile)
            ownWho[place.line].insert(w);
        const SourcePlace deep = m_state.innerPlace(pc);
        if (deep.file == m_helperFile && !m_helperFile.empty())
            innerWho[deep.line].insert(w);
    }
    for (const auto& [line, warps] : ownWho)
        own.who[line] = warpNames(warps);
    for (const auto& [line, warps] : innerWho)
        inner.who[line] = warpNames(warps);
    for (const std::uint32_t pc : m_state.pointed()) {
        for (const ptx::CudaLine& line : m_state.chain(pc)) {
            const std::string file = m_state.fileName(line.file);
            if (file == kernelFile)
                own.pointed.insert(static_cast<int>(line.line));
            else if (file == m_helperFile)
                inner.pointed.insert(static_cast<int>(line.line));
        }
    }
    for (const SourcePlace& place : m_state.breakpoints())
        (place.file == kernelFile ? own : inner)
            .breakpoints.insert(place.file == kernelFile || place.file == m_helperFile ? place.line : -1);
    for (const ptx::Finding& f : m_state.session().run().findings) {
        if (f.launch != now.launch)
            continue;
        const SourcePlace place = m_state.ownPlace(f.party.pc);
        if (place.file == kernelFile)
            own.faults.insert(place.line);
    }
    m_kernel->setMarks(std::move(own), follow);
    m_helper->setMarks(std::move(inner), follow && inHelper);
    m_helperTitle->setText(m_helperFile.empty() ? tr("Inlined helper") : QString::fromStdString(m_helperFile));
    m_helperInfo->setText(inHelper     ? tr("inlined at line %1").arg(at.line)
            : somewhere && at.line > 0 ? tr("not in a helper: the kernel's own line")
            : somewhere                ? tr("no CUDA line: the compiler's own")
                                       : QString());
}

PtxView::PtxView(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_info(makeLabel({}, "info", this))
    , m_list(new CodeList(appearance, tr("PTX of the kernel"), this))
{
    setObjectName(QStringLiteral("kernel.ptx"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(head(makeLabel(tr("PTX"), "title", this), m_info, this));
    column->addWidget(m_list, 1);
    connect(m_list, &CodeList::pointedAt, this, [this](int line) {
        if (m_state.empty())
            return;
        const std::uint32_t pc = line == 0 ? ptx::none : m_state.pcOfPtxLine(static_cast<std::uint32_t>(line));
        m_state.point(pc == ptx::none ? std::set<std::uint32_t>() : std::set<std::uint32_t> { pc });
    });
    connect(m_list, &CodeList::asked, this, [this](int line, bool backwards) {
        if (!m_state.empty() && !m_state.seekPtxLine(static_cast<std::uint32_t>(line), !backwards))
            emit m_state.said(m_state.pcOfPtxLine(static_cast<std::uint32_t>(line)) == ptx::none
                    ? tr("there is no instruction on PTX line %1").arg(line)
                    : tr("this warp does not execute PTX line %1").arg(line));
    });
    connect(m_list, &CodeList::menuAsked, this, [this](int line, const QPoint& at) {
        if (m_state.empty())
            return;
        const bool dropped = m_state.subject().request.dropped.count(static_cast<std::uint32_t>(line)) != 0;
        const bool code = m_state.pcOfPtxLine(static_cast<std::uint32_t>(line)) != ptx::none;
        QMenu menu(m_list);
        if (code) {
            menu.addAction(tr("Go to its next execution"), m_list, [&] { emit m_list->asked(line, false); });
            menu.addAction(tr("Go to its previous execution"), m_list, [&] { emit m_list->asked(line, true); });
            menu.addSeparator();
        }
        if (code || dropped)
            menu.addAction(dropped ? tr("Put this instruction back and run again")
                                   : tr("Break: drop this instruction and run again"),
                this, [&] { emit dropAsked(line); });
        if (!menu.isEmpty())
            menu.exec(at);
    });
    connect(&state, &KernelState::loaded, this, [this] { m_launch = ptx::none; });
    connect(&state, &KernelState::moved, this, [this] {
        load();
        showMarks(true);
    });
    connect(&state, &KernelState::looked, this, [this] { showMarks(false); });
}

// The entry of the launch under way, with the lines that were dropped in their places.
void PtxView::load()
{
    if (m_launch == m_state.now().launch)
        return;
    m_launch = m_state.now().launch;
    const ptx::Function& function = *m_state.now().code->function;
    const auto& text = m_state.subject().module->text;
    const auto original = resource("ptx/" + m_state.subject().ptxFile.substr(m_state.subject().ptxFile.rfind('/') + 1));
    const QStringList all = original ? fromView(*original).split(QLatin1Char('\n')) : QStringList();
    const std::uint32_t last = function.statements.empty() ? function.line : function.statements.back().line + 2;
    std::set<std::uint32_t> code;
    for (const ptx::Statement& s : function.statements)
        code.insert(s.line);
    std::vector<CodeList::Line> lines;
    for (std::uint32_t line = function.line; line <= last && line <= text.size(); ++line) {
        CodeList::Line made;
        made.number = static_cast<int>(line);
        made.text = QString::fromStdString(text[line - 1]);
        if (m_state.subject().request.dropped.count(line) != 0 && static_cast<int>(line) <= all.size())
            made.text = all[static_cast<int>(line) - 1];
        static const QRegularExpression blanks(QStringLiteral("[ \\t]+"));
        made.text = made.text.trimmed().replace(blanks, QStringLiteral(" "));
        const bool outside = made.text.endsWith(QLatin1Char(':')) || made.text.startsWith(QStringLiteral(".visible"))
            || made.text.startsWith(QStringLiteral(".entry")) || made.text == QStringLiteral("{")
            || made.text == QStringLiteral("}");
        if (!outside)
            made.text.prepend(QStringLiteral("  "));
        made.hasCode = code.count(line) != 0;
        const QString trimmed = made.text.trimmed();
        // Where a line comes from stands beside, in CUDA.
        if (trimmed.startsWith(QStringLiteral(".loc")) || trimmed.startsWith(QStringLiteral("// begin inline"))
            || trimmed.startsWith(QStringLiteral("// end inline")))
            continue;
        const bool directive = trimmed.startsWith(QLatin1Char('.')) || trimmed.startsWith(QStringLiteral("//"));
        made.commentFrom = directive ? 0 : static_cast<int>(made.text.indexOf(QStringLiteral("//")));
        lines.push_back(std::move(made));
    }
    m_list->setLines(std::move(lines));
}

void PtxView::showMarks(bool follow)
{
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    CodeList::Marks marks;
    if (now.pc != ptx::none)
        marks.current = static_cast<int>(m_state.ptxLine(now.pc));
    std::map<int, std::set<std::uint32_t>> who;
    for (std::uint32_t w = 0; w < m_state.warpCount(); ++w) {
        const std::uint32_t pc = m_state.pcOf(w);
        if (pc != ptx::none)
            who[static_cast<int>(m_state.ptxLine(pc))].insert(w);
    }
    for (const auto& [line, warps] : who)
        marks.who[line] = warpNames(warps);
    for (const std::uint32_t pc : m_state.pointed())
        marks.pointed.insert(static_cast<int>(m_state.ptxLine(pc)));
    for (const std::uint32_t line : m_state.subject().request.dropped)
        marks.dropped.insert(static_cast<int>(line));
    for (const ptx::Finding& f : m_state.session().run().findings) {
        if (f.launch == now.launch)
            marks.faults.insert(static_cast<int>(m_state.ptxLine(f.party.pc)));
    }
    m_list->setMarks(std::move(marks), follow);
    m_info->setText(tr("%1 · %2").arg(
        QString::fromStdString(now.code->function->name), QString::fromStdString(m_state.subject().ptxFile)));
}

} // namespace flashstep::ui
