// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/kernel/shared_view.h"

#include "ui/appearance.h"
#include "ui/paint/kernel_values.h"
#include "ui/text.h"
#include "ui/views/controls.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QSpinBox>
#include <QToolTip>
#include <QVBoxLayout>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace flashstep::ui {

namespace {

// What the kernels' own source says of their dynamic shared memory (core/cuda/*.cu: `Tile<…> sQ` and so on).
std::vector<paint::SharedTile> tilesOf(const KernelSubject& subject, const ptx::Code& code)
{
    const std::string& entry = code.function->name;
    const int d = subject.plan->headDim, rows = subject.plan->rows, keys = subject.plan->keys;
    std::vector<paint::SharedTile> tiles;
    std::uint32_t at = static_cast<std::uint32_t>(code.dynamicShared);
    const auto add = [&](const char* name, int count, int columns) {
        tiles.push_back({ QString::fromLatin1(name), at, count, columns });
        at += static_cast<std::uint32_t>(count * columns * 2);
    };
    if (entry.rfind("fa1_forward", 0) == 0 || entry.rfind("fa2_forward", 0) == 0) {
        add("Q", rows, d);
        add("K", keys, d);
        add("V", keys, d);
    } else if (entry.rfind("standard_scores", 0) == 0) {
        add("Q", rows, d);
        add("K", keys, d);
        add("S", rows, keys);
    } else if (entry.rfind("standard_output", 0) == 0) {
        add("P", rows, keys);
        add("V", keys, d);
        add("O", rows, d);
    }
    return tiles;
}

} // namespace

namespace {

class SharedLegend : public QWidget {
public:
    SharedLegend(const SharedGrid& grid, Appearance& appearance, QWidget* parent)
        : QWidget(parent)
        , m_grid(grid)
        , m_appearance(appearance)
    {
        setFixedHeight(appearance.px(20));
        connect(&grid, &SharedGrid::changed, this, [this] { update(); });
        connect(&appearance, &Appearance::changed, this, [this] { setFixedHeight(m_appearance.px(20)); });
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        const paint::Theme& theme = m_appearance.theme();
        QPainter painter(this);
        painter.fillRect(rect(), theme.panel);
        painter.scale(m_appearance.scale(), m_appearance.scale());
        const QRectF room(0, 0, width() / m_appearance.scale(), height() / m_appearance.scale());
        painter.fillRect(QRectF(0, 0, room.width(), 1), theme.line);
        paint::paintSharedLegend(painter, room, m_grid.scene(), theme);
    }

private:
    const SharedGrid& m_grid;
    Appearance& m_appearance;
};

} // namespace

SharedGrid::SharedGrid(KernelState& state, Appearance& appearance, QWidget* parent)
    : QAbstractScrollArea(parent)
    , m_state(state)
    , m_appearance(appearance)
{
    setObjectName(QStringLiteral("kernel.shared"));
    setAccessibleName(tr("Shared memory of the CTA, by bank"));
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    viewport()->setMouseTracking(true);
    connect(&state, &KernelState::loaded, this, [this] { m_scene.chosenRow = m_scene.chosenTile = -1; });
    connect(&state, &KernelState::moved, this, [this] {
        collect(true);
        announceChange(this);
    });
    connect(&state, &KernelState::looked, this, [this] {
        m_scene.pointedLane = m_state.lane();
        viewport()->update();
    });
    connect(&appearance, &Appearance::changed, this, [this] { measure(); });
}

void SharedGrid::setValues(bool shown)
{
    m_values = shown;
    measure();
}

void SharedGrid::setKind(ptx::RegisterKind kind)
{
    m_scene.kind = kind;
    limit();
    viewport()->update();
}

void SharedGrid::chooseRow(int tile, int row)
{
    m_scene.chosenTile = tile;
    m_scene.chosenRow = row;
    if (tile >= 0 && row >= 0 && tile < static_cast<int>(m_scene.tiles.size()))
        show(static_cast<int>((m_scene.tiles[static_cast<std::size_t>(tile)].chunkAt(row, 0) - m_scene.base) / 128));
    viewport()->update();
    emit changed();
}

