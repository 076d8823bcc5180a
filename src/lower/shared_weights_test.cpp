// Weights that several layers or several outputs use are in memory once, on any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "lower/lower.h"
#include "plan/explain.h"

namespace cleave::lower {
namespace {

using graph::Graph;
using graph::kDynamic;
using graph::NodeId;
using graph::Op;

/// A decoder of 6 heads of 8 with fused projections, every layer of which uses the same weights.
class LoopedDecoder {
 public:
  NodeId embedding() {
    return graph_.add(Op::Embedding,
                      {graph_.input(graph::InputKind::TokenIds), graph_.weight({"embed.weight"}, {131, 48})});
  }
  NodeId linear(NodeId x, const std::string& name, int64_t out) {
    return graph_.add(Op::Matmul, {x, graph_.weight({name + ".weight"}, {out, graph_.shape(x).back()})}, {}, name);
  }
  NodeId layers(NodeId x, int count) {
    for (int i = 0; i < count; ++i) x = mlp(attention(x));
    return x;
  }
  void add_output(const std::string& name, NodeId node) { graph_.add_output(name, node); }
  Graph build() const { return graph::push_slices_into_weights(graph_); }

 private:
  NodeId norm(NodeId x, const std::string& name) {
    return graph_.add(Op::RmsNorm, {x, graph_.weight({name + ".weight"}, {48})}, graph::NormAttributes{1e-5});
  }
  NodeId slice(NodeId x, int64_t begin, int64_t end) {
    return graph_.add(Op::Slice, {x}, graph::SliceAttributes{1, begin, end});
  }
  NodeId heads(NodeId x, int64_t count) {
    return graph_.add(Op::Reshape, {x}, graph::ReshapeAttributes{{kDynamic, count, 8}});
  }
  NodeId attention(NodeId x) {
    NodeId qkv = linear(norm(x, "norm1"), "qkv", 96);
    qkv = graph_.add(Op::Add, {qkv, graph_.weight({"qkv.bias"}, {96})});
    graph::AttentionAttributes attributes;
    attributes.layer = next_layer_++;
    const NodeId y = graph_.add(
        Op::Attention, {heads(slice(qkv, 0, 48), 6), heads(slice(qkv, 48, 72), 3), heads(slice(qkv, 72, 96), 3)},
        attributes);
    const NodeId flat = graph_.add(Op::Reshape, {y}, graph::ReshapeAttributes{{kDynamic, 48}});
    return graph_.add(Op::Add, {x, linear(flat, "o", 48)});
  }
  NodeId mlp(NodeId x) {
    const NodeId both = linear(norm(x, "norm2"), "gate_up", 176);
    const NodeId gate = graph_.add(Op::Unary, {slice(both, 0, 88)}, graph::UnaryAttributes{});
    const NodeId h = graph_.add(Op::Mul, {gate, slice(both, 88, 176)});
    return graph_.add(Op::Add, {x, linear(h, "down", 48)});
  }

