#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "graph/rows.h"
#include "lower/weight_view.h"
#include "plan/plan.h"

namespace cleave::lower {

using graph::Rows;

/// An activation: rows of `width` 32-bit numbers (f32, or i32 for indices), compact, in the arena.
struct Value {
  Rows rows = Rows::Tokens;
  int64_t slots = 1;  // of Rows::Routed
  int64_t width = 1;
  int64_t offset = -1;  // bytes from the arena's start, a multiple of kAlignment
};

/// What a step or the loader provides, or an earlier instruction; Nothing where this rank has no part of a value.
struct Operand {
  enum class Kind : uint8_t {
    Value,
    Parameter,
    TokenIds,
    Positions,
    OutputRows,
    TokenTypes,
    Nothing
  } kind = Kind::Value;
  int32_t index = -1;  // into Program::values or RankPrograms::parameters
};

/// Weights that instructions use, and what for.
struct Parameter {
  graph::WeightUse use;  // a matrix is [n, k], a table [rows, width], a vector has any shape
  std::string name;      // of the first stored tensor, for messages
  WeightView view;
  /// A matrix that feeds a router's top_k. Multiplied in f32 at any precision, because a rounding error would pick
  /// another expert. Such matrices are small.
  bool selects_experts = false;
  /// The matrix whose products are the result. Rounding shows there more than anywhere else, so it is not quantised to
  /// less than 8 bits.
  bool head = false;
  /// The matrix of an expert, which meets those rows of a step that have chosen it.
  bool of_expert = false;
  /// A second, transposed copy of a weight that another parameter reads; not counted in the bytes read.
  bool is_copy = false;
};

/// Which tokens go to which experts of this rank: made by a dispatch, used by everything until the combine.
struct Routing {
  Operand chosen;  // i32 [T, slots], of all experts
  int64_t slots = 0;
  int64_t all_experts = 0;
  int64_t first_expert = 0, experts = 0;            // those of this rank
  int32_t offsets = -1, order = -1, position = -1;  // i32 values: [experts + 1], [T * slots], [T * slots]
};

/// What an instruction does: the operation that it names, or what the plan wants between operations.
enum class Action : uint8_t {
  Compute,        // Instruction::op on this rank's part of the work
  AllReduce,      // output = sum over the ranks of the inputs, of which each follows the one before with all its rows
  AllGather,      // output = the whole rows, of which each rank brings its shares
  Gather,         // the same for rank 0 alone
  Narrow,         // output = this rank's share of each whole row
  SplitJointSum,  // output = one of the values that an AllReduce of several has summed
  Zero,           // output = 0: this rank's part of a sum, where it has none of the summands
  Keep,           // keys and values go to the cache of the attention that is `op`, for other programs; no output
};

// ---- What instructions know beyond the attributes of their operation, by operation or action.

/// Of Embedding: this rank's part of the table.
struct LookUp {
  int64_t first_row = 0;
  int64_t table_rows = 0;  // of the whole table
};

/// Of Matmul and BlockMatmul.
struct Products {
  /// A parameter for each expert or block; empty where the second operand is the one matrix.
  std::vector<int32_t> matrices = {};
  /// The parameter that the instruction before multiplies the same rows with, so that they are rounded or quantised
  /// already; -1 for none.
  int32_t shares_input_with = -1;
};

/// Of Add, Mul and Div.
struct Elementwise {
  /// How the second operand is repeated.
  enum class Repeat : uint8_t {
    None,       // as large as the first
    Row,        // one row of n for every n elements of the first
    Column,     // one number for every n elements of the first
    ExpertRow,  // one row of n for each expert
  } repeat = Repeat::None;
  int64_t n = 1;
  std::optional<graph::UnaryKind> gate = {};  // of Mul: applied to the first operand
};

/// Of RmsNorm and LayerNorm.
struct Norm {
  int64_t statistic_over = 0;  // elements that all ranks together take statistics over; 0: each over its own
};

/// Of Rope.
struct Rotate {
  int32_t table = -1;  // into Program::ropes
};

/// Matrices of latent attention, a parameter for each head (kernels/latent_attention.h).
struct LatentMatrices {
  std::vector<int32_t> absorb, keys, values;
};

/// Of Attention and LinearAttention.
struct Attend {
  int64_t first_head = 0;  // the rank's first query head, counted from the first one of its first key-value head
  int64_t group = 1;       // query heads that share a key-value head
  /// Of attention that takes up the products before and behind it: inputs are then the queries' unrotated and rotated
  /// parts, and keys.
  std::optional<LatentMatrices> latent = {};
};

/// Of AllGather, Gather and Narrow: the elements of a whole row that each rank has, in order.
struct Shares {
  std::vector<std::vector<plan::Interval>> of_rank;
};

/// Of SplitJointSum.
struct JointPart {
  int64_t first = 0;  // numbers per row of the values before
};

using Payload = std::variant<std::monostate, LookUp, Products, Elementwise, Norm, Rotate, Attend, Shares, JointPart>;

/// One operation on whole values. Row shapes are those of this rank's part, without the dynamic dimensions.
struct Instruction {
  graph::Op op;
  graph::Attributes attributes;
  std::string name;  // module path, may be empty
  std::vector<Operand> inputs;
  std::vector<Shape> input_shapes;  // row shape of each input; the whole shape of a parameter
  int32_t output = -1;              // value
  Shape output_shape;
  int32_t routing = -1;     // into Program::routings, where rows are routed
  graph::NodeId node = -1;  // of the graph, that it computes or exchanges
  Action action = Action::Compute;
  Payload payload;

  /// REQUIRES: the op or action has a T.
  template <class T>
  const T& as() const {
    return std::get<T>(payload);
  }
};

/// Sizes of one attention layer's key-value cache.
struct KvLayer {
  int64_t kv_heads = 0, key_dim = 0, value_dim = 0;
  bool values_in_keys = false;  // values are the first value_dim numbers of keys, and kept once
};

/// Largest step that a program can run.
struct Limits {
  int64_t max_tokens = 512;
  int64_t max_output_rows = 64;
};

/// The instructions of one rank for one output of a graph with every buffer placed: data, without a pointer. Its result
/// is the last instruction's output, which is complete on rank 0.
struct Program {
  std::string output_name;  // of the graph's output
  std::vector<Instruction> instructions;
  std::vector<Value> values;
  std::vector<Routing> routings;
  std::vector<graph::RopeAttributes> ropes;  // distinct ones; their sines and cosines are computed once per step
  Operand output;
  int64_t output_width = 0;
  int64_t arena_bytes = 0;
  Limits limits;

  static constexpr int64_t kAlignment = 64;
};

/// What one rank needs for all outputs of a graph. Weights and memories of sequences are those of the graph, not of a
/// program: what several programs use is there once.
struct RankPrograms {
  std::vector<Parameter> parameters;  // which operands of all programs index; no two of the same numbers and use
  std::vector<KvLayer> kv_layers;     // by AttentionAttributes::layer
  std::vector<int64_t> states;        // numbers that a sequence keeps, by StateAttributes::state
  std::vector<Program> programs;      // by output of the graph, in its order
};

}  // namespace cleave::lower
