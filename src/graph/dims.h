#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cleave::graph {

using DimId = int32_t;

/// Extent of a dimension that is known only when a step runs, such as the number of tokens.
inline constexpr int64_t kDynamic = -1;

/// The dimensions of one graph and how they are made of one another.
///
/// A dimension is an atom, a product of dimensions (outermost first: `heads * head_dim`) or a concatenation
/// (`q | k | v`). Every tensor of a graph names its dimensions by id, and operations relate them: a reshape says that a
/// dimension is a product, a slice that it is a concatenation, a matmul or an addition that two dimensions are one.
/// Relations reach every tensor that has the dimension, weights included, whichever operation found them: so after
/// tracing, the rows of a fused query-key-value weight are known to be `kv_heads * (group | 1 | 1) * head_dim` although
/// no table says so. The planner splits along atoms.
///
/// Where two structures cannot be reconciled (6 * 8 against 4 * 12), the dimensions involved are marked whole: they
/// have the right extents but are never split.
class Dims {
 public:
  /// An indivisible dimension. REQUIRES: extent >= 0 or kDynamic. Every call makes a new one.
  DimId atom(int64_t extent, std::string label = {});
  /// The dimension whose index runs over all of `parts`, the first outermost. Parts of extent 1 are left out.
  DimId product(std::span<const DimId> parts);
  /// The dimension in which `parts` follow one another.
  DimId concat(std::span<const DimId> parts);

  int64_t extent(DimId dim) const { return at(dim).extent; }
  bool is_whole(DimId dim) const { return at(dim).whole; }
  /// Whether both are one dimension by now.
  bool same(DimId a, DimId b) const { return find(a) == find(b); }
  /// The factors of a product, outermost first; the dimension itself where it is none.
  std::vector<DimId> factors(DimId dim) const;
  /// The pieces of a concatenation; the dimension itself where it is none.
  std::vector<DimId> pieces(DimId dim) const;

  /// Makes a and b one dimension. REQUIRES: equal extents.
  void unify(DimId a, DimId b);
  /// Makes `dim` the product of dimensions with these extents and returns them. REQUIRES: they multiply to its extent.
  std::vector<DimId> split_product(DimId dim, std::span<const int64_t> extents);
  /// Makes `dim` the concatenation of dimensions with these extents and returns them. REQUIRES: they add up to its
  /// extent.
  std::vector<DimId> split_concat(DimId dim, std::span<const int64_t> extents);

  /// Shortens the ways from unified dimensions to what they have become: for graphs that are read often from now on.
  void compress();

  /// "48", "tokens", "3*2*8", "(48|16|16)", with "!" behind a dimension that must stay whole.
  std::string text(DimId dim) const;

 private:
  enum class Kind : uint8_t { Atom, Product, Concat };
  struct Dim {
    Kind kind = Kind::Atom;
    bool whole = false;
    int64_t extent = 0;
    DimId same_as = -1;   // >= 0: this dimension was unified with that one
    int32_t members = 1;  // dimensions that this one stands for, itself included
    std::vector<DimId> parts;
    std::string label;
  };

  DimId find(DimId dim) const;
  const Dim& at(DimId dim) const { return dims_[static_cast<size_t>(find(dim))]; }
  Dim& at(DimId dim) { return dims_[static_cast<size_t>(find(dim))]; }
  DimId add(Kind kind, int64_t extent, std::vector<DimId> parts);
  std::vector<DimId> flatten(Kind kind, std::span<const DimId> parts) const;
  bool contains(DimId outer, DimId inner) const;
  void become(DimId dim, Kind kind, std::vector<DimId> parts);
  void mark_whole(DimId dim);
  std::vector<DimId> opaque(DimId dim, std::span<const int64_t> extents);
  std::vector<DimId> split_outermost_factor(DimId dim, std::span<const int64_t> extents);
  std::pair<DimId, DimId> split_in_two(DimId dim, int64_t first);
  bool align(Kind kind, std::vector<DimId> a, std::vector<DimId> b);
  void link(DimId from, DimId to);

  std::vector<Dim> dims_;
};

}  // namespace cleave::graph
