// SPDX-License-Identifier: Apache-2.0
#include "probe.h"

#include <algorithm>
#include <cstring>

namespace flashstep::conform {

Expected Expected::near(double exact, double slack)
{
    Expected expected(0);
    expected.exact = exact;
    expected.slack = slack;
    return expected;
}

std::vector<std::uint8_t> bytesOf(Kind kind, const Values& values)
{
    std::vector<std::uint8_t> bytes;
    for (const std::uint64_t value : values) {
        for (int i = 0; i < bytesOf(kind); ++i)
            bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    return bytes;
}

Buffer inputBuffer(const std::string& name, Kind kind, const Values& values)
{
    Buffer buffer;
    buffer.name = name;
    buffer.element = elementOf(kind);
    buffer.in = bytesOf(kind, values);
    buffer.expected = buffer.in;
    return buffer;
}

Buffer outputBuffer(const std::string& name, Kind kind, const Answers& answers, std::uint8_t before)
{
    Buffer buffer;
    buffer.name = name;
    buffer.element = elementOf(kind);
    Values first, second;
    for (const Expected& answer : answers) {
        first.push_back(answer.bits);
        second.push_back(answer.other);
    }
    buffer.expected = bytesOf(kind, first);
    buffer.other = bytesOf(kind, second);
    buffer.in.assign(buffer.expected.size(), before);
    if (std::any_of(answers.begin(), answers.end(), [](const Expected& answer) { return answer.slack != 0; })) {
        for (const Expected& answer : answers) {
            buffer.exact.push_back(answer.exact);
            buffer.slack.push_back(answer.slack);
        }
    }
    return buffer;
}

std::string moduleText(const std::string& target, const std::string& rest)
{
    return ".version 8.1\n.target " + target + "\n.address_size 64\n\n" + rest;
}

Probe::Probe(std::string name, std::string section)
    : m_name(std::move(name))
    , m_section(std::move(section))
{
}

Probe& Probe::target(const std::string& name)
{
    m_target = name;
    return *this;
}

Probe& Probe::input(const std::string& name, Kind kind, const Values& values)
{
    m_threads = std::max(m_threads, values.size());
    m_wires.push_back({ inputBuffer(name, kind, values), kind, Wire::Role::In });
    return *this;
}

Probe& Probe::output(const std::string& name, Kind kind, const Answers& answers)
{
    m_threads = std::max(m_threads, answers.size());
    m_wires.push_back({ outputBuffer(name, kind, answers), kind, Wire::Role::Out });
    return *this;
}

Probe& Probe::halves(const std::string& name, Kind kind, const Answers& answers)
{
    const Kind half = kind == Kind::F16x2 ? Kind::F16 : Kind::Bf16;
    m_threads = std::max(m_threads, answers.size() / 2);
    m_wires.push_back({ outputBuffer(name, half, answers), kind, Wire::Role::Out });
    return *this;
}

Probe& Probe::array(Buffer buffer)
{
    m_wires.push_back({ std::move(buffer), Kind::U8, Wire::Role::Array });
    return *this;
}

Probe& Probe::value(const std::string& type, std::vector<std::uint8_t> bytes)
{
    m_values.emplace_back(type, std::move(bytes));
    return *this;
}

Probe& Probe::declare(const std::string& text)
{
    m_declared += "\t" + text + "\n";
    return *this;
}

Probe& Probe::global(const std::string& text)
{
    m_global += text + "\n";
    return *this;
}

Probe& Probe::body(const std::string& text)
{
    m_body += "\t" + text + "\n";
    return *this;
}

Probe& Probe::block(unsigned threads)
{
    m_block = threads;
    return *this;
}

Probe& Probe::shared(unsigned bytes)
{
    m_shared = bytes;
    return *this;
}

Probe& Probe::threads(std::size_t count)
{
    m_threads = count;
    return *this;
}

std::string Probe::text(const std::string& parameters) const
{
    std::string declared = "\t.reg .b32 %i, %t, %cta_;\n";
    std::string before = "\tmov.u32 %t, %tid.x;\n\tmov.u32 %i, %ntid.x;\n\tmov.u32 %cta_, %ctaid.x;\n"
                         "\tmad.lo.s32 %i, %cta_, %i, %t;\n";
    std::string after;
    for (std::size_t n = 0; n < m_wires.size(); ++n) {
        const Wire& wire = m_wires[n];
        const std::string& name = wire.buffer.name;
        const bool plain = wire.role == Wire::Role::Array;
        const std::string at = plain ? "%" + name : "%at_" + name;
        declared += "\t.reg .b64 " + at + ";\n";
        before += "\tld.param.u64 " + at + ", [p" + std::to_string(n) + "];\n\tcvta.to.global.u64 " + at + ", " + at
            + ";\n";
        if (plain)
            continue;
        const std::string size = std::to_string(bytesOf(wire.kind));
        declared += "\t.reg .b64 %by_" + name + ";\n\t.reg " + registerOf(wire.kind) + " %" + name + ";\n";
        before += "\tmul.wide.u32 %by_" + name + ", %i, " + size + ";\n\tadd.s64 " + at + ", " + at + ", %by_" + name
            + ";\n";
        const std::string access = accessOf(wire.kind);
        before += "\tld.global." + access + " %" + name + ", [" + at + "];\n"; // an output finds what was there before
        if (wire.role == Wire::Role::Out)
            after += "\tst.global." + access + " [" + at + "], %" + name + ";\n";
    }
    return m_global + ".visible .entry probe(" + parameters + ")\n{\n" + declared + m_declared + before + m_body + after
        + "\tret;\n}\n";
}

Case Probe::done() const
{
    Case test;
    test.name = m_name;
    test.section = m_section;
    test.entry = "probe";
    test.target = m_target;
    test.sharedBytes = m_shared;
    std::string parameters;
    const auto parameter = [&parameters](const std::string& declaration) {
        parameters += (parameters.empty() ? "" : ", ") + declaration;
    };
    const std::size_t block = std::min<std::size_t>(m_block, (m_threads + 31) / 32 * 32);
    const std::size_t grid = (m_threads + block - 1) / block;
    for (std::size_t n = 0; n < m_wires.size(); ++n) {
        parameter(".param .u64 p" + std::to_string(n));
        Buffer buffer = m_wires[n].buffer;
        if (m_wires[n].role != Wire::Role::Array) { // the last threads do the first elements again, elsewhere
            const auto pad = [&](auto& elements, std::size_t each) {
                for (std::size_t i = 0; !elements.empty() && elements.size() < grid * block * each; ++i)
                    elements.push_back(elements[i]);
            };
            const auto size = static_cast<std::size_t>(bytesOf(m_wires[n].kind));
            const std::size_t parts = size / static_cast<std::size_t>(bytesOf(buffer.element));
            pad(buffer.in, size);
            pad(buffer.expected, size);
            pad(buffer.other, size);
            pad(buffer.exact, parts);
            pad(buffer.slack, parts);
        }
        test.buffers.push_back(std::move(buffer));
    }
    for (std::size_t n = 0; n < m_values.size(); ++n) {
        const std::string& type = m_values[n].first;
        const std::size_t bracket = type.find('[');
        const bool array = bracket != std::string::npos;
        parameter(".param " + type.substr(0, bracket) + " v" + std::to_string(n) + (array ? type.substr(bracket) : ""));
        test.values.push_back(m_values[n].second);
    }
    test.ptx = moduleText(m_target, text(parameters));
    test.grid[0] = static_cast<unsigned>(grid);
    test.block[0] = static_cast<unsigned>(block);
    return test;
}

namespace {

// The instruction on columns of inputs, named a, b, c.
Case column(const Op& op, Kind d, const std::vector<Kind>& kinds, const std::vector<Values>& rows,
    const std::function<Expected(const std::vector<std::uint64_t>&)>& f)
{
    static const char* const names[] = { "a", "b", "c" };
    Probe probe(op.opcode, op.section);
    probe.target(op.target);
    std::string text = op.opcode + " %d";
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        probe.input(names[k], kinds[k], rows[k]);
        text += std::string(", %") + names[k];
    }
    Answers answers;
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
        std::vector<std::uint64_t> arguments;
        for (std::size_t k = 0; k < kinds.size(); ++k)
            arguments.push_back(masked(rows[k][i], bitsOf(kinds[k])));
        answers.push_back(f(arguments));
    }
    return probe.output("d", d, answers).body(text + ";").done();
}

} // namespace