void SharedGrid::collect(bool follow)
{
    m_scene.words.clear();
    m_scene.tiles.clear();
    m_scene.touches = false;
    m_scene.asks.fill(0);
    m_scene.base = ptx::sharedStart;
    if (m_state.empty()) {
        measure();
        return;
    }
    const KernelState::Now& now = m_state.now();
    m_scene.tiles = tilesOf(m_state.subject(), *now.code);
    if (now.block != nullptr) {
        const std::vector<std::byte>& bytes = now.block->shared;
        m_scene.words.resize(bytes.size() / 4);
        for (std::size_t k = 0; k < m_scene.words.size(); ++k) {
            paint::SharedWord& word = m_scene.words[k];
            std::memcpy(&word.value, bytes.data() + 4 * k, 4);
            const std::uint64_t offset = ptx::sharedStart + 4 * k;
            const auto written = [&](std::uint64_t at) {
                return m_state.subject().written.shared(now.launch, now.cta, at, now.position);
            };
            word.written = written(offset) && written(offset + 2);
        }
        for (const ptx::Copy& copy : now.block->copies) {
            if (copy.landed || copy.destination < ptx::sharedStart)
                continue;
            for (std::uint32_t b = 0; b < copy.bytes; b += 4) {
                const std::size_t k = (copy.destination + b - ptx::sharedStart) / 4;
                if (k < m_scene.words.size())
                    m_scene.words[k].inFlight = true;
            }
        }
        touch();
    }
    limit();
    measure();
    if (follow && m_scene.touches) {
        for (std::size_t k = 0; k < m_scene.words.size(); ++k) {
            if (m_scene.words[k].lane >= 0) {
                show(static_cast<int>(k / 32));
                break;
            }
        }
    }
    emit changed();
}

// How far the colours of values go: as far as what has been written.
void SharedGrid::limit()
{
    double most = 0;
    for (const paint::SharedWord& word : m_scene.words) {
        if (!word.written || word.inFlight)
            continue;
        for (int half = 0; half < 2; ++half) {
            const double value = std::fabs(paint::halfValue(word.value, half, m_scene.kind));
            if (std::isfinite(value))
                most = std::max(most, value);
        }
    }
    m_scene.limit = most > 0 ? most : 1;
}

// Which lane touches which word.
void SharedGrid::touch()
{
    const ptx::Touched& touched = m_state.now().touching.touched;
    if (touched.mask == 0 || touched.space != ptx::Space::Shared)
        return;
    m_scene.touches = true;
    m_scene.asks = ptx::bankAsks(touched);
    for (int lane = 0; lane < 32; ++lane) {
        const std::uint64_t address = touched.addresses[static_cast<std::size_t>(lane)];
        if ((touched.mask >> lane & 1U) == 0 || address < ptx::sharedStart)
            continue;
        for (std::uint64_t b = 0; b < std::max(1U, touched.bytes); b += 4) {
            const std::size_t k = (address + b - ptx::sharedStart) / 4;
            if (k >= m_scene.words.size() || m_scene.words[k].lane >= 0)
                continue;
            m_scene.words[k].lane = static_cast<std::int8_t>(lane);
            m_scene.words[k].first = b == 0;
            m_scene.words[k].write = touched.touch != ptx::Touch::Read;
        }
    }
}

QString SharedGrid::sentence() const
{
    if (m_state.empty() || m_state.now().pc == ptx::none)
        return {};
    const ptx::Touching& touching = m_state.now().touching;
    const ptx::Touched& touched = touching.touched;
    if (touched.mask == 0 || touched.space != ptx::Space::Shared)
        return tr("the current instruction does not touch shared memory");
    const int lanes = std::popcount(touched.mask);
    const QString what = touched.touch == ptx::Touch::Read ? tr("read")
        : touched.touch == ptx::Touch::Write               ? tr("write")
                                                           : tr("change");
    QString text = lanes == 1 ? tr("1 lane: %2 %3 bytes").arg(what).arg(touched.bytes)
                              : tr("%1 lanes %2 %3 bytes each").arg(lanes).arg(what).arg(touched.bytes);
    if (touching.source.mask != 0)
        return tr("cp.async: %1 when the copy lands").arg(text);
    const int fronts = ptx::wavefrontsOf(touched), fewest = ptx::fewestWavefronts(touched);
    text += QStringLiteral(": ") + (fronts == 1 ? tr("1 wavefront") : tr("%1 wavefronts").arg(fronts));
    text += fronts <= fewest ? tr(", no bank conflict")
                             : tr(", %1 more than without bank conflicts").arg(fronts - fewest);
    return text;
}

QString SharedGrid::wordSentence(std::uint32_t k) const
{
    const paint::SharedWord& word = m_scene.words[k];
    const std::uint32_t offset = m_scene.base + 4 * k;
    QStringList lines { tr("0x%1, bank %2").arg(offset, 4, 16, QLatin1Char('0')).arg(k % 32) };
    for (const paint::SharedTile& tile : m_scene.tiles) {
        if (!tile.holds(offset))
            continue;
        const std::uint32_t within = offset - tile.base;
        const int row = static_cast<int>(within) / (tile.columns * 2);
        const int place = static_cast<int>(within) % (tile.columns * 2) / 16;
        const int chunk = place ^ (row & 7);
        const int column = chunk * 8 + static_cast<int>(within) % 16 / 2;
        lines.append(tr("%1[%2][%3…%4]: chunk %5 of its row, swizzled to place %6 = %5 XOR %7")
                         .arg(tile.name)
                         .arg(row)
                         .arg(column)
                         .arg(column + 1)
                         .arg(chunk)
                         .arg(place)
                         .arg(row & 7));
    }
    if (word.inFlight)
        lines.append(tr("a cp.async into it is on its way"));
    else if (!word.written)
        lines.append(tr("nothing has been written here"));
    if (word.written && !word.inFlight)
        lines.append(
            tr("%1 (0x%2)").arg(paint::wordText(word.value, m_scene.kind)).arg(word.value, 8, 16, QLatin1Char('0')));
    if (word.lane >= 0)
        lines.append(
            word.write ? tr("lane %1 writes it now").arg(word.lane) : tr("lane %1 reads it now").arg(word.lane));
    return lines.join(QLatin1Char('\n'));
}

