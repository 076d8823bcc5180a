#include "kernels/attention/latent_attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/buffer.h"
#include "kernels/matrix/pack.h"
#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

struct Case {
  const char* name;
  int64_t heads, nope_dim, rope_dim, latent_dim, value_dim;
  DType dtype;
  double tolerance;
  float values_scale = 1;
  int64_t block = 32;  // positions of a key-value block
};
constexpr Case kCases[] = {{"f32", 6, 8, 4, 16, 12, DType::F32, 3e-6},
                           {"f32_many_heads", 19, 16, 8, 48, 24, DType::F32, 3e-6},
                           {"f16", 5, 24, 8, 64, 16, DType::F16, 3e-3},
                           // in blocks of a size that bf16 panels do not take: what is tested is the range
                           {"f16_values_beyond_its_range", 5, 24, 8, 64, 16, DType::F16, 3e-3, 1e5f, 24},
                           {"int8", 4, 16, 16, 64, 32, DType::I8, 3e-2}};

// Weights of all heads, packed in exact arithmetic.
struct Matrices {
  std::vector<std::vector<float>> numbers;
  std::vector<std::unique_ptr<Matrix>> owned;
  std::vector<const Matrix*> pointers;

  void add(std::vector<float> w, int64_t n, int64_t k, ThreadPool& pool) {
    numbers.push_back(std::move(w));
    const auto row = [&](int64_t index, std::span<std::byte>) {
      return std::as_bytes(std::span(numbers.back()))
          .subspan(static_cast<size_t>(index * k) * 4, static_cast<size_t>(k) * 4);
    };
    PackOptions options;
    options.exact = true;
    owned.push_back(pack_matrix(DType::F32, n, k, row, options, pool));
    pointers.push_back(owned.back().get());
  }
};

std::vector<float> transposed(const std::vector<float>& w, int64_t n, int64_t k) {
  std::vector<float> t(w.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < k; ++j) t[static_cast<size_t>(j * n + i)] = w[static_cast<size_t>(i * k + j)];
  return t;
}

struct Sequence {
  int64_t length;
  std::vector<float> q_nope, q_rope, k, out;
  std::vector<int32_t> blocks;
};

class Model {
 public:
  Model(const Case& c, ThreadPool& pool) : c_(c), pool_(pool) {
    for (int64_t h = 0; h < c.heads; ++h) {
      const std::vector<float> keys = random_floats(c.nope_dim * c.latent_dim, static_cast<uint32_t>(h), 0.2f);
      absorb_.add(transposed(keys, c.nope_dim, c.latent_dim), c.latent_dim, c.nope_dim, pool);
      keys_.add(keys, c.nope_dim, c.latent_dim, pool);
      values_.add(random_floats(c.value_dim * c.latent_dim, static_cast<uint32_t>(100 + h), c.values_scale),
                  c.value_dim, c.latent_dim, pool);
    }
    cache_ = {nullptr, nullptr, c.dtype, c.block, 1, c.latent_dim + c.rope_dim, c.latent_dim, true};
    memory_ = Buffer(key_block_bytes(cache_) * 40);
    cache_.keys = memory_.data();
  }

  LatentParams params() const {
    LatentParams p{{},           c_.nope_dim,      c_.rope_dim,    c_.latent_dim,
                   c_.value_dim, absorb_.pointers, keys_.pointers, values_.pointers};
    p.attention.q_heads = p.attention.group = c_.heads;
    p.attention.scale = 0.3f;
    return p;
  }
  const KvCache& cache() const { return cache_; }

  Sequence sequence(int64_t length, uint32_t seed) {
    Sequence s{length,
               random_floats(length * c_.heads * c_.nope_dim, seed),
               random_floats(length * c_.heads * c_.rope_dim, seed + 1),
               random_floats(length * cache_.key_dim, seed + 2),
               std::vector<float>(static_cast<size_t>(length * c_.heads * c_.value_dim)),
               {}};
    for (int64_t p = 0; p < length; p += c_.block) s.blocks.push_back(--next_block_);
    return s;
  }

