#include "graph/dims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/check.h"

namespace cleave::graph {

DimId Dims::add(Kind kind, int64_t extent, std::vector<DimId> parts) {
  Dim dim;
  dim.kind = kind;
  dim.extent = extent;
  dim.parts = std::move(parts);
  dims_.push_back(std::move(dim));
  return static_cast<DimId>(dims_.size()) - 1;
}

DimId Dims::atom(int64_t extent, std::string label) {
  CHECK_GE(extent, kDynamic);
  const DimId id = add(Kind::Atom, extent, {});
  dims_.back().label = std::move(label);
  return id;
}

DimId Dims::find(DimId dim) const {
  CHECK(dim >= 0 && static_cast<size_t>(dim) < dims_.size());
  while (dims_[static_cast<size_t>(dim)].same_as >= 0) dim = dims_[static_cast<size_t>(dim)].same_as;
  return dim;
}

std::vector<DimId> Dims::flatten(Kind kind, std::span<const DimId> parts) const {
  std::vector<DimId> flat;
  for (const DimId part : parts) {
    if (at(part).kind == kind) {
      const std::vector<DimId> inner = flatten(kind, at(part).parts);
      flat.insert(flat.end(), inner.begin(), inner.end());
    } else if (kind != Kind::Product || extent(part) != 1) {
      flat.push_back(find(part));
    }
  }
  return flat;
}

std::vector<DimId> Dims::factors(DimId dim) const {
  return flatten(Kind::Product, std::span(&dim, 1));
}
std::vector<DimId> Dims::pieces(DimId dim) const {
  return flatten(Kind::Concat, std::span(&dim, 1));
}

DimId Dims::product(std::span<const DimId> parts) {
  std::vector<DimId> flat = flatten(Kind::Product, parts);
  if (flat.empty()) return atom(1);
  if (flat.size() == 1) return flat[0];
  int64_t extent_of_all = 1;
  for (const DimId part : flat) {
    CHECK_NE(extent(part), kDynamic);
    extent_of_all *= extent(part);
  }
  return add(Kind::Product, extent_of_all, std::move(flat));
}

DimId Dims::concat(std::span<const DimId> parts) {
  std::vector<DimId> flat = flatten(Kind::Concat, parts);
  CHECK(!flat.empty());
  if (flat.size() == 1) return flat[0];
  int64_t extent_of_all = 0;
  for (const DimId part : flat) {
    CHECK_NE(extent(part), kDynamic);
    extent_of_all += extent(part);
  }
  return add(Kind::Concat, extent_of_all, std::move(flat));
}

void Dims::become(DimId dim, Kind kind, std::vector<DimId> parts) {
  Dim& target = at(dim);
  CHECK(target.kind == Kind::Atom);
  const bool whole = target.whole;
  target.kind = kind;
  target.parts = std::move(parts);
  if (whole) mark_whole(dim);
}

void Dims::mark_whole(DimId dim) {
  at(dim).whole = true;
  for (const DimId part : std::vector<DimId>(at(dim).parts)) mark_whole(part);
}

bool Dims::contains(DimId outer, DimId inner) const {
  if (same(outer, inner)) return true;
  return std::ranges::any_of(at(outer).parts, [&](DimId part) { return contains(part, inner); });
}

// Dimensions of the wanted extents that have no known relation to `dim`; nothing involved may be split.
std::vector<DimId> Dims::opaque(DimId dim, std::span<const int64_t> extents) {
  mark_whole(dim);
  std::vector<DimId> made;
  for (const int64_t wanted : extents) mark_whole(made.emplace_back(atom(wanted)));
  return made;
}

std::vector<DimId> Dims::split_product(DimId dim, std::span<const int64_t> extents) {
  CHECK_EQ(std::accumulate(extents.begin(), extents.end(), int64_t{1}, std::multiplies<>()), extent(dim));
  // Walk through the known factors and the wanted extents side by side; where a factor reaches beyond a wanted extent,
  // it is itself split in two, if it is an atom.
  std::vector<DimId> left = factors(dim);
  std::reverse(left.begin(), left.end());  // the outermost unused factor is left.back()
  std::vector<DimId> made;
  for (const int64_t wanted : extents) {
    std::vector<DimId> taken;
    int64_t missing = wanted;
    while (missing > 1) {
      if (left.empty()) return opaque(dim, extents);
      const DimId factor = left.back();
      left.pop_back();
      const int64_t size = extent(factor);
      if (size > 0 && missing % size == 0) {
        taken.push_back(factor);
        missing /= size;
      } else if (at(factor).kind == Kind::Atom && size % missing == 0) {
        const DimId outer = atom(missing);
        const DimId inner = atom(size / missing);
        become(factor, Kind::Product, {outer, inner});
        taken.push_back(outer);
        left.push_back(inner);
        missing = 1;
      } else {
        return opaque(dim, extents);
      }
    }
    made.push_back(missing == 0 ? atom(0) : product(taken));
  }
  return made;
}

std::pair<DimId, DimId> Dims::split_in_two(DimId dim, int64_t first) {
  if (at(dim).kind == Kind::Atom) {
    const DimId head = atom(first), tail = atom(extent(dim) - first);
    become(dim, Kind::Concat, {head, tail});
    return {head, tail};
  }
  const std::vector<int64_t> extents = {first, extent(dim) - first};
  const std::vector<DimId> parts = split_concat(dim, extents);
  return {parts[0], parts[1]};
}

// (a * rest) sliced at multiples of |rest| is a sliced: each piece is (a_i * rest).
std::vector<DimId> Dims::split_outermost_factor(DimId dim, std::span<const int64_t> extents) {
  const std::vector<DimId> all = factors(dim);
  const int64_t rest = extent(dim) / std::max<int64_t>(extent(all[0]), 1);
  if (rest == 0 || std::ranges::any_of(extents, [&](int64_t wanted) { return wanted % rest != 0; }))
    return opaque(dim, extents);
  std::vector<int64_t> outer(extents.begin(), extents.end());
  for (int64_t& wanted : outer) wanted /= rest;
  std::vector<DimId> made = split_concat(all[0], outer);
  for (DimId& piece : made) {
    std::vector<DimId> parts = {piece};
    parts.insert(parts.end(), all.begin() + 1, all.end());
    piece = product(parts);
  }
  return made;
}

std::vector<DimId> Dims::split_concat(DimId dim, std::span<const int64_t> extents) {
  CHECK_EQ(std::accumulate(extents.begin(), extents.end(), int64_t{0}), extent(dim));
  if (extents.size() == 1) return {dim};
  if (at(dim).kind == Kind::Product) return split_outermost_factor(dim, extents);
  std::vector<DimId> left = pieces(dim);
  std::reverse(left.begin(), left.end());  // the first unused piece is left.back()
  std::vector<DimId> made;
  for (const int64_t wanted : extents) {
    std::vector<DimId> taken;
    int64_t missing = wanted;
    while (missing > 0) {
      const DimId piece = left.back();
      left.pop_back();
      if (extent(piece) > missing) {
        const auto [head, tail] = split_in_two(piece, missing);
        taken.push_back(head);
        left.push_back(tail);
        missing = 0;
      } else {
        missing -= extent(piece);
        taken.push_back(piece);
      }
    }
    made.push_back(taken.empty() ? atom(0) : concat(taken));
  }
  return made;
}

// Unifies two lists of factors or pieces from the outermost or first on, splitting atoms where the other list is finer.
// False where they do not line up; what was unified until then holds all the same.
bool Dims::align(Kind kind, std::vector<DimId> a, std::vector<DimId> b) {
  std::reverse(a.begin(), a.end());
  std::reverse(b.begin(), b.end());
  while (!a.empty() && !b.empty()) {
    if (extent(a.back()) < extent(b.back())) std::swap(a, b);
    const DimId large = a.back(), small = b.back();
    a.pop_back();
    b.pop_back();
    if (extent(large) == extent(small)) {
      unify(large, small);
      continue;
    }
    const bool product = kind == Kind::Product;
    const int64_t rest = product ? extent(large) / std::max<int64_t>(extent(small), 1) : extent(large) - extent(small);
    if (at(large).kind != Kind::Atom || (product && extent(small) * rest != extent(large))) return false;
    a.push_back(atom(rest));
    become(large, kind, {small, a.back()});
  }
  return true;
}

// Makes `from` and `to` one dimension with the structure of `to`. Which of the two stands for both does not depend on
// that: the one that stands for more dimensions, so that no way to what a dimension has become is longer than the
// logarithm of their number (union by size). The width of the residual stream is unified with a dimension of every
// layer.
void Dims::link(DimId from, DimId to) {
  Dim &gone = dims_[static_cast<size_t>(from)], &kept = dims_[static_cast<size_t>(to)];
  if (kept.label.empty()) kept.label = gone.label;
  kept.members += gone.members;
  if (2 * gone.members <= kept.members) {
    gone.same_as = to;
    return;
  }
  gone = std::move(kept);
  kept = Dim{};
  kept.same_as = from;
}

void Dims::unify(DimId a, DimId b) {
  a = find(a);
  b = find(b);
  if (a == b) return;
  CHECK_EQ(extent(a), extent(b));
  if (at(a).kind != Kind::Atom) std::swap(a, b);  // now a is an atom if one of them is
  const bool whole = at(a).whole || at(b).whole;
  const bool nested = contains(a, b) || contains(b, a);
  bool one = false;
  if (!nested) {
    if (at(a).kind == Kind::Atom)
      one = true;
    else if (at(a).kind == at(b).kind)
      one = align(at(a).kind, flatten(at(a).kind, std::span(&a, 1)), flatten(at(b).kind, std::span(&b, 1)));
  }
  if (one && find(a) != find(b)) link(find(a), find(b));
  if (whole || !one) {
    mark_whole(a);
    mark_whole(b);
  }
}

void Dims::compress() {
  for (DimId dim = 0; static_cast<size_t>(dim) < dims_.size(); ++dim) {
    const DimId root = find(dim);
    if (root != dim) dims_[static_cast<size_t>(dim)].same_as = root;
    for (DimId& part : dims_[static_cast<size_t>(dim)].parts) part = find(part);
  }
}

std::string Dims::text(DimId dim) const {
  const Dim& d = at(dim);
  const std::string mark = d.whole ? "!" : "";
  if (d.kind == Kind::Atom) {
    if (d.extent == kDynamic) return d.label;
    return fmt::format("{}{}", d.extent, mark);
  }
  std::vector<std::string> parts;
  for (const DimId part : d.kind == Kind::Product ? factors(dim) : pieces(dim)) parts.push_back(text(part));
  return d.kind == Kind::Product ? fmt::format("{}", fmt::join(parts, "*"))
                                 : fmt::format("({})", fmt::join(parts, "|"));
}

}  // namespace cleave::graph