paint::SharedLayout SharedGrid::layoutNow() const
{
    paint::SharedLayout layout = paint::sharedLayout(m_values);
    // What room there is goes to the cells.
    const double room = viewport()->width() / m_appearance.scale() - layout.gutter - 2;
    if (!m_values)
        layout.cellWidth = std::clamp(std::floor(room / 32), 14.0, 30.0);
    layout.left = horizontalScrollBar()->value() / m_appearance.scale();
    layout.firstRow = verticalScrollBar()->value();
    return layout;
}

void SharedGrid::measure()
{
    const paint::SharedLayout layout = layoutNow();
    const double scale = m_appearance.scale();
    const int rows = std::max(1, static_cast<int>((viewport()->height() / scale - layout.header) / layout.cellHeight));
    verticalScrollBar()->setRange(0, std::max(0, m_scene.rows() - rows));
    verticalScrollBar()->setPageStep(rows);
    horizontalScrollBar()->setRange(0, std::max(0, static_cast<int>(layout.width() * scale) - viewport()->width()));
    horizontalScrollBar()->setPageStep(viewport()->width());
    horizontalScrollBar()->setSingleStep(static_cast<int>(layout.cellWidth * scale));
    viewport()->update();
}

void SharedGrid::show(int row)
{
    const int rows = verticalScrollBar()->pageStep(), first = verticalScrollBar()->value();
    if (row < first || row >= first + rows)
        verticalScrollBar()->setValue(row - 1);
}

void SharedGrid::resizeEvent(QResizeEvent* /*event*/)
{
    measure();
}

void SharedGrid::paintEvent(QPaintEvent* /*event*/)
{
    const paint::Theme& theme = m_appearance.theme();
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), theme.panel);
    if (m_state.empty())
        return;
    if (m_scene.words.empty()) {
        painter.setPen(theme.t2);
        painter.setFont(m_appearance.uiFont(12));
        const KernelState::Now& now = m_state.now();
        painter.drawText(viewport()->rect().adjusted(12, 8, -12, -8), Qt::AlignCenter | Qt::TextWordWrap,
            now.block != nullptr ? tr("this kernel has no shared memory")
                : now.next       ? tr("CTA %1 has not begun yet: step forward").arg(now.cta)
                                 : tr("CTA %1 has ended: its shared memory is gone").arg(now.cta));
        return;
    }
    painter.scale(m_appearance.scale(), m_appearance.scale());
    paint::paintShared(painter,
        QRectF(0, 0, viewport()->width() / m_appearance.scale(), viewport()->height() / m_appearance.scale()), m_scene,
        layoutNow(), theme);
}

void SharedGrid::mouseMoveEvent(QMouseEvent* event)
{
    const auto word = layoutNow().wordAt(event->localPos() / m_appearance.scale(), m_scene);
    if (word == m_scene.pointedWord)
        return;
    m_scene.pointedWord = word;
    m_state.pointLane(word ? m_scene.words[*word].lane : -1);
    viewport()->update();
}

// The row of the tile that was clicked: where its chunks lie.
void SharedGrid::mousePressEvent(QMouseEvent* event)
{
    const auto word = layoutNow().wordAt(event->localPos() / m_appearance.scale(), m_scene);
    if (!word)
        return;
    const std::uint32_t offset = m_scene.base + 4 * *word;
    for (std::size_t t = 0; t < m_scene.tiles.size(); ++t) {
        const paint::SharedTile& tile = m_scene.tiles[t];
        if (tile.holds(offset))
            chooseRow(static_cast<int>(t), static_cast<int>(offset - tile.base) / (tile.columns * 2));
    }
}

bool SharedGrid::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::Leave) {
        m_scene.pointedWord.reset();
        m_state.pointLane(-1);
    }
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const auto word = layoutNow().wordAt(QPointF(help->pos()) / m_appearance.scale(), m_scene);
        if (word)
            QToolTip::showText(help->globalPos(), wordSentence(*word), viewport());
        else
            QToolTip::hideText();
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

