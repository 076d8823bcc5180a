#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <string>

#include "base/buffer.h"
#include "base/float16.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

struct Case {
  const char* name;
  int64_t q_heads, kv_heads, key_dim, value_dim, block_size;
  AttentionParams params;  // q_heads and scale are filled in
  DType dtype = DType::F32;
  bool values_in_keys = false;
};

const std::vector<float> kSlopes = {0.5f, 0.25f, 0.125f, 0.0625f, 0.03125f, 0.015625f, 0.3f, 0.2f, 0.1f};
const std::vector<float> kSinks = {1, -2, 0.5f, 3, -1, 0, 2, 1, -3};

// For four heads and up to 40 positions to either side.
const std::vector<float> kBiases = [] {
  std::vector<float> biases;
  for (int i = 0; i < 4 * 81; ++i) biases.push_back(static_cast<float>(i * 37 % 64) / 16.0f - 2.0f);
  return biases;
}();

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"plain", 2, 2, 64, 64, 16, {}});
  all.push_back({"grouped", 9, 3, 64, 64, 32, {}});
  all.push_back({"many_heads_per_group", 24, 2, 16, 16, 16, {}});
  all.push_back({"odd_dims_and_blocks", 6, 2, 19, 37, 5, {}});
  all.push_back({"window", 4, 2, 32, 32, 16, {.window = 7}});
  all.push_back({"chunk", 4, 2, 32, 32, 16, {.chunk = 9}});
  all.push_back({"chunk_and_window", 4, 2, 32, 32, 16, {.window = 5, .chunk = 8}});
  all.push_back({"softcap", 4, 4, 32, 32, 16, {.softcap = 3}});
  all.push_back({"alibi", 8, 8, 16, 16, 16, {.alibi_slopes = kSlopes.data()}});
  all.push_back({"alibi_falcon",
                 9,
                 9,
                 16,
                 16,
                 8,
                 {.alibi_slopes = kSlopes.data(), .alibi_bfloat16 = true, .alibi_scale = 0.25f}});
  all.push_back({"sinks", 9, 3, 32, 32, 16, {.sinks = kSinks.data()}});
  all.push_back({"bidirectional", 4, 2, 32, 32, 16, {.causal = false}});
  all.push_back(
      {"bidirectional_bias", 4, 4, 32, 32, 16, {.causal = false, .distance_bias = kBiases.data(), .bias_distance = 5}});
  all.push_back({"causal_bias", 4, 2, 32, 32, 16, {.distance_bias = kBiases.data(), .bias_distance = 40}});
  all.push_back({"bidirectional_window", 4, 2, 32, 32, 16, {.window = 9, .causal = false}});
  all.push_back({"float16", 9, 3, 64, 48, 16, {}, DType::F16});
  all.push_back({"float16_odd", 3, 1, 13, 21, 7, {.window = 11}, DType::F16});
  all.push_back({"int8", 9, 3, 64, 48, 16, {}, DType::I8});
  all.push_back({"int8_odd", 3, 1, 13, 21, 7, {.window = 11}, DType::I8});
  all.push_back({"int8_softcap", 4, 2, 32, 32, 16, {.softcap = 3}, DType::I8});
  all.push_back({"part_of_the_heads", 5, 2, 32, 32, 16, {.group = 4, .first_head = 2}});
  all.push_back({"part_of_one_group", 2, 1, 32, 32, 16, {.group = 5, .first_head = 1}});
  all.push_back({"values_in_keys", 6, 1, 40, 32, 16, {}, DType::F32, true});
  all.push_back({"values_in_keys_odd", 10, 2, 19, 13, 5, {.window = 11}, DType::F32, true});
  all.push_back({"values_in_keys_float16", 16, 1, 72, 64, 32, {.softcap = 3}, DType::F16, true});
  all.push_back({"values_in_keys_int8", 8, 1, 72, 64, 32, {.sinks = kSinks.data()}, DType::I8, true});
  all.push_back({"values_in_keys_int8_odd", 3, 1, 44, 38, 7, {}, DType::I8, true});
  for (Case& c : all) {
    c.params.q_heads = c.q_heads;
    if (c.params.group == 1) c.params.group = c.q_heads / c.kv_heads;
    c.params.scale = 1 / std::sqrt(static_cast<float>(c.key_dim));
  }
  return all;
}

