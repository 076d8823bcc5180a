#include "runtime/weights/weight_feed.h"

#include <gtest/gtest.h>

#include "ckpt/random_weights.h"

#include <cstring>
#include <thread>
#include <vector>

#include "runtime/weights/weight_source.h"

namespace cleave::runtime {
namespace {

ckpt::RandomWeights random_weights() {
  // The second is larger than a message.
  return {{{"a", DType::F32, {6, 4}}, {"b", DType::BF16, {3000, 1000}}, {"c", DType::F32, {5}}}, 1};
}

std::vector<lower::Parameter> parameters(const std::vector<graph::WeightAttributes>& names,
                                         const std::vector<Shape>& shapes) {
  graph::Graph graph;
  std::vector<lower::Parameter> parameters;
  for (size_t i = 0; i < names.size(); ++i) {
    lower::Parameter& parameter = parameters.emplace_back();
    parameter.name = names[i].name;
    parameter.view = lower::view_of(graph, graph.weight(names[i], shapes[i]), {});
  }
  return parameters;
}

std::vector<std::byte> bytes_of(const WeightRows& rows) {
  std::vector<std::byte> all, buffer(static_cast<size_t>(rows.layout().row_size()));
  for (int64_t r = 0; r < rows.layout().num_rows; ++r) {
    const auto row = rows.row(r, buffer);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

TEST(WeightFeed, GivesRanksWithoutFilesTheSameRows) {
  const ckpt::RandomWeights tensors = random_weights();
  const std::vector<lower::Parameter> of_1 = parameters({{"a"}, {"b"}, {"c"}}, {{6, 4}, {3000, 1000}, {5}}),
                                      of_2 = parameters({{"b"}}, {{3000, 1000}});
  const auto communicators = comm::thread_communicators(3);
  const auto receive = [&](size_t rank, const std::vector<lower::Parameter>& wanted) {
    const auto files = weights_from_files(tensors, wanted);
    const auto fed = weights_from_rank_0(*communicators[rank]);
    EXPECT_EQ(fed->stored_bytes(), files->stored_bytes());
    EXPECT_EQ(fed->total_bytes(), files->total_bytes());
    ASSERT_EQ(fed->layouts().size(), wanted.size());
    for (size_t p = 0; p < wanted.size(); ++p) {
      EXPECT_TRUE(files->layouts()[p].is_mapped);
      EXPECT_FALSE(fed->layouts()[p].is_mapped);
      const WeightRows &got = fed->next(), &stored = files->next();
      EXPECT_EQ(got.layout().dtype, stored.layout().dtype);
      EXPECT_EQ(got.layout().num_rows, stored.layout().num_rows);
      EXPECT_FALSE(got.mapped());
      EXPECT_EQ(bytes_of(got), bytes_of(stored)) << wanted[p].name;
    }
  };
  std::thread first([&] { receive(1, of_1); }), second([&] { receive(2, of_2); });
  WeightFeed feed(*communicators[0]);
  feed.add(1, tensors, of_1);
  feed.add(2, tensors, of_2);
  feed.announce();
  feed.send();
  first.join();
  second.join();
}

}  // namespace
}  // namespace cleave::runtime
