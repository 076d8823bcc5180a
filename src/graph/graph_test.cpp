#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::graph {
namespace {

using testing::HasSubstr;

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// x [tokens, width] from an embedding.
NodeId activation(Graph& graph, int64_t width) {
  return graph.add(Op::Embedding, {graph.input(InputKind::TokenIds), graph.weight({"embed.weight"}, {131, width})});
}

NodeId linear(Graph& graph, NodeId x, const std::string& name, int64_t out) {
  return graph.add(Op::Matmul, {x, graph.weight({name + ".weight"}, {out, graph.shape(x).back()})}, {}, name);
}

NodeId reshape(Graph& graph, NodeId x, std::vector<int64_t> extents) {
  extents.insert(extents.begin(), kDynamic);
  return graph.add(Op::Reshape, {x}, ReshapeAttributes{extents});
}

NodeId attention(Graph& graph, NodeId q, NodeId k, NodeId v) {
  return graph.add(Op::Attention, {q, k, v}, AttentionAttributes{});
}

TEST(OpTable, HasARowForEveryOpInItsOrder) {
  for (int i = 0; i < kNumOps; ++i) {
    const OpInfo& info = op_table()[static_cast<size_t>(i)];
    EXPECT_EQ(static_cast<int>(info.op), i);
    EXPECT_FALSE(info.name.empty());
    EXPECT_FALSE(info.signature.empty());
    EXPECT_FALSE(info.summary.empty());
    EXPECT_LE(info.min_inputs, info.max_inputs);
  }
}

TEST(Graph, AttentionTellsTheWeightsHowHeadsAreGrouped) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId q = linear(graph, x, "q", 48), k = linear(graph, x, "k", 24), v = linear(graph, x, "v", 24);
  const NodeId y = attention(graph, reshape(graph, q, {6, 8}), reshape(graph, k, {3, 8}), reshape(graph, v, {3, 8}));
  const NodeId out = linear(graph, reshape(graph, y, {48}), "o", 48);
  graph.add(Op::Add, {x, out});
  EXPECT_EQ(graph.shape_text(graph.weight({"q.weight"}, {48, 48})), "[3*2*8, 48]");
  EXPECT_EQ(graph.shape_text(graph.weight({"k.weight"}, {24, 48})), "[3*8, 48]");
  EXPECT_EQ(graph.shape_text(graph.weight({"o.weight"}, {48, 48})), "[48, 3*2*8]");
}

TEST(Graph, AFusedProjectionShowsItsPartsThroughSlices) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId qkv = linear(graph, x, "qkv", 80);
  std::vector<NodeId> parts;
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 48}, {48, 64}, {64, 80}})
    parts.push_back(graph.add(Op::Slice, {qkv}, SliceAttributes{1, begin, end}));
  attention(graph, reshape(graph, parts[0], {6, 8}), reshape(graph, parts[1], {2, 8}),
            reshape(graph, parts[2], {2, 8}));
  EXPECT_EQ(graph.shape_text(graph.weight({"qkv.weight"}, {80, 48})), "[(2*3*8|2*8|2*8), 48]");
  verify(graph);
}

TEST(Graph, ResidualsMakeTheStreamOneDimension) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId up = linear(graph, x, "up", 88);
  const NodeId down = linear(graph, up, "down", 48);
  const NodeId y = graph.add(Op::Add, {x, down});
  EXPECT_TRUE(graph.dims().same(graph.node(x).dims[1], graph.node(graph.weight({"down.weight"}, {48, 88})).dims[0]));
  EXPECT_TRUE(graph.dims().same(graph.node(y).dims[1], graph.node(graph.weight({"up.weight"}, {88, 48})).dims[1]));
}

TEST(Graph, MatmulNamesShapesAndWeightWhenTheyDoNotFit) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId w = graph.weight({"m.q_proj.weight"}, {64, 40});
  const std::string message = message_of([&] { graph.add(Op::Matmul, {x, w}); });
  EXPECT_THAT(message, HasSubstr("[tokens, 48]"));
  EXPECT_THAT(message, HasSubstr("[64, 40] (m.q_proj.weight)"));
}

TEST(Graph, RejectsOperandsThatDoNotFit) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId ids = graph.input(InputKind::TokenIds);
  EXPECT_THAT(message_of([&] { reshape(graph, x, {5, 9}); }), HasSubstr("48 elements against 45"));
  EXPECT_THAT(message_of([&] { reshape(graph, x, {int64_t{1} << 40, int64_t{1} << 40}); }), HasSubstr("impossible"));
  EXPECT_THAT(message_of([&] { graph.add(Op::Slice, {x}, SliceAttributes{1, 40, 60}); }), HasSubstr("[40, 60)"));
  EXPECT_THAT(message_of([&] { graph.add(Op::Add, {x, ids}); }), HasSubstr("indices"));
  EXPECT_THAT(message_of([&] { graph.add(Op::Add, {x, linear(graph, x, "a", 47)}); }), HasSubstr("48 and 47"));
  EXPECT_THAT(message_of([&] { graph.add(Op::TopK, {x}, TopKAttributes{49}); }), HasSubstr("cannot choose 49"));
  const NodeId q = reshape(graph, x, {6, 8}), k = reshape(graph, linear(graph, x, "k", 32), {4, 8});
  EXPECT_THAT(message_of([&] { attention(graph, q, k, k); }), HasSubstr("6 query heads cannot share 4"));
}

