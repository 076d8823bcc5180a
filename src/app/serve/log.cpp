#include "app/serve/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "base/ordered_json.h"
#include "base/untrusted_text.h"

namespace cleave::app {
namespace {

std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                     milliseconds);
}

std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string json_line(const server::ExchangeRecord& record) {
  OrderedJson line = {{"time", now()},
                      {"level", record.status >= 500 ? "error" : "info"},
                      {"event", "request"},
                      {"id", record.id},
                      {"method", record.method},
                      {"path", record.path},
                      {"status", record.status},
                      {"model", record.model},
                      {"stream", record.stream},
                      {"finish", record.finish},
                      {"prompt_tokens", record.prompt_tokens},
                      {"cached_tokens", record.cached_tokens},
                      {"new_tokens", record.new_tokens},
                      {"first_token_seconds", record.first_token_seconds},
                      {"seconds", record.seconds}};
  if (record.status >= 500) line["problem"] = record.problem;
  return dump(line);
}

}  // namespace

std::string log_line(const server::ExchangeRecord& record, LogForm form) {
  if (form == LogForm::Json) return json_line(record);
  return fmt::format("{} {} {} {} {} {}+{} tokens, {} cached, first {:.3f} s, all {:.3f} s {}", now(), record.status,
                     record.method, printable(record.path), record.id, record.prompt_tokens, record.new_tokens,
                     record.cached_tokens, record.first_token_seconds, record.seconds, record.finish);
}

std::string problem_line(const std::string& problem, LogForm form) {
  if (form != LogForm::Json) return fmt::format("{} problem: {}", now(), printable(problem));
  return dump({{"time", now()}, {"level", "error"}, {"event", "problem"}, {"problem", problem}});
}

}  // namespace cleave::app
