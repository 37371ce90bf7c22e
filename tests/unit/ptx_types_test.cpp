// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/types.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep::ptx;

TEST(PtxTypes, EveryTypeIsFoundUnderItsName)
{
    for (int k = 1; k <= static_cast<int>(Type::E5m2x2); ++k) {
        const auto type = static_cast<Type>(k);
        EXPECT_EQ(typeFromName(name(type)), type) << name(type);
    }
    EXPECT_EQ(typeFromName(""), std::nullopt);
    EXPECT_EQ(typeFromName("f31"), std::nullopt);
    EXPECT_EQ(typeFromName("F32"), std::nullopt);
}

TEST(PtxTypes, BytesAndKindsFollowFromTheName)
{
    EXPECT_EQ(bytesOf(Type::Pred), 0);
    EXPECT_EQ(bytesOf(Type::S8), 1);
    EXPECT_EQ(bytesOf(Type::Bf16), 2);
    EXPECT_EQ(bytesOf(Type::Bf16x2), 4);
    EXPECT_EQ(bytesOf(Type::Tf32), 4);
    EXPECT_EQ(bytesOf(Type::F32x2), 8);
    EXPECT_EQ(bytesOf(Type::B128), 16);
    EXPECT_EQ(bytesOf(Type::E4m3x2), 2);
    EXPECT_TRUE(isFloat(Type::F16));
    EXPECT_TRUE(isFloat(Type::E5m2x2));
    EXPECT_FALSE(isFloat(Type::B32));
    EXPECT_FALSE(isFloat(Type::S64));
    EXPECT_TRUE(isSigned(Type::S8));
    EXPECT_TRUE(isSigned(Type::S64));
    EXPECT_FALSE(isSigned(Type::U64));
    EXPECT_FALSE(isSigned(Type::F32));
}

TEST(PtxTypes, EverySpecialRegisterIsFoundUnderItsName)
{
    for (int k = 0; k <= static_cast<int>(Special::IsExplicitCluster); ++k) {
        const auto special = static_cast<Special>(k);
        EXPECT_EQ(specialFromName(name(special)), special) << name(special);
    }
    EXPECT_EQ(name(Special::TidX), "%tid.x");
    EXPECT_EQ(name(Special::LanemaskGt), "%lanemask_gt");
    EXPECT_EQ(name(Special::ClusterNctaidZ), "%cluster_nctaid.z");
    EXPECT_EQ(specialFromName("%tid"), std::nullopt);
    EXPECT_EQ(specialFromName("%envreg3"), std::nullopt);
}

} // namespace
