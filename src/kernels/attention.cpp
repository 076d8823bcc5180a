#include "kernels/attention.h"

#include <algorithm>
#include <atomic>

#include "base/check.h"
#include "base/float16.h"
#include "kernels/simd/table.h"
#include "kernels/split.h"

namespace cleave::kernels {
namespace {

// The largest finite f16; keys and values of real models stay far below it.
constexpr float kMaxHalf = 65504.0f;

size_t element_bytes(const KvCache& cache) {
  return cache.dtype == DType::F32 ? 4 : 2;
}

void put(const KvCache& cache, std::byte* array, int64_t index, float value) {
  if (cache.dtype == DType::F32)
    reinterpret_cast<float*>(array)[index] = value;
  else
    reinterpret_cast<float16*>(array)[index] = to_float16(std::clamp(value, -kMaxHalf, kMaxHalf));
}

// One row of one KV head into its slot.
void store_head(const float* k, const float* v, int64_t block, int64_t head, int64_t slot, const KvCache& cache) {
  const int64_t index = block * cache.kv_heads + head;
  const int64_t key = index * cache.key_dim * cache.block_size + slot;
  for (int64_t d = 0; d < cache.key_dim; ++d) put(cache, cache.keys, key + d * cache.block_size, k[d]);
  const int64_t value = (index * cache.block_size + slot) * cache.value_dim;
  for (int64_t d = 0; d < cache.value_dim; ++d) put(cache, cache.values, value + d, v[d]);
}

// How the rows and heads of a span fall into tiles: a tile takes `heads` query heads of one group and `rows` rows.
struct Tiling {
  int64_t heads;        // query heads of a tile
  int64_t rows;         // rows of a tile
  int64_t head_tiles;   // tiles of one row tile: kv_heads * ceil(group / heads)
  int64_t group_tiles;  // ceil(group / heads)
};

Tiling make_tiling(int64_t group, int64_t heads, int64_t kv_heads) {
  const int64_t group_tiles = (group + heads - 1) / heads;
  return {heads, std::max<int64_t>(1, simd::kMaxQueries / heads), kv_heads * group_tiles, group_tiles};
}

int64_t count_tiles(const Tiling& tiling, std::span<const SequenceSpan> spans) {
  int64_t tiles = 0;
  for (const SequenceSpan& span : spans) tiles += (span.num_rows + tiling.rows - 1) / tiling.rows * tiling.head_tiles;
  return tiles;
}

// Heads of a group share the keys that they read, so tiles take whole groups; but for few rows they are made smaller
// until every thread has some. Results do not depend on the choice.
Tiling choose_tiling(const AttentionParams& params, const KvCache& cache, std::span<const SequenceSpan> spans,
                     int threads) {
  const int64_t group = params.group;
  int64_t heads = std::min<int64_t>(group, simd::kMaxQueries);
  Tiling tiling = make_tiling(group, heads, cache.kv_heads);
  while (threads > 1 && heads > 1 && count_tiles(tiling, spans) < 3 * threads) {
    heads = (heads + 1) / 2;
    tiling = make_tiling(group, heads, cache.kv_heads);
  }
  return tiling;
}

struct Job {
  const float* q;
  const KvCache& cache;
  const AttentionParams& params;
  float* out;
  const Tiling& tiling;
  const simd::Table& table;
};

void run_tile(const Job& job, const SequenceSpan& span, int64_t index, float* scratch) {
  const int64_t group = job.params.group;
  const int64_t first_row = index / job.tiling.head_tiles * job.tiling.rows;
  const int64_t last_row = std::min(span.num_rows, first_row + job.tiling.rows);
  const int64_t in_row = index % job.tiling.head_tiles;
  const int64_t kv_head = in_row / job.tiling.group_tiles;
  const int64_t first_head = in_row % job.tiling.group_tiles * job.tiling.heads;
  const int64_t last_head = std::min(group, first_head + job.tiling.heads);
  simd::AttentionTile tile{};
  tile.cache = &job.cache;
  tile.params = &job.params;
  tile.blocks = span.blocks;
  tile.kv_head = kv_head;
  tile.length = span.start_position + span.num_rows;
  tile.scratch = scratch;
  for (int64_t row = first_row; row < last_row; ++row)
    for (int64_t h = first_head; h < last_head; ++h) {
      const int64_t head = kv_head * group + h - job.params.first_head;
      if (head < 0 || head >= job.params.q_heads) continue;  // another rank's
      const int64_t vector = (span.first_row + row) * job.params.q_heads + head;
      const int i = tile.num_queries++;
      tile.q[i] = job.q + vector * job.cache.key_dim;
      tile.out[i] = job.out + vector * job.cache.value_dim;
      tile.position[i] = span.start_position + row;
      tile.head[i] = head;
    }
  if (tile.num_queries > 0) job.table.attend(tile);
}

// Takes tiles off the common counter until none is left.
void run_tiles(const Job& job, std::span<const SequenceSpan> spans, std::atomic<int64_t>& next, float* scratch) {
  int64_t passed = 0;  // tiles of the spans before `span`
  auto span = spans.begin();
  for (int64_t tile = next.fetch_add(1, std::memory_order_relaxed);;
       tile = next.fetch_add(1, std::memory_order_relaxed)) {
    for (; span != spans.end(); ++span) {
      const int64_t tiles = (span->num_rows + job.tiling.rows - 1) / job.tiling.rows * job.tiling.head_tiles;
      if (tile < passed + tiles) break;
      passed += tiles;
    }
    if (span == spans.end()) return;
    run_tile(job, *span, tile - passed, scratch);
  }
}

// Elements of keys and values that all queries of the step read, about; decides whether a second thread is worth it.
int64_t estimate_work(std::span<const SequenceSpan> spans, const AttentionParams& params, const KvCache& cache) {
  int64_t positions = 0;
  for (const SequenceSpan& span : spans) {
    const int64_t length = span.start_position + span.num_rows;
    const int64_t reach = params.window > 0 ? params.window : params.chunk > 0 ? params.chunk : length;
    positions += span.num_rows * std::min(reach, length);
  }
  return positions * params.q_heads * (cache.key_dim + cache.value_dim);
}

}  // namespace

size_t key_block_bytes(const KvCache& cache) {
  return static_cast<size_t>(cache.kv_heads * cache.key_dim * cache.block_size) * element_bytes(cache);
}

size_t value_block_bytes(const KvCache& cache) {
  return static_cast<size_t>(cache.kv_heads * cache.value_dim * cache.block_size) * element_bytes(cache);
}

void store_kv(const float* k, const float* v, std::span<const SequenceSpan> spans, const KvCache& cache,
              ThreadPool& pool) {
  CHECK(cache.dtype == DType::F32 || cache.dtype == DType::F16);
  const int64_t elements = cache.kv_heads * (cache.key_dim + cache.value_dim);
  for (const SequenceSpan& span : spans)
    pool.parallel_for(span.num_rows, row_grain(elements, 2), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t position = span.start_position + row;
        const int64_t block = span.blocks[position / cache.block_size];
        for (int64_t head = 0; head < cache.kv_heads; ++head) {
          const int64_t vector = (span.first_row + row) * cache.kv_heads + head;
          store_head(k + vector * cache.key_dim, v + vector * cache.value_dim, block, head, position % cache.block_size,
                     cache);
        }
      }
    });
}

