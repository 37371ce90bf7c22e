// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_constants.h"

#include <array>
#include <bit>
#include <charconv>
#include <limits>

namespace flashstep::ptx {

namespace {

constexpr int mostNested = 64;
constexpr const char* constantWanted = "a constant";

struct Operator {
    std::string_view text;
    int binds;
};

// C's order. Longer ones first, since signs come one by one.
constexpr std::array<Operator, 18> operators { { { "<<", 8 }, { ">>", 8 }, { "<=", 7 }, { ">=", 7 }, { "==", 6 },
    { "!=", 6 }, { "&&", 2 }, { "||", 1 }, { "<", 7 }, { ">", 7 }, { "+", 9 }, { "-", 9 }, { "*", 10 }, { "/", 10 },
    { "%", 10 }, { "&", 5 }, { "^", 4 }, { "|", 3 } } };

class Expression {
public:
    explicit Expression(Cursor& cursor)
        : m_cursor(cursor)
    {
    }

    bool whole(Constant& value)
    {
        if (!binary(value, 1))
            return false;
        if (!m_cursor.token().is('?'))
            return true;
        Constant yes, no;
        Nested nested(*this);
        if (nested.tooDeep() || !integer(value))
            return false;
        m_cursor.take();
        if (!whole(yes) || !m_cursor.expect(':') || !whole(no) || !integer(yes) || !integer(no))
            return false;
        const bool isUnsigned = yes.isUnsigned || no.isUnsigned;
        value = value.number != 0 ? yes : no;
        value.isUnsigned = isUnsigned;
        return true;
    }

private:
    // Counts how deep the recursion is, which the text decides.
    class Nested {
    public:
        explicit Nested(Expression& expression)
            : m_expression(expression)
        {
            ++m_expression.m_depth;
        }
        Nested(const Nested&) = delete;
        Nested& operator=(const Nested&) = delete;
        ~Nested() { --m_expression.m_depth; }
        [[nodiscard]] bool tooDeep()
        {
            if (m_expression.m_depth <= mostNested)
                return false;
            return !m_expression.m_cursor.fail(m_expression.m_cursor.token().line, "a constant is nested too deeply",
                "at most " + std::to_string(mostNested) + " levels");
        }

    private:
        Expression& m_expression;
    };

    bool integer(const Constant& value)
    {
        return value.kind == Constant::Kind::Integer
            || m_cursor.fail(m_cursor.token().line, "a float in an expression", "integers, or one float with its sign");
    }

    [[nodiscard]] const Operator* operatorHere() const
    {
        const Token &token = m_cursor.token(), &after = m_cursor.after();
        if (token.kind != Token::Kind::Sign)
            return nullptr;
        const bool two = after.kind == Token::Kind::Sign && after.text.data() == token.text.data() + 1;
        for (const Operator& candidate : operators)
            if (token.text[0] == candidate.text[0]
                && (candidate.text.size() == 1 || (two && after.text[0] == candidate.text[1])))
                return &candidate;
        return nullptr;
    }

    bool binary(Constant& value, int least)
    {
        Nested nested(*this);
        if (nested.tooDeep() || !unary(value))
            return false;
        for (const Operator* op = operatorHere(); op != nullptr && op->binds >= least; op = operatorHere()) {
            const std::uint32_t line = m_cursor.token().line;
            for (std::size_t k = 0; k < op->text.size(); ++k)
                m_cursor.take();
            Constant right;
            if (!binary(right, op->binds + 1) || !integer(value) || !integer(right)
                || !combine(value, right, *op, line))
                return false;
        }
        return true;
    }

    bool unary(Constant& value)
    {
        const Token& token = m_cursor.token();
        const char sign = token.kind == Token::Kind::Sign ? token.text[0] : '\0';
        if (sign == '(')
            return parenthesis(value);
        if (sign != '-' && sign != '+' && sign != '!' && sign != '~')
            return literal(value);
        m_cursor.take();
        Nested nested(*this);
        if (nested.tooDeep() || !unary(value))
            return false;
        if (sign == '+')
            return true;
        if (sign == '-') {
            negate(value);
            return true;
        }
        if (!integer(value))
            return false;
        value.number = sign == '~' ? ~value.number : static_cast<std::int64_t>(value.number == 0);
        value.isUnsigned = sign == '~' && value.isUnsigned;
        return true;
    }

