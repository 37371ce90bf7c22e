// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/matrix_view.h"

#include "ui/appearance.h"
#include "ui/paint/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollArea>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>

namespace flashstep::ui {

MatrixCanvas::MatrixCanvas(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.matrix"));
    setAccessibleName(tr("Operand of a matrix instruction, by lane"));
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&state, &KernelState::looked, this, [this] { update(); });
}

void MatrixCanvas::setScene(std::optional<paint::MatrixScene> scene)
{
    m_scene = std::move(scene);
    const QSize size = sizeHint();
    if (size != minimumSize())
        setMinimumSize(size);
    update();
    announceChange(this);
}

QSize MatrixCanvas::sizeHint() const
{
    if (!m_scene)
        return { 200, 60 };
    return (paint::MatrixLayout().size(*m_scene) * m_appearance.scale()).toSize();
}

void MatrixCanvas::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(this);
    painter.fillRect(rect(), theme.panel);
    if (!m_scene) {
        painter.setPen(theme.t2);
        painter.setFont(m_appearance.uiFont(12));
        painter.drawText(rect().adjusted(12, 8, -12, -8), Qt::AlignCenter | Qt::TextWordWrap,
            tr("neither the current instruction nor the one before it works on matrices: step to an mma, ldmatrix or "
               "stmatrix"));
        return;
    }
    painter.scale(m_appearance.scale(), m_appearance.scale());
    paint::paintMatrix(painter, *m_scene, {}, m_state.lane(), theme);
}

const paint::MatrixCell* MatrixCanvas::cellAt(const QPointF& point) const
{
    if (!m_scene)
        return nullptr;
    const paint::MatrixLayout layout;
    for (const paint::MatrixCell& cell : m_scene->cells) {
        if (layout.cell(cell.row, cell.column).contains(point / m_appearance.scale()))
            return &cell;
    }
    return nullptr;
}

void MatrixCanvas::mouseMoveEvent(QMouseEvent* event)
{
    const paint::MatrixCell* cell = cellAt(event->localPos());
    m_state.pointLane(cell != nullptr ? cell->lane : -1);
}

void MatrixCanvas::leaveEvent(QEvent* /*event*/)
{
    m_state.pointLane(-1);
}

bool MatrixCanvas::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (const paint::MatrixCell* cell = cellAt(help->pos())) {
            const QString name = QString::fromStdString(m_state.now().code->function->registers[cell->number].name);
            const QString half = cell->half < 0 ? QString() : cell->half == 0 ? tr(", low half") : tr(", high half");
            QToolTip::showText(help->globalPos(),
                tr("row %1, column %2: lane %3, %4%5 = %6")
                    .arg(cell->row)
                    .arg(cell->column)
                    .arg(cell->lane)
                    .arg(name, half, cell->written ? paint::shortDecimal(cell->value, 6) : tr("not written yet")),
                this);
        } else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

std::vector<AccessibleNode> MatrixCanvas::accessibleNodes() const
{
    std::vector<AccessibleNode> nodes;
    if (!m_scene)
        return nodes;
    for (int row = 0; row < m_scene->rows; ++row) {
        QStringList values;
        for (int column = 0; column < m_scene->columns; ++column) {
            for (const paint::MatrixCell& cell : m_scene->cells) {
                if (cell.row == row && cell.column == column)
                    values.append(cell.written ? paint::shortDecimal(cell.value, 4) : tr("not written"));
            }
        }
        nodes.push_back({ QAccessible::StaticText, tr("%1, row %2").arg(m_scene->name).arg(row),
            values.join(QStringLiteral("; ")), {} });
    }
    return nodes;
}

MatrixView::MatrixView(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_operand(new Segments(this))
    , m_info(makeLabel({}, "info", this))
    , m_canvas(new MatrixCanvas(state, appearance, this))
{
    m_operand->add(QStringLiteral("D"), tr("what the product gives"));
    m_operand->add(QStringLiteral("A"), tr("the left factor"));
    m_operand->add(QStringLiteral("B"), tr("the right factor"));
    m_operand->add(QStringLiteral("C"), tr("what the product is added to"));
    m_operand->setCurrent(1);
    auto* bar = new QWidget(this);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(12, 4, 12, 4);
    row->setSpacing(12);
    row->addWidget(m_operand);
    row->addWidget(m_info, 1);
    auto* area = new QScrollArea(this);
    area->setFrameShape(QFrame::NoFrame);
    area->setWidget(m_canvas);
    area->setWidgetResizable(true);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    column->addWidget(area, 1);
    connect(m_operand, &Segments::chosen, this, [this] { refresh(); });
    connect(&state, &KernelState::moved, this, [this] { refresh(); });
    connect(&appearance, &Appearance::changed, this, [this] { refresh(); });
}

void MatrixView::refresh()
{
    std::optional<paint::MatrixScene> scene;
    QString info;
    bool product = false;
    if (!m_state.empty() && m_state.now().registers != nullptr) {
        const KernelState::Now& now = m_state.now();
        // The current instruction's, or what the one before has just made.
        std::uint32_t pc = now.pc;
        bool done = false;
        if (!paint::isMatrix(*now.code, pc) && now.past) {
            pc = m_state.session().step(*now.past).pc;
            done = true;
        }
        if (paint::isMatrix(*now.code, pc)) {
            std::vector<std::uint32_t> written(now.code->places.size());
            for (std::uint32_t k = 0; k < written.size(); ++k)
                written[k] = m_state.writtenLanes(k);
            product = now.code->statementAt(pc).opcode == "mma";
            scene = paint::matrixOf(*now.code, pc, m_operand->current(), *now.registers,
                m_state.subject().plan->dtype != cuda::ElementType::Fp16, written);
            const QString text = QString::fromStdString(now.code->statementAt(pc).text());
            const bool result = product ? m_operand->current() == 0 : text.startsWith(QStringLiteral("ldmatrix"));
            if (scene)
                info = tr("%1 · %2 · %3")
                           .arg(text.section(QLatin1Char('.'), 0, 0), scene->shape,
                               done         ? tr("just executed")
                                   : result ? tr("as it was: this instruction is next")
                                            : tr("executed next"));
        }
    }
    for (int k = 0; k < 4; ++k)
        m_operand->button(k)->setEnabled(product);
    m_info->setText(info);
    m_canvas->setScene(std::move(scene));
}

} // namespace flashstep::ui
