#include "graph/op.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cleave::graph {
namespace {

template <class T, size_t I = 0>
constexpr size_t index_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, Attributes>, T>)
    return I;
  else
    return index_of<T, I + 1>();
}

template <class T>
constexpr size_t kIs = index_of<T>();
constexpr size_t kPlain = kIs<std::monostate>;

// The last column of the table.
constexpr bool kPassesChoice = true;

constexpr std::array<OpInfo, kNumOps> kTable = {{
    {Op::Input, "input", "-> (t)", "what the runtime feeds into a step", 0, 0, kIs<InputAttributes>, OpFamily::Other},
    {Op::Weight, "weight", "-> (...)", "a tensor of the checkpoint, or several stacked", 0, 0, kIs<WeightAttributes>,
     OpFamily::Other},
    {Op::Slice, "slice", "(...,a|b|c,...) -> (...,b,...)", "a range of one dimension", 1, 1, kIs<SliceAttributes>,
     OpFamily::Other, WeightUse::Vector, kPassesChoice},
    {Op::Reshape, "reshape", "(a*b) -> (a,b)", "dimensions split and merged", 1, 1, kIs<ReshapeAttributes>,
     OpFamily::Other, WeightUse::Vector, kPassesChoice},
    {Op::Transpose, "transpose", "(a,b) -> (b,a)", "dimensions reordered", 1, 1, kIs<TransposeAttributes>,
     OpFamily::Other},
    {Op::Concat, "concat", "(..,a,..),(..,b,..) -> (..,a|b,..)", "joined along one dimension", 1, 1 << 20,
     kIs<ConcatAttributes>, OpFamily::Other},
    {Op::Embedding, "embedding", "(t),(v,j) -> (t,j)", "rows of a table by index", 2, 2, kPlain, OpFamily::Embedding,
     WeightUse::Table},
    {Op::GatherRows, "gather_rows", "(t,j),(r) -> (r,j)", "the rows at the given indices", 2, 2, kPlain,
     OpFamily::Other},
    {Op::GatherColumns, "gather_columns", "(..,j),(i) -> (..,i)", "the columns at the given places", 2, 2, kPlain,
     OpFamily::Other},
    {Op::Matmul, "matmul", "(..,k),(j,k) -> (..,j); (e,t,k),(e,j,k) -> (e,t,j)", "x times the transpose of w", 2, 2,
     kPlain, OpFamily::Matmul, WeightUse::Matrix},
    {Op::Add, "add", "(...),(...) -> (...)", "a + b; b's missing or unit dimensions are repeated", 2, 2, kPlain,
     OpFamily::Elementwise, WeightUse::Vector, kPassesChoice},
    {Op::Mul, "mul", "(...),(...) -> (...)", "a * b; b's missing or unit dimensions are repeated", 2, 2, kPlain,
     OpFamily::Elementwise, WeightUse::Vector, kPassesChoice},
    {Op::Div, "div", "(...),(...) -> (...)", "a / b; b's missing or unit dimensions are repeated", 2, 2, kPlain,
     OpFamily::Elementwise, WeightUse::Vector, kPassesChoice},
    {Op::Scale, "scale", "(...) -> (...)", "a constant times x", 1, 1, kIs<ScaleAttributes>, OpFamily::Elementwise,
     WeightUse::Vector, kPassesChoice},
    {Op::Unary, "unary", "(...) -> (...)", "a function of each element", 1, 1, kIs<UnaryAttributes>,
     OpFamily::Elementwise, WeightUse::Vector, kPassesChoice},
    {Op::Sum, "sum", "(..,j) -> (..,1)", "sum over the last dimension", 1, 1, kPlain, OpFamily::Other,
     WeightUse::Vector, kPassesChoice},
    {Op::RmsNorm, "rms_norm", "(..,j),(j) -> (..,j)", "x / rms(x) * (w + offset) over the last dimension", 1, 2,
     kIs<NormAttributes>, OpFamily::Norm},
    {Op::LayerNorm, "layer_norm", "(..,j),(j),(j) -> (..,j)", "(x - mean) / deviation * w + b over the last dimension",
     1, 3, kIs<NormAttributes>, OpFamily::Norm},
    {Op::Rope, "rope", "(t,h,d),(t) -> (t,h,d)", "rotary position embedding", 2, 2, kIs<RopeAttributes>,
     OpFamily::Elementwise},
    {Op::Attention, "attention", "(t,h*g,d),(t,h,d),(t,h,v)[,(h*g)|(b,h)|(b,h,d)[,(b,h,d)]] -> (t,h*g,v)",
     "attention over the kept keys and values, or over those of the step; a head's sink joins its softmax as one more "
     "score, tables by distance are added to scores",
     3, 5, kIs<AttentionAttributes>, OpFamily::Attention},
    {Op::Softmax, "softmax", "(..,j) -> (..,j)", "softmax over the last dimension", 1, 1, kPlain, OpFamily::Elementwise,
     WeightUse::Vector, kPassesChoice},
    {Op::TopK, "top_k", "(t,e) -> (t,k)", "indices of the k largest, largest first", 1, 1, kIs<TopKAttributes>,
     OpFamily::Other},
    {Op::Take, "take", "(t,e),(t,k) -> (t,k)", "the elements at the given indices of each row", 2, 2, kPlain,
     OpFamily::Other},
    {Op::Dispatch, "dispatch", "(t,j),(t,k) -> (e,routed,j)", "each token's row for each expert that it chose", 2, 2,
     kIs<DispatchAttributes>, OpFamily::Other},
    {Op::Combine, "combine", "(e,routed,j),(t,k),(t,k) -> (t,j)", "weighted sum of each token's expert rows", 3, 3,
     kPlain, OpFamily::Other},
    {Op::Shift, "shift", "(...) -> (...)", "x plus a constant", 1, 1, kIs<ShiftAttributes>, OpFamily::Elementwise,
     WeightUse::Vector, kPassesChoice},
    {Op::Clamp, "clamp", "(...) -> (...)", "each element brought into a range", 1, 1, kIs<ClampAttributes>,
     OpFamily::Elementwise, WeightUse::Vector, kPassesChoice},
    {Op::ToReal, "to_real", "(t) -> (t,1)", "indices as numbers", 1, 1, kPlain, OpFamily::Other},
    {Op::Sinusoid, "sinusoid", "(t) -> (t,2*f)", "sines, then cosines of an index times each frequency", 1, 1,
     kIs<SinusoidAttributes>, OpFamily::Other},
    {Op::BlockMatmul, "block_matmul", "(t,h,k),(h,j,k) -> (t,h,j)",
     "x times the transpose of w, separately for each h: a part of h needs only its part", 2, 2, kPlain,
     OpFamily::Matmul, WeightUse::Matrix},
    {Op::CausalConv, "causal_conv", "(t,c),(c,w) -> (t,c)",
     "each channel's sum of its last w values, weighted; a part of c needs only its part", 2, 2, kIs<StateAttributes>,
     OpFamily::Recurrence},
    {Op::CenteredConv, "centered_conv", "(t,h,d),(h,w) -> (t,h,d)",
     "each head's sum of the w values around a token, weighted; a part of h needs only its part", 2, 2, kPlain,
     OpFamily::Recurrence},
    {Op::LinearAttention, "linear_attention", "(t,h,n),(t,h,n),(t,h*g,p),(h*g,n|1)[,(t,h*g)][,(t,h*g)] -> (t,h*g,p)",
     "attention through a decaying state: q, k, v, a, rate, beta; a part of h or p needs only its part, n is summed", 4,
     6, kIs<LinearAttentionAttributes>, OpFamily::Recurrence},
    {Op::LinearRecurrence, "linear_recurrence", "(t,c),(t,c) -> (t,c)",
     "y = a * (y of the token before) + b; a part of c needs only its part", 2, 2, kIs<StateAttributes>,
     OpFamily::Recurrence},
}};