  Graph graph_;
  int next_layer_ = 0;
};

Graph looped(int layers) {
  LoopedDecoder decoder;
  decoder.add_output("decode", decoder.linear(decoder.layers(decoder.embedding(), layers), "head", 131));
  return decoder.build();
}

// "decode" and "encode", whose layers are the same, each with a head of its own.
Graph twins(bool decode, bool encode) {
  LoopedDecoder decoder;
  const NodeId x = decoder.embedding();
  if (decode) decoder.add_output("decode", decoder.linear(decoder.layers(x, 2), "head", 131));
  if (encode) decoder.add_output("encode", decoder.linear(decoder.layers(x, 3), "pooler", 40));
  return decoder.build();
}

plan::PlanOptions request_for(int ranks) {
  plan::PlanOptions request;
  request.rank_weights.assign(static_cast<size_t>(ranks), 1.0);
  request.policy = plan::Policy::Split;
  request.cost.context = 0;  // no cache among the bytes of a rank
  return request;
}

// What a loader reads for the parameters, stored in two bytes each.
int64_t read_bytes(const std::vector<Parameter>& parameters) {
  int64_t bytes = 0;
  for (const Parameter& parameter : parameters)
    for (const Piece& piece : parameter.view.pieces) bytes += parameter.is_copy ? 0 : 2 * num_elements(piece.extents);
  return bytes;
}

// The ranks' parameters; checks that they are what the plan foresees.
std::vector<std::vector<Parameter>> planned_parameters(const Graph& graph, int ranks) {
  const plan::PlanOptions request = request_for(ranks);
  const plan::Plan plan = plan::make_plan(graph, request);
  const plan::Explanation planned = plan::explain(graph, plan, request);
  std::vector<std::vector<Parameter>> parameters;
  for (int rank = 0; rank < ranks; ++rank) {
    parameters.push_back(lower(graph, plan, rank, {}).parameters);
    EXPECT_EQ(read_bytes(parameters.back()), planned.weight_bytes[static_cast<size_t>(rank)])
        << "rank " << rank << " of " << ranks;
  }
  return parameters;
}

std::set<int32_t> parameters_of(const Program& program) {
  std::set<int32_t> used;
  for (const Instruction& i : program.instructions)
    for (const Operand& input : i.inputs)
      if (input.kind == Operand::Kind::Parameter) used.insert(input.index);
  return used;
}

TEST(SharedWeights, OfALayerThatIsAppliedManyTimesAreHeldOnce) {
  for (const int ranks : {1, 2, 3}) {
    const auto once = planned_parameters(looped(1), ranks), often = planned_parameters(looped(5), ranks);
    for (size_t r = 0; r < once.size(); ++r) {
      EXPECT_EQ(often[r].size(), once[r].size()) << "rank " << r << " of " << ranks;
      EXPECT_EQ(read_bytes(often[r]), read_bytes(once[r])) << "rank " << r << " of " << ranks;
    }
    EXPECT_EQ(plan::make_plan(looped(5), request_for(ranks)).cost.resident,
              plan::make_plan(looped(1), request_for(ranks)).cost.resident);
  }
}

TEST(SharedWeights, OfTwoOutputsAreHeldOnce) {
  for (const int ranks : {1, 2, 3}) {
    const auto decode = planned_parameters(twins(true, false), ranks),
               encode = planned_parameters(twins(false, true), ranks),
               both = planned_parameters(twins(true, true), ranks);
    for (size_t r = 0; r < both.size(); ++r) {
      EXPECT_EQ(both[r].size(), decode[r].size() + 1) << "rank " << r << " of " << ranks;
      EXPECT_EQ(both[r].size(), encode[r].size() + 1) << "rank " << r << " of " << ranks;
      EXPECT_LE(read_bytes(both[r]), read_bytes(decode[r]) + 2 * 40 * 48) << "rank " << r << " of " << ranks;
    }
  }
}

TEST(SharedWeights, AreTheSameParametersInBothPrograms) {
  const Graph graph = twins(true, true);
  const plan::Plan plan = plan::make_plan(graph, request_for(3));
  for (int rank = 0; rank < 3; ++rank) {
    const RankPrograms all = lower(graph, plan, rank, {});
    ASSERT_EQ(all.programs.size(), size_t{2});
    EXPECT_EQ(all.programs[0].output_name, "decode");
    EXPECT_EQ(all.programs[1].output_name, "encode");
    EXPECT_EQ(all.kv_layers.size(), size_t{5});
    const std::set<int32_t> decode = parameters_of(all.programs[0]), encode = parameters_of(all.programs[1]);
    std::set<int32_t> common, any;
    std::ranges::set_intersection(decode, encode, std::inserter(common, common.end()));
    std::ranges::set_union(decode, encode, std::inserter(any, any.end()));
    EXPECT_EQ(common.size() + 1, decode.size());
    EXPECT_EQ(common.size() + 1, encode.size());
    EXPECT_EQ(any.size(), all.parameters.size());
  }
}

TEST(Outputs, HaveProgramsThatComputeWhatTheyNeedAlone) {
  const auto instructions = [](const Graph& graph, size_t output) {
    return lower(graph, {}).programs[output].instructions.size();
  };
  EXPECT_EQ(instructions(twins(true, true), 0), instructions(twins(true, false), 0));
  EXPECT_EQ(instructions(twins(true, true), 1), instructions(twins(false, true), 0));
}

TEST(Outputs, MayStandBeforeOneAnother) {
  LoopedDecoder decoder;
  const NodeId hidden = decoder.layers(decoder.embedding(), 2);
  decoder.add_output("decode", decoder.linear(hidden, "head", 131));
  decoder.add_output("hidden", hidden);
  const Graph graph = decoder.build();
  const plan::Plan plan = plan::make_plan(graph, request_for(3));
  for (int rank = 0; rank < 3; ++rank) {
    const RankPrograms all = lower(graph, plan, rank, {});
    EXPECT_EQ(all.programs[0].output_width, 131);
    EXPECT_EQ(all.programs[1].output_width, 48);
    EXPECT_LT(all.programs[1].instructions.size(), all.programs[0].instructions.size());
  }
}

// What one value's products owe is summed in one exchange, by the programs that compute both.
TEST(Outputs, TakeJointSumsOfWhatTheyNeedAlone) {
  LoopedDecoder decoder;
  const NodeId h = decoder.linear(decoder.embedding(), "up", 96);
  const NodeId a = decoder.linear(h, "a", 8), b = decoder.linear(h, "b", 16);
  decoder.add_output("a", a);
  decoder.add_output("b", b);
  const Graph graph = decoder.build();
  const plan::Plan plan = plan::make_plan(graph, request_for(3));
  ASSERT_EQ(plan.placed.joint.size(), size_t{1});
  for (int rank = 0; rank < 3; ++rank)
    for (const Program& program : lower(graph, plan, rank, {}).programs) {
      const auto sums = std::ranges::count(program.instructions, Action::AllReduce, &Instruction::action);
      const Instruction& last = program.instructions.back();
      EXPECT_EQ(last.action, Action::AllReduce);
      EXPECT_EQ(last.inputs.size(), size_t{1});
      EXPECT_EQ(last.output_shape, Shape{program.output_name == "a" ? 8 : 16});
      EXPECT_LE(sums, 2);  // another one behind the embedding
    }
}

}  // namespace
}  // namespace cleave::lower
