#include "engine/row_task.h"

#include <algorithm>
#include <exception>

#include "engine/logprobs.h"

namespace cleave::engine {

std::shared_ptr<const Error> error_from(FunctionRef<void()> call) noexcept {
  try {
    call();
    return nullptr;
  } catch (const Error& error) {
    return std::make_shared<const Error>(error);
  } catch (const std::exception& error) {
    return std::make_shared<const Error>(ErrorKind::Internal, error.what());
  }
}

runtime::LogitsWish wish_of(const Sequence& sequence) {
  runtime::LogitsWish wish = sequence.sampler.wish(sequence.constraint != nullptr);
  if (wish.top == 0 || sequence.logprobs < 0) return wish;
  if (wish.scale != 0 && wish.scale != 1) return {};  // there is but one sum
  return {std::max(wish.top, sequence.logprobs), 1};
}

namespace {

// From what is told of the row. Nothing where that does not suffice.
std::optional<int32_t> choose(const RowTask& task, SamplingScratch& scratch) {
  const Sequence& sequence = *task.sequence;
  if (task.scored) return task.scored;
  if (!task.row.all.empty()) return sequence.sampler.sample(task.row.all, sequence.history(), scratch);
  if (sequence.logprobs > std::ssize(task.row.top)) return std::nullopt;
  return sequence.sampler.choose(task.row, sequence.history(), scratch);
}

}  // namespace

void carry_out(RowTask& task, SamplingScratch& scratch) noexcept {
  task.error = error_from([&] {
    const std::optional<int32_t> token = choose(task, scratch);
    task.needs_all = !token;
    if (!token) return;
    task.token = *token;
    const int logprobs = task.sequence->logprobs;
    if (!task.scored && logprobs < 0) return;
    const int count = std::max(0, logprobs);
    task.logprobs =
        std::make_shared<const TokenLogprobs>(task.row.all.empty() ? token_logprobs(task.row, task.token, count)
                                                                   : token_logprobs(task.row.all, task.token, count));
  });
}

}  // namespace cleave::engine
