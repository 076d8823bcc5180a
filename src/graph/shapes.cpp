// Shape functions: one short function per op, in one table. Each checks its inputs, relates their dimensions, and says
// what comes out.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "graph/attention_shape.h"
#include "graph/operands.h"

namespace cleave::graph {
namespace {

using ShapeFunction = ResultType (*)(Operands&);

ResultType input(Operands& o) {
  const bool rows = o.as<InputAttributes>().kind == InputKind::OutputRows;
  return {{rows ? o.graph().output_rows() : o.graph().tokens()}, Element::Index};
}

ResultType weight(Operands&) {
  fail(ErrorKind::Internal, "weights are made by Graph::weight");
}

ResultType slice(Operands& o) {
  const auto& a = o.as<SliceAttributes>();
  std::vector<DimId> dims = o.dims(0);
  o.want(a.dim >= 0 && static_cast<size_t>(a.dim) < dims.size(), "there is no dimension {}", a.dim);
  DimId& dim = dims[static_cast<size_t>(a.dim)];
  const int64_t extent = o.extent(dim);
  o.want(extent != kDynamic && 0 <= a.begin && a.begin < a.end && a.end <= extent,
         "range [{}, {}) does not fit into dimension {}", a.begin, a.end, a.dim);
  std::vector<int64_t> extents;
  for (const int64_t piece : {a.begin, a.end - a.begin, extent - a.end})
    if (piece > 0) extents.push_back(piece);
  dim = o.table().split_concat(dim, extents)[a.begin > 0 ? 1 : 0];
  return {dims, o.element(0)};
}

ResultType reshape(Operands& o) {
  const std::vector<int64_t>& wanted = o.as<ReshapeAttributes>().extents;
  std::vector<DimId> from = o.dims(0);
  std::vector<DimId> dims;
  std::vector<int64_t> extents = wanted;
  if (!from.empty() && o.extent(from[0]) == kDynamic) {
    o.want(!extents.empty() && extents[0] == kDynamic, "the first dimension must stay {}", o.table().text(from[0]));
    dims.push_back(from[0]);
    from.erase(from.begin());
    extents.erase(extents.begin());
  }
  int64_t before = 1, after = 1;
  for (const DimId dim : from) before *= o.extent(dim);
  for (const int64_t extent : extents) {
    o.want(extent >= 0 && (extent == 0 || after <= INT64_MAX / extent), "impossible extents {}",
           fmt::join(wanted, ", "));
    after *= extent;
  }
  o.want(before == after, "cannot become [{}]: {} elements against {}", fmt::join(wanted, ", "), before, after);
  // Equal extents from the outside and from the inside keep their dimensions; what lies between is one product, split
  // anew.
  size_t outer = 0, inner = 0;
  while (outer < from.size() && outer < extents.size() && o.extent(from[outer]) == extents[outer])
    dims.push_back(from[outer++]);
  while (inner < from.size() - outer && inner < extents.size() - outer &&
         o.extent(from[from.size() - 1 - inner]) == extents[extents.size() - 1 - inner])
    ++inner;
  const std::span middle_from(from.begin() + static_cast<long>(outer), from.end() - static_cast<long>(inner));
  const std::span middle_to(extents.begin() + static_cast<long>(outer), extents.end() - static_cast<long>(inner));
  const DimId product = o.table().product(middle_from);
  const std::vector<DimId> made =
      middle_to.size() == 1 ? std::vector<DimId>{product} : o.table().split_product(product, middle_to);
  dims.insert(dims.end(), made.begin(), made.end());
  dims.insert(dims.end(), from.end() - static_cast<long>(inner), from.end());
  return {dims, o.element(0)};
}

ResultType transpose(Operands& o) {
  const std::vector<int>& order = o.as<TransposeAttributes>().order;
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  bool permutation = sorted.size() == o.rank(0);
  for (size_t i = 0; i < sorted.size(); ++i) permutation = permutation && sorted[i] == static_cast<int>(i);
  o.want(permutation, "order {} is no permutation of its dimensions", fmt::join(order, ","));
  std::vector<DimId> dims;
  for (const int from : order) dims.push_back(o.dims(0)[static_cast<size_t>(from)]);
  return {dims, o.element(0)};
}

ResultType concat(Operands& o) {
  const auto dim = static_cast<size_t>(o.as<ConcatAttributes>().dim);
  std::vector<DimId> dims = o.dims(0);
  o.want(dim < dims.size(), "there is no dimension {}", dim);
  std::vector<DimId> joined;
  for (size_t i = 0; i < o.size(); ++i) {
    o.want(o.rank(i) == dims.size(), "inputs differ in their number of dimensions");
    for (size_t d = 0; d < dims.size(); ++d)
      if (d != dim) o.same(dims[d], o.dims(i)[d], "other dimensions");
    joined.push_back(o.dims(i)[dim]);
  }
  dims[dim] = o.table().concat(joined);
  return {dims, o.element(0)};
}

ResultType embedding(Operands& o) {
  o.want_index(0);
  o.want(o.rank(0) == 1 && o.rank(1) == 2, "wanted indices [tokens] and a table [rows, width]");
  return {{o.dims(0)[0], o.dims(1)[1]}};
}

ResultType gather_rows(Operands& o) {
  o.want_real(0);
  o.want_index(1);
  o.want(o.rank(0) == 2 && o.rank(1) == 1, "wanted [tokens, width] and [rows]");
  return {{o.dims(1)[0], o.dims(0)[1]}};
}

ResultType gather_columns(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  std::vector<DimId> dims = o.dims(0);
  o.want(!dims.empty() && o.rank(1) == 1, "wanted [..., width] and the places [columns]");
  dims.back() = o.dims(1)[0];
  return {dims};
}

ResultType matmul(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  std::vector<DimId> dims = o.dims(0);
  const std::vector<DimId>& w = o.dims(1);
  const bool batched = w.size() == 3;
  o.want(batched ? dims.size() == 3 : w.size() == 2 && !dims.empty(),
         "wanted [..., k] and [j, k], or [e, t, k] and [e, j, k]");
  if (batched) o.same(dims[0], w[0], "numbers of experts");
  o.same(dims.back(), w.back(), "input features of activation and weight");
  dims.back() = w[w.size() - 2];
  return {dims};
}

/// b is repeated along dimensions that it lacks (on the left) or where its extent is 1.
ResultType elementwise(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  const std::vector<DimId>& a = o.dims(0);
  const std::vector<DimId>& b = o.dims(1);
  o.want(b.size() <= a.size(), "the second operand has more dimensions");
  for (size_t i = 1; i <= b.size(); ++i) {
    const DimId of_a = a[a.size() - i];
    const DimId of_b = b[b.size() - i];
    if (o.extent(of_b) != 1 || o.extent(of_a) == 1) o.same(of_a, of_b, "dimensions");
  }
  return {a};
}

ResultType same_as_input(Operands& o) {
  o.want_real(0);
  return {o.dims(0)};
}

ResultType sum(Operands& o) {
  o.want_real(0);
  o.want(o.rank(0) >= 1, "a scalar has nothing to sum");
  std::vector<DimId> dims = o.dims(0);
  dims.back() = o.table().atom(1);
  return {dims};
}

ResultType norm(Operands& o) {
  o.want_real(0);
  o.want(o.rank(0) >= 1, "wanted at least one dimension");
  for (size_t i = 1; i < o.size(); ++i) {
    o.want(o.rank(i) == 1, "weight and bias must be vectors");
    o.same(o.dims(0).back(), o.dims(i)[0], "widths of activation and weight");
  }
  return {o.dims(0)};
}

ResultType rope(Operands& o) {
  o.want_real(0);
  o.want_index(1);
  o.want(o.rank(0) == 3 && o.rank(1) == 1, "wanted [tokens, heads, head_dim] and positions [tokens]");
  o.same(o.dims(0)[0], o.dims(1)[0], "numbers of tokens");
  const auto rotary = static_cast<int64_t>(2 * o.as<RopeAttributes>().inverse_frequencies.size());
  o.want(rotary > 0 && rotary <= o.extent(o.dims(0)[2]), "{} rotary dimensions do not fit into a head of {}", rotary,
         o.extent(o.dims(0)[2]));
  return {o.dims(0)};
}

ResultType top_k(Operands& o) {
  o.want_real(0);
  const auto& [k, groups, kept, best] = o.as<TopKAttributes>();
  o.want(o.rank(0) == 2 && k >= 1 && k <= o.extent(o.dims(0)[1]), "cannot choose {} of the last dimension", k);
  const int64_t n = o.extent(o.dims(0)[1]);
  o.want(groups >= 1 && n % groups == 0 && kept >= 1 && kept <= groups && best >= 1 && best <= n / groups,
         "cannot keep {} of {} groups by their {} best elements", kept, groups, best);
  return {{o.dims(0)[0], o.table().atom(k)}, Element::Index};
}

ResultType take(Operands& o) {
  o.want_real(0);
  o.want_index(1);
  o.want(o.rank(0) == 2 && o.rank(1) == 2, "wanted [tokens, n] and indices [tokens, k]");
  o.same(o.dims(0)[0], o.dims(1)[0], "numbers of tokens");
  return {o.dims(1)};
}

ResultType dispatch(Operands& o) {
  o.want_real(0);
  o.want_index(1);
  o.want(o.rank(0) == 2 && o.rank(1) == 2, "wanted [tokens, width] and chosen experts [tokens, k]");
  o.same(o.dims(0)[0], o.dims(1)[0], "numbers of tokens");
  return {{o.table().atom(o.as<DispatchAttributes>().num_experts), o.graph().routed(), o.dims(0)[1]}};
}

ResultType combine(Operands& o) {
  o.want_real(0);
  o.want_index(1);
  o.want_real(2);
  o.want(o.rank(0) == 3 && o.rank(1) == 2 && o.rank(2) == 2,
         "wanted [experts, routed, width], chosen experts [tokens, k] and their weights [tokens, k]");
  o.same(o.dims(1)[0], o.dims(2)[0], "numbers of tokens");
  o.same(o.dims(1)[1], o.dims(2)[1], "numbers of chosen experts");
  return {{o.dims(1)[0], o.dims(0)[2]}};
}

ResultType to_real(Operands& o) {
  o.want_index(0);
  o.want(o.rank(0) == 1, "wanted indices [tokens]");
  return {{o.dims(0)[0], o.table().atom(1)}};
}

ResultType sinusoid(Operands& o) {
  o.want_index(0);
  const auto count = static_cast<int64_t>(o.as<SinusoidAttributes>().frequencies.size());
  o.want(o.rank(0) == 1 && count > 0, "wanted indices [tokens] and at least one frequency");
  return {{o.dims(0)[0], o.table().atom(2 * count)}};
}

ResultType block_matmul(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  o.want(o.rank(0) == 3 && o.rank(1) == 3, "wanted [tokens, h, k] and a weight [h, j, k]");
  o.same(o.dims(0)[1], o.dims(1)[0], "numbers of blocks");
  o.same(o.dims(0)[2], o.dims(1)[2], "input features of activation and weight");
  return {{o.dims(0)[0], o.dims(0)[1], o.dims(1)[1]}};
}

ResultType causal_conv(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  o.want(o.rank(0) == 2 && o.rank(1) == 2, "wanted [tokens, channels] and a weight [channels, width]");
  o.same(o.dims(0)[1], o.dims(1)[0], "numbers of channels");
  return {o.dims(0)};
}

ResultType centered_conv(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  o.want(o.rank(0) == 3 && o.rank(1) == 2, "wanted [tokens, heads, d] and a weight [heads, width]");
  o.same(o.dims(0)[1], o.dims(1)[0], "numbers of heads");
  o.want(o.extent(o.dims(1)[1]) % 2 == 1, "wanted an odd width");
  return {o.dims(0)};
}

ResultType linear_attention(Operands& o) {
  const auto& a = o.as<LinearAttentionAttributes>();
  o.want(o.size() == 4 + (a.rate ? 1U : 0U) + (a.delta ? 1U : 0U), "wanted q, k, v, a and what the attributes say");
  for (size_t i = 0; i < 3; ++i) {
    o.want_real(i);
    o.want(o.rank(i) == 3, "wanted [tokens, heads, n] for q and k and [tokens, heads, p] for v");
    o.same(o.dims(0)[0], o.dims(i)[0], "numbers of tokens");
  }
  const std::vector<DimId> q = o.dims(0), k = o.dims(1), v = o.dims(2), rates = o.dims(3);
  o.same(q[1], k[1], "numbers of query and key heads");
  o.same(q[2], k[2], "sizes of queries and keys");
  const int64_t heads = o.extent(v[1]), groups = o.extent(q[1]);
  o.want(groups > 0 && heads % groups == 0, "{} value heads cannot share {} keys evenly", heads, groups);
  o.group(v[1], q[1]);
  o.want(rates.size() == 2, "wanted a of [heads, n] or [heads, 1]");
  o.same(v[1], rates[0], "numbers of heads of v and a");
  if (o.extent(rates[1]) != 1) o.same(q[2], rates[1], "sizes of keys and a");
  for (size_t i = 4; i < o.size(); ++i) {
    o.want(o.rank(i) == 2, "wanted rate and beta of [tokens, heads]");
    o.same(v[1], o.dims(i)[1], "numbers of heads");
  }
  return {v};
}

ResultType linear_recurrence(Operands& o) {
  o.want_real(0);
  o.want_real(1);
  o.want(o.rank(0) == 2 && o.rank(1) == 2, "wanted a and b of [tokens, channels]");
  o.same(o.dims(0)[0], o.dims(1)[0], "numbers of tokens");
  o.same(o.dims(0)[1], o.dims(1)[1], "numbers of channels");
  return {o.dims(0)};
}

struct Row {
  Op op;
  ShapeFunction infer;
};

// In the order of Op.
constexpr std::array<Row, kNumOps> kTable = {{
    {Op::Input, input},
    {Op::Weight, weight},
    {Op::Slice, slice},
    {Op::Reshape, reshape},
    {Op::Transpose, transpose},
    {Op::Concat, concat},
    {Op::Embedding, embedding},
    {Op::GatherRows, gather_rows},
    {Op::GatherColumns, gather_columns},
    {Op::Matmul, matmul},
    {Op::Add, elementwise},
    {Op::Mul, elementwise},
    {Op::Div, elementwise},
    {Op::Scale, same_as_input},
    {Op::Unary, same_as_input},
    {Op::Sum, sum},
    {Op::RmsNorm, norm},
    {Op::LayerNorm, norm},
    {Op::Rope, rope},
    {Op::Attention, attention_shape},
    {Op::Softmax, same_as_input},
    {Op::TopK, top_k},
    {Op::Take, take},
    {Op::Dispatch, dispatch},
    {Op::Combine, combine},
    {Op::Shift, same_as_input},
    {Op::Clamp, same_as_input},
    {Op::ToReal, to_real},
    {Op::Sinusoid, sinusoid},
    {Op::BlockMatmul, block_matmul},
    {Op::CausalConv, causal_conv},
    {Op::CenteredConv, centered_conv},
    {Op::LinearAttention, linear_attention},
    {Op::LinearRecurrence, linear_recurrence},
}};
static_assert(is_table_of_ops(kTable));

}  // namespace

ResultType infer(Op op, std::span<const NodeId> inputs, const Attributes& attributes, Graph& graph) {
  const OpInfo& info = op_info(op);
  CHECK_EQ(attributes.index(), info.attributes);
  Operands operands(op, inputs, attributes, graph);
  const auto count = static_cast<int>(inputs.size());
  if (count < info.min_inputs || count > info.max_inputs)
    fail(ErrorKind::InvalidArgument, "{} takes {} to {} tensors, not {}", info.name, info.min_inputs, info.max_inputs,
         count);
  return kTable[static_cast<size_t>(op)].infer(operands);
}

}  // namespace cleave::graph
