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

void carry_out(RowTask& task, SamplingScratch& scratch) noexcept {
  task.error = error_from([&] {
    const Sequence& sequence = *task.sequence;
    task.token = task.scored ? *task.scored : sequence.sampler.sample(task.logits, sequence.history(), scratch);
    if (task.scored || sequence.logprobs >= 0)
      task.logprobs = std::make_shared<const TokenLogprobs>(
          token_logprobs(task.logits, task.token, std::max(0, sequence.logprobs)));
  });
}

}  // namespace cleave::engine
