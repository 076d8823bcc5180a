#include "runtime/cpu/bind_attention.h"

#include <algorithm>

#include "kernels/attention/half_range.h"
#include "kernels/attention/latent_attention.h"
#include "runtime/cpu/attention_arguments.h"
#include "runtime/cpu/bind_relative_attention.h"
#include "runtime/cpu/bind_whole_attention.h"

namespace cleave::runtime::cpu {

using lower::Attend;
using lower::Instruction;

namespace {

size_t layer_of(const Instruction& i) {
  return static_cast<size_t>(std::get<graph::AttentionAttributes>(i.attributes).layer);
}

// Writes the step's keys and values to the cache of a layer, which is kept in f32 from then on where f16 cannot hold
// them. v is null where values are in keys. Gives the cache.
kernels::KvCache store(const float* k, const float* v, size_t layer, const Workspace& w) {
  kernels::KvCache cache = w.kv.layer(layer);
  const int64_t heads = w.state.num_tokens() * cache.kv_heads;
  if (cache.dtype == DType::F16 && !(kernels::fits_half(k, heads * cache.key_dim, w.pool) &&
                                     (v == nullptr || kernels::fits_half(v, heads * cache.value_dim, w.pool)))) {
    w.kv.widen(layer, w.pool);
    cache = w.kv.layer(layer);
  }
  kernels::store_kv(k, v, w.state.spans(), cache, w.pool);
  return cache;
}

/// Owns what LatentParams borrows.
struct LatentMatrices {
  LatentMatrices(const Instruction& i, const Workspace& w)
      : absorb(w.matrices(i.as<Attend>().latent->absorb)),
        keys(w.matrices(i.as<Attend>().latent->keys)),
        values(w.matrices(i.as<Attend>().latent->values)) {}
  std::vector<const kernels::Matrix*> absorb, keys, values;
};

kernels::LatentParams latent_params(const Instruction& i, const AttentionArguments& arguments,
                                    const LatentMatrices& m) {
  return {.attention = arguments.params(),
          .nope_dim = i.input_shapes[0].back(),
          .rope_dim = i.input_shapes[1].back(),
          .latent_dim = m.values[0]->k(),
          .value_dim = i.output_shape.back(),
          .absorb = m.absorb,
          .keys = m.keys,
          .values = m.values};
}

BoundInstruction bind_latent_attention(const Instruction& i, const Workspace& w) {
  const float* q_nope = w.numbers(i.inputs[0]);
  const float* q_rope = w.numbers(i.inputs[1]);
  const float* k = w.numbers(i.inputs[2]);
  float* y = w.value(i.output);
  return [&w, &i, q_nope, q_rope, k, y, arguments = AttentionArguments(i, w), matrices = LatentMatrices(i, w)] {
    const kernels::KvCache cache = store(k, nullptr, layer_of(i), w);
    kernels::latent_attention(q_nope, q_rope, w.state.spans(), cache, latent_params(i, arguments, matrices), y,
                              w.scratch, w.pool);
  };
}

// Attention to keys and values that another program has kept.
BoundInstruction bind_cross_attention(const Instruction& i, const Workspace& w) {
  return [&w, q = w.numbers(i.inputs[0]), y = w.value(i.output), layer = layer_of(i),
          arguments = AttentionArguments(i, w)] {
    kernels::attention(q, w.state.source_spans(), w.kv.layer(layer), arguments.params(), y, w.scratch, w.pool);
  };
}

}  // namespace

BoundInstruction bind_keep(const Instruction& i, const Workspace& w) {
  return [&w, k = w.numbers(i.inputs[0]), v = w.numbers(i.inputs[1]), layer = layer_of(i),
          in_keys = w.kv.layer(layer_of(i)).values_in_keys] { store(k, in_keys ? nullptr : v, layer, w); };
}

BoundInstruction bind_attention(const Instruction& i, const Workspace& w) {
  if (i.as<Attend>().latent) return bind_latent_attention(i, w);
  const auto& a = std::get<graph::AttentionAttributes>(i.attributes);
  if (is_relative_attention(a)) return bind_relative_attention(i, w);
  if (!a.cached()) return bind_whole_attention(i, w);
  if (a.cross) return bind_cross_attention(i, w);
  const float* q = w.numbers(i.inputs[0]);
  const float* k = w.numbers(i.inputs[1]);
  const float* v = w.numbers(i.inputs[2]);
  float* y = w.value(i.output);
  return [&w, q, k, v, y, layer = layer_of(i), arguments = AttentionArguments(i, w)]() mutable {
    arguments.read_biases();
    const kernels::KvCache cache = store(k, v, layer, w);
    kernels::attention(q, w.state.spans(), cache, arguments.params(), y, w.scratch, w.pool);
  };
}

size_t attention_scratch_bytes(const Instruction& i, const Workspace& w) {
  const auto& a = std::get<graph::AttentionAttributes>(i.attributes);
  if (is_relative_attention(a)) return relative_attention_scratch_bytes(i, w);
  if (!a.cached()) return whole_attention_scratch_bytes(i, w);
  const AttentionArguments arguments(i, w);
  const auto bytes_with = [&](const kernels::KvCache& cache) {
    if (!i.as<Attend>().latent) return kernels::attention_scratch_bytes(arguments.params(), cache, w.pool.size());
    const LatentMatrices matrices(i, w);
    return kernels::latent_attention_scratch_bytes(latent_params(i, arguments, matrices), cache,
                                                   w.program.limits.max_tokens, w.kv.num_blocks() * cache.block_size,
                                                   w.pool.size());
  };
  kernels::KvCache cache = w.kv.layer(layer_of(i));
  const size_t bytes = bytes_with(cache);
  if (cache.dtype != DType::F16) return bytes;
  cache.dtype = DType::F32;  // what store() may make of it
  return std::max(bytes, bytes_with(cache));
}

}  // namespace cleave::runtime::cpu
