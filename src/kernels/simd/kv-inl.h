// Writing keys and values into the cache (kernels/params/kv_cache.h), converted and transposed, and reading keys back.
#pragma once

#include "kernels/simd/attention_tile-inl.h"
#include "kernels/simd/attention_tile.h"
#include "kernels/simd/rotation-inl.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// The largest finite f16; keys and values of real models stay far below it.
constexpr float kMaxHalf = 65504.0f;

// Rounds to f16, to nearest even. Numbers that are too large become the largest f16, a NaN stays one.
CLEAVE_INLINE U16 to_half(F32 v) {
  v = v > kMaxHalf ? set(kMaxHalf) : v;
  v = v < -kMaxHalf ? set(-kMaxHalf) : v;
#if defined(__AVX512F__)
  return bits<U16>(_mm512_maskz_cvtps_ph(0xffff, bits<__m512>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__AVX2__)
  return bits<U16>(_mm256_cvtps_ph(bits<__m256>(v), _MM_FROUND_TO_NEAREST_INT));
#else
  // The method of base/float16.h.
  const U32 x = bits<U32>(v);
  const U32 sign = (x >> 16) & 0x8000u;
  const U32 magnitude = x & 0x7fffffffu;
  const U32 subnormal = bits<U32>(bits<F32>(magnitude) + 0.5f) - 0x3f000000u;
  const U32 normal = (magnitude + 0xfffu + ((magnitude >> 13) & 1u) - 0x38000000u) >> 13;
  const U32 finite = magnitude < 0x38800000u ? subnormal : normal;
  return __builtin_convertvector(sign | (magnitude > 0x7f800000u ? 0x7e00u - U32{} : finite), U16);
#endif
}

// Dimensions that are converted and transposed at a time, so few that a block of 32 positions stays within 4 KB.
constexpr int64_t kStoreDims = 64;

// Writers of the numbers [0, count) of one row, count <= kStoreDims.
struct HalfWriter {
  using Element = uint16_t;
  static CLEAVE_INLINE void put(const float* x, int64_t count, float, uint16_t* y) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store_as(y + i, to_half(load(x + i)));
    if (i == count) return;
    uint16_t rest[kLanes];
    store_as(rest, to_half(load_part(x + i, count - i)));
    for (int64_t j = 0; i < count; ++i, ++j) y[i] = rest[j];
  }
};

struct FloatWriter {
  using Element = float;
  static CLEAVE_INLINE void put(const float* x, int64_t count, float, float* y) {
    for (int64_t i = 0; i < count; ++i) y[i] = x[i];
  }
};

struct ByteWriter {
  using Element = int8_t;
  using Lanes = int8_t __attribute__((vector_size(kLanes)));
  static CLEAVE_INLINE void put(const float* x, int64_t count, float inverse, int8_t* y) {
    constexpr float kRound = 12582912.0f;  // 1.5 * 2^23, see exp()
    for (int64_t i = 0; i < count; i += kLanes) {
      const F32 v = count - i >= kLanes ? load(x + i) : load_part(x + i, count - i);
      const Lanes rounded = __builtin_convertvector(bits<I32>(v * inverse + kRound) - bits<I32>(set(kRound)), Lanes);
      if (count - i >= kLanes)
        store_as(y + i, rounded);
      else
        for (int64_t j = i; j < count; ++j) y[j] = rounded[j - i];
    }
  }
};

// The scale by which a row is divided to fit into int8, and its inverse. A row that is not finite becomes NaN as a
// whole.
CLEAVE_INLINE float finish_scale(F32 top, float& inverse) {
  float scale = 0;
  for (int i = 0; i < kLanes; ++i) scale = top[i] <= scale ? scale : top[i];
  scale /= 127.0f;
  inverse = scale > 0 && scale < __builtin_inff() ? 1.0f / scale : 0.0f;
  return scale < __builtin_inff() ? scale : __builtin_nanf("");
}

CLEAVE_INLINE F32 raise_top(F32 top, const float* x, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const F32 v = absolute(count - i >= kLanes ? load(x + i) : load_part(x + i, count - i));
    top = v <= top ? top : v;  // a NaN wins
  }
  return top;
}

