#include "kernels/attention/attention.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>

#include "base/check.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Query vectors whose parts each thread has memory for, when positions are split over threads.
constexpr int64_t kPartsPerThread = 64;

// Least tiles for each thread, so many that the slowest one does not keep the others waiting.
constexpr int64_t kTilesPerThread = 4;

// Of kManyRows rows and more a span attends in bf16. A shorter prompt would lose accuracy and save no time that can be
// felt. If all heads share one KV head, a row is as much work as many, and what counts is the number of queries.
constexpr int64_t kManyQueries = 16;

bool is_kv_type(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::I8;
}

std::optional<PanelKernel> panels_for(const KvCache& cache, Isa isa) {
  return cache.dtype != DType::F32 && cache.block_size % 16 == 0 ? bf16_panel_kernel(isa) : std::nullopt;
}

// How the rows and heads of a span are cut into tiles: a tile takes `heads` query heads of one group and `rows` rows.
struct Tiling {
  int64_t heads;        // query heads of a tile
  int64_t rows;         // rows of a tile
  int64_t head_tiles;   // tiles of one row tile: kv_heads * ceil(group / heads)
  int64_t group_tiles;  // ceil(group / heads)
  int64_t vectors() const { return heads * rows; }
};

Tiling make_tiling(int64_t group, int64_t heads, int64_t rows, int64_t kv_heads) {
  const int64_t group_tiles = (group + heads - 1) / heads;
  return {heads, rows, kv_heads * group_tiles, group_tiles};
}

int64_t count_tiles(const Tiling& tiling, const SequenceSpan& span) {
  return (span.num_rows + tiling.rows - 1) / tiling.rows * tiling.head_tiles;
}

int64_t count_tiles(const Tiling& tiling, std::span<const SequenceSpan> spans) {
  int64_t tiles = 0;
  for (const SequenceSpan& span : spans) tiles += count_tiles(tiling, span);
  return tiles;
}

// Chooses the largest tiles of which there are at least `wanted`; large ones, because the queries of a tile share what
// they read. Tiles are cut by rows first. Results do not depend on the choice.
Tiling choose_tiling(const AttentionParams& params, const KvCache& cache, std::span<const SequenceSpan> spans,
                     int64_t wanted) {
  int64_t longest = 1;
  for (const SequenceSpan& span : spans) longest = std::max(longest, span.num_rows);
  int64_t heads = std::min<int64_t>(params.group, simd::kMaxQueries);
  int64_t rows = std::min(longest, simd::kMaxQueries / heads);
  Tiling tiling = make_tiling(params.group, heads, rows, cache.kv_heads);
  while (heads * rows > 1 && count_tiles(tiling, spans) < wanted) {
    if (rows > 1)
      rows = (rows + 1) / 2;
    else
      heads = (heads + 1) / 2;
    tiling = make_tiling(params.group, heads, rows, cache.kv_heads);
  }
  return tiling;
}

// How the positions of all tiles are split over threads.
struct Splitting {
  int64_t total = 1;      // splits of the longest sequence
  int64_t per_round = 1;  // of those, how many there are parts for at a time; 1: tiles are not split
};

struct Job {
  const float* q;
  const KvCache& cache;
  const AttentionParams& params;
  std::span<const SequenceSpan> spans;
  float* out;
  simd::AttentionSizes sizes;
  Tiling tiling;
  const simd::Table& table;
  std::optional<PanelKernel> panels;  // with which spans of many queries are computed
  float* scratch;                     // attention_tile_floats() for each thread, then parts
  int64_t tile_floats;

  int64_t part_floats() const { return tiling.vectors() * sizes.part_stride; }
};

// About how many elements of keys and values all queries of a span read.
int64_t estimate_work(const SequenceSpan& span, const AttentionParams& params, const KvCache& cache) {
  const int64_t length = span.start_position + span.num_rows;
  const int64_t reach = params.window > 0 ? params.window : params.chunk > 0 ? params.chunk : length;
  return span.num_rows * std::min(reach, length) * params.q_heads * (cache.key_dim + cache.value_dim);
}

