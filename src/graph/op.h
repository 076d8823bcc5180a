#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cleave::graph {

/// Operations on tensors, as mathematics of one device: none communicates, and none is fused with another. op_info()
/// says what each does.
enum class Op : uint8_t {
  Input,
  Weight,
  Slice,
  Reshape,
  Transpose,
  Concat,
  Embedding,
  GatherRows,
  GatherColumns,
  Matmul,
  Add,
  Mul,
  Div,
  Scale,
  Unary,
  Sum,
  RmsNorm,
  LayerNorm,
  Rope,
  Attention,
  Softmax,
  TopK,
  Take,
  Dispatch,
  Combine,
  Shift,
  Clamp,
  ToReal,
  Sinusoid,
  BlockMatmul,
  CausalConv,
  CenteredConv,
  LinearAttention,
  LinearRecurrence,
};
inline constexpr int kNumOps = static_cast<int>(Op::LinearRecurrence) + 1;

/// Whether a table has a row for every op, in their order; rows name theirs as `op`. For static_assert, so that a row
/// that is missing is found when the table is compiled.
template <class Row>
constexpr bool is_table_of_ops(const std::array<Row, kNumOps>& table) {
  for (int i = 0; i < kNumOps; ++i)
    if (table[static_cast<size_t>(i)].op != static_cast<Op>(i)) return false;
  return true;
}

/// What the runtime feeds into a step of T tokens.
enum class InputKind : uint8_t {
  TokenIds,    // [tokens], indices into the vocabulary
  Positions,   // [tokens], each token's position in its sequence
  OutputRows,  // [rows], the tokens whose logits are wanted
  TokenTypes,  // [tokens], which of the texts of a pair a token belongs to; 0 where there is one text
};
inline constexpr size_t kNumInputKinds = static_cast<size_t>(InputKind::TokenTypes) + 1;

enum class UnaryKind : uint8_t { Silu, Gelu, GeluTanh, Relu, Relu2, Tanh, Sigmoid, Exp, Softplus, Log, Floor, Sqrt };

struct InputAttributes {
  InputKind kind;
  bool operator==(const InputAttributes&) const = default;
};

/// A tensor of the checkpoint, or `stacked` tensors that differ in one number: then `name` has a `*` in its place and
/// tensor i becomes row i of a new outermost dimension (the experts of a mixture).
struct WeightAttributes {
  std::string name;
  int64_t stacked = 0;          // 0: one tensor
  bool sorted_columns = false;  // columns come in the order of their groups (tensor/tensor_table.h)
  bool operator==(const WeightAttributes&) const = default;
};

/// Elements [begin, end) of dimension `dim`.
struct SliceAttributes {
  int dim;
  int64_t begin, end;
  bool operator==(const SliceAttributes&) const = default;
};

struct ReshapeAttributes {
  std::vector<int64_t> extents;  // kDynamic keeps the dynamic dimension, which must be the outermost
  bool operator==(const ReshapeAttributes&) const = default;
};

struct TransposeAttributes {
  std::vector<int> order;  // dimension i of the result is dimension order[i] of the input
  bool operator==(const TransposeAttributes&) const = default;
};

struct ConcatAttributes {
  int dim;
  bool operator==(const ConcatAttributes&) const = default;
};

struct ScaleAttributes {
  double factor;
  bool operator==(const ScaleAttributes&) const = default;
};

struct UnaryAttributes {
  UnaryKind kind;
  bool operator==(const UnaryAttributes&) const = default;
};

struct NormAttributes {
  double eps;
  double weight_offset = 0;  // added to every weight: 1 where a checkpoint stores weights around zero
  bool operator==(const NormAttributes&) const = default;
};

/// Rotary position embedding (Su et al., 2021). Pair i of a head turns by position * inverse_frequencies[i]; only the
/// first 2 * inverse_frequencies.size() dimensions of a head turn, the others pass.
struct RopeAttributes {
  std::vector<double> inverse_frequencies;
  bool interleaved = false;    // pairs (2i, 2i + 1) instead of (i, i + n / 2)
  double attention_scale = 1;  // multiplies sine and cosine (YaRN's mscale, longrope's attention factor)
  /// How frequencies depend on the sequence's length, counting the whole prompt (see docs/models.md).
  enum class LengthRule : uint8_t {
    None,
    Switch,   // longer than `original_length`: long_inverse_frequencies (longrope)
    Dynamic,  // longer than `original_length`: the base grows with the length (dynamic NTK)
  } length_rule = LengthRule::None;
  std::vector<double> long_inverse_frequencies;
  int64_t original_length = 0;
  double base = 0, factor = 1;  // of LengthRule::Dynamic
  /// Of LengthRule::Switch: a sequence that grows beyond `original_length` is computed anew from its first token, so
  /// that all of its keys are turned alike. Otherwise keys stay as they were turned.
  bool recomputed = false;
  bool operator==(const RopeAttributes&) const = default;
};