TEST(Graph, LinearAttentionTellsTheWeightsHowHeadsAreGrouped) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId q = reshape(graph, linear(graph, x, "q", 12), {3, 4}),
               k = reshape(graph, linear(graph, x, "k", 12), {3, 4});
  const NodeId v = reshape(graph, linear(graph, x, "v", 48), {6, 8});
  const NodeId rate = linear(graph, x, "rate", 6);
  const NodeId a = graph.add(Op::Reshape, {graph.weight({"a"}, {6})}, ReshapeAttributes{{6, 1}});
  const NodeId y = graph.add(Op::LinearAttention, {q, k, v, a, rate}, LinearAttentionAttributes{0, true, false});
  EXPECT_EQ(graph.shape(y), (Shape{kDynamic, 6, 8}));
  EXPECT_EQ(graph.shape_text(graph.weight({"v.weight"}, {48, 48})), "[3*2*8, 48]");
  EXPECT_EQ(graph.shape_text(graph.weight({"rate.weight"}, {6, 48})), "[3*2, 48]");
  EXPECT_EQ(graph.shape_text(graph.weight({"a"}, {6})), "[3*2]");
  EXPECT_THAT(message_of([&] {
                graph.add(Op::LinearAttention, {q, k, v, a}, LinearAttentionAttributes{1, true, false});
              }),
              HasSubstr("wanted q, k, v, a and what the attributes say"));
}

TEST(Graph, BlockMatmulKeepsBlocksApart) {
  Graph graph;
  const NodeId x = reshape(graph, activation(graph, 48), {6, 8});
  const NodeId y = graph.add(Op::BlockMatmul, {x, graph.weight({"w"}, {6, 5, 8})});
  EXPECT_EQ(graph.shape(y), (Shape{kDynamic, 6, 5}));
  EXPECT_TRUE(graph.dims().same(graph.node(y).dims[1], graph.node(graph.weight({"w"}, {6, 5, 8})).dims[0]));
  EXPECT_THAT(message_of([&] {
                graph.add(Op::BlockMatmul, {x, graph.weight({"u"}, {3, 5, 16})});
              }),
              HasSubstr("numbers of blocks differ: 6 and 3"));
}

TEST(Graph, ConvolutionAndRecurrenceWorkChannelByChannel) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId h = linear(graph, x, "h", 20);
  const NodeId y = graph.add(Op::CausalConv, {h, graph.weight({"conv"}, {20, 4})}, StateAttributes{0});
  graph.add(Op::LinearRecurrence, {y, h}, StateAttributes{1});
  EXPECT_TRUE(graph.dims().same(graph.node(y).dims[1], graph.node(graph.weight({"h.weight"}, {20, 48})).dims[0]));
  EXPECT_NO_THROW(verify(graph));
  EXPECT_THAT(message_of([&] {
                graph.add(Op::CausalConv, {x, graph.weight({"conv"}, {20, 4})}, StateAttributes{2});
              }),
              HasSubstr("numbers of channels differ: 48 and 20"));
  graph.add(Op::LinearRecurrence, {y, h}, StateAttributes{1});
  EXPECT_THAT(message_of([&] { verify(graph); }), HasSubstr("state 1 is used twice"));
}

TEST(Graph, TopKRejectsGroupsThatDoNotFit) {
  Graph graph;
  const NodeId scores = linear(graph, activation(graph, 48), "gate", 12);
  EXPECT_NO_THROW(graph.add(Op::TopK, {scores}, TopKAttributes{2, 4, 2, 3}));
  for (const TopKAttributes& wrong : {TopKAttributes{2, 5, 2, 1}, {2, 4, 5, 1}, {2, 4, 2, 4}, {2, 0, 1, 1}})
    EXPECT_THAT(message_of([&] { graph.add(Op::TopK, {scores}, wrong); }), HasSubstr("cannot keep"));
}

TEST(Graph, AttentionWantsASinkForEachHead) {
  Graph graph;
  const NodeId q = reshape(graph, activation(graph, 48), {6, 8});
  EXPECT_NO_THROW(graph.add(Op::Attention, {q, q, q, graph.weight({"sinks"}, {6})}, AttentionAttributes{}));
  EXPECT_THAT(message_of([&] {
                graph.add(Op::Attention, {q, q, q, graph.weight({"few"}, {3})}, AttentionAttributes{});
              }),
              HasSubstr("numbers of heads and sinks differ: 6 and 3"));
}

TEST(Verify, AcceptsWhatTheBuilderMakes) {
  Graph graph;
  graph.add_output("decode", linear(graph, activation(graph, 48), "head", 131));
  EXPECT_NO_THROW(verify(graph));
}

TEST(Verify, FindsAnOutputThatDoesNotExist) {
  Graph graph;
  activation(graph, 48);
  graph.add_output("decode", 99);
  EXPECT_THAT(message_of([&] { verify(graph); }), HasSubstr("%99"));
}

TEST(Verify, FindsAKeyValueCacheThatIsUsedTwice) {
  Graph graph;
  const NodeId q = reshape(graph, activation(graph, 48), {6, 8});
  attention(graph, q, q, q);
  attention(graph, q, q, q);
  EXPECT_THAT(message_of([&] { verify(graph); }), HasSubstr("cache 0 is used twice"));
}

TEST(Text, ListsNodesWithShapesAndPaths) {
  Graph graph;
  graph.add_output("decode", linear(graph, activation(graph, 48), "lm_head", 131));
  EXPECT_EQ(text(graph),
            "graph decode\n"
            "%0 = input() token_ids : [tokens]\n"
            "%1 = weight() embed.weight : [131, 48]\n"
            "%2 = embedding(%0, %1) : [tokens, 48]\n"
            "%3 = weight() lm_head.weight : [131, 48]\n"
            "%4 = matmul(%2, %3) : [tokens, 131]  # lm_head\n"
            "output %4\n");
}

}  // namespace
}  // namespace cleave::graph
