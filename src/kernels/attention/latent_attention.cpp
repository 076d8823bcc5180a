#include "kernels/attention/latent_attention.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "kernels/attention/half_range.h"
#include "kernels/matrix/block_diagonal.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Time of a multiplication within attention, as a multiple of one in a product of matrices. A Zen 4 core has 226
// GFLOP/s in products of bf16, in attention 150 in bf16 and 90 in f32.
double attention_per_product(DType cache) {
  return cache != DType::F32 && bf16_panel_kernel(best_isa()) ? 1.5 : 2.5;
}

// Most bytes and heads of keys and values that are computed at a time. With 128 + 64 and 128 dimensions in f16 the
// bytes are those of one head and 100,000 positions; longer sequences are attended to as cached.
constexpr int64_t kExpandedBytes = int64_t{64} << 20;
constexpr int64_t kExpandedHeads = 8;
// Positions whose cached vectors are converted to f32 at a time, 1 MB with 512 numbers each.
constexpr int64_t kPiece = 512;
// About how many query vectors are multiplied with `absorb` at a time, 18 MB with 512 + 64 dimensions.
constexpr int64_t kAbsorbed = 8192;

/// A cursor that hands out pieces of scratch. With null memory it only counts the bytes.
class Taker {
 public:
  explicit Taker(std::byte* memory) : memory_(memory) {}
  template <class T>
  T* take(int64_t count) {
    T* taken = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return taken;
  }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  size_t bytes_ = 0;
};

size_t product_bytes(std::span<const Matrix* const> matrices, int64_t rows, int threads) {
  size_t bytes = 0;
  for (const Matrix* matrix : matrices) bytes = std::max(bytes, matrix->scratch_bytes(rows, threads));
  return bytes;
}

// Copies from[rows][n] to to[rows][n], whose rows lie as far apart as the strides say.
void copy_rows(const float* from, int64_t from_stride, int64_t rows, int64_t n, float* to, int64_t to_stride,
               ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) std::copy_n(from + row * from_stride, n, to + row * to_stride);
  });
}

// ---- as cached

/// Memory for attending to the cached vectors with up to `vectors` queries, of `rows` rows and some heads.
struct Absorbed {
  Absorbed(const LatentParams& params, const KvCache& cache, int64_t rows, int64_t vectors, int threads,
           std::byte* memory) {
    Taker taker(memory);
    spans = taker.take<SequenceSpan>(rows);
    q = taker.take<float>(vectors * cache.key_dim);
    sums = taker.take<float>(vectors * params.latent_dim);
    rest = std::max({block_diagonal_scratch_bytes(params.absorb, rows, threads),
                     block_diagonal_scratch_bytes(params.values, rows, threads),
                     attention_scratch_bytes(params.attention, cache, threads)});
    scratch = taker.take<std::byte>(static_cast<int64_t>(rest));
    bytes = taker.bytes();
  }
  SequenceSpan* spans;
  float *q, *sums;  // [rows][heads][latent_dim + rope_dim], [rows][heads][latent_dim]
  std::byte* scratch;
  size_t rest, bytes;
};

