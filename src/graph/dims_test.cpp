#include "graph/dims.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::graph {
namespace {

std::vector<DimId> split_product(Dims& dims, DimId dim, std::vector<int64_t> extents) {
  return dims.split_product(dim, extents);
}
std::vector<DimId> split_concat(Dims& dims, DimId dim, std::vector<int64_t> extents) {
  return dims.split_concat(dim, extents);
}

TEST(Dims, ASplitReachesEveryHolderOfTheDimension) {
  Dims dims;
  const DimId rows = dims.atom(48), other = dims.atom(48);
  dims.unify(rows, other);
  const auto parts = split_product(dims, rows, {6, 8});
  EXPECT_EQ(dims.text(rows), "6*8");
  EXPECT_EQ(dims.text(other), "6*8");
  EXPECT_EQ(dims.factors(other), parts);
}

TEST(Dims, WhatManyHaveBecomeIsKnownToAllWhicheverIsNamedFirst) {
  for (const bool swapped : {false, true}) {
    Dims dims;
    std::vector<DimId> many;
    for (int i = 0; i < 5; ++i) many.push_back(dims.atom(48));
    for (const DimId dim : many) dims.unify(many[0], dim);
    const DimId product = dims.atom(48);
    const auto parts = split_product(dims, product, {6, 8});
    dims.unify(swapped ? product : many[2], swapped ? many[2] : product);
    many.push_back(product);
    for (const DimId dim : many) EXPECT_EQ(dims.factors(dim), parts);
    split_product(dims, parts[0], {3, 2});
    for (const DimId dim : many) EXPECT_EQ(dims.text(dim), "3*2*8");
  }
}

TEST(Dims, ProductsAreRefinedToCommonFactors) {
  Dims dims;
  const DimId a = dims.atom(48), b = dims.atom(48);
  split_product(dims, a, {6, 8});
  split_product(dims, b, {3, 16});
  dims.unify(a, b);
  EXPECT_EQ(dims.text(a), "3*2*8");
  EXPECT_EQ(dims.text(b), "3*2*8");
  EXPECT_TRUE(dims.same(a, b));
}

TEST(Dims, IrreconcilableStructuresStayWhole) {
  Dims dims;
  const DimId a = dims.atom(48), b = dims.atom(48);
  split_product(dims, a, {6, 8});
  split_product(dims, b, {4, 12});
  dims.unify(a, b);
  EXPECT_TRUE(dims.is_whole(a));
  EXPECT_TRUE(dims.is_whole(b));
  for (const DimId factor : dims.factors(a)) EXPECT_TRUE(dims.is_whole(factor));
}

TEST(Dims, SlicesMakeConcatenationsAndNestedSlicesRefineThem) {
  Dims dims;
  const DimId fused = dims.atom(80);
  const auto pieces = split_concat(dims, fused, {48, 32});
  split_concat(dims, fused, {48, 16, 16});
  EXPECT_EQ(dims.text(fused), "(48|16|16)");
  EXPECT_EQ(dims.text(pieces[1]), "(16|16)");
}

TEST(Dims, SlicingAProductAtItsOutermostFactorKeepsTheInnerOnes) {
  Dims dims;
  const DimId fused = dims.atom(80);
  split_product(dims, fused, {10, 8});
  const auto pieces = split_concat(dims, fused, {48, 16, 16});
  EXPECT_EQ(dims.text(pieces[0]), "6*8");
  EXPECT_EQ(dims.text(fused), "(6|2|2)*8");
  EXPECT_FALSE(dims.is_whole(fused));
}

TEST(Dims, SlicingInsideOfAFactorMarksItWhole) {
  Dims dims;
  const DimId fused = dims.atom(48);
  split_product(dims, fused, {6, 8});
  const auto pieces = split_concat(dims, fused, {20, 28});
  EXPECT_TRUE(dims.is_whole(fused));
  EXPECT_TRUE(dims.is_whole(pieces[0]));
  EXPECT_EQ(dims.extent(pieces[0]), 20);
}

TEST(Dims, FactorsOfOneAreLeftOut) {
  Dims dims;
  const DimId heads = dims.atom(6);
  const auto parts = split_product(dims, heads, {1, 6});
  EXPECT_EQ(dims.extent(parts[0]), 1);
  EXPECT_TRUE(dims.same(parts[1], heads));
}

TEST(Dims, RefusesToUnifyDifferentExtents) {
  Dims dims;
  EXPECT_THROW(dims.unify(dims.atom(3), dims.atom(4)), Error);
}

}  // namespace
}  // namespace cleave::graph
