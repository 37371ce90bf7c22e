// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include "ui/actions.h"
#include "ui/document.h"
#include "ui/views/controls.h"
#include "ui/views/differences_view.h"
#include "ui/views/exp_view.h"
#include "ui/views/explain_view.h"
#include "ui/views/glossary_view.h"
#include "ui/views/grid_canvas.h"
#include "ui/views/hints.h"
#include "ui/views/inspector.h"
#include "ui/views/ledger.h"
#include "ui/views/memory_canvas.h"
#include "ui/views/numbers_canvas.h"
#include "ui/views/outline.h"
#include "ui/views/pane_ring.h"
#include "ui/views/places_view.h"
#include "ui/views/row_view.h"
#include "ui/views/scenario_panel.h"
#include "ui/views/source_tabs.h"
#include "ui/views/source_view.h"
#include "ui/views/stage_view.h"
#include "ui/views/tile_canvas.h"
#include "ui/views/timeline_canvas.h"
#include "ui/views/transport.h"
#include "ui/views/welcome.h"
#include "ui/views/why_view.h"

#include <QApplication>
#include <QDockWidget>
#include <QResizeEvent>
#include <QScrollArea>
#include <QSettings>
#include <QVBoxLayout>

namespace flashstep::ui {

namespace {

constexpr int stateVersion = 1;

QString timelineTitle(const Session& session)
{
    if (session.document.empty() || !session.selection.cta().valid())
        return {};
    const CtaId cta = session.selection.cta();
    return QObject::tr("CTA %1 on SM %2")
        .arg(static_cast<qulonglong>(cta.index()))
        .arg(session.document.trace().span(cta).sm);
}

// A canvas higher than its dock may be.
QScrollArea* scrolled(QWidget* canvas, QWidget* parent)
{
    auto* area = new QScrollArea(parent);
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    area->setWidget(canvas);
    return area;
}

} // namespace

std::optional<Layout> layoutFromName(const QString& name)
{
    const QStringList names { QStringLiteral("learn"), QStringLiteral("pipeline"), QStringLiteral("numbers"),
        QStringLiteral("present") };
    const int index = static_cast<int>(names.indexOf(name.toLower()));
    return index < 0 ? std::nullopt : std::optional(static_cast<Layout>(index));
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content)
{
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(QStringLiteral("dock.") + name);
    dock->setTitleBarWidget(new DockTitle(title, m_appearance, dock));
    dock->setWidget(content);
    m_docks.insert(name, dock);
    connect(dock, &QDockWidget::topLevelChanged, this, [this] { m_arrangedByHand = m_arrangedByHand || !m_arranging; });
    connect(dock, &QDockWidget::visibilityChanged, this, [this, dock](bool visible) {
        if (!visible)
            return;
        // Raised from behind other tabs: what it put off while it was out of sight is due.
        if (QWidget* raised = view(dock->objectName().mid(5)); raised && raised->isVisible()) {
            QShowEvent shown;
            QApplication::sendEvent(raised, &shown);
        }
        if (!dock->isFloating())
            makeRoomFor(dock->objectName().mid(5));
    });
    return dock;
}

void MainWindow::makeDocks()
{
    m_ring = new PaneRing(m_appearance, this);
    m_scenario = new ScenarioPanel(m_session, this);
    m_outline = new Outline(m_session, this);
    m_explain = new ExplainView(m_session, this);
    m_ledger = new LedgerView(m_session, this);
    m_inspector = new Inspector(m_session, this);
    m_source = new SourceView(m_session, this);
    m_why = new WhyView(m_session, this);
    m_placesView = new PlacesView(m_session, m_places, this);
    addDock(QStringLiteral("scenario"), tr("Scenario"), m_scenario);
    addDock(QStringLiteral("outline"), tr("Outline"), m_outline);
    addDock(QStringLiteral("bookmarks"), tr("Bookmarks"), m_placesView);
    addDock(QStringLiteral("explain"), tr("Explain"), m_explain);
    addDock(QStringLiteral("why"), tr("Waiting"), m_why);
    m_differences = new DifferencesView(m_session, this);
    addDock(QStringLiteral("differences"), tr("Recording against schedule"), m_differences);
    auto* ledgerTitle
        = static_cast<DockTitle*>(addDock(QStringLiteral("ledger"), tr("Ledger"), m_ledger)->titleBarWidget());
    auto* inspectorTitle
        = static_cast<DockTitle*>(addDock(QStringLiteral("inspector"), tr("Inspector"), m_inspector)->titleBarWidget());
    auto* sourceTitle
        = static_cast<DockTitle*>(addDock(QStringLiteral("source"), tr("Source"), m_source)->titleBarWidget());
    ledgerTitle->addWidget(m_ledger->unitsBox());
    connect(m_ledger, &LedgerView::refreshed, ledgerTitle, [this, ledgerTitle] {
        const QString about = m_ledger->about();
        ledgerTitle->setTitle(about.isEmpty() ? tr("Ledger") : tr("Ledger of %1").arg(about));
    });
    connect(m_inspector, &Inspector::aboutChanged, inspectorTitle, &DockTitle::setInfo);
    new SourceTabs(*m_source, sourceTitle);
    m_glossary = new GlossaryView(m_session, this);
    addDock(QStringLiteral("glossary"), tr("Glossary"), m_glossary);
    connect(m_explain, &ExplainView::termClicked, this, &MainWindow::showTerm);

    auto* row = new RowView(m_session, this);
    static_cast<DockTitle*>(addDock(QStringLiteral("row"), tr("Row"), scrolled(row, this))->titleBarWidget())
        ->addWidget(row->referenceBox());
    auto* exp = new ExpView(m_session, this);
    auto* expPanel = new QWidget(this);
    auto* expColumn = new QVBoxLayout(expPanel);
    expColumn->setContentsMargins(0, 0, 0, 0);
    expColumn->setSpacing(0);
    expColumn->addWidget(exp->knobs());
    expColumn->addWidget(scrolled(exp, expPanel), 1);
    addDock(QStringLiteral("exp"), tr("Exp"), expPanel);
    connect(exp, &ExpView::requested, this, [this](const ScenarioFile& file) {
        start({ file, m_document.path(), true });
    });

    auto* bottom = new QWidget(this);
    auto* column = new QVBoxLayout(bottom);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_timeline = new TimelineCanvas(m_session, bottom);
    m_transport = new Transport(m_session, *m_timeline, bottom);
    column->addWidget(m_transport);
    column->addWidget(m_timeline, 1);
    QDockWidget* dock = addDock(QStringLiteral("timeline"), tr("Timeline"), bottom);
    dock->setTitleBarWidget(new QWidget(dock)); // the transport is its head
    dock->setFeatures(QDockWidget::DockWidgetClosable);
    const auto describe = [this] { m_timeline->setAccessibleDescription(timelineTitle(m_session)); };
    connect(&m_selection, &Selection::changed, m_timeline, describe);

    for (QWidget* canvas : std::initializer_list<QWidget*> { m_stage->tiles(), m_stage->numbers(), m_stage->memory(),
             m_stage->grid(), m_timeline, m_transport, m_transport->scrubber() })
        m_actions->addCanvas(canvas);
    m_actions->addCanvas(row);
    m_actions->addCanvas(exp);
    for (const Qt::Corner corner : { Qt::BottomLeftCorner, Qt::BottomRightCorner })
        setCorner(corner, Qt::BottomDockWidgetArea);
    setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
}

// Each preset is a function of the window's size; where it is narrow the left side becomes tabs of the right one.
void MainWindow::arrange()
{
    m_arranging = true;
    const bool narrow = width() < m_appearance.px(1200);
    m_compact = narrow;
    const auto dock = [this](const char* name) { return m_docks.value(QString::fromLatin1(name)); };
    const auto show = [&](std::initializer_list<const char*> names) {
        for (auto* each : std::as_const(m_docks)) {
            each->setFloating(false);
            each->hide();
        }
        for (const char* name : names)
            dock(name)->show();
    };
    addDockWidget(Qt::BottomDockWidgetArea, dock("timeline"));
    addDockWidget(narrow ? Qt::RightDockWidgetArea : Qt::LeftDockWidgetArea, dock("scenario"));
    addDockWidget(narrow ? Qt::RightDockWidgetArea : Qt::LeftDockWidgetArea, dock("outline"));
    addDockWidget(narrow ? Qt::RightDockWidgetArea : Qt::LeftDockWidgetArea, dock("bookmarks"));
    for (const char* name :
        { "explain", "ledger", "source", "row", "exp", "inspector", "why", "glossary", "differences" })
        addDockWidget(Qt::RightDockWidgetArea, dock(name));
    if (narrow) {
        splitDockWidget(dock("explain"), dock("ledger"), Qt::Vertical);
        tabifyDockWidget(dock("explain"), dock("scenario"));
        tabifyDockWidget(dock("explain"), dock("outline"));
        tabifyDockWidget(dock("explain"), dock("bookmarks"));
        tabifyDockWidget(dock("ledger"), dock("row"));
        tabifyDockWidget(dock("row"), dock("exp"));
        tabifyDockWidget(dock("exp"), dock("why"));
        tabifyDockWidget(dock("why"), dock("inspector"));
        tabifyDockWidget(dock("inspector"), dock("source"));
        tabifyDockWidget(dock("inspector"), dock("glossary"));
        tabifyDockWidget(dock("glossary"), dock("differences"));
    } else {
        splitDockWidget(dock("scenario"), dock("outline"), Qt::Vertical);
        splitDockWidget(dock("explain"), dock("ledger"), Qt::Vertical);
        splitDockWidget(dock("ledger"), dock("source"), Qt::Vertical);
        tabifyDockWidget(dock("outline"), dock("bookmarks"));
        tabifyDockWidget(dock("ledger"), dock("row"));
        tabifyDockWidget(dock("row"), dock("exp"));
        tabifyDockWidget(dock("exp"), dock("why"));
        tabifyDockWidget(dock("why"), dock("inspector"));
        tabifyDockWidget(dock("inspector"), dock("glossary"));
        tabifyDockWidget(dock("glossary"), dock("differences"));
    }
    switch (m_layout) {
    case Layout::Learn:
        show({ "timeline", "scenario", "outline", "bookmarks", "explain", "ledger", "row", "exp", "why", "inspector",
            "source" });
        m_stage->setMode(StageView::Mode::Both);
        break;
    case Layout::Pipeline:
        show({ "timeline", "explain", "why", "source" });
        m_stage->setMode(StageView::Mode::Both);
        break;
    case Layout::Numbers:
        show({ "timeline", "explain", "inspector" });
        m_stage->setMode(StageView::Mode::Numbers);
        break;
    case Layout::Present:
        show({ "timeline", "explain" });
        m_stage->setMode(StageView::Mode::Tiles);
        break;
    }
    dock("outline")->raise();
    dock("explain")->raise();
    dock("ledger")->raise();
    const Appearance& look = m_appearance;
    const int right = look.px(narrow || m_layout == Layout::Numbers ? 280 : 360);
    resizeDocks({ dock("explain") }, { right }, Qt::Horizontal);
    if (!narrow && m_layout == Layout::Learn)
        resizeDocks({ dock("scenario") }, { look.px(240) }, Qt::Horizontal);
    const int low = height() < look.px(780) ? 220
        : m_layout == Layout::Pipeline      ? 420
        : m_layout == Layout::Numbers       ? 250
                                            : 310;
    resizeDocks({ dock("timeline") }, { look.px(low) }, Qt::Vertical);
    if (m_layout == Layout::Learn) {
        resizeDocks({ dock("explain"), dock("ledger"), dock("source") }, { look.px(140), look.px(250), look.px(104) },
            Qt::Vertical);
        if (!narrow)
            resizeDocks({ dock("scenario"), dock("outline") }, { look.px(300), look.px(200) }, Qt::Vertical);
    }
    m_arranging = false;
}

// Of the tabs on the right some are pictures, which want more of the column than the ledger's few rows.
void MainWindow::makeRoomFor(const QString& name)
{
    const bool tall = name == QStringLiteral("row") || name == QStringLiteral("exp") || name == QStringLiteral("why")
        || name == QStringLiteral("glossary") || name == QStringLiteral("inspector")
        || name == QStringLiteral("differences");
    if (m_arranging || m_arrangedByHand || m_compact || m_layout != Layout::Learn
        || (!tall && name != QStringLiteral("ledger")))
        return;
    const Appearance& look = m_appearance;
    resizeDocks(
        { m_docks.value(QStringLiteral("explain")), m_docks.value(name), m_docks.value(QStringLiteral("source")) },
        { look.px(tall ? 96 : 140), look.px(tall ? 320 : 250), look.px(tall ? 78 : 104) }, Qt::Vertical);
}

void MainWindow::setLayout(Layout layout)
{
    m_layout = layout;
    m_arrangedByHand = false;
    m_appearance.setScale(layout == Layout::Present ? 1.5 : m_appearance.scale() == 1.5 ? 1 : m_appearance.scale());
    arrange();
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    if (!m_arrangedByHand && !m_arranging && m_stage && (width() < m_appearance.px(1200)) != m_compact)
        arrange();
}

void MainWindow::restore()
{
    if (!m_options.remembers)
        return;
    const QSettings settings;
    m_appearance.setChoice(static_cast<Appearance::Choice>(settings.value(QStringLiteral("theme"), 0).toInt()));
    m_appearance.setMotion(settings.value(QStringLiteral("motion"), true).toBool());
    m_appearance.setScale(settings.value(QStringLiteral("scale"), 1.0).toDouble());
    restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
    m_arrangedByHand = settings.value(QStringLiteral("arrangedByHand")).toBool()
        && restoreState(settings.value(QStringLiteral("docks")).toByteArray(), stateVersion);
}

void MainWindow::remember()
{
    if (!m_options.remembers)
        return;
    QSettings settings;
    settings.setValue(QStringLiteral("theme"), static_cast<int>(m_appearance.choice()));
    settings.setValue(QStringLiteral("scale"), m_appearance.scale());
    settings.setValue(QStringLiteral("motion"), m_appearance.motion());
    settings.setValue(QStringLiteral("geometry"), saveGeometry());
    settings.setValue(QStringLiteral("arrangedByHand"), m_arrangedByHand);
    settings.setValue(QStringLiteral("docks"), saveState(stateVersion));
    if (m_options.hints && m_hints)
        settings.setValue(QStringLiteral("hintsSeen"), m_hints->count() == 0);
}

QStringList MainWindow::viewNames()
{
    return { QStringLiteral("timeline"), QStringLiteral("tiles"), QStringLiteral("numbers"), QStringLiteral("memory"),
        QStringLiteral("ledger"), QStringLiteral("explain"), QStringLiteral("source"), QStringLiteral("inspector"),
        QStringLiteral("scenario"), QStringLiteral("outline"), QStringLiteral("transport"), QStringLiteral("welcome"),
        QStringLiteral("why"), QStringLiteral("bookmarks"), QStringLiteral("grid"), QStringLiteral("row"),
        QStringLiteral("exp"), QStringLiteral("glossary"), QStringLiteral("differences") };
}

QWidget* MainWindow::view(const QString& name)
{
    return findChild<QWidget*>(QStringLiteral("view.") + name);
}

void MainWindow::showView(const QString& name)
{
    showView(name, Qt::ShortcutFocusReason);
}

void MainWindow::showView(const QString& name, Qt::FocusReason reason)
{
    QWidget* widget = view(name);
    if (!widget)
        return;
    if (name == QStringLiteral("welcome"))
        return m_welcome->present();
    m_welcome->dismiss();
    const QStringList modes { QStringLiteral("tiles"), QStringLiteral("numbers"), QStringLiteral("memory") };
    if (const int mode = static_cast<int>(modes.indexOf(name)); mode >= 0)
        m_stage->setMode(static_cast<StageView::Mode>(mode));
    else if (name == QStringLiteral("grid"))
        m_stage->setMode(StageView::Mode::Grid);
    else if (QDockWidget* dock
        = m_docks.value(name == QStringLiteral("transport") ? QStringLiteral("timeline") : name)) {
        dock->show();
        dock->raise();
        if (dock->widget() == m_glossary && !dock->isFloating() && dock->height() < m_appearance.px(300)) // to be read
            resizeDocks({ dock }, { m_appearance.px(340) }, Qt::Vertical);
    }
    focusPane(widget, reason);
}

// Where a key has led is framed.
void MainWindow::focusPane(QWidget* pane, Qt::FocusReason reason)
{
    pane->setFocus(reason);
    if (reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason || reason == Qt::ShortcutFocusReason)
        m_ring->surround(pane);
}

void MainWindow::showTerm(const QString& key)
{
    m_glossary->showTerm(key);
    showView(QStringLiteral("glossary"));
}

void MainWindow::nextPane(int by)
{
    m_welcome->dismiss();
    QList<QWidget*> panes { m_stage->focusCanvas() };
    if (m_stage->memory()->isVisible() && m_stage->focusCanvas() != m_stage->memory())
        panes.append(m_stage->memory());
    for (const char* name : { "explain", "ledger", "inspector", "why", "source", "transport", "timeline", "scenario",
             "outline", "bookmarks", "row", "exp", "glossary", "differences" })
        if (QWidget* pane = view(QString::fromLatin1(name));
            pane && pane->isVisible() && !pane->visibleRegion().isEmpty())
            panes.append(pane);
    int here = -1;
    for (int k = 0; k < panes.size(); ++k)
        if (panes[k]->hasFocus() || panes[k]->isAncestorOf(QApplication::focusWidget()))
            here = k; // of one in another the inner one comes later
    const int count = static_cast<int>(panes.size());
    // The view that a pane's own frame begins with, whatever in it had the focus last.
    focusPane(panes[here < 0 && by < 0 ? count - 1 : (here + by + count) % count], Qt::TabFocusReason);
}

} // namespace flashstep::ui
