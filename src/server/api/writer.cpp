#include "server/api/writer.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

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

std::vector<AnswerPart> best_answers(std::vector<AnswerPart> answers, size_t n, size_t best_of) {
  if (n >= best_of) return answers;
  std::vector<AnswerPart> best;
  for (size_t begin = 0; begin + best_of <= answers.size(); begin += best_of) {
    const auto group = std::span(answers).subspan(begin, best_of);
    std::ranges::stable_sort(group, [](const auto& a, const auto& b) { return a.logprob > b.logprob; });
    for (size_t i = n; i < best_of; ++i) group[0].usage.generated += group[i].usage.generated;
    std::move(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(n), std::back_inserter(best));
  }
  return best;
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
