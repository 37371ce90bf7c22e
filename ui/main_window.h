// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/appearance.h"
#include "ui/document.h"
#include "ui/export_controller.h"
#include "ui/insights.h"
#include "ui/measure_controller.h"
#include "ui/places.h"
#include "ui/playback.h"
#include "ui/run_controller.h"
#include "ui/selection.h"
#include "ui/session.h"

#include <QMainWindow>
#include <QPointer>

class QAction;
class QComboBox;
class QDockWidget;
class QLabel;
class QLineEdit;
class QMenu;
class QUndoStack;

namespace flashstep {
class Recording;
}

namespace flashstep::ui {

class Actions;
class ComboBox;
class DifferencesView;
class ExplainView;
class ExportDialog;
class GlossaryView;
class Hints;
class Inspector;
class MeasureDialog;
class KernelWindow;
class LedgerView;
class NoticeBar;
class Outline;
class PaneRing;
class PlacesView;
class ScenarioPanel;
class Segments;
class SourceView;
class StageView;
class TimelineCanvas;
class Transport;
class WelcomePage;
class WhyView;
struct ExportContext;

// What a recording says that it ran. Tensors are looked for by their names beside it; `missing` names those that are
// not there, and then there is no scenario.
struct RecordedScenario {
    std::optional<ScenarioFile> file;
    std::vector<std::string> missing;
};
[[nodiscard]] RecordedScenario scenarioOfRecording(const Recording& recording, const std::string& path);

enum class Layout { Learn, Pipeline, Numbers, Present };
[[nodiscard]] std::optional<Layout> layoutFromName(const QString& name);

// Puts the views together and the actions to work; owns what they all read.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    struct Options {
        bool remembers = true; // reads and writes settings
        bool hints = false; // the first minute's
    };
    explicit MainWindow(const Options& options);
    ~MainWindow() override;

    [[nodiscard]] Session session() { return m_session; }
    [[nodiscard]] Actions& actions() { return *m_actions; }
    [[nodiscard]] StageView& stage() { return *m_stage; }
    [[nodiscard]] TimelineCanvas& timeline() { return *m_timeline; }
    [[nodiscard]] NoticeBar& notice() { return *m_notice; }
    [[nodiscard]] NoticeBar& exportNotice() { return *m_exportNotice; }
    [[nodiscard]] ExportController& exporter() { return m_exporter; }
    [[nodiscard]] WelcomePage& welcome() { return *m_welcome; }
    [[nodiscard]] RunController& controller() { return m_controller; }
    [[nodiscard]] MeasureController& measurer() { return m_measurer; }
    [[nodiscard]] DifferencesView& differences() { return *m_differences; }
    [[nodiscard]] Places& places() { return m_places; }
    [[nodiscard]] QWidget* view(const QString& name); // "timeline", "ledger", …; nullptr for a name it has not
    [[nodiscard]] static QStringList viewNames();
    void showTerm(const QString& key); // its card in the glossary
    void showView(const QString& name); // raises its dock or mode and gives it the focus, by key
    void showView(const QString& name, Qt::FocusReason reason);

    void openSample(const QString& resourceName); // "samples/licence-causal.json"
    void open(const QString& path); // a scenario or a recording
    [[nodiscard]] Status showRecording(const QString& path); // in the timeline; what is open stays
    [[nodiscard]] QString noteOf(const Recording& recording, const QString& path) const; // what it is, for people
    void startRunOf(const QString& recordingPath, ScenarioFile file); // as an unsaved document that bears its name
    // The kernel that computes what is open, in a window of its own; where there is none, says why.
    void openKernel();
    [[nodiscard]] KernelWindow* kernelWindow() { return m_kernel.get(); }
    void openVersion(const QString& algorithm, const QString& gpu); // the first sample, by another version
    void start(const RunRequest& request);
    void setLayout(Layout layout);
    [[nodiscard]] Status goTo(const QString& position); // cli.md's positions
    [[nodiscard]] bool command(const QString& text); // by its name
    void showExport(const QString& format, const QString& view); // empty: as last time
    void writeFrom(ExportDialog& dialog, const QString& path); // what it shows, on a worker thread; closes it

signals:
    void runShown(); // a finished run is in the document
    void runFailed();

protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    // main_window.cpp
    void connectParts();
    void accept(const RunOutcome& outcome);
    void showTitle();
    void showStatus();
    void recordCta(); // runs again, with the values of the chosen CTA
    void offerValues(); // where it has none
    void followLaunch();
    // main_layout.cpp
    void makeDocks();
    QDockWidget* addDock(const QString& name, const QString& title, QWidget* content);
    void arrange();
    void makeRoomFor(const QString& name);
    void restore();
    void remember();
    void nextPane(int by);
    void focusPane(QWidget* pane, Qt::FocusReason reason);
    // main_toolbar.cpp
    void makeToolBar();
    void fillScenarios();
    void fillChoices();
    // main_moving.cpp
    void connectPlaces();
    void fillRunTo();
    [[nodiscard]] QStringList conditionsOfRow() const;
    void chooseRunTo(const QString& entry);
    void runTo(bool forward);
    bool runToText(const QString& condition, bool forward); // says so where there is none
    [[nodiscard]] std::optional<QString> askCondition(const QString& title);
    void fillPalette();
    void search();
    void searchAgain(bool forward);
    void toggleBreakpointHere();
    void addBookmark(int number);
    void movingActions(QMenu* menu);
    void undoActions(QMenu* menu);
    void breakMenu(QMenu* menu);
    void mend(const std::string& spec);
    void takeBack(void (QUndoStack::*step)());
    void notTakenBack();
    void rememberChange(const ScenarioFile& before, const ScenarioFile& after);
    // main_menus.cpp
    void makeMenus();
    void fileMenu();
    void editMenu();
    void viewMenu();
    void runMenu();
    void helpMenu();
    void makeWelcome();
    void showShortcuts();
    // main_recording.cpp
    void openRecording(const QString& path);
    [[nodiscard]] QString documentTitle() const; // its file's name, or that of the recording it was opened with
    void recordingFileAction(QMenu* menu);
    void recordingViewAction(QMenu* menu);
    // main_measure.cpp
    void measureActions(QMenu* menu);
    void connectMeasuring();
    void recordEmulated();
    void showMeasure();
    void openMade(const MadeRecording& made);
    void saveRecording();
    // main_files.cpp
    void chooseFile();
    void save();
    void saveAs();
    void saveTo(const QString& path);
    void moveToItsGpu(ScenarioFile& file);
    void rememberFile(const QString& path);
    void change(const std::string& key, const std::string& value);
    [[nodiscard]] QString targetFor(const QString& title, const QString& name, const QString& filter);
    void report(const Status& status, const QString& path);
    // main_export.cpp
    void exportMenu(QMenu* menu);
    void connectExports();
    void showExports();
    [[nodiscard]] QString viewInHand();
    [[nodiscard]] ExportContext exportContext() const;
    void writeAsAsked(ExportDialog& dialog); // a file's name first

    const Options m_options;
    Appearance m_appearance;
    Document m_document;
    Playback m_playback { m_document };
    Selection m_selection { m_document };
    Places m_places { m_document };
    Insights m_insights { m_document };
    const Session m_session { m_document, m_playback, m_selection, m_appearance, m_insights };
    Layout m_layout = Layout::Learn;
    bool m_compact = false;
    bool m_arrangedByHand = false;
    bool m_arranging = false;
    std::vector<GuessEffect> m_guesses; // of the open run, once they are known
    QString m_noteWithRun; // shown once the run under way is
    QString m_nameWithRun; // of its document, which has no file
    QString m_name; // of the document on show, where it has no file

    Actions* m_actions = nullptr;
    StageView* m_stage = nullptr;
    NoticeBar *m_notice = nullptr, *m_exportNotice = nullptr;
    TimelineCanvas* m_timeline = nullptr;
    Transport* m_transport = nullptr;
    ScenarioPanel* m_scenario = nullptr;
    Outline* m_outline = nullptr;
    ExplainView* m_explain = nullptr;
    GlossaryView* m_glossary = nullptr;
    LedgerView* m_ledger = nullptr;
    Inspector* m_inspector = nullptr;
    SourceView* m_source = nullptr;
    WhyView* m_why = nullptr;
    DifferencesView* m_differences = nullptr;
    QPointer<MeasureDialog> m_measureDialog;
    MadeRecording m_made; // the last, until another
    PlacesView* m_placesView = nullptr;
    Hints* m_hints = nullptr;
    WelcomePage* m_welcome = nullptr;
    PaneRing* m_ring = nullptr;
    QHash<QString, QDockWidget*> m_docks;
    QMenu* m_recentMenu = nullptr;

    ComboBox *m_scenarioBox = nullptr, *m_gpuBox = nullptr, *m_headBox = nullptr, *m_runToBox = nullptr;
    QAction* m_headAction = nullptr;
    Segments* m_algorithmBox = nullptr;
    QLineEdit* m_search = nullptr;
    QLabel *m_statusLeft = nullptr, *m_statusRight = nullptr;
    QString m_runTo = QStringLiteral("rescale(decision=done)"); // a condition, or a kind of place
    bool m_ownRunTo = false; // written by hand
    QString m_lastSearch;
    QStringList m_conditions; // that can come true in this run; of row 0
    int m_rowOffered = -1; // in the run-to box
    QUndoStack* m_undo = nullptr;
    std::optional<int> m_undoFrom; // where the history stood before the undo or redo under way
    bool m_restoring = false;
    ExportOptions m_lastExport;
    QStringList m_written, m_notWritten, m_exportRemarks; // since nothing was being written

    std::unique_ptr<KernelWindow> m_kernel;
    ExportController m_exporter; // last: their workers are joined first
    MeasureController m_measurer;
    RunController m_controller;
};

} // namespace flashstep::ui
