// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

namespace {

using namespace flashstep;

std::vector<float> randomMatrix(int rows, int ld, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> value(-3, 3);
    std::vector<float> matrix(static_cast<std::size_t>(rows * ld));
    std::ranges::generate(matrix, [&] { return value(random); });
    return matrix;
}

// The order the header writes down, one output at a time.
void naive(const float* a, int lda, const float* b, int stepOfB, int columnOfB, float* c, int ldc, int m, int n, int k)
{
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j)
            for (int step = 0; step < k; ++step) {
                const float product = a[i * lda + step] * b[step * stepOfB + j * columnOfB];
                c[i * ldc + j] += product;
            }
}

::testing::AssertionResult sameBits(const std::vector<float>& a, const std::vector<float>& b)
{
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]))
            return ::testing::AssertionFailure() << "at " << i << ": " << a[i] << " and " << b[i];
    return ::testing::AssertionSuccess();
}

const std::tuple<int, int, int> sizes[] = { { 1, 1, 1 }, { 8, 8, 8 }, { 4, 16, 64 }, { 7, 13, 5 }, { 64, 64, 64 },
    { 5, 35, 17 }, { 3, 4, 0 }, { 64, 128, 96 }, { 17, 31, 33 }, { 0, 4, 4 } };

TEST(Matmul, TransposedHasTheBitsOfThePlainLoop)
{
    for (const auto& [m, n, k] : sizes) {
        const int lda = k + 3;
        const int ldb = k + 1;
        const int ldc = n + 2;
        const auto a = randomMatrix(m, lda, 1);
        const auto b = randomMatrix(n, ldb, 2);
        auto c = randomMatrix(m, ldc, 3); // what lies there is overwritten, what lies between the rows is not
        auto expected = c;
        for (int i = 0; i < m; ++i)
            std::fill_n(expected.begin() + i * ldc, n, 0.0f);
        naive(a.data(), lda, b.data(), 1, ldb, expected.data(), ldc, m, n, k);
        multiplyTransposed(a.data(), lda, b.data(), ldb, c.data(), ldc, m, n, k);
        EXPECT_TRUE(sameBits(c, expected)) << m << " x " << n << " x " << k;
    }
}

TEST(Matmul, AddStartsFromWhatIsThere)
{
    for (const auto& [m, n, k] : sizes) {
        const int lda = k + 2;
        const int ldb = n + 5;
        const int ldc = n + 1;
        const auto a = randomMatrix(m, lda, 4);
        const auto b = randomMatrix(k, ldb, 5);
        auto c = randomMatrix(m, ldc, 6);
        auto expected = c;
        naive(a.data(), lda, b.data(), ldb, 1, expected.data(), ldc, m, n, k);
        multiplyAdd(a.data(), lda, b.data(), ldb, c.data(), ldc, m, n, k);
        EXPECT_TRUE(sameBits(c, expected)) << m << " x " << n << " x " << k;
    }
}

TEST(Matmul, CutsInAnyDirectionChangeNothing)
{
    constexpr int n = 48;
    const auto a = randomMatrix(n, n, 7);
    const auto b = randomMatrix(n, n, 8);
    std::vector<float> whole(n * n);
    std::vector<float> inParts(n * n);
    multiplyAdd(a.data(), n, b.data(), n, whole.data(), n, n, n, n);
    for (const auto& [from, count] : { std::pair(0, 5), std::pair(5, 43) }) { // along k
        multiplyAdd(a.data() + from, n, b.data() + from * n, n, inParts.data(), n, 9, n, count);
        multiplyAdd(a.data() + 9 * n + from, n, b.data() + from * n, n, inParts.data() + 9 * n, n, 39, 7, count);
        multiplyAdd(
            a.data() + 9 * n + from, n, b.data() + from * n + 7, n, inParts.data() + 9 * n + 7, n, 39, 41, count);
    }
    EXPECT_TRUE(sameBits(whole, inParts));
}

TEST(Matmul, ProductsAreRoundedBeforeTheyAreAdded)
{
    // (1 + e)^2 = 1 + 2e + e^2 rounds to 1 + 2e; a fused multiply-add would keep e^2.
    const float x = 1 + 0x1p-12f;
    float c = -(1 + 0x1p-11f);
    multiplyAdd(&x, 1, &x, 1, &c, 1, 1, 1, 1);
    EXPECT_EQ(c, 0);
}

TEST(Matmul, NanAndInfinityReachTheirRowAndColumnOnly)
{
    constexpr int n = 24;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    auto a = randomMatrix(n, n, 9);
    auto b = randomMatrix(n, n, 10);
    a[3 * n + 5] = std::numeric_limits<float>::quiet_NaN();
    b[20 * n + 2] = infinity;
    a[7 * n + 2] = 0; // infinity times nothing
    std::vector<float> c(n * n);
    multiplyTransposed(a.data(), n, b.data(), n, c.data(), n, n, n, n);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const float value = c[static_cast<std::size_t>(i * n + j)];
            EXPECT_EQ(std::isnan(value), i == 3 || (i == 7 && j == 20));
            EXPECT_EQ(std::isinf(value), j == 20 && i != 3 && i != 7);
        }
}

} // namespace