// Whether a span's queries are so many that they attend in bf16.
bool in_panels(const Job& job, const SequenceSpan& span) {
  if (!job.panels) return false;
  // What is known of a kind: that prompts have many rows, and the others few.
  SequenceSpan typical = span;
  if (span.kind != RowKind::ByCount) {
    typical.num_rows = span.kind == RowKind::Prompt ? kManyRows : 1;
    typical.start_position = kManyRows;
  }
  const bool many = typical.num_rows >= kManyRows ||
                    (job.cache.values_in_keys && typical.num_rows * job.params.group >= kManyQueries);
  return many && estimate_work(typical, job.params, job.cache) > kFewProducts;
}

simd::AttentionTile make_tile(const Job& job, const SequenceSpan& span, int64_t index) {
  const int64_t group = job.params.group;
  const int64_t first_row = index / job.tiling.head_tiles * job.tiling.rows;
  const int64_t last_row = std::min(span.num_rows, first_row + job.tiling.rows);
  const int64_t in_row = index % job.tiling.head_tiles;
  const int64_t kv_head = in_row / job.tiling.group_tiles;
  const int64_t first_head = in_row % job.tiling.group_tiles * job.tiling.heads;
  const int64_t last_head = std::min(group, first_head + job.tiling.heads);
  simd::AttentionTile tile;
  tile.sizes = job.sizes;
  tile.cache = &job.cache;
  tile.params = &job.params;
  tile.blocks = span.blocks;
  tile.kv_head = kv_head;
  tile.length = span.start_position + span.num_rows;
  tile.num_queries = 0;
  tile.parts = nullptr;
  tile.panel_product = in_panels(job, span) ? job.panels->product : nullptr;
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
  return tile;
}

// Calls body(tile, index of tile, number in tile) for `per_tile` numbers of every tile. Threads share the counter
// `next`, from which each takes one number after another.
template <class Body>
void take_tiles(const Job& job, std::atomic<int64_t>& next, int64_t per_tile, const Body& body) {
  int64_t passed = 0;  // tiles of the spans before `span`
  auto span = job.spans.begin();
  for (int64_t number = next.fetch_add(1, std::memory_order_relaxed);;
       number = next.fetch_add(1, std::memory_order_relaxed)) {
    const int64_t index = number / per_tile;
    for (; span != job.spans.end(); ++span) {
      const int64_t tiles = count_tiles(job.tiling, *span);
      if (index < passed + tiles) break;
      passed += tiles;
    }
    if (span == job.spans.end()) return;
    simd::AttentionTile tile = make_tile(job, *span, index - passed);
    if (tile.num_queries > 0) body(tile, index, number % per_tile);
  }
}

void run_whole(const Job& job, std::atomic<int64_t>& next, int thread) {
  take_tiles(job, next, 1, [&](simd::AttentionTile& tile, int64_t, int64_t) {
    tile.scratch = job.scratch + thread * job.tile_floats;
    job.table.attend(tile);
  });
}

// Merges the parts of a round into the sums of the rounds before, in order; after the last round writes the results.
void merge_tile(const Job& job, const simd::AttentionTile& tile, const float* parts, int64_t count, float* sums,
                bool last) {
  const int64_t stride = job.sizes.part_stride;
  for (int i = 0; i < tile.num_queries; ++i) {
    for (int64_t split = 0; split < count; ++split)
      job.table.merge_part(parts + split * job.part_floats() + i * stride, stride, sums + i * stride);
    if (last) job.table.finish_part(tile, i, sums + i * stride);
  }
}