    static void negate(Constant& value)
    {
        auto bits = static_cast<std::uint64_t>(value.number);
        switch (value.kind) {
        case Constant::Kind::Integer:
            bits = 0 - bits;
            break;
        case Constant::Kind::Double:
            bits ^= std::uint64_t(1) << 63U;
            break;
        case Constant::Kind::Single:
            bits ^= std::uint64_t(1) << 31U;
            break;
        }
        value.number = static_cast<std::int64_t>(bits);
    }

    bool parenthesis(Constant& value)
    {
        m_cursor.take();
        Nested nested(*this);
        if (nested.tooDeep())
            return false;
        const bool toSigned = m_cursor.token().isDot("s64");
        if (toSigned || m_cursor.token().isDot("u64")) {
            m_cursor.take();
            if (!m_cursor.expect(')') || !unary(value) || !integer(value))
                return false;
            value.isUnsigned = !toSigned;
            return true;
        }
        return whole(value) && m_cursor.expect(')');
    }

    bool literal(Constant& value)
    {
        const Token token = m_cursor.token();
        switch (token.kind) {
        case Token::Kind::Integer:
            m_cursor.take();
            return integerLiteral(token, value);
        case Token::Kind::Single:
        case Token::Kind::Double:
            m_cursor.take();
            return floatLiteral(token, value);
        default:
            if (!token.isName("WARP_SZ"))
                return m_cursor.unexpected(constantWanted);
            m_cursor.take();
            value = { Constant::Kind::Integer, false, 32 };
            return true;
        }
    }

    bool integerLiteral(const Token& token, Constant& value)
    {
        std::string_view digits = token.text;
        const bool isUnsigned = digits.ends_with('U');
        if (isUnsigned)
            digits.remove_suffix(1);
        int base = 10;
        if (digits.size() > 1 && digits[0] == '0') {
            const char second = digits[1];
            base = second == 'x' || second == 'X' ? 16 : second == 'b' || second == 'B' ? 2 : 8;
            digits.remove_prefix(base == 8 ? 1 : 2);
        }
        std::uint64_t bits = 0;
        const char* end = digits.data() + digits.size();
        const auto [at, problem] = std::from_chars(digits.data(), end, bits, base);
        if (problem == std::errc::result_out_of_range)
            return m_cursor.fail(token.line, quoted(token.text) + " does not fit", "an integer of 64 bits");
        if (problem != std::errc() || at != end)
            return m_cursor.fail(token.line, quoted(token.text) + " is not a number", "as 10, 0xA, 012 or 0b1010");
        constexpr auto mostSigned = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        value = { Constant::Kind::Integer, isUnsigned || bits > mostSigned, static_cast<std::int64_t>(bits) };
        return true;
    }

    bool floatLiteral(const Token& token, Constant& value)
    {
        const bool single = token.kind == Token::Kind::Single;
        std::uint64_t bits = 0;
        const char* end = token.text.data() + token.text.size();
        if (token.text.size() > 1 && token.text[0] == '0' && (single || token.text[1] == 'd' || token.text[1] == 'D')) {
            std::from_chars(token.text.data() + 2, end, bits, 16);
        } else {
            double number = 0;
            if (std::from_chars(token.text.data(), end, number).ec != std::errc())
                return m_cursor.fail(token.line, quoted(token.text) + " does not fit", "a double, or its bits as 0d…");
            bits = std::bit_cast<std::uint64_t>(number);
        }
        value = { single ? Constant::Kind::Single : Constant::Kind::Double, false, static_cast<std::int64_t>(bits) };
        return true;
    }

