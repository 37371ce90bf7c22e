// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/actions.h"
#include "ui/appearance.h"
#include "ui/kernel/code_list.h"
#include "ui/kernel/code_views.h"
#include "ui/kernel/kernel_transport.h"
#include "ui/kernel/kernel_window.h"
#include "ui/kernel/kernel_words.h"
#include "ui/kernel/matrix_view.h"
#include "ui/kernel/register_view.h"
#include "ui/kernel/shared_view.h"
#include "ui/kernel/side_panels.h"
#include "ui/kernel/strip_view.h"

#include <QDialog>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace flashstep::ui {

void KernelWindow::makeMenus()
{
    const auto keys = [](const char* text) { return QString::fromLatin1(text).split(QLatin1Char('|')); };
    QMenu* run = menuBar()->addMenu(tr("&Run"));
    const auto add = [this](QMenu* menu, const char* id, const QString& text, const QStringList& shortcuts,
                         const std::function<void()>& act) {
        m_actions->add(menu, QString::fromLatin1(id), text, shortcuts, act);
    };
    const auto seek = [this](auto&& act) {
        return [this, act] {
            if (!m_state.empty())
                act();
        };
    };
    add(run, "step", tr("Step &forward"), keys("F10|Right"), [this] { m_transport->step(true); });
    add(run, "back", tr("Step &back"), keys("Shift+F10|F4|Left"), [this] { m_transport->step(false); });
    add(run, "finer", tr("&Into finer steps"), keys("F11"), [this] {
        m_transport->setKind(static_cast<ptx::StepKind>(std::max(0, static_cast<int>(m_transport->kind()) - 1)));
    });
    add(run, "coarser", tr("&Out to coarser steps"), keys("Shift+F11"), [this] {
        m_transport->setKind(static_cast<ptx::StepKind>(std::min(2, static_cast<int>(m_transport->kind()) + 1)));
    });
    run->addSeparator();
    const struct {
        const char *id, *key;
        QString name;
        ptx::StepKind kind;
    } kinds[] = { { "instruction", "I", tr("instruction"), ptx::StepKind::Instruction },
        { "line", "L", tr("CUDA line"), ptx::StepKind::Line },
        { "barrier", "B", tr("barrier or wait"), ptx::StepKind::Barrier } };
    for (const auto& one : kinds) {
        const ptx::StepKind kind = one.kind;
        m_actions->add(run, QStringLiteral("next.") + QLatin1String(one.id), tr("Next %1").arg(one.name),
            { QString::fromLatin1(one.key) }, [this, kind] { m_state.step(kind, true); });
        m_actions->add(run, QStringLiteral("previous.") + QLatin1String(one.id), tr("Previous %1").arg(one.name),
            { QStringLiteral("Shift+") + QLatin1String(one.key) }, [this, kind] { m_state.step(kind, false); });
    }
    run->addSeparator();
    add(run, "goTo", tr("&Go to a position"), keys("Ctrl+G"), [this] {
        m_goTo->setFocus(Qt::ShortcutFocusReason);
        m_goTo->selectAll();
    });
    add(run, "start", tr("To the s&tart"), keys("Home"), [this] { m_state.seek(0); });
    add(run, "end", tr("To the &end"), keys("End"), [this] { m_state.seek(m_state.end()); });
    run->addSeparator();
    add(run, "breakpoint", tr("Breakpoint at the current CUDA line"), keys("F9"), [this] { toggleBreakpointHere(); });
    add(run, "runToNext", tr("Run to the &next breakpoint"), keys("F8"), seek([this] {
        if (!m_state.seekBreakpoint(true))
            say(tr("no breakpoint is reached after this"));
    }));
    add(run, "runToPrevious", tr("Run back to the pre&vious breakpoint"), keys("Shift+F8"), seek([this] {
        if (!m_state.seekBreakpoint(false))
            say(tr("no breakpoint is reached before this"));
    }));
    add(run, "stop", tr("&Stop the run under way"), keys("Shift+F5"), [this] { m_runner.cancel(); });

    QMenu* warp = menuBar()->addMenu(tr("&Warp"));
    add(warp, "any", tr("&Any: the one whose turn it is"), keys("Ctrl+0"), [this] { m_state.followAny(); });
    const auto turn = [this](int by) {
        if (m_state.empty())
            return;
        const auto warps = static_cast<int>(m_state.warpCount());
        m_state.follow(
            m_state.now().cta, static_cast<std::uint32_t>((static_cast<int>(m_state.now().warp) + by + warps) % warps));
    };
    add(warp, "nextWarp", tr("&Next warp of the CTA"), keys("Ctrl+Down|W"), [turn] { turn(1); });
    add(warp, "previousWarp", tr("&Previous warp of the CTA"), keys("Ctrl+Up|Shift+W"), [turn] { turn(-1); });
    const auto turnCta = [this](int by) {
        if (m_state.empty())
            return;
        const auto ctas = static_cast<int>(m_state.ctaCount());
        m_state.follow(
            static_cast<std::uint32_t>((static_cast<int>(m_state.now().cta) + by + ctas) % ctas), m_state.now().warp);
    };
    add(warp, "nextCta", tr("Next &CTA"), keys("Ctrl+Alt+Down"), [turnCta] { turnCta(1); });
    add(warp, "previousCta", tr("Previous C&TA"), keys("Ctrl+Alt+Up"), [turnCta] { turnCta(-1); });

    QMenu* broken = menuBar()->addMenu(tr("&Break"));
    broken->setToolTipsVisible(true);
    connect(broken, &QMenu::aboutToShow, this, [this, broken] { fillBreakMenu(broken); });

    QMenu* view = menuBar()->addMenu(tr("&View"));
    const QStringList names = tabNames();
    const QStringList titles { tr("Registers"), tr("Matrix"), tr("Shared memory"), tr("Warps and barriers"),
        tr("Faults") };
    QWidget* const parts[] { &m_registers->table(), &m_matrix->canvas(), &m_shared->grid(), m_warps, m_findings };
    m_actions->add(view, QStringLiteral("show.cuda"), tr("Go to CUDA"), { QStringLiteral("Ctrl+1") },
        [this] { m_cuda->kernel().setFocus(Qt::ShortcutFocusReason); });
    m_actions->add(view, QStringLiteral("show.ptx"), tr("Go to PTX"), { QStringLiteral("Ctrl+2") },
        [this] { m_ptx->list().setFocus(Qt::ShortcutFocusReason); });
    for (int k = 0; k < names.size(); ++k)
        m_actions->add(view, QStringLiteral("show.") + names[k], tr("Go to %1").arg(titles[k]),
            { QStringLiteral("Ctrl+%1").arg(k + 3) }, [this, name = names[k], part = parts[k]] {
                (void)showTab(name);
                part->setFocus(Qt::ShortcutFocusReason);
            });
    add(view, "findRegister", tr("&Find a register"), keys("Ctrl+F"), [this] {
        (void)showTab(QStringLiteral("registers"));
        m_registers->filter().setFocus(Qt::ShortcutFocusReason);
    });
    view->addSeparator();
    add(view, "larger", tr("&Larger"), keys("Ctrl++|Ctrl+="),
        [this] { m_appearance.setScale(m_appearance.scale() * 1.1); });
    add(view, "smaller", tr("S&maller"), keys("Ctrl+-"), [this] { m_appearance.setScale(m_appearance.scale() / 1.1); });
    add(view, "zoomIn", tr("Zoom the cycles in"), keys("Ctrl+Shift+="),
        seek([this] { m_strip->zoom(1.5, static_cast<double>(m_state.now().cycle)); }));
    add(view, "zoomOut", tr("Zoom the cycles out"), keys("Ctrl+Shift+-"),
        seek([this] { m_strip->zoom(1 / 1.5, static_cast<double>(m_state.now().cycle)); }));
    view->addSeparator();
    add(view, "light", tr("Light theme"), {}, [this] { m_appearance.setChoice(Appearance::Choice::Light); });
    add(view, "dark", tr("Dark theme"), {}, [this] { m_appearance.setChoice(Appearance::Choice::Dark); });
    view->addSeparator();
    add(view, "close", tr("&Close this window"), keys("Ctrl+W"), [this] { close(); });
    QMenu* help = menuBar()->addMenu(tr("&Help"));
    add(help, "shortcuts", tr("&Keyboard shortcuts"), keys("F1|?"), [this] { showShortcuts(); });

    for (QWidget* canvas : { static_cast<QWidget*>(m_transport), static_cast<QWidget*>(&m_cuda->kernel()),
             static_cast<QWidget*>(&m_cuda->helper()), static_cast<QWidget*>(&m_ptx->list()),
             static_cast<QWidget*>(m_strip), static_cast<QWidget*>(&m_registers->table()),
             static_cast<QWidget*>(&m_shared->grid()), static_cast<QWidget*>(&m_matrix->canvas()) })
        m_actions->addCanvas(canvas);
}

