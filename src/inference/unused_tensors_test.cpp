#include "inference/unused_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/temporary_directory.h"

namespace cleave::inference {
namespace {

TEST(UnusedTensors, AreOneEntryWhereOnlyNumbersDifferAndExpertsCountAsUsed) {
  const TemporaryDirectory folder;
  folder.write("config.json", "{}");
  Json tensors = Json::object();
  for (const char* name :
       {"model.w", "model.experts.0.w", "model.experts.1.w", "layers.0.inv_freq", "layers.1.inv_freq", "vision.1.w"})
    tensors[name] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
  const std::string header = tensors.dump();
  const uint64_t length = header.size();
  std::ofstream file(folder.path() / "model.safetensors", std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << header;
  file.close();
  graph::Graph graph;
  graph.weight({"model.w"}, {0});
  graph.weight({"model.experts.*.w", 2}, {2, 0});
  EXPECT_THAT(unused_tensors(ckpt::Checkpoint::open(folder.path()), graph),
              testing::ElementsAre("layers.*.inv_freq (2)", "vision.1.w"));
}

}  // namespace
}  // namespace cleave::inference
