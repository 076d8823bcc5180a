#include "inference/answer.h"

#include <fmt/format.h>

#include <optional>

#include "text/tokenizer/detokenizer.h"
#include "text/tokenizer/stop_matcher.h"

namespace cleave::inference {
namespace {

std::string rate(int64_t tokens, double seconds) {
  return seconds > 0 && tokens > 0 ? fmt::format(", {:.1f} tokens/s", static_cast<double>(tokens) / seconds) : "";
}

AnswerEnd to_end(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::EndToken:
      return AnswerEnd::Model;
    case engine::FinishReason::Length:
      return AnswerEnd::Length;
    case engine::FinishReason::Context:
      return AnswerEnd::Context;
    case engine::FinishReason::StopText:
      return AnswerEnd::StopText;
    case engine::FinishReason::Cancelled:
      break;
  }
  return AnswerEnd::Interrupted;
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

AnswerEnd stream_answer(engine::Engine& engine, engine::SequenceId sequence, int64_t prompt_tokens,
                        const text::Tokenizer& tokenizer, const std::vector<std::string>& stops,
                        const std::function<void(std::string_view)>& write, const std::function<bool()>& cancelled,
                        Statistics& statistics) {
  text::Detokenizer detokenizer(tokenizer);
  text::StopMatcher matcher(stops);
  std::optional<AnswerEnd> end;
  int64_t count = 0;
  double last = seconds_now();
  const auto on_token = [&](const engine::NewToken& token) {
    const double now = seconds_now();
    (count++ == 0 ? statistics.prompt_seconds : statistics.decode_seconds) += now - last;
    last = now;
    const bool ends = token.finish == engine::FinishReason::EndToken;
    if (!ends) write(matcher.push(detokenizer.push(*token.token)));
    if (matcher.stopped())
      end = AnswerEnd::StopText;
    else if (token.finish)
      end = to_end(*token.finish);
  };
  while (!end && !cancelled())
    if (!engine.step(on_token)) break;
  engine.stop(sequence);
  write(matcher.push(detokenizer.flush()));
  write(matcher.flush());
  statistics.prompt_tokens += prompt_tokens;
  statistics.new_tokens += count;
  statistics.decoded_tokens += count > 0 ? count - 1 : 0;
  return end.value_or(AnswerEnd::Cancelled);
}

}  // namespace cleave::inference