/// Attention of every token to itself and to earlier tokens of its sequence. Keys and values are kept from step to
/// step. Query heads [h*g, (h+1)*g) share key-value head h, g = query heads / key-value heads.
struct AttentionAttributes {
  int layer = 0;       // which key-value cache; unique in a graph, of no meaning where nothing is kept
  double scale = 1;    // of the dot products
  int64_t window = 0;  // > 0: only the last `window` tokens, the own one included
  int64_t chunk = 0;   // > 0: only tokens of the own chunk of `chunk` positions (Llama 4)
  double softcap = 0;  // > 0: scores become softcap * tanh(score / softcap)
  /// ALiBi (Press et al., 2021): slope * key position is added to a head's scaled scores.
  std::vector<double> alibi_slopes;
  double alibi_scale = 1;       // multiplies the bias
  bool alibi_bfloat16 = false;  // slope and slope * position are rounded to bfloat16 first
  /// False: every token attends to later tokens, too, in a window to as many as to earlier ones. A step has the whole
  /// sequence then, and nothing is kept.
  bool causal = true;
  /// Keys and values are those of another text, which the graph's output "encode" has computed of it and kept; not
  /// causal. Every token attends to all of that text.
  bool cross = false;
  /// What is added to a score by how far the key stands from the query: row distance_rows[i] of a table where it stands
  /// i - n tokens behind, of 2n + 1 entries (relative positions in buckets, Raffel et al., 2020). Keys that are further
  /// away take the first or the last. Empty: nothing is added.
  std::vector<int64_t> distance_rows = {};
  /// Tables that are inputs, in this order: biases, or one or both of the others; no sinks then.
  bool biases = false;            // [rows, query heads]: the numbers themselves
  bool position_keys = false;     // [rows, query heads, d]: scale * the query's product with a row
  bool position_queries = false;  // [rows, query heads, d]: scale * the key's product with a row (He et al., "DeBERTa")
  /// > 0: a weight is (1 - angle / pi)^power, of the angle between query and key, in place of a softmax (Zeng et al.,
  /// "You Only Sample (Almost) Once", 2021).
  int64_t angle_power = 0;

  /// Whether keys and values are kept from step to step.
  bool cached() const { return causal || cross; }
  /// Number of the tables.
  size_t tables() const { return (biases ? 1U : 0U) + (position_keys ? 1U : 0U) + (position_queries ? 1U : 0U); }
  bool operator==(const AttentionAttributes&) const = default;
};

/// The k largest elements of the last dimension. They may be chosen from `kept_groups` of `groups` equal runs of
/// neighbours alone (DeepSeek): the runs whose `best_of_group` largest elements have the largest sums. Elements of
/// other runs count as 0.
struct TopKAttributes {
  int64_t k;
  int64_t groups = 1, kept_groups = 1, best_of_group = 1;
  bool operator==(const TopKAttributes&) const = default;
};

struct DispatchAttributes {
  int64_t num_experts;
  bool operator==(const DispatchAttributes&) const = default;
};

struct ShiftAttributes {
  double offset;
  bool operator==(const ShiftAttributes&) const = default;
};

struct ClampAttributes {
  double min, max;
  bool operator==(const ClampAttributes&) const = default;
};

/// Sines, then cosines of (position + offset) * frequency.
struct SinusoidAttributes {
  std::vector<double> frequencies;
  int64_t offset = 0;
  bool operator==(const SinusoidAttributes&) const = default;
};

/// Number of the state that an op keeps of a sequence from step to step, unique in a graph. A state begins as zeros.
struct StateAttributes {
  int state = 0;
  bool operator==(const StateAttributes&) const = default;
};

/// Linear attention: a head's state S, [n, p], goes from token to token, and the result is q S.
/// - Plain: S = exp(rate * a) S + k (x) v. Mamba 2 (Dao and Gu, 2024), Mamba (Gu and Dao, 2023; p is 1 and `a` differs
///   along n) and lightning attention (Qin et al., 2024; no rate) are of this form.
/// - With `delta` (Yang et al., "Gated Delta Networks", 2024): S = exp(rate * a) S + k (x) beta (v - k S). What S
/// already
///   answers for k is taken off v.
struct LinearAttentionAttributes {
  int state = 0;
  bool rate = false;   // the fifth input is rate
  bool delta = false;  // the last input is beta
  bool operator==(const LinearAttentionAttributes&) const = default;
};

using Attributes =
    std::variant<std::monostate, InputAttributes, WeightAttributes, SliceAttributes, ReshapeAttributes,
                 TransposeAttributes, ConcatAttributes, ScaleAttributes, UnaryAttributes, NormAttributes,
                 RopeAttributes, AttentionAttributes, TopKAttributes, DispatchAttributes, ShiftAttributes,
                 ClampAttributes, SinusoidAttributes, StateAttributes, LinearAttentionAttributes>;

/// Ops that cost the same kind of work.
enum class OpFamily : uint8_t {
  Matmul,
  Attention,
  Recurrence,
  Norm,
  Elementwise,
  Embedding,
  Other,  // copies, small sums, routing of experts
};

/// What an op does with a weight, which decides how the weight is held in memory.
enum class WeightUse : uint8_t {
  Matrix,  // multiplied with
  Table,   // looked up in
  Vector,  // numbers added or multiplied, of any shape
};

struct OpInfo {
  Op op;
  std::string_view name;       // in text form and in model definitions
  std::string_view signature;  // shapes, einsum-like
  std::string_view summary;
  int min_inputs, max_inputs;
  size_t attributes;  // index of its type in Attributes
  OpFamily family;
  WeightUse second_operand = WeightUse::Vector;  // the others are vectors
  /// The op works on single elements or rows. A product in front of it therefore decides what a top_k behind it
  /// chooses.
  bool passes_choice = false;
};

/// The table of operations, in the order of Op.
std::span<const OpInfo, kNumOps> op_table();
const OpInfo& op_info(Op op);
/// What the op does with a weight that is its input number `operand`.
WeightUse weight_use(Op op, size_t operand);

/// "silu", "gelu_tanh", ... in the order of UnaryKind.
std::span<const std::string_view> unary_names();

/// The attributes as they stand in the text form, such as "eps=1e-05"; "" for none.
std::string attributes_text(const Attributes& attributes);

}  // namespace cleave::graph
