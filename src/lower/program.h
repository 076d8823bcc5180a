#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "lower/weight_view.h"

namespace cleave::lower {

/// How many rows a value has in a step of T tokens, of which R give logits.
enum class Rows : uint8_t {
  Tokens,      // T
  OutputRows,  // R
  Routed,      // T * slots: each token once for each expert that it chose, sorted by expert
  Fixed,       // 1
};

/// An activation: rows of `width` 32-bit numbers (f32, or i32 for indices), compact, in the arena.
struct Value {
  Rows rows = Rows::Tokens;
  int64_t slots = 1;  // of Rows::Routed
  int64_t width = 1;
  int64_t offset = -1;  // bytes from the arena's start, a multiple of kAlignment
};

/// What a step or the loader provides, or an earlier instruction.
struct Operand {
  enum class Kind : uint8_t { Value, Parameter, TokenIds, Positions, OutputRows } kind = Kind::Value;
  int32_t index = -1;  // into Program::values or Program::parameters
};

/// Weights that instructions use, and what for.
struct Parameter {
  enum class Use : uint8_t {
    Matrix,  // [n, k], multiplied with
    Table,   // [rows, width], looked up
    Vector,  // numbers added or multiplied, of any shape
  } use;
  std::string name;  // of the first stored tensor, for messages
  WeightView view;
  /// A matrix whose products decide what is computed next (which experts a token goes to): rounding must not decide,
  /// so it is multiplied in f32 whatever the precision of the rest. Such matrices are small.
  bool decides = false;
};

/// How the second operand of an elementwise instruction is repeated.
struct Broadcast {
  enum class Kind : uint8_t {
    None,       // as large as the first
    Row,        // one row of n for every n elements of the first
    Column,     // one number for every n elements of the first
    ExpertRow,  // one row of n for each expert
  } kind = Kind::None;
  int64_t n = 1;
};

/// Which tokens go to which experts: made by a dispatch, used by everything until the combine.
struct Routing {
  Operand chosen;  // i32 [T, slots]
  int64_t slots = 0, experts = 0;
  int32_t offsets = -1, order = -1, position = -1;  // i32 values: [experts + 1], [T * slots], [T * slots]
};

/// One operation on whole values. Row shapes are those of the graph without its dynamic dimensions.
struct Instruction {
  graph::Op op;
  graph::Attributes attributes;
  std::string name;  // module path, may be empty
  std::vector<Operand> inputs;
  std::vector<Shape> input_shapes;  // row shape of each input; the whole shape of a parameter
  int32_t output = -1;              // value
  Shape output_shape;
  Broadcast broadcast;                   // of Add, Mul, Div
  int32_t routing = -1;                  // where rows are routed
  int32_t rope = -1;                     // into Program::ropes
  std::vector<int32_t> expert_matrices;  // of a batched matmul: a parameter per expert; of a block matmul: per block
};

/// Sizes of one attention layer's key-value cache.
struct KvLayer {
  int64_t kv_heads = 0, key_dim = 0, value_dim = 0;
};

/// Largest step that a program can run.
struct Limits {
  int64_t max_tokens = 512;
  int64_t max_output_rows = 64;
};

/// The instructions of one graph with every buffer placed: data, without a pointer. Its result is the last
/// instruction's output.
struct Program {
  std::vector<Instruction> instructions;
  std::vector<Value> values;
  std::vector<Parameter> parameters;
  std::vector<Routing> routings;
  std::vector<graph::RopeAttributes> ropes;  // distinct ones; their sines and cosines are computed once per step
  std::vector<KvLayer> kv_layers;            // by AttentionAttributes::layer
  std::vector<int64_t> states;               // numbers that a sequence keeps, by StateAttributes::state
  Operand output;
  int64_t output_width = 0;
  int64_t arena_bytes = 0;
  Limits limits;

  static constexpr int64_t kAlignment = 64;
};

/// Rows of a value in a step.
int64_t num_rows(const Value& value, int64_t tokens, int64_t output_rows);

/// Turns a graph with one output into a program. Throws Error(Unsupported) where an instruction cannot be formed.
Program lower(const graph::Graph& graph, const Limits& limits);

/// Gives every value its place in an arena that is as small as first-fit makes it: values that do not live at the same
/// time share memory. An instruction's output never shares memory with its inputs.
void place_values(Program& program);

}  // namespace cleave::lower
