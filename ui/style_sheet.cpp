// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/style_sheet.h"

#include "ui/paint/theme.h"

#include <QHash>

namespace flashstep::ui {

namespace {

// @name is a colour of the theme, #n a length in pixels at full size.
const char* const sheet = R"(
QMainWindow, QMenuBar, QStatusBar, QToolBar { background: @win; }
QMenuBar { font-size: #12.5px; border: none; padding: 0 #4px; }
QMenuBar::item { padding: #5px #8px #4px #8px; margin: 0; background: transparent; border-radius: #4px; }
QMenuBar::item:selected { background: @line; }
QMenu { background: @panel; border: 1px solid @mid; padding: #4px; font-size: #12.5px; }
QMenu::item { padding: #5px #28px #5px #22px; border-radius: #3px; }
QMenu::item:selected { background: @text; color: @selt; }
QMenu::item:disabled { color: @t3; }
QMenu::separator { height: 1px; background: @line; margin: #4px #6px; }
QToolBar { border: none; border-bottom: 1px solid @line; padding: 0 #12px; spacing: #12px; min-height: #44px; max-height: #44px; }
QToolBar::separator { width: 0; }
QStatusBar { border-top: 1px solid @line; color: @t2; font-size: #11px; min-height: #21px; max-height: #21px; }
QStatusBar::item { border: none; }
QMainWindow::separator { background: @line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @mid; }
QSplitter::handle { background: @line; }
QToolTip { background: @text; color: @panel; border: none; padding: #4px #6px; font-size: #11.5px; }

QComboBox, QAbstractSpinBox, QLineEdit { background: @panel; border: 1px solid @mid; border-radius: #5px; padding: 0 #8px;
    min-height: #24px; max-height: #24px; selection-background-color: @text; selection-color: @selt; }
QComboBox { font-size: #12px; font-weight: 456; }
QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus { border-color: @text; }
QComboBox:disabled, QLineEdit:disabled, QAbstractSpinBox:disabled, QLineEdit:read-only { color: @t2; border-color: @line; }
QComboBox::drop-down { border: none; width: #18px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @mid; outline: none; selection-background-color: @text;
    selection-color: @selt; }
QWidget[role="form"] QComboBox, QWidget[role="form"] QAbstractSpinBox, QWidget[role="form"] QLineEdit { min-height: #18px;
    max-height: #18px; border-radius: #4px; padding: 0 #6px; font-size: #11px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }

QPushButton, QToolButton[role="button"] { background: @panel; border: 1px solid @mid; border-radius: #5px; padding: 0 #12px;
    min-height: #24px; max-height: #24px; font-weight: 456; font-size: #12px; }
QPushButton:hover, QToolButton[role="button"]:hover { background: @alt; border-color: @text; }
QPushButton:focus, QPushButton:default:enabled { border-color: @text; }
QPushButton:disabled { color: @t3; border-color: @line; }
QToolButton[role="icon"] { background: transparent; border: 1px solid transparent; border-radius: #4px; padding: 0; }
QToolButton[role="icon"]:hover { background: @line; }
QToolButton[role="icon"]:focus { border-color: @text; }
QToolButton[role="link"] { background: transparent; border: 1px solid @mid; border-radius: #4px; padding: #2px #8px;
    margin: #1px #8px #1px 0; font-size: #12px; color: @text; }
QToolButton[role="link"]:hover { background: @line; }
QToolButton[role="link"]:focus { border-color: @text; }
QToolButton[role="play"] { background: @text; border: 2px solid @win; border-radius: #6px; padding: 0; }
QToolButton[role="play"]:disabled { background: @mid; }
QToolButton[role="play"]:hover { background: @t2; }

QFrame[role="segments"] { background: @panel; border: 1px solid @mid; border-radius: #5px; min-height: #24px; max-height: #24px; }
QFrame[role="segments"] QToolButton { background: transparent; border: none; border-radius: #3.5px; margin: #2px; padding: 0 #9px;
    min-height: #20px; max-height: #20px; font-size: #12px; font-weight: 456; color: @text; }
QFrame[role="segments"] QToolButton:hover { background: @alt; }
QFrame[role="segments"] QToolButton:focus { background: @line; }
QFrame[role="segments"] QToolButton:checked { background: @text; color: @selt; }
QFrame[role="segments"] QToolButton:checked:focus { background: @t2; }
QFrame[role="segments"] QToolButton:disabled { color: @t3; }
QFrame[role="segments"] QToolButton:checked:disabled { background: @line; color: @t3; }
QWidget[role="dockhead"] QFrame[role="segments"] { min-height: #18px; max-height: #18px; }
QWidget[role="dockhead"] QFrame[role="segments"] QToolButton { margin: #1px; padding: 0; min-height: #16px; max-height: #16px;
    font-size: #10.5px; }

QWidget[role="head"] { background: @alt; border-bottom: 1px solid @line; }
QWidget[role="dockhead"] { background: @alt; border-bottom: 1px solid @line; border-top: 1px solid @line; }
QLabel[role="title"] { font-size: #12px; font-weight: 504; color: @text; }
QLabel[role="viewtitle"] { font-size: #13px; font-weight: 504; color: @text; }
QLabel[role="section"] { font-size: #11.5px; font-weight: 504; color: @text; }
QLabel[role="info"] { font-size: #11px; color: @t2; }
QLabel[role="complaint"] { font-size: #11px; color: @text; padding-bottom: #4px; }
QLabel[role="field"] { font-size: #12px; color: @text; }
QLabel[role="value"] { font-size: #12px; color: @text; }
QWidget[role="panel"] { background: @panel; }
QDockWidget { font-size: #12px; }
QTabBar { background: @win; qproperty-drawBase: 0; }
QTabBar::tab { background: @win; color: @t2; border: none; border-top: 2px solid transparent; padding: #4px #7px; font-size: #11px; }
QTabBar::tab:selected { background: @alt; color: @text; border-top: 2px solid @text; }
QTabBar::tab:focus { color: @text; text-decoration: underline; }

QAbstractItemView, QPlainTextEdit, QTextBrowser { background: @panel; border: none; outline: none;
    selection-background-color: @text; selection-color: @selt; }
QScrollArea { background: @panel; border: none; }
QHeaderView { background: @panel; }
QHeaderView::section { background: @panel; color: @t2; border: none; border-bottom: 1px solid @line; padding: 0 #4px;
    font-size: #11px; min-height: #20px; }
QListWidget::item { padding: #2px #4px; }
QTableView { gridline-color: transparent; }
QScrollBar:vertical { background: transparent; width: #8px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: #8px; margin: 0; }
QScrollBar::handle { background: @scroll; border-radius: #4px; min-height: #24px; min-width: #24px; }
QScrollBar::handle:hover { background: @mid; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: transparent; border: none;
    width: 0; height: 0; }
QProgressBar { background: @line; border: none; border-radius: #2px; max-height: #4px; min-height: #4px; }
QProgressBar::chunk { background: @text; border-radius: #2px; }
QSlider { min-height: #18px; }
QSlider::groove:horizontal { background: @mid; height: 2px; }
QSlider::handle:horizontal { background: @panel; border: 2px solid @text; width: #9px; height: #9px; margin: -#6px 0;
    border-radius: #6px; }
QSlider::handle:horizontal:focus { background: @text; }
QFrame[role="notice"] { background: @alt; border-bottom: 1px solid @line; }
QFrame[role="notice"][fault="true"] { border-left: 3px solid @fault; }
QFrame[role="hint"] { background: @text; border-radius: #6px; }
QFrame[role="hint"] QLabel { color: @panel; font-size: #12px; }
QFrame[role="hint"] QToolButton { color: @panel; background: transparent; border: 1px solid transparent; border-radius: #4px;
    padding: #2px #6px; font-size: #12px; font-weight: 504; }
QFrame[role="hint"] QToolButton:hover { border-color: @panel; }
QDialog { background: @panel; }
)";

} // namespace

QString styleSheet(const paint::Theme& theme, double scale)
{
    const QHash<QString, QColor> colours {
        { QStringLiteral("win"), theme.win },
        { QStringLiteral("panel"), theme.panel },
        { QStringLiteral("alt"), theme.alt },
        { QStringLiteral("line"), theme.line },
        { QStringLiteral("mid"), theme.mid },
        { QStringLiteral("text"), theme.text },
        { QStringLiteral("t2"), theme.t2 },
        { QStringLiteral("t3"), theme.t3 },
        { QStringLiteral("selt"), theme.selectedText },
        { QStringLiteral("fault"), theme.fault },
        { QStringLiteral("scroll"), paint::mix(theme.mid, theme.panel, 0.5) },
    };
    const QString source = QString::fromUtf8(sheet);
    QString out;
    out.reserve(source.size() + 1024);
    for (int at = 0; at < source.size(); ++at) {
        const QChar c = source[at];
        int end = at + 1;
        if (c == QLatin1Char('@')) {
            while (end < source.size() && source[end].isLetterOrNumber())
                ++end;
            out += colours.value(source.mid(at + 1, end - at - 1)).name();
        } else if (c == QLatin1Char('#')) {
            while (end < source.size() && (source[end].isDigit() || source[end] == QLatin1Char('.')))
                ++end;
            const double length = source.mid(at + 1, end - at - 1).toDouble() * scale;
            out += QString::number(static_cast<int>(length + 0.5));
        } else {
            out += c;
        }
        at = end - 1;
    }
    return out;
}

} // namespace flashstep::ui