// Transposes eight rows of eight 16-bit numbers, in three steps that interleave halves.
CLEAVE_INLINE void transpose_8x8(const uint16_t* from, int64_t from_stride, uint16_t* to, int64_t to_stride) {
  using V = uint16_t __attribute__((vector_size(16)));
  V a[8], b[8];
  for (int i = 0; i < 8; ++i) a[i] = load_as<V>(from + i * from_stride);
  const auto interleave = [](const V* x, V* y) __attribute__((always_inline)) {
    for (int i = 0; i < 4; ++i) {
      y[2 * i] = __builtin_shufflevector(x[i], x[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
  };
  interleave(a, b);
  interleave(b, a);
  interleave(a, b);
  for (int i = 0; i < 8; ++i) store_as(to + i * to_stride, b[i]);
}

// Transposes: to[d][slot] = from[slot][d].
template <class Element>
CLEAVE_INLINE void transpose(const Element* from, int64_t from_stride, int64_t slots, int64_t dims, Element* to,
                             int64_t to_stride) {
  int64_t done = 0;
  if constexpr (sizeof(Element) == 2) {
    for (; done + 8 <= slots; done += 8) {
      int64_t d = 0;
      for (; d + 8 <= dims; d += 8)
        transpose_8x8(from + done * from_stride + d, from_stride, to + d * to_stride + done, to_stride);
      for (; d < dims; ++d)
        for (int64_t i = done; i < done + 8; ++i) to[d * to_stride + i] = from[i * from_stride + d];
    }
  }
  for (int64_t d = 0; d < dims; ++d)
    for (int64_t i = done; i < slots; ++i) to[d * to_stride + i] = from[i * from_stride + d];
}

// Copies a part of a key, rotated if the cache is in int8.
struct KeyPart {
  alignas(64) float rotated[kStoreDims];
  CLEAVE_INLINE const float* get(const KvRows& rows, int64_t row, int64_t d, int64_t dims) {
    const float* k = rows.k + row * rows.k_stride + d;
    if (rows.cache->dtype != DType::I8) return k;
    for (int64_t i = 0; i < dims; ++i) rotated[i] = k[i];
    rotate(rotated, dims, rows.sizes.rotation);
    return rotated;
  }
};

// Writes the scales of int8 keys into the block and their inverses to `inverse`.
CLEAVE_INLINE void scale_keys(const KvRows& rows, float* inverse) {
  const int64_t key_dim = rows.cache->key_dim;
  auto* scales = reinterpret_cast<float*>(rows.keys + rows.sizes.key_scales);
  KeyPart part;
  for (int64_t i = 0; i < rows.rows; ++i) {
    F32 top = {};
    for (int64_t d = 0; d < key_dim; d += kStoreDims) {
      const int64_t dims = least(kStoreDims, key_dim - d);
      top = raise_top(top, part.get(rows, i, d, dims), dims);
    }
    scales[rows.slot + i] = finish_scale(top, inverse[i]);
  }
}

template <class Writer>
CLEAVE_INLINE void store_keys(const KvRows& rows) {
  using Element = typename Writer::Element;
  const KvCache& cache = *rows.cache;
  float inverse[kMaxStretch] = {};
  if constexpr (sizeof(Element) == 1) scale_keys(rows, inverse);
  auto* keys = reinterpret_cast<Element*>(rows.keys);
  Element converted[kMaxStretch * kStoreDims];
  KeyPart part;
  for (int64_t d = 0; d < cache.key_dim; d += kStoreDims) {
    const int64_t dims = least(kStoreDims, cache.key_dim - d);
    for (int64_t i = 0; i < rows.rows; ++i)
      Writer::put(part.get(rows, i, d, dims), dims, inverse[i], converted + i * kStoreDims);
    transpose(converted, kStoreDims, rows.rows, dims, keys + d * cache.block_size + rows.slot, cache.block_size);
  }
}

template <class Writer>
CLEAVE_INLINE void store_rows(const KvRows& rows) {
  using Element = typename Writer::Element;
  store_keys<Writer>(rows);
  if (rows.cache->values_in_keys) return;
  const int64_t value_dim = rows.cache->value_dim;
  auto* values = reinterpret_cast<Element*>(rows.values) + rows.slot * value_dim;
  for (int64_t i = 0; i < rows.rows; ++i, values += value_dim) {
    const float* v = rows.v + i * rows.v_stride;
    float inverse = 0;
    if constexpr (sizeof(Element) == 1) {
      auto* scales = reinterpret_cast<float*>(rows.values + rows.sizes.value_scales);
      scales[rows.slot + i] = finish_scale(raise_top(F32{}, v, value_dim), inverse);
    }
    Writer::put(v, value_dim, inverse, values);
  }
}

void store_kv(const KvRows& rows) {
  if (rows.cache->dtype == DType::F32)
    store_rows<FloatWriter>(rows);
  else if (rows.cache->dtype == DType::F16)
    store_rows<HalfWriter>(rows);
  else
    store_rows<ByteWriter>(rows);
}

// Reads kLanes dimensions of kLanes slots at a time, of which a part may not exist.
template <class Values>
CLEAVE_INLINE void load_rows(const KeyRows& rows) {
  const int64_t size = rows.cache->block_size;
  const auto* keys = reinterpret_cast<const typename Values::Element*>(rows.keys) + rows.first_dim * size + rows.slot;
  for (int64_t row = 0; row < rows.rows; row += kLanes)
    for (int64_t d = 0; d < rows.dims; d += kLanes) {
      F32 v[kLanes];
      for (int i = 0; i < kLanes; ++i)
        v[i] = get_part<Values>(keys + least(d + i, rows.dims - 1) * size + row, rows.rows - row);
      transpose_lanes(v);
      const int64_t dims = rows.dims - d;
      for (int64_t i = 0; i < least(kLanes, rows.rows - row); ++i)
        if (float* out = rows.out + (row + i) * rows.dims + d; dims >= kLanes)
          store(out, v[i]);
        else
          store_part(out, v[i], dims);
    }
}

void load_keys(const KeyRows& rows) {
  if (rows.cache->dtype == DType::F32) return load_rows<FloatValues>(rows);
  if (rows.cache->dtype == DType::F16) return load_rows<HalfValues>(rows);
  load_rows<ByteValues>(rows);
  const auto* scales = reinterpret_cast<const float*>(rows.keys + rows.sizes.key_scales) + rows.slot;
  const int64_t rotation = rows.sizes.rotation;
  for (int64_t row = 0; row < rows.rows; ++row) {
    float* out = rows.out + row * rows.dims;
    rotate(out, rows.dims, rotation);
    const float scale = scales[row] / static_cast<float>(rotation);
    for (int64_t d = 0; d < rows.dims; ++d) out[d] *= scale;
  }
}

}  // namespace
}  // namespace cleave::kernels::simd