size_t attention_scratch_bytes(const AttentionParams&, const KvCache& cache, int threads) {
  return static_cast<size_t>(threads * simd::attention_tile_floats(cache)) * sizeof(float);
}

void attention(const float* q, std::span<const SequenceSpan> spans, const KvCache& cache, const AttentionParams& params,
               float* out, std::span<std::byte> scratch, ThreadPool& pool, Isa isa) {
  CHECK(cache.dtype == DType::F32 || cache.dtype == DType::F16);
  CHECK_LE(params.first_head + params.q_heads, cache.kv_heads * params.group);
  CHECK_GE(scratch.size(), attention_scratch_bytes(params, cache, pool.size()));
  const bool alone = pool.size() == 1 || estimate_work(spans, params, cache) < 2 * kGrainElements;
  const Tiling tiling = choose_tiling(params, cache, spans, alone ? 1 : pool.size());
  const Job job = {q, cache, params, out, tiling, simd::table(isa)};
  std::atomic<int64_t> next{0};
  auto* floats = reinterpret_cast<float*>(scratch.data());
  if (alone)
    run_tiles(job, spans, next, floats);
  else
    pool.run([&](int thread) { run_tiles(job, spans, next, floats + thread * simd::attention_tile_floats(cache)); });
}

}  // namespace cleave::kernels