void unary(Forms& forms, const Op& op, Kind d, Kind a, const Unary& f, const Values& values)
{
    forms.push_back({ op.opcode, op.section, [=] {
                         return column(op, d, { a }, { values.empty() ? corners(a) : values },
                             [&f](const std::vector<std::uint64_t>& x) { return f(x[0]); });
                     } });
}

void binary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, const Binary& f)
{
    forms.push_back({ op.opcode, op.section, [=] {
                         return column(op, d, { a, b }, crossed(corners(a), corners(b)),
                             [&f](const std::vector<std::uint64_t>& x) { return f(x[0], x[1]); });
                     } });
}

void binary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, const Binary& f, const Columns& rows)
{
    forms.push_back({ op.opcode, op.section, [=] {
                         return column(op, d, { a, b }, rows.all(),
                             [&f](const std::vector<std::uint64_t>& x) { return f(x[0], x[1]); });
                     } });
}

void ternary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, Kind c, const Ternary& f)
{
    forms.push_back({ op.opcode, op.section, [=] {
                         return column(op, d, { a, b, c }, mixed(corners(a), corners(b), corners(c), 640),
                             [&f](const std::vector<std::uint64_t>& x) { return f(x[0], x[1], x[2]); });
                     } });
}

void ternary(Forms& forms, const Op& op, Kind d, Kind a, Kind b, Kind c, const Ternary& f, const Columns& rows)
{
    forms.push_back({ op.opcode, op.section, [=] {
                         return column(op, d, { a, b, c }, rows.all(),
                             [&f](const std::vector<std::uint64_t>& x) { return f(x[0], x[1], x[2]); });
                     } });
}

void add(Forms& forms, const std::string& name, const std::string& section, std::function<void(Probe&)> fill)
{
    forms.push_back({ name, section, [=] {
                         Probe probe(name, section);
                         fill(probe);
                         return probe.done();
                     } });
}

} // namespace flashstep::conform
