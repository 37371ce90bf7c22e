// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include "ui/actions.h"
#include "ui/samples.h"
#include "ui/views/controls.h"
#include "ui/views/notice_bar.h"
#include "ui/views/stage_view.h"
#include "ui/views/tile_canvas.h"
#include "ui/views/timeline_actions.h"
#include "ui/views/timeline_canvas.h"
#include "ui/views/welcome.h"

#include <QActionGroup>
#include <QApplication>
#include <QDialog>
#include <QDockWidget>
#include <QFileInfo>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QSettings>
#include <QTextBrowser>
#include <QToolButton>
#include <QVBoxLayout>

namespace flashstep::ui {

void MainWindow::makeMenus()
{
    fileMenu();
    editMenu();
    viewMenu();
    runMenu();
    helpMenu();
}

void MainWindow::fileMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    m_actions->add(menu, QStringLiteral("open"), tr("&Open scenario or recording …"), { QStringLiteral("Ctrl+O") },
        [this] { chooseFile(); });
    QMenu* sampleMenu = menu->addMenu(tr("Open &sample"));
    for (const Sample& sample : samples())
        m_actions->add(sampleMenu, sample.resource, sample.title, {}, [this, sample] { openSample(sample.resource); });
    m_recentMenu = menu->addMenu(tr("Open &recent"));
    connect(m_recentMenu, &QMenu::aboutToShow, this, [this] {
        m_recentMenu->clear();
        const QStringList recent
            = m_options.remembers ? QSettings().value(QStringLiteral("recent")).toStringList() : QStringList();
        for (const QString& path : recent)
            connect(m_recentMenu->addAction(QFileInfo(path).fileName()), &QAction::triggered, this,
                [this, path] { open(path); });
        if (recent.isEmpty())
            m_recentMenu->addAction(tr("None yet"))->setEnabled(false);
    });
    recordingFileAction(menu);
    menu->addSeparator();
    m_actions->add(
        menu, QStringLiteral("save"), tr("&Save scenario"), { QStringLiteral("Ctrl+S") }, [this] { save(); });
    m_actions->add(menu, QStringLiteral("saveAs"), tr("Save scenario &as …"), { QStringLiteral("Ctrl+Shift+S") },
        [this] { saveAs(); });
    menu->addSeparator();
    exportMenu(menu);
    menu->addSeparator();
    m_actions->add(menu, QStringLiteral("quit"), tr("&Quit"), { QStringLiteral("Ctrl+Q") }, [this] { close(); });
}

void MainWindow::editMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&Edit"));
    undoActions(menu);
    m_actions->add(menu, QStringLiteral("find"), tr("&Find a moment or command"),
        { QStringLiteral("Ctrl+Shift+P"), QStringLiteral("Ctrl+F") }, [this] {
            m_search->setFocus(Qt::ShortcutFocusReason);
            m_search->selectAll();
        });
    m_actions->add(
        menu, QStringLiteral("findNext"), tr("Find &next"), { QStringLiteral("F3") }, [this] { searchAgain(true); });
    m_actions->add(menu, QStringLiteral("findPrevious"), tr("Find &previous"), { QStringLiteral("Shift+F3") },
        [this] { searchAgain(false); });
    m_actions->add(menu, QStringLiteral("deselect"), tr("&Deselect"), { QStringLiteral("Esc") }, [this] {
        if (m_welcome->isVisible())
            m_welcome->dismiss();
        else
            m_selection.clear();
    });
}

