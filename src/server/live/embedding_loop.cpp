#include "server/live/embedding_loop.h"

#include <algorithm>
#include <utility>

namespace cleave::server {
namespace {

// Of a batch: a few steps, which are full but for the last.
constexpr int64_t kBatchTokens = 2048;

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void EmbeddingLoop::add(Job job) {
  job->vectors.resize(job->texts.size());
  {
    const std::lock_guard lock(mutex_);
    const int64_t tokens = job->tokens;
    tokens_added_ += tokens;
    turns_.push_back({.job = std::move(job), .tokens_left = tokens});
  }
  added_.notify_one();
}

void EmbeddingLoop::run(const std::stop_token& stop) {
  while (begin_batch(stop)) {
    embed_(inputs_, [this](size_t text, std::vector<float> vector) {
      const auto& [job, place] = places_[text];
      job->vectors[place] = std::move(vector);
    });
    end_batch();
  }
}

// Waits for texts. Gives false where none will come.
bool EmbeddingLoop::begin_batch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!added_.wait(lock, stop, [this] { return !turns_.empty(); })) return false;
    std::erase_if(turns_, [](const Turn& turn) { return turn.job->exchange.expired(); });
    if (!turns_.empty()) break;
  }
  fill_batch();
  began_ = Clock::now();
  return true;
}

// REQUIRES: the mutex is held.
void EmbeddingLoop::fill_batch() {
  while (batch_tokens_ < kBatchTokens && !turns_.empty()) {
    Turn turn = std::move(turns_.front());
    turns_.pop_front();
    const inference::PreparedText& text = turn.job->texts[turn.next];
    inputs_.push_back({text.ids, text.left_out});
    places_.emplace_back(turn.job, turn.next++);
    const auto length = static_cast<int64_t>(text.ids.size());
    batch_tokens_ += length;
    turn.tokens_left -= length;
    if (turn.next < turn.job->texts.size())
      turns_.push_back(std::move(turn));
    else
      ending_.push_back(std::move(turn.job));
  }
}

void EmbeddingLoop::end_batch() {
  std::vector<Job> ended;
  {
    const std::lock_guard lock(mutex_);
    seconds_ += seconds(Clock::now() - *began_);
    began_.reset();
    tokens_computed_ += std::exchange(batch_tokens_, 0);
    ++batches_;
    ended.swap(ending_);
  }
  inputs_.clear();
  places_.clear();
  for (const Job& job : ended) deliver_(job);
}

EngineState EmbeddingLoop::state() const {
  const std::lock_guard lock(mutex_);
  EngineState state;
  state.running = static_cast<int64_t>(ending_.size());
  for (const Turn& turn : turns_) {
    ++(turn.next > 0 ? state.running : state.waiting);
    state.waiting_tokens += turn.tokens_left;
  }
  state.prompt_tokens = tokens_added_;
  state.computed_prompt_tokens = tokens_computed_;
  state.steps = batches_;
  state.step_seconds = seconds_;
  if (began_) state.seconds_in_step = seconds(Clock::now() - *began_);
  return state;
}

double EmbeddingLoop::seconds_of_backlog() const {
  const std::lock_guard lock(mutex_);
  if (tokens_computed_ == 0) return 0;
  int64_t tokens = batch_tokens_;
  for (const Turn& turn : turns_) tokens += turn.tokens_left;
  return static_cast<double>(tokens) * seconds_ / static_cast<double>(tokens_computed_);
}

}  // namespace cleave::server