    bool combine(Constant& left, const Constant& right, const Operator& op, std::uint32_t line)
    {
        const auto a = static_cast<std::uint64_t>(left.number), b = static_cast<std::uint64_t>(right.number);
        const bool isUnsigned = left.isUnsigned || right.isUnsigned;
        const bool less = isUnsigned ? a < b : left.number < right.number;
        const bool greater = isUnsigned ? a > b : left.number > right.number;
        std::uint64_t bits = 0;
        bool truth = false; // the result is 0 or 1, signed
        switch (op.text[0]) {
        case '+':
            bits = a + b;
            break;
        case '-':
            bits = a - b;
            break;
        case '*':
            bits = a * b;
            break;
        case '/':
        case '%':
            if (b == 0)
                return m_cursor.fail(line, "a division by zero", "a divisor other than 0");
            bits = divided(a, b, isUnsigned, op.text[0] == '%');
            break;
        case '^':
            bits = a ^ b;
            break;
        case '&':
            truth = op.text.size() == 2;
            bits = truth ? static_cast<std::uint64_t>(a != 0 && b != 0) : a & b;
            break;
        case '|':
            truth = op.text.size() == 2;
            bits = truth ? static_cast<std::uint64_t>(a != 0 || b != 0) : a | b;
            break;
        case '=':
        case '!':
            truth = true;
            bits = static_cast<std::uint64_t>((a == b) == (op.text[0] == '='));
            break;
        default: // < > <= >= << >>
            if (op.binds == 8) {
                bits = op.text[0] == '<' ? (b < 64 ? a << b : 0) : shiftedRight(left, b);
                left.number = static_cast<std::int64_t>(bits);
                return true; // the type of the left side
            }
            truth = true;
            bits = static_cast<std::uint64_t>(
                op.text[0] == '<' ? (op.text.size() == 2 ? !greater : less) : (op.text.size() == 2 ? !less : greater));
        }
        left = { Constant::Kind::Integer, isUnsigned && !truth, static_cast<std::int64_t>(bits) };
        return true;
    }

    static std::uint64_t shiftedRight(const Constant& value, std::uint64_t by)
    {
        if (value.isUnsigned)
            return by < 64 ? static_cast<std::uint64_t>(value.number) >> by : 0;
        return static_cast<std::uint64_t>(value.number >> (by < 64 ? by : 63U));
    }

    static std::uint64_t divided(std::uint64_t a, std::uint64_t b, bool isUnsigned, bool rest)
    {
        if (isUnsigned)
            return rest ? a % b : a / b;
        if (b == ~std::uint64_t(0)) // -1: the one quotient that may not fit
            return rest ? 0 : 0 - a;
        const auto x = static_cast<std::int64_t>(a), y = static_cast<std::int64_t>(b);
        return static_cast<std::uint64_t>(rest ? x % y : x / y);
    }

    Cursor& m_cursor;
    int m_depth = 0;
};

} // namespace

bool beginsConstant(const Token& token)
{
    switch (token.kind) {
    case Token::Kind::Integer:
    case Token::Kind::Single:
    case Token::Kind::Double:
        return true;
    case Token::Kind::Sign:
        return token.is('-') || token.is('+') || token.is('~') || token.is('!') || token.is('(');
    default:
        return token.isName("WARP_SZ");
    }
}

bool parseConstant(Cursor& cursor, Constant& constant)
{
    return Expression(cursor).whole(constant);
}

bool parseInteger(Cursor& cursor, std::int64_t& number, const char* what)
{
    if (!beginsConstant(cursor.token()))
        return cursor.unexpected(what);
    const std::uint32_t line = cursor.token().line;
    Constant constant;
    if (!parseConstant(cursor, constant))
        return false;
    if (constant.kind != Constant::Kind::Integer)
        return cursor.fail(line, "a float where an integer belongs", what);
    number = constant.number;
    return true;
}

bool parseCount(Cursor& cursor, std::uint64_t& count, const char* what, std::uint64_t least, std::uint64_t most)
{
    const std::uint32_t line = cursor.token().line;
    std::int64_t number = 0;
    if (!parseInteger(cursor, number, what))
        return false;
    count = static_cast<std::uint64_t>(number);
    return (number >= 0 && count >= least && count <= most)
        || cursor.fail(line, std::to_string(number) + " is no possible value here",
            std::string(what) + " from " + std::to_string(least) + " to " + std::to_string(most));
}

} // namespace flashstep::ptx
