#include "inference/answer.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "inference/answer_stream.h"

namespace cleave::inference {
namespace {

std::string rate(int64_t tokens, double seconds) {
  return seconds > 0 && tokens > 0 ? fmt::format(", {:.1f} tokens/s", static_cast<double>(tokens) / seconds) : "";
}

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string Statistics::text() const {
  return fmt::format("prompt {} tokens{}; answer {} tokens{}; loaded in {:.2f} s", prompt_tokens,
                     rate(prompt_tokens, prompt_seconds), new_tokens, rate(decoded_tokens, decode_seconds),
                     load_seconds);
}

engine::FinishReason stream_answer(engine::Engine& engine, engine::SequenceId sequence, int64_t prompt_tokens,
                                   const text::Tokenizer& tokenizer, const std::vector<std::string>& stops,
                                   const std::function<void(std::string_view)>& write,
                                   const std::function<bool()>& cancelled, Statistics& statistics) {
  AnswerStream stream(tokenizer, stops);
  std::optional<engine::FinishReason> end;
  int64_t count = 0;
  double last = seconds_now();
  const auto on_token = [&](const engine::NewToken& token) {
    if (token.error != nullptr) throw Error(*token.error);
    const double now = seconds_now();
    (count++ == 0 ? statistics.prompt_seconds : statistics.decode_seconds) += now - last;
    last = now;
    const AnswerPart part = stream.push(token);
    write(part.text);
    end = part.finish;
  };
  while (!end && !cancelled())
    if (!engine.step(on_token)) break;
  engine.stop(sequence);
  if (!end) write(stream.cancel().text);
  statistics.prompt_tokens += prompt_tokens;
  statistics.new_tokens += count;
  statistics.decoded_tokens += count > 0 ? count - 1 : 0;
  return end.value_or(engine::FinishReason::Cancelled);
}

}  // namespace cleave::inference
