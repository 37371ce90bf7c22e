// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include "core/trace/condition.h"
#include "ui/actions.h"
#include "ui/current.h"
#include "ui/text.h"
#include "ui/undo.h"
#include "ui/views/condition_dialog.h"
#include "ui/views/controls.h"
#include "ui/views/notice_bar.h"
#include "ui/views/places_view.h"
#include "ui/views/source_view.h"
#include "ui/views/stage_view.h"
#include "ui/views/tile_canvas.h"
#include "ui/views/transport.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QHeaderView>
#include <QLineEdit>
#include <QMenuBar>
#include <QRegularExpression>
#include <QStandardItemModel>
#include <QTimer>
#include <QTreeView>
#include <QUndoStack>

#include <algorithm>
#include <map>

namespace flashstep::ui {

namespace {

// Entries of the run-to box that are no conditions.
const QString ownCondition = QStringLiteral("…");
const QString nextBookmark = QStringLiteral("bookmark");
const QString nextBreakpoint = QStringLiteral("breakpoint");

QString plainName(const QAction* action)
{
    return action->text().section(QLatin1Char('\t'), 0, 0).remove(QLatin1Char('&'));
}

const QRegularExpression& searchedOccurrence()
{
    static const QRegularExpression occurrence(
        QStringLiteral(R"(^\s*(?:(?:first|last)\s*\(|nth\s*\(\s*\d+\s*,)\s*(\w[\w-]*)\s*(?:,(.*))?\)\s*$)"));
    return occurrence;
}

// "rescale(decision=skipped)" as one would say it.
QString spoken(const QString& condition)
{
    if (condition == QStringLiteral("rescale(decision=done)"))
        return QObject::tr("rescale");
    if (condition == QStringLiteral("rescale(decision=skipped)"))
        return QObject::tr("skipped rescale");
    if (condition.startsWith(QStringLiteral("maximum(row=")))
        return QObject::tr("maximum of row %1").arg(condition.mid(12).chopped(1));
    if (condition.endsWith(QStringLiteral("(longer=500)")))
        return QObject::tr("%1 of over 500 cycles").arg(condition.section(QLatin1Char('('), 0, 0));
    if (condition.startsWith(QStringLiteral("phase(barrier=")))
        return QObject::tr("phase of %1").arg(condition.mid(14).chopped(1));
    return condition;
}

} // namespace

void MainWindow::connectPlaces()
{
    connect(&m_document, &Document::changed, this, [this] {
        m_conditions = ConditionDialog::examples(m_document.trace(), 0); // a look at every op, once
        fillRunTo();
        fillPalette();
    });
    m_playback.setStops([this](Position from, Position to) -> std::optional<Position> {
        const auto stop = m_places.stopIn(from, to, m_playback.followed());
        return stop ? std::optional(stop->position) : std::nullopt;
    });
    connect(&m_playback, &Playback::stopped, this,
        [this] { m_notice->showText(tr("Stopped at a breakpoint, position %1.").arg(m_playback.position().value)); });
    connect(&m_places, &Places::edited, this, [this](const Places::All& before, const QString& what) {
        m_undo->push(new PlacesChange(m_places, before, what));
    });
    connect(&m_places, &Places::changed, this, &MainWindow::fillRunTo);
    connect(&m_places, &Places::changed, this, &MainWindow::fillPalette);
    connect(&m_places, &Places::changed, this, [this] {
        static const QRegularExpression ofLine(QStringLiteral(R"(^\s*line\s*\(\s*(\d+)\s*\)\s*$)"));
        std::map<int, bool> lines;
        for (const Breakpoint& breakpoint : m_places.all().breakpoints)
            if (const auto match = ofLine.match(breakpoint.condition); match.hasMatch())
                lines[match.captured(1).toInt()] = breakpoint.enabled;
        m_source->setBreakpoints(lines);
    });
    connect(&m_places, &Places::changed, m_transport, [this] {
        std::vector<Scrubber::Mark> marks;
        for (const Bookmark& bookmark : m_places.all().bookmarks)
            if (const Result<Moment> at = m_places.find(bookmark))
                marks.push_back({ at->position, at->cta,
                    bookmark.number >= 0 ? QString::number(bookmark.number) : QString(), bookmark.name });
        m_transport->scrubber()->setMarks(marks);
    });
    connect(m_stage->tiles(), &TileCanvas::bookmarkAsked, this,
        [this](Position position, const QString& name) { m_places.addBookmark(position, name); });
    connect(m_source, &SourceView::breakpointAsked, this,
        [this](int line) { m_places.toggleBreakpoint(QStringLiteral("line(%1)").arg(line)); });
    connect(m_placesView, &PlacesView::goTo, this, [this](const QString& position) {
        if (const Status found = goTo(position); !found)
            m_notice->showError(found.error());
    });
    connect(m_placesView, &PlacesView::runTo, this, [this](const QString& text) { (void)runToText(text, true); });
}

void MainWindow::fillRunTo()
{
    if (m_document.empty())
        return;
    m_rowOffered = m_selection.row();
    const QStringList examples = conditionsOfRow();
    const QSignalBlocker quiet(m_runToBox);
    m_runToBox->clear();
    bool kinds = false;
    for (const QString& text : examples) {
        if (!kinds && !text.contains(QLatin1Char('('))) {
            for (const QString& place : { nextBookmark, nextBreakpoint })
                m_runToBox->addItem(tr("Run to: next %1").arg(place), place);
            m_runToBox->insertSeparator(m_runToBox->count());
            kinds = true;
        }
        if (kinds && text == QStringLiteral("rescale") && m_runToBox->findText(tr("Run to: next rescale")) >= 0)
            continue;
        m_runToBox->addItem(tr("Run to: next %1").arg(spoken(text)), text);
    }
    m_runToBox->insertSeparator(m_runToBox->count());
    if (!m_ownRunTo && m_runTo.startsWith(QStringLiteral("maximum(row="))) // follows the chosen row
        for (const QString& text : examples)
            if (text.startsWith(QStringLiteral("maximum(row=")))
                m_runTo = text;
    if (m_ownRunTo && m_runToBox->findData(m_runTo) < 0 && Condition::parse(m_document.trace(), m_runTo.toStdString()))
        m_runToBox->addItem(tr("Run to: next %1").arg(m_runTo), m_runTo);
    m_runToBox->addItem(tr("Condition …"), ownCondition);
    const int index = m_runToBox->findData(m_runTo);
    m_runToBox->setCurrentIndex(std::max(0, index));
}

QStringList MainWindow::conditionsOfRow() const
{
    QStringList list = m_conditions;
    return list.replaceInStrings(
        QStringLiteral("maximum(row=0)"), QStringLiteral("maximum(row=%1)").arg(std::max(0, m_selection.row())));
}

void MainWindow::chooseRunTo(const QString& entry)
{
    if (entry == ownCondition) {
        const auto text = askCondition(tr("Run to the next …"));
        if (!text)
            return fillRunTo();
        m_runTo = *text;
        m_ownRunTo = true;
        fillRunTo();
    } else {
        m_runTo = entry;
        m_ownRunTo = m_ownRunTo && m_runToBox->currentData().toString() == entry;
    }
    runTo(true);
}

void MainWindow::runTo(bool forward)
{
    if (m_document.empty())
        return;
    m_playback.pause();
    const Position p = m_playback.position();
    const QString wanted = m_runToBox->currentData().toString(); // a version may not have what was chosen last
    if (wanted == nextBookmark || wanted == nextBreakpoint) {
        const CtaId scope = m_playback.followed();
        const auto at = wanted == nextBookmark
            ? (forward ? m_places.next(p) : m_places.previous(p))
            : (forward ? m_places.nextStop(p, scope) : m_places.previousStop(p, scope));
        if (at) {
            m_notice->dismiss();
            if (wanted == nextBookmark)
                m_selection.chooseCta(at->cta);
            return m_playback.seek(at->position);
        }
        return m_notice->showText(
            forward ? tr("No %1 after this moment.").arg(wanted) : tr("No %1 before this moment.").arg(wanted));
    }
    (void)runToText(wanted, forward);
}

bool MainWindow::runToText(const QString& text, bool forward)
{
    if (m_document.empty())
        return false;
    const Result<Condition> condition = Condition::parse(m_document.trace(), text.toStdString());
    if (!condition) {
        m_notice->showError(condition.error());
        return false;
    }
    if (m_playback.runTo(*condition, forward)) {
        m_notice->dismiss();
        return true;
    }
    const QString whose = m_playback.followed().valid()
        ? tr(" in CTA %1").arg(static_cast<qulonglong>(m_playback.followed().index()))
        : QString();
    m_notice->showText(forward ? tr("No %1 after this moment%2.").arg(spoken(text), whose)
                               : tr("No %1 before this moment%2.").arg(spoken(text), whose));
    return false;
}

std::optional<QString> MainWindow::askCondition(const QString& title)
{
    if (m_document.empty())
        return std::nullopt;
    ConditionDialog dialog(m_document.trace(), title, {}, std::max(0, m_selection.row()), this);
    return dialog.exec() == QDialog::Accepted ? std::optional(dialog.text()) : std::nullopt;
}

// What the search box offers: commands with their keys, moments, conditions and bookmarks.
void MainWindow::fillPalette()
{
    auto* model = qobject_cast<QStandardItemModel*>(m_search->completer() ? m_search->completer()->model() : nullptr);
    if (!model) {
        model = new QStandardItemModel(m_search);
        auto* completer = new QCompleter(model, m_search);
        completer->setCaseSensitivity(Qt::CaseInsensitive);
        completer->setFilterMode(Qt::MatchContains);
        completer->setMaxVisibleItems(14);
        auto* list = new QTreeView;
        list->setRootIsDecorated(false);
        list->setHeaderHidden(true);
        list->setUniformRowHeights(true);
        list->setMinimumWidth(m_appearance.px(460));
        completer->setPopup(list);
        list->header()->setStretchLastSection(false);
        list->setModel(model);
        connect(completer, QOverload<const QModelIndex&>::of(&QCompleter::activated), this,
            [this] { QTimer::singleShot(0, this, &MainWindow::search); });
        m_search->setCompleter(completer);
    }
    model->clear();
    const auto add = [model](const QString& text, const QString& what) {
        auto* name = new QStandardItem(text);
        auto* about = new QStandardItem(what);
        about->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        model->appendRow({ name, about });
    };
    for (const Bookmark& bookmark : m_places.all().bookmarks)
        add(bookmark.at, tr("bookmark %1").arg(bookmark.name));
    for (const QAction* action : m_actions->all())
        add(plainName(action), m_actions->keysOf(action).join(QStringLiteral(", ")));
    if (!m_document.empty())
        for (const QString& text : conditionsOfRow())
            add(QStringLiteral("next(%1)")
                    .arg(QString(text).replace(QLatin1Char('('), QStringLiteral(", ")).remove(QLatin1Char(')'))),
                tr("run to"));
    for (const char* text :
        { "block(i=2, n=1)", "first(mma, i=2)", "last(mma)", "nth(3, mma, j=1)", "1200cy", "3.4us", "end" })
        add(QString::fromLatin1(text), tr("moment"));
    if (auto* list = qobject_cast<QTreeView*>(m_search->completer()->popup())) {
        list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
        list->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    }
}

void MainWindow::search()
{
    const QString text = m_search->text().trimmed();
    if (text.isEmpty())
        return;
    if (command(text))
        return m_search->clear();
    const Status found = goTo(text);
    if (found) {
        if (searchedOccurrence().match(text).hasMatch()) // a time or a block comes once
            m_lastSearch = text;
        m_notice->dismiss();
        return m_search->clear();
    }
    // No moment of the run as a whole: something to run to from here.
    const bool back = text.startsWith(QStringLiteral("previous"));
    if (!m_document.empty() && Condition::parse(m_document.trace(), text.toStdString())) {
        m_lastSearch = text;
        if (runToText(text, !back))
            m_search->clear();
        return;
    }
    m_notice->showError(found.error());
}

// F3: what was found last, once more from here on.
void MainWindow::searchAgain(bool forward)
{
    if (m_lastSearch.isEmpty() || m_document.empty()) {
        m_search->setFocus(Qt::ShortcutFocusReason);
        return;
    }
    // first(KIND, …), last(…) and nth(N, KIND, …) go on as KIND(…).
    const QRegularExpressionMatch match = searchedOccurrence().match(m_lastSearch);
    const QString text
        = match.hasMatch() ? QStringLiteral("%1(%2)").arg(match.captured(1), match.captured(2)) : m_lastSearch;
    (void)runToText(text, forward);
}

// Of the step that was made; in the source, of the line that the keys act on.
void MainWindow::toggleBreakpointHere()
{
    if (const int line = m_source->hasFocus() ? m_source->lineOfKeys() : 0; line > 0) {
        if (!m_source->page().hasOps(line) && m_source->breakpoints().count(line) == 0)
            return m_notice->showText(tr("No operation of this run stands on line %1.").arg(line));
        return m_places.toggleBreakpoint(QStringLiteral("line(%1)").arg(line));
    }
    const InstanceId here = currentInstance(m_session);
    if (!here.valid())
        return m_notice->showText(tr("Nothing has begun yet: step to an operation first."));
    m_places.toggleBreakpoint(QStringLiteral("line(%1)").arg(m_document.trace().op(here).line));
}

void MainWindow::addBookmark(int number)
{
    if (m_document.empty())
        return;
    const InstanceId here = currentInstance(m_session);
    QString name = tr("position %1").arg(m_playback.position().value);
    if (here.valid())
        name = QString::fromStdString(labelOf(m_document.program(), m_document.trace().op(here)));
    m_places.addBookmark(m_playback.position(), name, number);
    m_notice->showText(number >= 0 ? tr("Bookmark %1: press %1 to come back.").arg(number) : tr("Bookmark kept."));
}

void MainWindow::movingActions(QMenu* menu)
{
    const auto add
        = [this](QMenu* to, const char* id, const QString& text, const QStringList& keys,
              const std::function<void()>& run) { m_actions->add(to, QString::fromLatin1(id), text, keys, run); };
    menu->addSeparator();
    add(menu, "toggleBreakpoint", tr("Breakpoint at this step, or not"), { QStringLiteral("F9") },
        [this] { toggleBreakpointHere(); });
    add(menu, "addBreakpoint", tr("Breakpoint on a condition …"), { QStringLiteral("Ctrl+F9") }, [this] {
        if (const auto text = askCondition(tr("Stop where …")))
            if (const Status added = m_places.addBreakpoint(*text); !added)
                m_notice->showError(added.error());
    });
    add(menu, "nextBreakpoint", tr("Run to the next breakpoint"), { QStringLiteral("Ctrl+F8") }, [this] {
        m_runTo = nextBreakpoint;
        fillRunTo();
        runTo(true);
    });
    add(menu, "previousBreakpoint", tr("Run to the previous breakpoint"), { QStringLiteral("Ctrl+Shift+F8") }, [this] {
        m_runTo = nextBreakpoint;
        fillRunTo();
        runTo(false);
    });
    menu->addSeparator();
    add(menu, "addBookmark", tr("Keep this moment as a bookmark"), { QStringLiteral("Ctrl+B") },
        [this] { addBookmark(-1); });
    QMenu* numbers = menu->addMenu(tr("Numbered bookmarks"));
    for (int k = 0; k <= 9; ++k) {
        m_actions->add(numbers, QStringLiteral("setBookmark.%1").arg(k), tr("Keep this moment as bookmark %1").arg(k),
            { QStringLiteral("Alt+%1").arg(k) }, [this, k] { addBookmark(k); });
        m_actions->add(numbers, QStringLiteral("goBookmark.%1").arg(k), tr("Go to bookmark %1").arg(k),
            { QString::number(k) }, [this, k] {
                const auto bookmark = m_places.numbered(k);
                if (!bookmark)
                    return m_notice->showText(tr("There is no bookmark %1: Alt+%1 makes one.").arg(k));
                if (const Status found = goTo(bookmark->at); !found)
                    m_notice->showError(found.error());
            });
    }
}

// What can be broken in this run: each wait dropped, the rescale left out or its frames mixed.
void MainWindow::breakMenu(QMenu* menu)
{
    QMenu* breaks = menu->addMenu(tr("Break it on purpose"));
    breaks->setObjectName(QStringLiteral("breakMenu"));
    connect(breaks, &QMenu::aboutToShow, this, [this, breaks] {
        breaks->clear();
        if (m_document.empty()) {
            breaks->addAction(tr("No scenario is open"))->setEnabled(false);
            return;
        }
        const Program& program = m_document.program();
        const std::vector<std::string>& broken = m_document.file().scenario.breaks;
        const auto add = [&](const std::string& spec, const QString& text) {
            QAction* action = breaks->addAction(text);
            action->setCheckable(true);
            const bool is = std::find(broken.begin(), broken.end(), spec) != broken.end();
            action->setChecked(is);
            connect(action, &QAction::triggered, this, [this, spec, is] {
                if (is)
                    mend(spec);
                else
                    change("break", spec);
            });
        };
        const bool rescales = std::any_of(
            program.ops.begin(), program.ops.end(), [](const Op& op) { return op.kind == OpKind::Rescale; });
        if (rescales) {
            add("rescale:skip", tr("Never rescale O and l"));
            add("rescale:mix-frames", tr("Mix the frames of P, O and l"));
            breaks->addSeparator();
        }
        for (const WaitDecl& wait : program.waits)
            add("wait:" + wait.name,
                tr("Drop the wait %1: %2")
                    .arg(QString::fromStdString(wait.name), QString::fromStdString(wait.reason).left(70)));
        if (!broken.empty()) {
            breaks->addSeparator();
            connect(breaks->addAction(tr("Mend everything")), &QAction::triggered, this, [this] { mend({}); });
        }
    });
}

// Without one break, or without all.
void MainWindow::mend(const std::string& spec)
{
    ScenarioFile file = m_document.wanted();
    if (spec.empty())
        file.scenario.breaks.clear();
    else
        std::erase(file.scenario.breaks, spec);
    if (file.scenario.breaks.empty())
        file.given.erase("break");
    start({ std::move(file), m_document.path(), true });
}

void MainWindow::undoActions(QMenu* menu)
{
    m_undo = new QUndoStack(this);
    QAction* undo = m_actions->add(menu, QStringLiteral("undo"), tr("&Undo"), { QStringLiteral("Ctrl+Z") },
        [this] { takeBack(&QUndoStack::undo); });
    QAction* redo = m_actions->add(menu, QStringLiteral("redo"), tr("&Redo"),
        { QStringLiteral("Ctrl+Shift+Z"), QStringLiteral("Ctrl+Y") }, [this] { takeBack(&QUndoStack::redo); });
    const auto follow = [this, undo, redo] {
        undo->setEnabled(m_undo->canUndo());
        redo->setEnabled(m_undo->canRedo());
        undo->setToolTip(tr("Undo: %1").arg(m_undo->undoText()));
        redo->setToolTip(tr("Redo: %1").arg(m_undo->redoText()));
        undo->setStatusTip(undo->toolTip());
    };
    connect(m_undo, &QUndoStack::indexChanged, this, follow);
    follow();
    menu->addSeparator();
}

void MainWindow::takeBack(void (QUndoStack::*step)())
{
    m_undoFrom = m_undo->index();
    (m_undo->*step)();
}

// The run of an undo or redo did not come: the history stands where the document does.
void MainWindow::notTakenBack()
{
    if (!m_undoFrom)
        return;
    m_restoring = true;
    m_undo->setIndex(*std::exchange(m_undoFrom, std::nullopt));
    m_restoring = false;
}

// A knob was turned, or a version chosen, and the run has come of it.
void MainWindow::rememberChange(const ScenarioFile& before, const ScenarioFile& after)
{
    m_undo->push(new ScenarioChange(before, after, [this](const ScenarioFile& file) {
        if (m_restoring)
            return;
        ScenarioFile wanted = file;
        wanted.bookmarks = m_document.file().bookmarks; // which have a history of their own
        wanted.breakpoints = m_document.file().breakpoints;
        start({ std::move(wanted), m_document.path(), true, true });
    }));
}

} // namespace flashstep::ui