static_assert(is_table_of_ops(kTable));

constexpr std::array<std::string_view, 12> kUnaryNames = {"silu",    "gelu", "gelu_tanh", "relu", "relu2", "tanh",
                                                          "sigmoid", "exp",  "softplus",  "log",  "floor", "sqrt"};
static_assert(kUnaryNames.size() == static_cast<size_t>(UnaryKind::Sqrt) + 1);

constexpr std::array<std::string_view, kNumInputKinds> kInputNames = {"token_ids", "positions", "output_rows",
                                                                      "token_types"};

struct TextOf {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const InputAttributes& a) const {
    return std::string(kInputNames[static_cast<size_t>(a.kind)]);
  }
  std::string operator()(const WeightAttributes& a) const {
    return a.name + (a.stacked > 0 ? fmt::format(" stacked={}", a.stacked) : "") +
           (a.sorted_columns ? " sorted_columns" : "");
  }
  std::string operator()(const SliceAttributes& a) const {
    return fmt::format("dim={} [{}:{}]", a.dim, a.begin, a.end);
  }
  std::string operator()(const ReshapeAttributes&) const { return {}; }
  std::string operator()(const TransposeAttributes& a) const {
    return fmt::format("order={}", fmt::join(a.order, ","));
  }
  std::string operator()(const ConcatAttributes& a) const { return fmt::format("dim={}", a.dim); }
  std::string operator()(const ScaleAttributes& a) const { return fmt::format("factor={:.6g}", a.factor); }
  std::string operator()(const UnaryAttributes& a) const {
    return std::string(kUnaryNames[static_cast<size_t>(a.kind)]);
  }
  std::string operator()(const NormAttributes& a) const {
    return fmt::format("eps={:g}{}", a.eps, a.weight_offset != 0 ? fmt::format(" offset={:g}", a.weight_offset) : "");
  }
  std::string operator()(const RopeAttributes& a) const {
    std::string text = fmt::format("dims={}", 2 * a.inverse_frequencies.size());
    if (a.interleaved) text += " interleaved";
    if (a.attention_scale != 1) text += fmt::format(" scale={:.6g}", a.attention_scale);
    if (a.length_rule == RopeAttributes::LengthRule::Switch) text += fmt::format(" long_beyond={}", a.original_length);
    if (a.recomputed) text += " recomputed";
    if (a.length_rule == RopeAttributes::LengthRule::Dynamic)
      text += fmt::format(" dynamic_beyond={}", a.original_length);
    return text;
  }
  std::string operator()(const AttentionAttributes& a) const {
    std::string text = a.cached() ? fmt::format("layer={}", a.layer) : "bidirectional";
    text += fmt::format("{} scale={:.6g}", a.cross ? " cross" : "", a.scale);
    if (a.window > 0) text += fmt::format(" window={}", a.window);
    if (a.chunk > 0) text += fmt::format(" chunk={}", a.chunk);
    if (a.softcap > 0) text += fmt::format(" softcap={:g}", a.softcap);
    if (!a.alibi_slopes.empty()) text += " alibi";
    if (!a.distance_rows.empty()) text += fmt::format(" distances_within={}", a.distance_rows.size() / 2);
    if (a.angle_power > 0) text += fmt::format(" angle_power={}", a.angle_power);
    return text;
  }
  std::string operator()(const TopKAttributes& a) const {
    if (a.groups == 1) return fmt::format("k={}", a.k);
    return fmt::format("k={} of {} groups of {} by {}", a.k, a.kept_groups, a.groups, a.best_of_group);
  }
  std::string operator()(const DispatchAttributes& a) const { return fmt::format("experts={}", a.num_experts); }
  std::string operator()(const ShiftAttributes& a) const { return fmt::format("offset={:.6g}", a.offset); }
  std::string operator()(const ClampAttributes& a) const { return fmt::format("[{:.6g}, {:.6g}]", a.min, a.max); }
  std::string operator()(const SinusoidAttributes& a) const {
    return fmt::format("dims={} offset={}", 2 * a.frequencies.size(), a.offset);
  }
  std::string operator()(const StateAttributes& a) const { return fmt::format("state={}", a.state); }
  std::string operator()(const LinearAttentionAttributes& a) const {
    return fmt::format("state={}{}{}", a.state, a.rate ? " rate" : "", a.delta ? " delta" : "");
  }
};

}  // namespace

std::span<const OpInfo, kNumOps> op_table() {
  return kTable;
}

const OpInfo& op_info(Op op) {
  return kTable[static_cast<size_t>(op)];
}

WeightUse weight_use(Op op, size_t operand) {
  return operand == 1 ? op_info(op).second_operand : WeightUse::Vector;
}

std::span<const std::string_view> unary_names() {
  return kUnaryNames;
}

std::string attributes_text(const Attributes& attributes) {
  return std::visit(TextOf{}, attributes);
}

}  // namespace cleave::graph