// A cache filled with junk, from which sequences take blocks in a scattered order, as a server's would be.
class Cache {
 public:
  Cache(const Case& c, int64_t blocks)
      : view_{nullptr, nullptr, c.dtype, c.block_size, c.kv_heads, c.key_dim, c.value_dim, c.values_in_keys} {
    keys_ = Buffer(key_block_bytes(view_) * static_cast<size_t>(blocks));
    values_ = Buffer(value_block_bytes(view_) * static_cast<size_t>(blocks));
    std::ranges::fill(keys_.bytes(), std::byte{0x7f});  // large numbers in f32 and bf16
    std::ranges::fill(values_.bytes(), std::byte{0x7f});
    view_.keys = keys_.data();
    view_.values = c.values_in_keys ? nullptr : values_.data();
    free_.resize(static_cast<size_t>(blocks));
    std::iota(free_.begin(), free_.end(), 0);
    std::shuffle(free_.begin(), free_.end(), std::mt19937(1));
  }
  std::vector<int32_t> take(int64_t positions) {
    std::vector<int32_t> table;
    for (int64_t p = 0; p < positions; p += view_.block_size) {
      table.push_back(free_.back());
      free_.pop_back();
    }
    return table;
  }
  const KvCache& view() const { return view_; }

 private:
  KvCache view_;
  Buffer keys_, values_;
  std::vector<int32_t> free_;
};

struct Sequence {
  int64_t length;
  std::vector<float> q, k, v;
  std::vector<int32_t> blocks;
  std::vector<float> out;
};

// Walsh-Hadamard transform of whole blocks.
void rotate(int64_t block, std::vector<float>& values) {
  for (size_t i = 0; i < values.size(); i += static_cast<size_t>(block))
    for (int64_t width = block / 2; width > 0; width /= 2)
      for (int64_t d = 0; d < block; ++d) {
        if ((d & width) != 0) continue;
        float& low = values[i + static_cast<size_t>(d)];
        float& high = values[i + static_cast<size_t>(d + width)];
        const float sum = low + high;
        high = low - high;
        low = sum;
      }
}

// What is left of vectors of n numbers in the cache's type.
void round_to_stored(DType dtype, int64_t n, std::vector<float>& values) {
  if (dtype == DType::F16)
    for (float& value : values) value = to_float(to_float16(value));
  if (dtype != DType::I8) return;
  for (auto vector = values.begin(); vector != values.end(); vector += n) {
    float top = 0;
    for (int64_t i = 0; i < n; ++i) top = std::max(top, std::fabs(vector[i]));
    for (int64_t i = 0; i < n; ++i) vector[i] = std::nearbyint(vector[i] * (1 / (top / 127))) * (top / 127);
  }
}

Sequence make_sequence(const Case& c, int64_t length, uint32_t seed, Cache& cache) {
  Sequence s{length,
             random_floats(length * c.q_heads * c.key_dim, seed, 2),
             random_floats(length * c.kv_heads * c.key_dim, seed + 1),
             random_floats(length * c.kv_heads * c.value_dim, seed + 2),
             cache.take(length),
             {}};
  const int64_t dims = c.values_in_keys ? c.key_dim | c.value_dim : c.key_dim;
  const int64_t rotation = c.dtype == DType::I8 ? std::min<int64_t>(64, dims & -dims) : 1;
  rotate(rotation, s.k);
  round_to_stored(c.dtype, c.key_dim, s.k);
  rotate(rotation, s.k);
  for (float& value : s.k) value /= static_cast<float>(rotation);
  round_to_stored(c.dtype, c.value_dim, s.v);
  if (c.values_in_keys)
    for (int64_t i = 0; i < length * c.kv_heads; ++i)
      std::copy_n(s.k.begin() + i * c.key_dim, c.value_dim, s.v.begin() + i * c.value_dim);
  s.out.resize(static_cast<size_t>(length * c.q_heads * c.value_dim));
  return s;
}