void attend_as_cached(const float* q_nope, const float* q_rope, std::span<const SequenceSpan> spans,
                      const KvCache& cache, const LatentParams& p, float* out, std::span<std::byte> scratch,
                      ThreadPool& pool) {
  const int64_t first = spans.front().first_row, heads = p.attention.q_heads;
  const int64_t rows = spans.back().first_row + spans.back().num_rows - first;
  const int64_t at_a_time = std::clamp<int64_t>(kAbsorbed / rows, 1, heads);
  const Absorbed at(p, cache, rows, rows * at_a_time, pool.size(), scratch.data());
  CHECK_GE(scratch.size(), at.bytes);
  for (size_t i = 0; i < spans.size(); ++i) {
    at.spans[i] = spans[i];
    at.spans[i].first_row -= first;
  }
  for (int64_t head = 0; head < heads; head += at_a_time) {
    AttentionParams params = p.attention;
    params.first_head += head;
    params.q_heads = std::min(at_a_time, heads - head);
    const int64_t width = cache.key_dim;
    const auto of = [&](std::span<const Matrix* const> matrices) {
      return matrices.subspan(static_cast<size_t>(head), static_cast<size_t>(params.q_heads));
    };
    block_diagonal(of(p.absorb), {q_nope + (first * heads + head) * p.nope_dim, heads * p.nope_dim, p.nope_dim}, rows,
                   {at.q, params.q_heads * width, width}, {at.scratch, at.rest}, pool, form_of(spans.front().kind));
    for (int64_t h = 0; h < params.q_heads; ++h)
      copy_rows(q_rope + (first * heads + head + h) * p.rope_dim, heads * p.rope_dim, rows, p.rope_dim,
                at.q + h * width + p.latent_dim, params.q_heads * width, pool);
    attention(at.q, {at.spans, spans.size()}, cache, params, at.sums, {at.scratch, at.rest}, pool);
    block_diagonal(of(p.values), {at.sums, params.q_heads * p.latent_dim, p.latent_dim}, rows,
                   {out + (first * heads + head) * p.value_dim, heads * p.value_dim, p.value_dim},
                   {at.scratch, at.rest}, pool, form_of(spans.front().kind));
  }
}

// ---- expanded

// Options of attention for one head; the heads of a sequence attend as if each were a sequence of its own.
AttentionParams params_of_head(const AttentionParams& params) {
  AttentionParams one = params;
  one.q_heads = one.group = 1;
  one.first_head = 0;
  return one;
}

KvCache expanded_cache(const LatentParams& params, const KvCache& cache) {
  const DType dtype = cache.dtype == DType::F32 ? DType::F32 : DType::F16;
  return {nullptr, nullptr, dtype, cache.block_size, 1, params.nope_dim + params.rope_dim, params.value_dim};
}

int64_t blocks_of(const KvCache& cache, int64_t positions) {
  return (positions + cache.block_size - 1) / cache.block_size;
}

int64_t block_bytes(const KvCache& cache) {
  return static_cast<int64_t>(key_block_bytes(cache) + value_block_bytes(cache));
}

// Heads at a time for whose keys and values of `positions` positions there is memory; 0 if there is not enough for one.
int64_t heads_at_a_time(const LatentParams& params, const KvCache& cache, int64_t positions) {
  const int64_t bytes = block_bytes(expanded_cache(params, cache)) * blocks_of(cache, positions);
  return std::min({params.attention.q_heads, kExpandedHeads, kExpandedBytes / bytes});
}

/// Memory for the keys and values of some heads of one sequence, `blocks` in all, and for computing and using them.
struct Expanded {
  Expanded(const LatentParams& params, const KvCache& from, int64_t heads, int64_t blocks, int64_t rows, int threads,
           std::byte* memory)
      : cache(expanded_cache(params, from)) {
    Taker taker(memory);
    cache.keys = taker.take<std::byte>(blocks * static_cast<int64_t>(key_block_bytes(cache)));
    cache.values = taker.take<std::byte>(blocks * static_cast<int64_t>(value_block_bytes(cache)));
    table = taker.take<int32_t>(blocks);
    spans = taker.take<SequenceSpan>(heads);
    latent = taker.take<float>(kPiece * params.latent_dim);
    rope = taker.take<float>(kPiece * params.rope_dim);
    nope = taker.take<float>(kPiece * params.nope_dim);
    key = taker.take<float>(kPiece * cache.key_dim);
    value = taker.take<float>(kPiece * params.value_dim);
    q = taker.take<float>(heads * rows * cache.key_dim);
    out = taker.take<float>(heads * rows * params.value_dim);
    rest = std::max({product_bytes(params.keys, kPiece, threads), product_bytes(params.values, kPiece, threads),
                     attention_scratch_bytes(params_of_head(params.attention), cache, threads)});
    scratch = taker.take<std::byte>(static_cast<int64_t>(rest));
    bytes = taker.bytes();
  }
  KvCache cache;
  int32_t* table;                             // [heads][blocks of the sequence]
  SequenceSpan* spans;                        // [heads]
  float *latent, *rope, *nope, *key, *value;  // of kPiece positions
  float *q, *out;                             // [heads][rows][nope_dim + rope_dim], [heads][rows][value_dim]
  std::byte* scratch;
  size_t rest, bytes;
};

