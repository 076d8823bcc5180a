#include "runtime/kv_storage.h"

namespace cleave::runtime {

KvStorage::KvStorage(const std::vector<lower::KvLayer>& layers, int64_t num_blocks, int64_t block_size, DType dtype)
    : num_blocks_(num_blocks) {
  for (const lower::KvLayer& sizes : layers) {
    Layer layer;
    layer.cache = {nullptr, nullptr, dtype, block_size, sizes.kv_heads, sizes.key_dim, sizes.value_dim};
    const auto blocks = static_cast<size_t>(num_blocks);
    layer.keys = Buffer(blocks * kernels::key_block_bytes(layer.cache));
    layer.values = Buffer(blocks * kernels::value_block_bytes(layer.cache));
    layer.cache.keys = layer.keys.data();
    layer.cache.values = layer.values.data();
    layers_.push_back(std::move(layer));
  }
}

kernels::KvCache KvStorage::layer(size_t index) {
  return layers_.at(index).cache;
}

int64_t KvStorage::bytes() const {
  size_t bytes = 0;
  for (const Layer& layer : layers_) bytes += layer.keys.size() + layer.values.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace cleave::runtime