  // One step of `rows` rows of each sequence from its `start` on.
  void step(std::span<Sequence* const> sequences, std::span<const int64_t> starts, std::span<const int64_t> rows,
            RowKind kind = RowKind::ByCount) {
    std::vector<SequenceSpan> spans;
    std::vector<float> q_nope, q_rope, k;
    int64_t total = 0;
    for (size_t i = 0; i < sequences.size(); ++i) {
      const Sequence& s = *sequences[i];
      spans.push_back({total, rows[i], starts[i], s.blocks.data(), 0, kind});
      total += rows[i];
      const auto append = [&](std::vector<float>& to, const std::vector<float>& from, int64_t n) {
        to.insert(to.end(), from.begin() + starts[i] * n, from.begin() + (starts[i] + rows[i]) * n);
      };
      append(q_nope, s.q_nope, c_.heads * c_.nope_dim);
      append(q_rope, s.q_rope, c_.heads * c_.rope_dim);
      append(k, s.k, cache_.key_dim);
    }
    const LatentParams p = params();
    store_kv(k.data(), nullptr, spans, cache_, pool_);
    Buffer scratch(latent_attention_scratch_bytes(p, cache_, total, 200, pool_.size()));
    std::vector<float> out(static_cast<size_t>(total * c_.heads * c_.value_dim));
    latent_attention(q_nope.data(), q_rope.data(), spans, cache_, p, out.data(), scratch.bytes(), pool_);
    const int64_t n = c_.heads * c_.value_dim;
    for (size_t i = 0; i < spans.size(); ++i)
      std::copy_n(out.begin() + spans[i].first_row * n, rows[i] * n, sequences[i]->out.begin() + starts[i] * n);
  }

  // Keys and values of every head, made of unrounded vectors.
  std::vector<float> wanted(const Sequence& s) const {
    const int64_t width = c_.nope_dim + c_.rope_dim;
    std::vector<float> q, keys, values(static_cast<size_t>(s.length * c_.heads * c_.value_dim));
    keys.resize(static_cast<size_t>(s.length * c_.heads * width));
    for (int64_t row = 0; row < s.length; ++row)
      for (int64_t h = 0; h < c_.heads; ++h) {
        const float* latent = s.k.data() + row * cache_.key_dim;
        const int64_t vector = row * c_.heads + h;
        reference::matmul(latent, keys_.numbers[static_cast<size_t>(h)].data(), 1, c_.nope_dim, c_.latent_dim,
                          keys.data() + vector * width);
        std::copy_n(latent + c_.latent_dim, c_.rope_dim, keys.data() + vector * width + c_.nope_dim);
        reference::matmul(latent, values_.numbers[static_cast<size_t>(h)].data(), 1, c_.value_dim, c_.latent_dim,
                          values.data() + vector * c_.value_dim);
        q.insert(q.end(), s.q_nope.begin() + vector * c_.nope_dim, s.q_nope.begin() + (vector + 1) * c_.nope_dim);
        q.insert(q.end(), s.q_rope.begin() + vector * c_.rope_dim, s.q_rope.begin() + (vector + 1) * c_.rope_dim);
      }
    AttentionParams attention = params().attention;
    attention.group = 1;
    std::vector<float> out(s.out.size());
    reference::attention({q.data(), keys.data(), values.data(), s.length, s.length, c_.heads, width, c_.value_dim},
                         attention, out.data());
    return out;
  }

 private:
  const Case& c_;
  ThreadPool& pool_;
  Matrices absorb_, keys_, values_;
  KvCache cache_;
  Buffer memory_;
  int32_t next_block_ = 40;
};

TEST(LatentAttention, GivesTheSameHoweverAPromptIsCutUp) {
  for (const int threads : {1, 3})
    for (const Case& c : kCases)
      for (const int64_t rows : {70, 9, 1}) {
        ThreadPool pool(threads);
        Model model(c, pool);
        Sequence s = model.sequence(70, 5);
        Sequence* one = &s;
        for (int64_t start = 0; start < s.length; start += rows) {
          const int64_t count = std::min(rows, s.length - start);
          model.step({&one, 1}, {&start, 1}, {&count, 1});
        }
        EXPECT_LT(relative_error(s.out, model.wanted(s)), c.tolerance) << c.name << ", " << rows << " rows";
      }
}

