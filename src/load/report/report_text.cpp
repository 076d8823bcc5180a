#include <fmt/format.h>

#include "base/strings.h"
#include "load/report/report.h"

namespace cleave::load {
namespace {

std::string requests_line(const Summary& summary) {
  std::vector<std::string> kinds;
  for (const auto& [outcome, count] : summary.failures) kinds.push_back(fmt::format("{}: {}", outcome, count));
  std::string line = fmt::format("requests  {} done, {} failed{}", summary.done, summary.failed,
                                 kinds.empty() ? "" : fmt::format(" ({})", join(kinds, ", ")));
  if (summary.cut > 0) line += fmt::format(", {} under way at the end", summary.cut);
  return line + fmt::format("; {:.1f} s, {:.2f} requests/s\n", summary.seconds, summary.request_rate);
}

std::string tokens_lines(const Summary& summary) {
  const std::string cached =
      summary.prompt_tokens > 0
          ? fmt::format(", of which {:.0f}% were cached",
                        100.0 * static_cast<double>(summary.cached_tokens) / static_cast<double>(summary.prompt_tokens))
          : "";
  std::string text = fmt::format("prompts   {} tokens, {:.1f} tokens/s{}\nanswers   {} {}, {:.1f} tokens/s",
                                 summary.prompt_tokens, summary.prompt_rate, cached, summary.answer_tokens,
                                 summary.counted ? "tokens" : "pieces of text (the server does not count tokens)",
                                 summary.answer_rate);
  if (summary.full_rate && summary.full_seconds)
    text += fmt::format("; {:.1f} tokens/s in {:.1f} s with {} requests under way", *summary.full_rate,
                        *summary.full_seconds, summary.most_open);
  return text + "\n";
}

std::string goodput_line(const Summary& summary) {
  std::vector<std::string> limits;
  if (summary.limits.first) limits.push_back(fmt::format("first text within {:.0f} ms", *summary.limits.first * 1e3));
  if (summary.limits.gap) limits.push_back(fmt::format("a token each {:.0f} ms on average", *summary.limits.gap * 1e3));
  if (limits.empty()) return "";
  return fmt::format("goodput   {:.2f} requests/s with {}: {} of {}\n", summary.goodput(), join(limits, " and "),
                     summary.within_limits, summary.done + summary.failed);
}

std::string row(const std::string& name, const Distribution& times) {
  if (times.count == 0) return "";
  std::string line = fmt::format("{:<22}{:>9}", name, times.count);
  for (const double seconds : {times.mean, times.p50, times.p90, times.p95, times.p99, times.max})
    line += fmt::format("{:>10.1f}", seconds * 1e3);
  return line + "\n";
}

}  // namespace

std::string text_of(const std::string& title, const Summary& summary) {
  std::string text = title + "\n\n" + requests_line(summary);
  for (const auto& [outcome, problem] : summary.examples) text += fmt::format("          {}: {}\n", outcome, problem);
  text += tokens_lines(summary) + goodput_line(summary);
  text += fmt::format("here      {:.2f} s of processor time, {:.0f}% of one\n", summary.cpu_seconds,
                      summary.seconds > 0 ? 100 * summary.cpu_seconds / summary.seconds : 0);
  text += fmt::format("\n{:<22}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "MILLISECONDS", "COUNT", "MEAN", "P50",
                      "P90", "P95", "P99", "MAX");
  text += row("first text", summary.first) + row("between pieces", summary.gap) + row("per token", summary.per_token) +
          row("whole answer", summary.whole);
  for (const auto& [turn, times] : summary.first_by_turn) text += row(fmt::format("first text, turn {}", turn), times);
  return text;
}

}  // namespace cleave::load
