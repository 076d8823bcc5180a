#include "lower/weight_reshape.h"

#include <algorithm>

#include "base/check.h"

namespace cleave::lower {
namespace {

/// Neighbouring dimensions [from, from_end) that become dimensions [to, to_end): the fewest with equal products.
struct Group {
  size_t from, from_end, to, to_end;
};

std::vector<Group> groups_of(const Shape& from, const Shape& to) {
  std::vector<Group> groups;
  size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    Group group{i, i + 1, j, j + 1};
    int64_t p = from[i++], q = to[j++];
    while (p != q) {
      if (p < q)
        p *= from[i++];
      else
        q *= to[j++];
    }
    group.from_end = i;
    group.to_end = j;
    groups.push_back(group);
  }
  if (groups.empty()) groups.push_back({0, 0, 0, 0});
  groups.back().from_end = from.size();  // what is left has extent 1
  groups.back().to_end = to.size();
  return groups;
}

/// Elements [begin, begin + count) of a group's dimensions taken as one, `stride` apart in the stored tensor.
struct Run {
  int64_t begin = 0, count = 1, offset = 0, stride = 1;
};

/// The part of a piece that lies in one group, under the new shape.
struct Box {
  int64_t offset = 0;
  std::vector<int64_t> strides;
  Shape begin, extents;
};

// The runs of which a piece consists in a group: the innermost dimensions that lie behind one another form one.
std::vector<Run> runs_of(const Piece& piece, const Shape& shape, const Group& g) {
  Run run;
  size_t inner = g.from_end;  // dimensions [inner, from_end) are in the run
  bool full = true;           // the piece covers all of them
  int64_t size = 1;           // their elements
  while (inner > g.from) {
    const size_t d = inner - 1;
    if (piece.extents[d] != 1) {
      if (!full || (run.count > 1 && piece.strides[d] != run.stride * run.count)) break;
      if (run.count == 1) run.stride = piece.strides[d];
      run.count *= piece.extents[d];
    }
    run.begin += piece.begin[d] * size;
    full = full && piece.extents[d] == shape[d];
    size *= shape[d];
    inner = d;
  }
  std::vector<Run> runs = {run};
  for (size_t d = inner; d-- > g.from; size *= shape[d]) {
    std::vector<Run> outer;
    for (int64_t i = 0; i < piece.extents[d]; ++i)
      for (const Run& r : runs)
        outer.push_back({r.begin + (piece.begin[d] + i) * size, r.count, r.offset + i * piece.strides[d], r.stride});
    runs = std::move(outer);
  }
  return runs;
}

// Cuts a run at the borders of rows of the inner dimensions, so that each part is a box of dimensions [d,
// shape.size()).
void cut(const Run& run, const Shape& shape, size_t d, const Box& outer, std::vector<Box>& boxes) {
  if (run.count == 0) return;
  int64_t row = 1;
  for (size_t i = d + 1; i < shape.size(); ++i) row *= shape[i];
  if (d + 1 >= shape.size() || (run.begin % row == 0 && run.count % row == 0)) {
    Box box = outer;
    box.offset += run.offset;
    int64_t stride = run.stride * row;
    for (size_t i = d; i < shape.size(); ++i) {
      box.strides.push_back(stride);
      box.begin.push_back(i == d ? run.begin / row : 0);
      box.extents.push_back(i == d ? run.count / row : shape[i]);
      if (i + 1 < shape.size()) stride /= shape[i + 1];
    }
    boxes.push_back(std::move(box));
    return;
  }
  const int64_t head = std::min(run.count, run.begin % row == 0 ? 0 : row - run.begin % row);
  const int64_t middle = (run.count - head) / row * row;
  const auto part = [&](int64_t first, int64_t count) {
    return Run{run.begin + first, count, run.offset + first * run.stride, run.stride};
  };
  const auto within_row = [&](Run r) {
    if (r.count == 0) return;
    Box box = outer;
    box.strides.push_back(run.stride * row);
    box.begin.push_back(r.begin / row);
    box.extents.push_back(1);
    r.begin %= row;
    cut(r, shape, d + 1, box, boxes);
  };
  within_row(part(0, head));
  if (middle > 0) cut(part(head, middle), shape, d, outer, boxes);
  within_row(part(head + middle, run.count - head - middle));
}

// Appends the boxes of one group to the dimensions that a piece has got so far.
std::vector<Box> extend(const std::vector<Box>& before, const std::vector<Box>& group) {
  std::vector<Box> result;
  for (const Box& a : before)
    for (const Box& b : group) {
      Box box = a;
      box.offset += b.offset;
      box.strides.insert(box.strides.end(), b.strides.begin(), b.strides.end());
      box.begin.insert(box.begin.end(), b.begin.begin(), b.begin.end());
      box.extents.insert(box.extents.end(), b.extents.begin(), b.extents.end());
      result.push_back(std::move(box));
    }
  return result;
}

}  // namespace

WeightView reshape(const WeightView& view, const Shape& shape) {
  CHECK_EQ(num_elements(view.shape), num_elements(shape));
  if (view.shape == shape) return view;
  WeightView result{shape, {}, view.functions};
  if (num_elements(shape) == 0) return result;
  const std::vector<Group> groups = groups_of(view.shape, shape);
  for (const Piece& piece : view.pieces) {
    std::vector<Box> boxes = {{piece.offset, {}, {}, {}}};
    for (const Group& group : groups) {
      const Shape to(shape.begin() + static_cast<long>(group.to), shape.begin() + static_cast<long>(group.to_end));
      std::vector<Box> parts;
      for (const Run& run : runs_of(piece, view.shape, group)) {
        if (to.empty())
          parts.push_back({run.offset, {}, {}, {}});
        else
          cut(run, to, 0, {}, parts);
      }
      boxes = extend(boxes, parts);
    }
    for (Box& box : boxes)
      result.pieces.push_back(
          {piece.tensor, box.offset, std::move(box.strides), std::move(box.begin), std::move(box.extents)});
  }
  return result;
}

}  // namespace cleave::lower