void MainWindow::viewMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&View"));
    const QStringList names { QStringLiteral("tiles"), QStringLiteral("numbers"), QStringLiteral("memory"),
        QStringLiteral("explain"), QStringLiteral("ledger"), QStringLiteral("inspector"), QStringLiteral("source"),
        QStringLiteral("timeline"), QStringLiteral("scenario") };
    const QStringList titles { tr("Tiles"), tr("Numbers"), tr("Memory"), tr("Explain"), tr("Ledger"), tr("Inspector"),
        tr("Source"), tr("Timeline"), tr("Scenario") };
    QMenu* views = menu->addMenu(tr("&Go to"));
    for (int k = 0; k < names.size(); ++k)
        m_actions->add(views, QStringLiteral("show.") + names[k], tr("Go to %1").arg(titles[k]),
            { QStringLiteral("Ctrl+%1").arg(k + 1) }, [this, name = names[k]] { showView(name); });
    m_actions->add(views, QStringLiteral("show.why"), tr("Go to Waiting"), { QStringLiteral("Ctrl+Alt+W") },
        [this] { showView(QStringLiteral("why")); });
    m_actions->add(views, QStringLiteral("show.bookmarks"), tr("Go to Bookmarks"), { QStringLiteral("Ctrl+Alt+B") },
        [this] { showView(QStringLiteral("bookmarks")); });
    const QStringList others { QStringLiteral("grid"), QStringLiteral("row"), QStringLiteral("exp"),
        QStringLiteral("outline") };
    const QStringList otherTitles { tr("Grid"), tr("Row"), tr("Exp"), tr("Outline") };
    for (int k = 0; k < others.size(); ++k)
        m_actions->add(views, QStringLiteral("show.") + others[k], tr("Go to %1").arg(otherTitles[k]), {},
            [this, name = others[k]] { showView(name); });
    m_actions->add(menu, QStringLiteral("show.both"), tr("Tiles beside memory"), {},
        [this] { m_stage->setMode(StageView::Mode::Both); });
    m_actions->add(
        menu, QStringLiteral("nextPane"), tr("Next pane"), { QStringLiteral("F6") }, [this] { nextPane(1); });
    m_actions->add(menu, QStringLiteral("previousPane"), tr("Previous pane"), { QStringLiteral("Shift+F6") },
        [this] { nextPane(-1); });
    menu->addSeparator();
    QMenu* panels = menu->addMenu(tr("&Panels"));
    for (const char* name : { "scenario", "outline", "bookmarks", "explain", "ledger", "row", "exp", "why", "inspector",
             "source", "timeline", "glossary", "differences" })
        panels->addAction(m_docks.value(QString::fromLatin1(name))->toggleViewAction());
    QMenu* layouts = menu->addMenu(tr("&Layout"));
    m_actions->add(layouts, QStringLiteral("layout.learn"), tr("Learn"), {}, [this] { setLayout(Layout::Learn); });
    m_actions->add(
        layouts, QStringLiteral("layout.pipeline"), tr("Pipeline"), {}, [this] { setLayout(Layout::Pipeline); });
    m_actions->add(
        layouts, QStringLiteral("layout.numbers"), tr("Numbers in full"), {}, [this] { setLayout(Layout::Numbers); });
    m_actions->add(
        layouts, QStringLiteral("layout.present"), tr("Present"), {}, [this] { setLayout(Layout::Present); });
    m_actions->add(menu, QStringLiteral("resetLayout"), tr("&Reset layout"), {}, [this] { setLayout(m_layout); });
    menu->addSeparator();
    QMenu* themes = menu->addMenu(tr("&Theme"));
    auto* group = new QActionGroup(this);
    const QStringList choices { tr("System"), tr("Light"), tr("Dark") };
    for (int k = 0; k < choices.size(); ++k) {
        const auto choice = static_cast<Appearance::Choice>(k);
        QAction* action = m_actions->add(themes, QStringLiteral("theme.%1").arg(k), tr("%1 theme").arg(choices[k]), {},
            [this, choice] { m_appearance.setChoice(choice); });
        action->setCheckable(true);
        action->setActionGroup(group);
        const auto tick = [this, action, choice] { action->setChecked(m_appearance.choice() == choice); };
        connect(&m_appearance, &Appearance::changed, action, tick);
        tick();
    }
    m_actions->add(menu, QStringLiteral("larger"), tr("Larger"), { QStringLiteral("Ctrl++"), QStringLiteral("Ctrl+=") },
        [this] { m_appearance.setScale(m_appearance.scale() + 0.125); });
    m_actions->add(menu, QStringLiteral("smaller"), tr("Smaller"), { QStringLiteral("Ctrl+-") },
        [this] { m_appearance.setScale(m_appearance.scale() - 0.125); });
    m_actions->add(menu, QStringLiteral("fullSize"), tr("Normal size"), { QStringLiteral("Ctrl+0") },
        [this] { m_appearance.setScale(1); });
    recordingViewAction(menu);
    QAction* path = m_actions->add(menu, QStringLiteral("path"), tr("Order of visits over the tiles"), {},
        [this] { m_stage->tiles()->setPath(!m_stage->tiles()->path()); });
    path->setCheckable(true);
    connect(
        m_stage->tiles(), &TileCanvas::pathChanged, path, [this, path] { path->setChecked(m_stage->tiles()->path()); });
    QAction* motion = m_actions->add(menu, QStringLiteral("motion"), tr("Motion: tiles travel"), {},
        [this] { m_appearance.setMotion(!m_appearance.motion()); });
    motion->setCheckable(true);
    const auto tickMotion = [this, motion] { motion->setChecked(m_appearance.motion()); };
    connect(&m_appearance, &Appearance::changed, motion, tickMotion);
    tickMotion();
    menu->addSeparator();
    QMenu* time = menu->addMenu(tr("Time&line"));
    m_actions->add(
        time, QStringLiteral("zoomIn"), tr("Zoom in"), { QStringLiteral("W") }, [this] { m_timeline->zoomIn(); });
    m_actions->add(
        time, QStringLiteral("zoomOut"), tr("Zoom out"), { QStringLiteral("S") }, [this] { m_timeline->zoomOut(); });
    m_actions->add(
        time, QStringLiteral("panLeft"), tr("Pan left"), { QStringLiteral("A") }, [this] { m_timeline->panLeft(); });
    m_actions->add(
        time, QStringLiteral("panRight"), tr("Pan right"), { QStringLiteral("D") }, [this] { m_timeline->panRight(); });
    m_actions->add(time, QStringLiteral("focus"), tr("Focus the selection, again to fit"), { QStringLiteral("F") },
        [this] { m_timeline->focusSelection(); });
    m_actions->add(time, QStringLiteral("previousSlice"), tr("Previous slice"), { QStringLiteral(",") },
        [this] { m_timeline->previousSlice(); });
    m_actions->add(time, QStringLiteral("nextSlice"), tr("Next slice"), { QStringLiteral(".") },
        [this] { m_timeline->nextSlice(); });
    addTimelineActions(*m_actions, time, *m_timeline);
    m_actions->add(time, QStringLiteral("fitTiles"), tr("Fit the tiles"), {}, [this] { m_stage->tiles()->fit(); });
}