// Computes the keys and values of heads `head`, `head` + 1, ... at positions [first, first + count) and stores them as
// heads 0, 1, ... of the memory. Gives false, and stops, where that is f16 and cannot hold them.
bool expand(const LatentParams& p, const SequenceSpan& span, const KvCache& cache, int64_t head,
            std::span<const SequenceSpan> heads, int64_t first, int64_t count, const Expanded& at, ThreadPool& pool) {
  load_keys(cache, span.blocks, first, count, 0, p.latent_dim, at.latent, pool);
  load_keys(cache, span.blocks, first, count, p.latent_dim, p.rope_dim, at.rope, pool);
  const int64_t width = at.cache.key_dim;
  copy_rows(at.rope, p.rope_dim, count, p.rope_dim, at.key + p.nope_dim, width, pool);
  uint64_t preparation = 0;
  const Form form = form_of(span.kind);
  const auto multiply = [&](const Matrix& matrix, float* y) {
    const uint64_t wanted = matrix.preparation(count, form);
    const bool prepared = wanted != 0 && wanted == preparation;
    matrix.multiply(at.latent, count, y, {at.scratch, at.rest}, pool, prepared ? Prepared::Yes : Prepared::No, form);
    preparation = wanted;
  };
  for (size_t h = 0; h < heads.size(); ++h) {
    multiply(*p.keys[static_cast<size_t>(head) + h], at.nope);
    multiply(*p.values[static_cast<size_t>(head) + h], at.value);
    if (at.cache.dtype == DType::F16 &&
        !(fits_half(at.nope, count * p.nope_dim, pool) && fits_half(at.value, count * p.value_dim, pool)))
      return false;
    copy_rows(at.nope, p.nope_dim, count, p.nope_dim, at.key, width, pool);
    const SequenceSpan piece{0, count, first, heads[h].blocks};
    store_kv(at.key, at.value, {&piece, 1}, at.cache, pool);
  }
  return true;
}

// Gives false where keys or values of a head do not fit into the memory's f16; what it has written to `out` is then
// not the result.
bool attend_expanded(const float* q_nope, const float* q_rope, const SequenceSpan& span, const KvCache& cache,
                     const LatentParams& p, float* out, std::span<std::byte> scratch, ThreadPool& pool) {
  const int64_t rows = span.num_rows, positions = span.start_position + rows, all = p.attention.q_heads;
  const int64_t at_a_time = heads_at_a_time(p, cache, positions), blocks = blocks_of(cache, positions);
  const Expanded at(p, cache, at_a_time, at_a_time * blocks, rows, pool.size(), scratch.data());
  CHECK_GE(scratch.size(), at.bytes);
  const int64_t width = at.cache.key_dim;
  std::iota(at.table, at.table + at_a_time * blocks, 0);
  for (int64_t h = 0; h < at_a_time; ++h)
    at.spans[h] = {h * rows, rows, span.start_position, at.table + h * blocks, 0, span.kind};
  for (int64_t head = 0; head < all; head += at_a_time) {
    const std::span<const SequenceSpan> heads(at.spans, static_cast<size_t>(std::min(at_a_time, all - head)));
    for (int64_t first = 0; first < positions; first += kPiece)
      if (!expand(p, span, cache, head, heads, first, std::min(kPiece, positions - first), at, pool)) return false;
    const int64_t vector = span.first_row * all + head;
    for (int64_t h = 0; h < std::ssize(heads); ++h) {
      float* q = at.q + h * rows * width;
      copy_rows(q_nope + (vector + h) * p.nope_dim, all * p.nope_dim, rows, p.nope_dim, q, width, pool);
      copy_rows(q_rope + (vector + h) * p.rope_dim, all * p.rope_dim, rows, p.rope_dim, q + p.nope_dim, width, pool);
    }
    attention(at.q, heads, at.cache, params_of_head(p.attention), at.out, {at.scratch, at.rest}, pool);
    for (int64_t h = 0; h < std::ssize(heads); ++h)
      copy_rows(at.out + h * rows * p.value_dim, p.value_dim, rows, p.value_dim, out + (vector + h) * p.value_dim,
                all * p.value_dim, pool);
  }
  return true;
}

