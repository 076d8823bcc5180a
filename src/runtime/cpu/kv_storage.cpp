#include "runtime/cpu/kv_storage.h"

#include "base/float16.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/half_range.h"

namespace cleave::runtime::cpu {
namespace {

// Knuth's multiplicative hash spreads consecutive indices.
float number(int64_t index) {
  return static_cast<float>(static_cast<uint32_t>(index) * 2654435761u >> 16) / 32768.0f - 1.0f;
}

void fill_buffer(Buffer& buffer, DType dtype, ThreadPool& pool) {
  constexpr int64_t kGrain = int64_t{1} << 16;
  const bool halves = dtype == DType::F16;  // in int8 any byte is a number, and scales are f32
  const auto count = static_cast<int64_t>(buffer.size() / (halves ? sizeof(float16) : sizeof(float)));
  pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      if (halves)
        buffer.as<float16>()[i] = to_float16(number(i));
      else
        buffer.as<float>()[i] = number(i);
  });
}

}  // namespace

KvStorage::Layer KvStorage::make_layer(const kernels::KvCache& shape) const {
  Layer layer{shape, {}, {}};
  const auto blocks = static_cast<size_t>(num_blocks_);
  layer.keys = Buffer(blocks * kernels::key_block_bytes(shape));
  layer.values = Buffer(blocks * kernels::value_block_bytes(shape));
  layer.cache.keys = layer.keys.data();
  layer.cache.values = layer.values.data();
  return layer;
}

KvStorage::KvStorage(const std::vector<lower::KvLayer>& layers, int64_t num_blocks, int64_t block_size, DType dtype)
    : num_blocks_(num_blocks), dtype_(dtype) {
  for (const lower::KvLayer& sizes : layers)
    layers_.push_back(make_layer(
        {nullptr, nullptr, dtype, block_size, sizes.kv_heads, sizes.key_dim, sizes.value_dim, sizes.values_in_keys}));
}

kernels::KvCache KvStorage::layer(size_t index) const {
  return layers_.at(index).cache;
}

void KvStorage::widen(size_t index, ThreadPool& pool) {
  Layer& layer = layers_.at(index);
  if (layer.cache.dtype != DType::F16) return;
  kernels::KvCache shape = layer.cache;
  shape.dtype = DType::F32;
  Layer wide = make_layer(shape);
  const auto copy = [&](const Buffer& from, Buffer& to) {
    kernels::widen_half(from.data(), {to.as<float>(), to.size() / sizeof(float)}, pool);
  };
  copy(layer.keys, wide.keys);
  copy(layer.values, wide.values);
  layer = std::move(wide);
}

void KvStorage::fill(ThreadPool& pool) {
  for (Layer& layer : layers_) {
    fill_buffer(layer.keys, layer.cache.dtype, pool);
    fill_buffer(layer.values, layer.cache.dtype, pool);
  }
}

int64_t KvStorage::bytes() const {
  size_t bytes = 0;
  for (const Layer& layer : layers_) bytes += layer.keys.size() + layer.values.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace cleave::runtime::cpu