void MainWindow::runMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&Run"));
    const auto add
        = [this, menu](const char* id, const QString& text, const QStringList& keys, const std::function<void()>& run) {
              m_actions->add(menu, QString::fromLatin1(id), text, keys, run);
          };
    add("step", tr("Step &forward"), { QStringLiteral("F10"), QStringLiteral("Right") },
        [this] { m_playback.stepForward(); });
    add("back", tr("Step &back"), { QStringLiteral("Shift+F10"), QStringLiteral("F4"), QStringLiteral("Left") },
        [this] { m_playback.stepBack(); });
    add("play", tr("&Play or pause"), { QStringLiteral("F5"), QStringLiteral("Space") },
        [this] { m_playback.togglePlay(); });
    add("stop", tr("&Stop"), { QStringLiteral("Shift+F5") }, [this] {
        m_controller.cancel();
        m_playback.pause();
    });
    add("reset", tr("&Reset to the start"), { QStringLiteral("Ctrl+R") }, [this] { m_playback.stop(); });
    menu->addSeparator();
    add("runToNext", tr("Run to the &next, as chosen"), { QStringLiteral("F8") }, [this] { runTo(true); });
    add("runToPrevious", tr("Run to the pre&vious, as chosen"), { QStringLiteral("Shift+F8") },
        [this] { runTo(false); });
    add("start", tr("To the s&tart"), { QStringLiteral("Home") }, [this] { m_playback.seekStart(); });
    add("end", tr("To the &end"), { QStringLiteral("End") }, [this] { m_playback.seekEnd(); });
    menu->addSeparator();
    add("finer", tr("&Into finer steps"), { QStringLiteral("F11") }, [this] { m_playback.finer(); });
    add("coarser", tr("&Out to coarser steps"), { QStringLiteral("Shift+F11") }, [this] { m_playback.coarser(); });
    add("slower", tr("Sl&ower"), { QStringLiteral("[") }, [this] { m_playback.slower(); });
    add("faster", tr("Fas&ter"), { QStringLiteral("]") }, [this] { m_playback.faster(); });
    add("scope", tr("Steps of this CTA or of all"), {},
        [this] { m_playback.follow(m_playback.followed().valid() ? CtaId::none() : m_selection.cta()); });
    menu->addSeparator();
    add("kernel", tr("The &kernel's own instructions …"), { QStringLiteral("Ctrl+K") }, [this] { openKernel(); });
    add("recordCta", tr("Compute the values of this CTA"), { QStringLiteral("Ctrl+Shift+V") }, [this] { recordCta(); });
    measureActions(menu);
    breakMenu(menu);
    movingActions(menu);
}