// Runs one step in which each sequence contributes `rows` rows from `start` on (fewer where it ends), and keeps the
// results.
void step(const Case& c, std::vector<Sequence>& sequences, int64_t start, int64_t rows, Cache& cache, ThreadPool& pool,
          Isa isa, RowKind kind = RowKind::ByCount) {
  std::vector<SequenceSpan> spans;
  std::vector<float> q, k, v;
  const auto append = [](std::vector<float>& to, const std::vector<float>& from, int64_t first, int64_t count,
                         int64_t n) {
    to.insert(to.end(), from.begin() + first * n, from.begin() + (first + count) * n);
  };
  int64_t total = 0;
  for (Sequence& s : sequences) {
    const int64_t count = std::clamp<int64_t>(s.length - start, 0, rows);
    spans.push_back({total, count, std::min(start, s.length), s.blocks.data(), 0, kind});
    total += count;
    append(q, s.q, std::min(start, s.length), count, c.q_heads * c.key_dim);
    append(k, s.k, std::min(start, s.length), count, c.kv_heads * c.key_dim);
    append(v, s.v, std::min(start, s.length), count, c.kv_heads * c.value_dim);
  }
  store_kv(k.data(), c.values_in_keys ? nullptr : v.data(), spans, cache.view(), pool, isa);
  Buffer scratch(attention_scratch_bytes(c.params, cache.view(), pool.size()));
  std::vector<float> out(static_cast<size_t>(total * c.q_heads * c.value_dim));
  attention(q.data(), spans, cache.view(), c.params, out.data(), scratch.bytes(), pool, isa);
  const int64_t n = c.q_heads * c.value_dim;
  for (size_t i = 0; i < spans.size(); ++i)
    std::copy_n(out.begin() + spans[i].first_row * n, spans[i].num_rows * n,
                sequences[i].out.begin() + spans[i].start_position * n);
}

std::vector<float> wanted(const Case& c, const Sequence& s) {
  std::vector<float> out(s.out.size());
  reference::attention({s.q.data(), s.k.data(), s.v.data(), s.length, s.length, c.kv_heads, c.key_dim, c.value_dim},
                       c.params, out.data());
  return out;
}

// The same, where one test asks for the same case on every instruction set: the reference takes its time.
class Wanted {
 public:
  const std::vector<float>& of(const Case& c, const Sequence& s) {
    std::vector<float>& out = by_name_[c.name];
    if (out.empty()) out = wanted(c, s);
    return out;
  }

 private:
  std::map<std::string, std::vector<float>> by_name_;
};

class Attention : public testing::TestWithParam<Isa> {
 protected:
  // Whether many queries are computed in bf16.
  static bool in_bfloat16(const Case& c) {
    return c.dtype != DType::F32 && c.block_size % 16 == 0 && bf16_panel_kernel(GetParam());
  }
  static double tolerance(const Case& c) { return in_bfloat16(c) ? 1e-2 : 3e-6; }

  ThreadPool pool_{3};
};

TEST_P(Attention, MatchesReferenceInOneStepOfSeveralSequences) {
  for (const Case& c : cases()) {
    Cache cache(c, 100);
    std::vector<Sequence> sequences;
    for (const int64_t length : {1, 45, 16, 33})
      sequences.push_back(make_sequence(c, length, static_cast<uint32_t>(length), cache));
    step(c, sequences, 0, 1000, cache, pool_, GetParam());
    for (const Sequence& s : sequences)
      EXPECT_LT(relative_error(s.out, wanted(c, s)), tolerance(c)) << c.name << " length " << s.length;
  }
}

TEST_P(Attention, GivesTheSameBitsHoweverAPromptIsCutUp) {
  for (const Case& c : cases()) {
    if (!c.params.causal) continue;  // later positions must be there
    std::vector<std::vector<float>> results;
    for (const int64_t rows : {1000, 1, 3, 7}) {
      Cache cache(c, 100);
      std::vector<Sequence> sequences = {make_sequence(c, 45, 1, cache), make_sequence(c, 20, 2, cache)};
      for (int64_t start = 0; start < 45; start += rows) step(c, sequences, start, rows, cache, pool_, GetParam());
      results.push_back(sequences[0].out);
    }
    for (const auto& result : results)
      if (in_bfloat16(c))
        EXPECT_LT(relative_error(result, results[0]), tolerance(c)) << c.name;
      else
        EXPECT_EQ(std::memcmp(result.data(), results[0].data(), result.size() * sizeof(float)), 0) << c.name;
  }
}

TEST_P(Attention, OfOneKindGivesTheSameBitsHoweverASequenceIsCutUp) {
  for (const Case& c : cases()) {
    if (!c.params.causal) continue;  // later positions must be there
    for (const RowKind kind : {RowKind::Prompt, RowKind::Answer}) {
      std::vector<float> expected;
      for (const int64_t rows : {1000, 1, 3, 70}) {
        Cache cache(c, 100);
        std::vector<Sequence> sequences = {make_sequence(c, 90, 1, cache), make_sequence(c, 20, 2, cache)};
        for (int64_t start = 0; start < 90; start += rows)
          step(c, sequences, start, rows, cache, pool_, GetParam(), kind);
        const std::vector<float>& out = sequences[0].out;
        if (expected.empty()) expected = out;
        EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0)
            << c.name << " rows " << rows << (kind == RowKind::Prompt ? " of a prompt" : " of an answer");
      }
    }
  }
}

