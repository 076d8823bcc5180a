#include "plan/rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/check.h"

namespace cleave::plan {

using graph::DimId;
using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

// In the order of Op. Inputs and weights have no work to share: their dimensions are those that their users want.
constexpr std::array<Rule, graph::kNumOps> kRules = {{
    {Op::Input, "->(..)", Linear::No, true, ""},
    {Op::Weight, "->(..)", Linear::No, true, ""},
    {Op::Slice, "(..)->(..)", Linear::First, true, ""},
    {Op::Reshape, "(..)->(..)", Linear::First, true, ""},
    {Op::Transpose, "(..)->(..)", Linear::First, true, ""},
    {Op::Concat, "(..)->(..)", Linear::No, true, ""},
    {Op::Embedding, "(t),(v+,j)->(t,j)", Linear::No, false, "v vocabulary,j width"},  // a foreign row counts as zeros
    {Op::GatherRows, "(t,j),(r)->(r,j)", Linear::First, true, ""},
    {Op::GatherColumns, "(..,j!),(i)->(..,i)", Linear::First, true, ""},
    {Op::Matmul, "(..,k+),(j,k+)->(..,j);(e,t,k+),(e,j,k+)->(e,t,j)", Linear::No, false, "j columns"},
    {Op::Add, "(..),(..)->(..)", Linear::Both, true, ""},
    {Op::Mul, "(..),(..)->(..)", Linear::Either, true, ""},
    {Op::Div, "(..),(..)->(..)", Linear::First, true, ""},
    {Op::Scale, "(..)->(..)", Linear::First, true, ""},
    {Op::Unary, "(..)->(..)", Linear::No, true, ""},
    {Op::Sum, "(..,j+)->(..,u)", Linear::First, true, ""},
    {Op::RmsNorm, "(..,j~),(j~),(j~)->(..,j~)", Linear::No, true, ""},
    {Op::LayerNorm, "(..,j~),(j~),(j~)->(..,j~)", Linear::No, true, ""},
    {Op::Rope, "(t,h,d!),(t)->(t,h,d!)", Linear::No, true, ""},
    // Splitting values by v would be right, too, but leaves every rank all scores to compute.
    // Operands behind the values: sinks, biases, position keys, position queries. They are told apart by their ranks.
    {Op::Attention,
     "(t,h*g,d!),(t,h,d!),(t,h,v!),(h*g)->(t,h*g,v!);(t,h*g,d!),(t,h,d!),(t,h,v!),(b!,h*g)->(t,h*g,v!);"
     "(t,h*g,d!),(t,h,d!),(t,h,v!),(b!,h*g,d!),(b!,h*g,d!)->(t,h*g,v!)",
     Linear::No, false, "h heads"},
    {Op::Softmax, "(..,j!)->(..,j!)", Linear::No, true, ""},
    {Op::TopK, "(t,e!)->(t,k!)", Linear::No, true, ""},
    {Op::Take, "(t,e!),(t,k!)->(t,k!)", Linear::No, true, ""},
    {Op::Dispatch, "(t,j),(t,k!)->(e,u,j)", Linear::No, false, "e experts"},
    {Op::Combine, "(e+,u,j),(t,k!),(t,k!)->(t,j)", Linear::First, false, "e experts"},
    {Op::Shift, "(..)->(..)", Linear::No, true, ""},
    {Op::Clamp, "(..)->(..)", Linear::No, true, ""},
    {Op::ToReal, "(t)->(t,u)", Linear::No, true, ""},
    {Op::Sinusoid, "(t)->(t,f!)", Linear::No, true, ""},
    {Op::BlockMatmul, "(t,h,k+),(h,j,k+)->(t,h,j)", Linear::No, false, "j columns"},
    {Op::CausalConv, "(t,c),(c,w!)->(t,c)", Linear::No, false, "c channels"},
    {Op::CenteredConv, "(t,h,d),(h,w!)->(t,h,d)", Linear::No, false, "h heads"},
    {Op::LinearAttention, "(t,h,n!),(t,h,n!),(t,h*g,p!),(h*g,n!),(t,h*g),(t,h*g)->(t,h*g,p!)", Linear::No, false,
     "h heads"},
    {Op::LinearRecurrence, "(t,c),(t,c)->(t,c)", Linear::No, false, "c channels"},
}};
static_assert(graph::is_table_of_ops(kRules));

// The label that a more telling one replaces.
constexpr std::string_view kPlainLabel = "columns";

/// One dimension in a rule.
struct Factor {
  std::string_view letters;  // "h*g"; ".." for any leading dimensions
  Role role = Role::Pass;
};
using Tensor = std::vector<Factor>;

Factor parse_factor(std::string_view text) {
  switch (text.back()) {
    case '+':
      return {text.substr(0, text.size() - 1), Role::Sum};
    case '~':
      return {text.substr(0, text.size() - 1), Role::Statistic};
    case '!':
      return {text.substr(0, text.size() - 1), Role::Whole};
    default:
      return {text};
  }
}

// The tensors of one variant, operands first, then the result.
std::vector<Tensor> parse_variant(std::string_view text) {
  std::vector<Tensor> tensors;
  while (true) {
    const size_t open = text.find('(');
    if (open == std::string_view::npos) return tensors;
    const size_t close = text.find(')', open);
    std::string_view inside = text.substr(open + 1, close - open - 1);
    text.remove_prefix(close + 1);
    Tensor& tensor = tensors.emplace_back();
    while (!inside.empty()) {
      const size_t comma = std::min(inside.find(','), inside.size());
      tensor.push_back(parse_factor(inside.substr(0, comma)));
      inside.remove_prefix(std::min(comma + 1, inside.size()));
    }
  }
}

using Variants = std::vector<std::vector<Tensor>>;

Variants parse_rule(const Rule& rule) {
  Variants variants;
  std::string_view text = rule.factors;
  while (!text.empty()) {
    const size_t end = std::min(text.find(';'), text.size());
    variants.push_back(parse_variant(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return variants;
}

const Variants& variants_of(Op op) {
  static const std::vector<Variants> parsed_rules = [] {
    std::vector<Variants> parsed;
    for (const Rule& rule : kRules) parsed.push_back(parse_rule(rule));
    return parsed;
  }();
  return parsed_rules[static_cast<size_t>(op)];
}

bool fits(const Tensor& tensor, size_t rank) {
  const bool open = !tensor.empty() && tensor[0].letters == "..";
  return open ? rank + 1 >= tensor.size() : rank == tensor.size();
}

/// Visits every dimension of a node's operands and result together with its factor in the rule.
template <class Visit>
void for_each_dim(const Graph& graph, NodeId id, Visit visit) {
  const Node& node = graph.node(id);
  const auto dims_of = [&](size_t tensor) -> const std::vector<DimId>& {
    return tensor < node.inputs.size() ? graph.node(node.inputs[tensor]).dims : node.dims;
  };
  for (const std::vector<Tensor>& variant : variants_of(node.op)) {
    // Operands beyond those that the rule lists (of a concatenation) are like its first; missing ones are optional.
    const auto factors_of = [&](size_t tensor) -> const Tensor& {
      if (tensor == node.inputs.size()) return variant.back();
      return variant[tensor + 1 < variant.size() ? tensor : 0];
    };
    bool all_fit = true;
    for (size_t t = 0; t <= node.inputs.size(); ++t) all_fit = all_fit && fits(factors_of(t), dims_of(t).size());
    if (!all_fit) continue;
    for (size_t t = 0; t <= node.inputs.size(); ++t) {
      const Tensor& factors = factors_of(t);
      const std::vector<DimId>& dims = dims_of(t);
      static const Factor leading_dims{"..", Role::Pass};
      for (size_t d = 0; d < dims.size(); ++d) {
        const size_t from_right = dims.size() - d;
        const bool leading = from_right > factors.size() || factors[factors.size() - from_right].letters == "..";
        visit(t, dims[d], leading ? leading_dims : factors[factors.size() - from_right]);
      }
    }
    return;
  }
  fail(ErrorKind::Internal, "the sharding rule {} does not fit node %{} of {}", rule_of(node.op).factors, id,
       graph.shape_text(id));
}

// What is seen of one axis at a node.
struct Seen {
  bool whole = false, statistic = false, sum = false, in_result = false, inexact = false;

  Role role() const {
    if (whole || inexact || (sum && in_result)) return Role::Whole;
    if (sum) return Role::Sum;
    if (!in_result) return Role::Whole;
    return statistic ? Role::Statistic : Role::Pass;
  }
};

}  // namespace

const Rule& rule_of(Op op) {
  return kRules[static_cast<size_t>(op)];
}

std::vector<std::vector<DimId>> joined_factors(const Graph& graph) {
  std::vector<std::vector<DimId>> joined;
  std::set<std::vector<DimId>> known;
  for (size_t i = 0; i < graph.nodes().size(); ++i)
    for_each_dim(graph, static_cast<NodeId>(i), [&](size_t, DimId dim, const Factor& factor) {
      if (factor.letters.find('*') == std::string_view::npos) return;
      std::vector<DimId> factors = graph.dims().factors(dim);
      if (factors.size() > 1 && known.insert(factors).second) joined.push_back(std::move(factors));
    });
  return joined;
}

std::vector<Use> uses_of(const Graph& graph, NodeId id, const Axes& axes) {
  std::map<AxisId, Seen> seen;
  const size_t result = graph.node(id).inputs.size();
  for_each_dim(graph, id, [&](size_t tensor, DimId dim, const Factor& factor) {
    if (graph.dims().extent(dim) == graph::kDynamic) return;
    for (const AxisId axis : axes.in_dim(graph.dims(), dim)) {
      if (!axes[axis].can_split) continue;
      Seen& s = seen[axis];
      s.whole = s.whole || factor.role == Role::Whole;
      s.statistic = s.statistic || factor.role == Role::Statistic;
      s.in_result = s.in_result || (tensor == result && axes.restricts(graph.dims(), dim, axis));
      if (factor.role == Role::Sum) s.sum = true;
      if (factor.role != Role::Pass) s.inexact = s.inexact || !axes.partitions(graph.dims(), dim, axis);
    }
  });
  std::vector<Use> uses;
  for (const auto& [axis, s] : seen) uses.push_back({axis, s.role()});
  return uses;
}

void label_axes(const Graph& graph, Axes& axes) {
  const auto label = [&](DimId dim, std::string_view text) {
    if (graph.dims().extent(dim) == graph::kDynamic) return;
    const std::vector<AxisId> in_dim = axes.in_dim(graph.dims(), dim);
    if (in_dim.empty()) return;
    std::string& known = axes[in_dim[0]].label;
    if (known.empty() || known == kPlainLabel) known = text;
  };
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto id = static_cast<NodeId>(i);
    std::string_view labels = rule_of(graph.node(id).op).labels;
    for (; !labels.empty(); labels.remove_prefix(std::min(labels.find(',') + 1, labels.size()))) {
      const std::string_view entry = labels.substr(0, labels.find(','));
      for_each_dim(graph, id, [&](size_t, DimId dim, const Factor& factor) {
        if (factor.letters.front() == entry.front()) label(dim, entry.substr(2));
      });
      if (labels.find(',') == std::string_view::npos) break;
    }
  }
  for (const graph::Output& output : graph.outputs())
    label(graph.node(output.node).dims.back(), output.name == "encode" ? "width" : "vocabulary");
  for (size_t a = 0; a < axes.size(); ++a)
    if (axes[static_cast<AxisId>(a)].label.empty()) axes[static_cast<AxisId>(a)].label = kPlainLabel;
}

}  // namespace cleave::plan
