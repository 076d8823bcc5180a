#include "inference/embedding/embedder.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "graph/rows.h"
#include "runtime/device/kv_blocks.h"

namespace cleave::inference {
namespace {

// Tokens of a step, if no text has more. Products reach their speed with fewer.
constexpr int64_t kStepTokens = 512;

}  // namespace

runtime::Sizes embedding_sizes(const OpenedModel& opened, int64_t longest) {
  if (!opened.is_encoder())
    fail(ErrorKind::Unsupported, "{} gives logits and no vectors of texts; embedding models are needed",
         opened.traced.architecture);
  runtime::Sizes sizes;
  sizes.max_tokens = graph::attends_to_later(opened.graph) ? std::max(kStepTokens, longest) : kStepTokens;
  sizes.max_output_rows = sizes.max_tokens;
  sizes.kv_tokens = std::max(longest, sizes.max_tokens * runtime::kKvBlockSize);  // a block for each text of a token
  return sizes;
}

Embedder::Embedder(const OpenedModel& opened, const SentenceModules& modules, runtime::SplitModel& model)
    : modules_(modules),
      model_(model),
      whole_(graph::attends_to_later(opened.graph)),
      blocks_(static_cast<size_t>(model.num_blocks())) {
  std::iota(blocks_.begin(), blocks_.end(), 0);
}

void Embedder::embed(std::span<const EmbeddingInput> texts,
                     const std::function<void(size_t index, std::vector<float> vector)>& take) {
  const auto length = [&](size_t i) { return static_cast<int64_t>(texts[i].tokens.size()); };
  for (size_t i = 0; i < texts.size(); ++i)
    if (length(i) == 0 || texts[i].left_out >= length(i))
      fail(ErrorKind::InvalidArgument, "text {} has no tokens of which a vector could be made", i);
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater{}, length);
  std::span<const size_t> left = order;
  while (!left.empty()) {
    const size_t longest = left.front();
    if (length(longest) <= model_.options().sizes.max_tokens) {
      left = left.subspan(step_together(texts, left, take));
      continue;
    }
    if (whole_ || runtime::kv_blocks_for(length(longest)) > static_cast<int64_t>(blocks_.size()))
      fail(ErrorKind::InvalidArgument, "a text of {} tokens, where the model was loaded for at most {}",
           length(longest), model_.options().sizes.max_tokens);
    step_in_chunks(texts[longest], longest, take);
    left = left.subspan(1);
  }
}

// Computes as many of the next texts as fit into a step; gives their number.
size_t Embedder::step_together(std::span<const EmbeddingInput> texts, std::span<const size_t> order,
                               const std::function<void(size_t, std::vector<float>)>& take) {
  size_t count = 0, used = 0;
  poolers_.clear();
  for (; count < order.size(); ++count) {
    const EmbeddingInput& text = texts[order[count]];
    const auto length = static_cast<int64_t>(text.tokens.size());
    const auto blocks = static_cast<size_t>(runtime::kv_blocks_for(length));
    if (static_cast<int64_t>(tokens_.size()) + length > model_.options().sizes.max_tokens) break;
    poolers_.emplace_back(modules_.pooling, model_.output_width(), length, text.left_out);
    for (int64_t i = 0; i < length; ++i) {
      if (!poolers_.back().needs(i)) continue;
      rows_.push_back(static_cast<int32_t>(static_cast<int64_t>(tokens_.size()) + i));
      wanted_.push_back({count, i});
    }
    tokens_.insert(tokens_.end(), text.tokens.begin(), text.tokens.end());
    sequences_.push_back({length, 0, length, std::span(blocks_).subspan(used, blocks), static_cast<int64_t>(count)});
    used += blocks;
  }
  run();
  for (size_t i = 0; i < count; ++i) take(order[i], apply_layers(modules_, poolers_[i].result()));
  return count;
}

void Embedder::step_in_chunks(const EmbeddingInput& text, size_t index,
                              const std::function<void(size_t, std::vector<float>)>& take) {
  const auto length = static_cast<int64_t>(text.tokens.size());
  poolers_.clear();
  poolers_.emplace_back(modules_.pooling, model_.output_width(), length, text.left_out);
  for (int64_t done = 0; done < length;) {
    const int64_t count = std::min(length - done, model_.options().sizes.max_tokens);
    for (int64_t i = 0; i < count; ++i) {
      if (!poolers_.front().needs(done + i)) continue;
      rows_.push_back(static_cast<int32_t>(i));
      wanted_.push_back({0, done + i});
    }
    const auto chunk = text.tokens.subspan(static_cast<size_t>(done), static_cast<size_t>(count));
    tokens_.assign(chunk.begin(), chunk.end());
    sequences_.push_back({count, done, length, blocks_, 0});
    run();
    done += count;
  }
  take(index, apply_layers(modules_, poolers_.front().result()));
}

// Computes the step that has been made, and forgets it.
void Embedder::run() {
  const std::span<const float> vectors = model_.step({tokens_, sequences_, rows_}).logits;
  const auto width = static_cast<size_t>(model_.output_width());
  for (size_t i = 0; i < wanted_.size(); ++i)
    poolers_[wanted_[i].pooler].add(wanted_[i].index, vectors.subspan(i * width, width));
  tokens_.clear();
  rows_.clear();
  sequences_.clear();
  wanted_.clear();
}

}  // namespace cleave::inference