TEST(LatentAttention, TakesPromptsAndSingleTokensInOneStep) {
  for (const Case& c : kCases) {
    ThreadPool pool(2);
    Model model(c, pool);
    Sequence a = model.sequence(60, 1), b = model.sequence(40, 2), d = model.sequence(34, 3);
    Sequence* all[] = {&a, &b, &d};
    const int64_t zeros[] = {0, 0}, before[] = {59, 33};
    Sequence* first[] = {&a, &d};
    model.step(first, zeros, before);
    const int64_t starts[] = {59, 0, 33}, rows[] = {1, 40, 1};
    model.step(all, starts, rows);
    for (const Sequence* s : all) EXPECT_LT(relative_error(s->out, model.wanted(*s)), c.tolerance) << c.name;
  }
}

TEST(LatentAttention, ExpandsForManyRowsUnlessTheSequenceIsTooLong) {
  ThreadPool pool(1);
  const Case c{"", 2, 128, 64, 512, 128, DType::F16, 0};
  const Model model(c, pool);
  const auto expanded = [&](int64_t rows, int64_t start) {
    return expanded_rows(model.params(), {0, rows, start, nullptr}, model.cache()) > 0;
  };
  EXPECT_TRUE(expanded(512, 0));
  EXPECT_TRUE(expanded(512, 4096));
  EXPECT_FALSE(expanded(1, 4096));
  EXPECT_FALSE(expanded(32, 4096));
  EXPECT_FALSE(expanded(512, 1'000'000));
}

TEST(LatentAttention, ExpandsPromptsByTheirPositionAndAnswersNever) {
  ThreadPool pool(1);
  const Case c{"", 2, 128, 64, 512, 128, DType::F16, 0}, exact{"", 2, 128, 64, 512, 128, DType::F32, 0};
  const Model model(c, pool), in_f32(exact, pool);
  const auto rows_of = [](const Model& m, RowKind kind, int64_t rows, int64_t start) {
    return expanded_rows(m.params(), {0, rows, start, nullptr, 0, kind}, m.cache());
  };
  EXPECT_EQ(rows_of(model, RowKind::Prompt, 1, 4096), 1);
  EXPECT_EQ(rows_of(model, RowKind::Prompt, 512, 0), 512);
  EXPECT_EQ(rows_of(model, RowKind::Prompt, 512, 1'000'000), 0);
  int64_t total = 0;  // the same rows, whatever the chunks
  for (int64_t start = 0; start < 200'000; start += 300) total += rows_of(model, RowKind::Prompt, 300, start);
  EXPECT_EQ(total, rows_of(model, RowKind::Prompt, 200'000, 0));
  EXPECT_LT(total, 200'000);
  EXPECT_EQ(rows_of(model, RowKind::Answer, 512, 0), 0);
  EXPECT_EQ(rows_of(in_f32, RowKind::Prompt, 512, 0), 0);
}

TEST(LatentAttention, OfOneKindGivesTheSameBitsHoweverASequenceIsCutUp) {
  for (const RowKind kind : {RowKind::Prompt, RowKind::Answer})
    for (const Case& c : kCases) {
      if (c.values_scale != 1) continue;  // what exceeds f16 decides for a whole chunk
      ThreadPool pool(2);
      std::vector<float> expected;
      for (const int64_t rows : {70, 9, 1, 33}) {
        Model model(c, pool);
        Sequence s = model.sequence(70, 5);
        Sequence* one = &s;
        for (int64_t start = 0; start < s.length; start += rows) {
          const int64_t count = std::min(rows, s.length - start);
          model.step({&one, 1}, {&start, 1}, {&count, 1}, kind);
        }
        EXPECT_LT(relative_error(s.out, model.wanted(s)), c.tolerance) << c.name << ", " << rows << " rows";
        if (expected.empty()) expected = s.out;
        EXPECT_EQ(s.out, expected) << c.name << ", " << rows << " rows";
      }
    }
}

}  // namespace
}  // namespace cleave::kernels