// Computes tiles whose positions are split over threads, in rounds of some splits of all tiles. In scratch the merged
// sums lie first, [tile][vector], then the parts of a round, [tile][split of the round][vector].
void run_split(const Job& job, const Splitting& splitting, ThreadPool& pool) {
  float* sums = job.scratch + pool.size() * job.tile_floats;
  const int64_t tiles = count_tiles(job.tiling, job.spans);
  float* parts = sums + tiles * job.part_floats();
  for (int64_t i = 0; i < tiles * job.tiling.vectors(); ++i) {
    std::fill_n(sums + i * job.sizes.part_stride, job.sizes.part_stride, 0.0f);
    sums[i * job.sizes.part_stride + job.sizes.sum_stride] = -INFINITY;
  }
  for (int64_t first = 0; first < splitting.total; first += splitting.per_round) {
    const int64_t count = std::min(splitting.per_round, splitting.total - first);
    const auto parts_of = [&](int64_t tile) { return parts + tile * splitting.per_round * job.part_floats(); };
    std::atomic<int64_t> next{0};
    pool.run([&](int thread) {
      take_tiles(job, next, count, [&](simd::AttentionTile& tile, int64_t index, int64_t split) {
        tile.scratch = job.scratch + thread * job.tile_floats;
        tile.parts = parts_of(index) + split * job.part_floats();
        tile.split = first + split;
        job.table.attend(tile);
      });
    });
    std::atomic<int64_t> merged{0};
    pool.run([&](int) {
      take_tiles(job, merged, 1, [&](const simd::AttentionTile& tile, int64_t index, int64_t) {
        merge_tile(job, tile, parts_of(index), count, sums + index * job.part_floats(),
                   first + count == splitting.total);
      });
    });
  }
}

int64_t estimate_work(std::span<const SequenceSpan> spans, const AttentionParams& params, const KvCache& cache) {
  int64_t work = 0;
  for (const SequenceSpan& span : spans) work += estimate_work(span, params, cache);
  return work;
}

// Chooses how positions are split: only if whole tiles are too few for the threads, and in rounds of as many splits as
// there is memory for parts. Sets job.tiling, too.
Splitting choose_splitting(Job& job, int64_t threads) {
  const int64_t wanted = threads > 1 ? kTilesPerThread * threads : 1;
  job.tiling = choose_tiling(job.params, job.cache, job.spans, 1);
  if (count_tiles(job.tiling, job.spans) >= wanted) return {};
  Splitting splitting;
  for (const SequenceSpan& span : job.spans)
    splitting.total =
        std::max(splitting.total, (span.start_position + span.num_rows + job.sizes.split - 1) / job.sizes.split);
  job.tiling = choose_tiling(job.params, job.cache, job.spans, (wanted + splitting.total - 1) / splitting.total);
  const int64_t vectors = count_tiles(job.tiling, job.spans) * job.tiling.vectors();
  splitting.per_round = std::clamp<int64_t>(threads * kPartsPerThread / vectors - 1, 1, splitting.total);
  if (splitting.per_round == 1) job.tiling = choose_tiling(job.params, job.cache, job.spans, wanted);
  return splitting;
}

}  // namespace

size_t key_block_bytes(const KvCache& cache) {
  return static_cast<size_t>(cache.kv_heads * simd::attention_sizes(cache).key_head_bytes);
}

size_t value_block_bytes(const KvCache& cache) {
  return static_cast<size_t>(cache.kv_heads * simd::attention_sizes(cache).value_head_bytes);
}