void MainWindow::helpMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&Help"));
    m_actions->add(menu, QStringLiteral("welcome"), tr("Four versions at a &glance"), { QStringLiteral("Shift+F1") },
        [this] { showView(QStringLiteral("welcome")); });
    m_actions->add(menu, QStringLiteral("show.glossary"), tr("Gl&ossary"), { QStringLiteral("Shift+F2") },
        [this] { showView(QStringLiteral("glossary")); });
    m_actions->add(menu, QStringLiteral("shortcuts"), tr("&Keyboard shortcuts"),
        { QStringLiteral("F1"), QStringLiteral("Ctrl+?"), QStringLiteral("?") }, [this] { showShortcuts(); });
    m_actions->add(menu, QStringLiteral("about"), tr("&About FlashStep"), {}, [this] {
        QMessageBox::about(this, tr("About FlashStep"),
            tr("<b>FlashStep %1</b><p>Steps through FlashAttention on an emulated GPU. Times are modelled, numbers are "
               "computed.</p>"
               "<p>GPL-3.0-or-later; core and resources Apache-2.0.</p>")
                .arg(QApplication::applicationVersion()));
    });
}

// The page itself, and the way to it that is always in sight.
void MainWindow::makeWelcome()
{
    m_welcome = new WelcomePage(m_appearance, m_recentMenu, this);
    connect(m_welcome, &WelcomePage::opened, this, &MainWindow::openVersion);
    connect(m_welcome, &WelcomePage::openRequested, this, &MainWindow::chooseFile);
    connect(m_welcome, &WelcomePage::dismissed, this, [this] { m_stage->focusCanvas()->setFocus(); });
    auto* button = new QToolButton(menuBar());
    setRole(button, "link");
    button->setText(tr("Four versions at a glance"));
    button->setToolTip(tr("What FlashAttention-1 to -4 reach, and what holds each of them up (Shift+F1)"));
    connect(button, &QToolButton::clicked, m_actions->action(QStringLiteral("welcome")), &QAction::trigger);
    menuBar()->setCornerWidget(button);
}

void MainWindow::showShortcuts()
{
    QString html = QStringLiteral("<table cellspacing=0 cellpadding=4>");
    for (const QAction* action : m_actions->all()) {
        const QStringList keys = m_actions->keysOf(action);
        if (keys.isEmpty())
            continue;
        html += QStringLiteral("<tr><td>%1</td><td style='padding-left:24px'><code>%2</code></td></tr>")
                    .arg(action->text().section(QLatin1Char('\t'), 0, 0).remove(QLatin1Char('&')).toHtmlEscaped(),
                        keys.join(QStringLiteral("</code> or <code>")));
    }
    html += QStringLiteral("</table>");
    auto* sheet = new QDialog(this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->setObjectName(QStringLiteral("shortcuts"));
    sheet->setWindowTitle(tr("Keyboard shortcuts"));
    auto* column = new QVBoxLayout(sheet);
    auto* text = new QTextBrowser(sheet);
    text->setHtml(
        tr("<p>Keys without Ctrl, Alt or F act while the tiles, the timeline or the transport have the focus.</p>")
        + html
        + tr("<p>On the timeline: Ctrl and the wheel zoom at the pointer, dragging pans, the ruler and the playhead "
             "seek, a double click goes to a "
             "slice's end.</p>"));
    column->addWidget(text);
    sheet->resize(m_appearance.px(520), m_appearance.px(620));
    sheet->show();
}

} // namespace flashstep::ui