// The instructions that order things: what goes wrong without each is the lesson.
void KernelWindow::fillBreakMenu(QMenu* menu)
{
    menu->clear();
    if (m_state.empty())
        return;
    const KernelState::Now& now = m_state.now();
    const std::set<std::uint32_t>& dropped = m_state.subject().request.dropped;
    if (!dropped.empty()) {
        menu->addAction(tr("Put everything back"), this, [this] {
            KernelRequest request = m_request;
            request.dropped.clear();
            open(request);
        });
        for (const std::uint32_t line : dropped)
            menu->addAction(tr("Put PTX line %1 back").arg(line), this, [this, line] { dropLine(line); });
        menu->addSeparator();
    }
    if (now.pc != ptx::none && now.pc < now.code->function->statements.size()) {
        const std::uint32_t line = m_state.ptxLine(now.pc);
        menu->addAction(
            tr("Drop the current instruction: %1").arg(QString::fromStdString(now.code->statementAt(now.pc).text())),
            this, [this, line] { dropLine(line); });
        menu->addSeparator();
    }
    const auto& statements = now.code->function->statements;
    for (std::uint32_t pc = 0; pc < statements.size(); ++pc) {
        const ptx::Instruction& i = now.code->instructions[pc];
        const bool orders = i.flow == ptx::Flow::Barrier || i.flow == ptx::Flow::Wait;
        if (!orders)
            continue;
        const std::uint32_t line = statements[pc].line;
        menu->addAction(tr("Drop %1 of line %2 (PTX line %3)")
                            .arg(QString::fromStdString(statements[pc].text()), placeText(m_state.ownPlace(pc)))
                            .arg(line),
            this, [this, line] { dropLine(line); });
    }
}