void store_kv(const float* k, const float* v, std::span<const SequenceSpan> spans, const KvCache& cache,
              ThreadPool& pool, Isa isa) {
  CHECK(is_kv_type(cache.dtype));
  const simd::Table& table = simd::table(isa);
  const simd::AttentionSizes sizes = simd::attention_sizes(cache);
  const int64_t size = cache.block_size;
  for (const SequenceSpan& span : spans) {
    const int64_t first = span.start_position / size;  // blocks [first, last) get something
    const int64_t last = (span.start_position + span.num_rows + size - 1) / size;
    const int64_t elements = std::min(size, span.num_rows) * (cache.key_dim + cache.value_dim);
    pool.parallel_for((last - first) * cache.kv_heads, row_grain(elements, 2), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t block = first + i / cache.kv_heads;
        const int64_t head = i % cache.kv_heads;
        const int64_t position = std::max(span.start_position, block * size);
        const int64_t after = std::min(span.start_position + span.num_rows, (block + 1) * size);
        const int64_t vector = (span.first_row + position - span.start_position) * cache.kv_heads + head;
        const int64_t place = span.blocks[block] * cache.kv_heads + head;
        table.store_kv({.k = k + vector * cache.key_dim,
                        .v = cache.values_in_keys ? nullptr : v + vector * cache.value_dim,
                        .k_stride = cache.kv_heads * cache.key_dim,
                        .v_stride = cache.kv_heads * cache.value_dim,
                        .rows = after - position,
                        .slot = position % size,
                        .keys = cache.keys + place * sizes.key_head_bytes,
                        .values = cache.values_in_keys ? nullptr : cache.values + place * sizes.value_head_bytes,
                        .cache = &cache,
                        .sizes = sizes});
      }
    });
  }
}

void load_keys(const KvCache& cache, const int32_t* blocks, int64_t first, int64_t count, int64_t first_dim,
               int64_t dims, float* out, ThreadPool& pool, Isa isa) {
  CHECK(is_kv_type(cache.dtype));
  const simd::Table& table = simd::table(isa);
  const simd::AttentionSizes sizes = simd::attention_sizes(cache);
  CHECK_EQ((first_dim | dims) % sizes.rotation, 0);
  const int64_t size = cache.block_size, first_block = first / size;
  const int64_t num_blocks = (first + count + size - 1) / size - first_block;
  pool.parallel_for(num_blocks, row_grain(size * dims, 2), [&](int64_t begin, int64_t end) {
    for (int64_t block = first_block + begin; block < first_block + end; ++block) {
      const int64_t position = std::max(first, block * size);
      table.load_keys({.keys = cache.keys + blocks[block] * cache.kv_heads * sizes.key_head_bytes,
                       .slot = position % size,
                       .rows = std::min(first + count, (block + 1) * size) - position,
                       .first_dim = first_dim,
                       .dims = dims,
                       .out = out + (position - first) * dims,
                       .cache = &cache,
                       .sizes = sizes});
    }
  });
}

size_t attention_scratch_bytes(const AttentionParams&, const KvCache& cache, int threads) {
  const int64_t parts = threads > 1 ? kPartsPerThread * simd::attention_sizes(cache).part_stride : 0;
  return static_cast<size_t>(threads * (simd::attention_tile_floats(cache) + parts)) * sizeof(float);
}

void attention(const float* q, std::span<const SequenceSpan> spans, const KvCache& cache, const AttentionParams& params,
               float* out, std::span<std::byte> scratch, ThreadPool& pool, Isa isa) {
  CHECK(is_kv_type(cache.dtype));
  CHECK_LE(params.first_head + params.q_heads, cache.kv_heads * params.group);
  CHECK_GE(scratch.size(), attention_scratch_bytes(params, cache, pool.size()));
  // Work so little that a second thread is not worth it.
  const bool alone = pool.size() == 1 || estimate_work(spans, params, cache) < 2 * kGrainElements;
  const int threads = alone ? 1 : pool.size();
  Job job{q,
          cache,
          params,
          spans,
          out,
          simd::attention_sizes(cache),
          {},
          simd::table(isa),
          panels_for(cache, isa),
          reinterpret_cast<float*>(scratch.data()),
          simd::attention_tile_floats(cache)};
  const Splitting splitting = choose_splitting(job, threads);
  if (splitting.per_round > 1) return run_split(job, splitting, pool);
  std::atomic<int64_t> next{0};
  if (alone)
    run_whole(job, next, 0);
  else
    pool.run([&](int thread) { run_whole(job, next, thread); });
}

}  // namespace cleave::kernels