std::vector<AccessibleNode> SharedGrid::accessibleNodes() const
{
    if (m_state.empty() || m_scene.words.empty())
        return {};
    std::size_t written = 0, flying = 0;
    for (const paint::SharedWord& word : m_scene.words) {
        written += word.written ? 1 : 0;
        flying += word.inFlight ? 1 : 0;
    }
    return { { QAccessible::StaticText, tr("current instruction"), sentence(), {} },
        { QAccessible::StaticText, tr("words written"), tr("%1 of %2").arg(written).arg(m_scene.words.size()), {} },
        { QAccessible::StaticText, tr("words that copies on their way will write"), QString::number(flying), {} } };
}

SharedView::SharedView(KernelState& state, Appearance& appearance, QWidget* parent)
    : QWidget(parent)
    , m_state(state)
    , m_grid(new SharedGrid(state, appearance, this))
    , m_sentence(makeLabel({}, "value", this))
    , m_kind(new ComboBox(this))
    , m_tile(new ComboBox(this))
    , m_row(new QSpinBox(this))
    , m_values(new Segments(this))
{
    auto* bar = new QWidget(this);
    setRole(bar, "form");
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(12, 4, 12, 4);
    row->setSpacing(8);
    m_values->add(tr("colours"), tr("All 32 banks in sight; a value is a colour"));
    m_values->add(tr("values"), tr("Each word's value in its cell"));
    m_kind->setAccessibleName(tr("Read words as"));
    m_tile->setAccessibleName(tr("Tile whose row is outlined"));
    m_tile->setToolTip(tr("Outline a row of a tile: where its chunks of 16 bytes lie"));
    m_row->setAccessibleName(tr("Row of the tile"));
    m_row->setFixedWidth(appearance.px(44));
    row->addWidget(m_values);
    row->addWidget(m_kind);
    row->addSpacing(6);
    row->addWidget(makeLabel(tr("show row"), "info", bar));
    row->addWidget(m_row);
    row->addWidget(makeLabel(tr("of"), "info", bar));
    row->addWidget(m_tile);
    row->addStretch(1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    m_sentence->setContentsMargins(12, 0, 12, 4);
    m_sentence->setWordWrap(true);
    m_sentence->setAccessibleName(tr("What the current instruction does to shared memory"));
    column->addWidget(m_sentence);
    column->addWidget(m_grid, 1);
    column->addWidget(new SharedLegend(*m_grid, appearance, this));
    for (const auto kind : { ptx::RegisterKind::Bf16Pair, ptx::RegisterKind::HalfPair, ptx::RegisterKind::F32,
             ptx::RegisterKind::Signed, ptx::RegisterKind::Hex })
        m_kind->addItem(fromView(ptx::name(kind)), static_cast<int>(kind));
    connect(m_kind, QOverload<int>::of(&QComboBox::currentIndexChanged), this,
        [this] { m_grid->setKind(static_cast<ptx::RegisterKind>(m_kind->currentData().toInt())); });
    connect(m_values, &Segments::chosen, m_grid, [this](int which) { m_grid->setValues(which == 1); });
    connect(m_grid, &SharedGrid::changed, this, [this] {
        m_sentence->setText(m_grid->sentence());
        fillTiles();
    });
    const auto choose = [this] { m_grid->chooseRow(m_tile->currentIndex() - 1, m_row->value()); };
    connect(m_tile, QOverload<int>::of(&QComboBox::activated), this, choose);
    connect(m_row, QOverload<int>::of(&QSpinBox::valueChanged), this, choose);
    connect(&state, &KernelState::loaded, this, [this] {
        const bool fp16 = m_state.subject().plan->dtype == cuda::ElementType::Fp16;
        m_kind->setCurrentIndex(fp16 ? 1 : 0);
        m_grid->setKind(fp16 ? ptx::RegisterKind::HalfPair : ptx::RegisterKind::Bf16Pair);
    });
}

void SharedView::fillTiles()
{
    const paint::SharedScene& scene = m_grid->scene();
    QStringList names { tr("no tile") };
    for (const paint::SharedTile& tile : scene.tiles)
        names.append(tile.name);
    QStringList have;
    for (int k = 0; k < m_tile->count(); ++k)
        have.append(m_tile->itemText(k));
    const QSignalBlocker blockTile(m_tile), blockRow(m_row);
    if (have != names) {
        m_tile->clear();
        m_tile->addItems(names);
    }
    const int tile = std::min(scene.chosenTile, static_cast<int>(scene.tiles.size()) - 1);
    m_tile->setCurrentIndex(tile + 1);
    m_row->setRange(0, tile >= 0 ? scene.tiles[static_cast<std::size_t>(tile)].rows - 1 : 63);
    if (scene.chosenRow >= 0)
        m_row->setValue(scene.chosenRow);
    m_row->setEnabled(tile >= 0);
}

} // namespace flashstep::ui