void KernelWindow::toggleBreakpointHere()
{
    if (m_state.empty() || m_state.now().pc == ptx::none)
        return;
    CodeList& list = m_cuda->kernel();
    SourcePlace place = m_state.ownPlace(m_state.now().pc);
    if (list.hasFocus() && list.cursorLine() > 0)
        place.line = list.cursorLine();
    if (!place.file.empty())
        m_state.toggleBreakpoint(place);
}

void KernelWindow::showShortcuts()
{
    QString html = QStringLiteral("<table cellspacing=0 cellpadding=4>");
    for (const QAction* action : m_actions->all()) {
        const QStringList keys = m_actions->keysOf(action);
        if (!keys.isEmpty())
            html += QStringLiteral("<tr><td>%1</td><td style='padding-left:24px'><code>%2</code></td></tr>")
                        .arg(action->text().section(QLatin1Char('\t'), 0, 0).remove(QLatin1Char('&')).toHtmlEscaped(),
                            keys.join(QStringLiteral("</code> or <code>")));
    }
    html += QStringLiteral("</table>")
        + tr(
            "<p>In a text: the arrow keys move the cursor, Enter goes to the line's next execution, Shift+Enter to the "
            "one before. On the cycles: Ctrl and the wheel zoom.</p>");
    auto* sheet = new QDialog(this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->setWindowTitle(tr("Keyboard shortcuts"));
    auto* column = new QVBoxLayout(sheet);
    auto* text = new QTextBrowser(sheet);
    text->setHtml(html);
    column->addWidget(text);
    sheet->resize(m_appearance.px(520), m_appearance.px(560));
    sheet->show();
}

} // namespace flashstep::ui