// Long enough for several splits; the last rows come one by one or a few at a time.
TEST_P(Attention, GivesTheSameBitsWhateverTheThreadsAndRowsOfALongContext) {
  static Wanted reference;
  std::vector<Case> all = {{"grouped", 6, 1, 16, 24, 32, {}, DType::F16},
                           {"single", 3, 3, 16, 16, 16, {.sinks = kSinks.data()}, DType::F16},
                           {"wide", 3, 1, 300, 256, 32, {.window = 700}, DType::I8},
                           {"odd", 20, 2, 8, 8, 7, {}, DType::F32},
                           {"values_in_keys", 20, 1, 40, 32, 32, {}, DType::F16, true}};
  for (Case& c : all) {
    c.params.q_heads = c.q_heads;
    c.params.group = c.q_heads / c.kv_heads;
    c.params.scale = 1 / std::sqrt(static_cast<float>(c.key_dim));
    std::map<int64_t, std::vector<float>> results;  // in bf16 by rows
    for (const int threads : {1, 3, 5}) {
      ThreadPool pool(threads);
      Cache cache(c, 250);
      std::vector<Sequence> sequences = {make_sequence(c, 1205, 1, cache), make_sequence(c, 300, 2, cache)};
      step(c, sequences, 0, 1200, cache, pool, GetParam());
      for (const int64_t rows : {1000, 1, 5}) {
        for (int64_t start = 1200; start < 1205; start += rows)
          step(c, sequences, start, rows, cache, pool, GetParam());
        const std::vector<float>& out = sequences[0].out;
        const auto [first, added] = results.try_emplace(in_bfloat16(c) ? rows : 0, out);
        if (results.size() == 1 && added) {
          EXPECT_LT(relative_error(out, reference.of(c, sequences[0])), tolerance(c)) << c.name;
        }
        EXPECT_EQ(std::memcmp(out.data(), first->second.data(), out.size() * sizeof(float)), 0)
            << c.name << " threads " << threads << " rows " << rows;
      }
    }
  }
}

// Enough rows that all are computed in the same way: several tiles, a few queries in the last.
TEST_P(Attention, OfManyRowsGivesTheSameBitsWhateverTheThreadsAndRows) {
  static Wanted reference;
  std::vector<Case> all = {{"grouped", 8, 2, 64, 64, 32, {}, DType::F16},
                           {"odd", 3, 1, 77, 101, 16, {.window = 150}, DType::F16},
                           {"int8", 4, 1, 64, 48, 32, {.chunk = 200}, DType::I8},
                           {"values_in_keys", 10, 1, 72, 64, 32, {}, DType::F16, true}};
  for (Case& c : all) {
    c.params.q_heads = c.q_heads;
    c.params.group = c.q_heads / c.kv_heads;
    c.params.scale = 1 / std::sqrt(static_cast<float>(c.key_dim));
    std::vector<float> expected;
    for (const int threads : {1, 3})
      for (const int64_t rows : {700, 350, 100}) {
        ThreadPool pool(threads);
        Cache cache(c, 100);
        std::vector<Sequence> sequences = {make_sequence(c, 700, 1, cache), make_sequence(c, 120, 2, cache)};
        for (int64_t start = 0; start < 700; start += rows) step(c, sequences, start, rows, cache, pool, GetParam());
        const std::vector<float>& out = sequences[0].out;
        if (expected.empty()) {
          expected = out;
          EXPECT_LT(relative_error(out, reference.of(c, sequences[0])), tolerance(c)) << c.name;
        }
        EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0)
            << c.name << " threads " << threads << " rows " << rows;
      }
  }
}

TEST_P(Attention, ReadsNoPositionOutsideTheWindow) {
  Case c{"window", 2, 1, 16, 16, 8, {.q_heads = 2, .group = 2, .scale = 0.25f, .window = 8}};
  Cache cache(c, 20);
  std::vector<Sequence> sequences = {make_sequence(c, 40, 3, cache)};
  const std::vector<float> expected = wanted(c, sequences[0]);
  step(c, sequences, 0, 39, cache, pool_, GetParam());
  for (size_t block = 0; block < 4; ++block)
    sequences[0].blocks[block] = -1000000;  // position 39 needs 32 ... 39 alone
  step(c, sequences, 39, 1, cache, pool_, GetParam());
  EXPECT_LT(relative_error(sequences[0].out, expected), 3e-6);
}

INSTANTIATE_TEST_SUITE_P(Isas, Attention, testing::ValuesIn(available_isas()));

}  // namespace
}  // namespace cleave::kernels
