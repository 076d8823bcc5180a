#include "server/api/writer.h"

#include <random>

namespace cleave::server::api {

std::string random_id(std::string_view prefix, size_t length) {
  static constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::random_device random;
  std::uniform_int_distribution<size_t> choose(0, kLetters.size() - 1);
  std::string id(prefix);
  for (size_t i = 0; i < length; ++i) id += kLetters[choose(random)];
  return id;
}

std::string event(const OrderedJson& data) {
  return "data: " + dump(data) + "\n\n";
}

std::string event(std::string_view name, const OrderedJson& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, dump(data));
}

Usage total(std::span<const AnswerPart> answers, size_t answers_per_prompt) {
  Usage sum;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Usage& usage = answers[i].usage;
    if (i % answers_per_prompt == 0) {
      sum.prompt += usage.prompt;
      sum.cached += usage.cached;
    }
    sum.generated += usage.generated;
    sum.reasoning += usage.reasoning;
  }
  return sum;
}

}  // namespace cleave::server::api