// Compares multiplications. Computing keys and values of a new position takes as many as multiplying its query with
// `absorb` and its result with `values`, so these do not count. Expanding costs those of the positions before, and
// saves some for each pair of positions.
bool pays_to_expand(const LatentParams& p, const SequenceSpan& span, const KvCache& cache) {
  const auto rows = static_cast<double>(span.num_rows), before = static_cast<double>(span.start_position);
  const double pairs = rows * before + rows * (rows + 1) / 2;
  const auto saved = static_cast<double>(2 * p.latent_dim - p.nope_dim - p.value_dim);
  const auto made = static_cast<double>(p.latent_dim * (p.nope_dim + p.value_dim));
  return pairs * saved * attention_per_product(cache.dtype) > before * made &&
         heads_at_a_time(p, cache, span.start_position + span.num_rows) > 0;
}

// Attends to the first rows of a span, `expanded` many, in one way and to the rest in the other.
void attend_in_turn(const float* q_nope, const float* q_rope, const SequenceSpan& span, int64_t expanded,
                    const KvCache& cache, const LatentParams& params, float* out, std::span<std::byte> scratch,
                    ThreadPool& pool) {
  SequenceSpan first = span, rest = span;
  first.num_rows = expanded;
  rest.num_rows -= expanded;
  rest.first_row += expanded;
  rest.start_position += expanded;
  if (!attend_expanded(q_nope, q_rope, first, cache, params, out, scratch, pool))
    attend_as_cached(q_nope, q_rope, {&first, 1}, cache, params, out, scratch, pool);
  if (rest.num_rows > 0) attend_as_cached(q_nope, q_rope, {&rest, 1}, cache, params, out, scratch, pool);
}

}  // namespace

int64_t expanded_rows(const LatentParams& params, const SequenceSpan& span, const KvCache& cache) {
  if (span.kind == RowKind::ByCount) return pays_to_expand(params, span, cache) ? span.num_rows : 0;
  if (span.kind == RowKind::Answer || cache.dtype == DType::F32) return 0;
  const int64_t most = kExpandedBytes / block_bytes(expanded_cache(params, cache)) * cache.block_size;
  return std::clamp<int64_t>(most - span.start_position, 0, span.num_rows);
}

size_t latent_attention_scratch_bytes(const LatentParams& params, const KvCache& cache, int64_t max_rows,
                                      int64_t max_positions, int threads) {
  const int64_t vectors = std::min(std::max(kAbsorbed, max_rows), max_rows * params.attention.q_heads);
  const int64_t heads = std::min(params.attention.q_heads, kExpandedHeads);
  const int64_t blocks =
      std::min(kExpandedBytes / block_bytes(expanded_cache(params, cache)), heads * blocks_of(cache, max_positions));
  return std::max(Absorbed(params, cache, max_rows, vectors, threads, nullptr).bytes,
                  Expanded(params, cache, heads, blocks, max_rows, threads, nullptr).bytes);
}

void latent_attention(const float* q_nope, const float* q_rope, std::span<const SequenceSpan> spans,
                      const KvCache& cache, const LatentParams& params, float* out, std::span<std::byte> scratch,
                      ThreadPool& pool) {
  for (size_t begin = 0; begin < spans.size();) {
    if (const int64_t expanded = expanded_rows(params, spans[begin], cache); expanded > 0) {
      attend_in_turn(q_nope, q_rope, spans[begin++], expanded, cache, params, out, scratch, pool);
      continue;
    }
    size_t end = begin + 1;
    while (end < spans.size() && spans[end].kind == spans[begin].kind && expanded_rows(params, spans[end], cache) == 0)
      ++end;
    attend_as_cached(q_nope, q_rope, spans.subspan(begin, end - begin), cache, params, out, scratch, pool);
    begin = end;
  }
}

}  // namespace cleave::kernels
