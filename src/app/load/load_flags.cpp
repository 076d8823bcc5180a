#include "app/load/load_flags.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"

namespace cleave::app {
namespace {

constexpr int64_t kMost = 1 << 30;
constexpr double kMostSeconds = 1e6;

template <class Number>
CLI::Option* add_number(CLI::App& command, const char* name, Number& value, Number least, Number most,
                        const std::string& help, const char* type = "N") {
  return command.add_option(name, value, help)->check(CLI::Range(least, most))->type_name(type);
}

template <class Number>
CLI::Option* add_number(CLI::App& command, const char* name, std::optional<Number>& value, Number least, Number most,
                        const std::string& help, const char* type = "N") {
  return command.add_option(name, value, help)->check(CLI::Range(least, most))->type_name(type);
}

// "100" or "50:500".
load::Range range_of(const std::string& name, const std::string& text) {
  load::Range range;
  const char* const end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, range.least);
  range.most = range.least;
  if (error == std::errc() && at != end && *at == ':') {
    const auto second = std::from_chars(at + 1, end, range.most);
    at = second.ptr;
    error = second.ec;
  }
  if (error != std::errc() || at != end || range.least < 1 || range.most < range.least || range.most > kMost)
    throw CLI::ValidationError(name, fmt::format("saw \"{}\", wanted a number or two, as in 50:500", text));
  return range;
}

void add_range(CLI::App& command, const std::string& name, load::Range& range, const std::string& help) {
  command
      .add_option_function<std::string>(
          name, [&range, name](const std::string& text) { range = range_of(name, text); },
          fmt::format("{} (default: {}:{})", help, range.least, range.most))
      ->type_name("N[:N]");
}

void add_milliseconds(CLI::App& command, const char* name, std::optional<double>& seconds, const std::string& help) {
  command
      .add_option_function<double>(
          name, [&seconds](double value) { seconds = value / 1e3; }, help)
      ->check(CLI::Range(0.0, kMostSeconds * 1e3))
      ->type_name("MS");
}

void add_server_flags(CLI::App& command, LoadFlags& flags) {
  command.add_option("URL", flags.url, "a server with OpenAI's API: http://HOST:PORT, https://HOST:PORT or unix:PATH")
      ->required();
  command
      .add_option_function<std::string>(
          "--api",
          [&flags](const std::string& name) {
            flags.request.api = name == "chat" ? load::Api::Chat : load::Api::Completions;
          },
          "chat (default) or completions")
      ->check(CLI::IsMember({"chat", "completions"}))
      ->type_name("chat|completions");
  command.add_option("--model", flags.request.model, "model to ask for (default: the first one that the server names)")
      ->type_name("NAME");
  command
      .add_option(
          "--api-key-file", flags.key_file,
          "file with the API's key, in its first line that is no # comment (default: OPENAI_API_KEY, if there is one)")
      ->type_name("FILE");
  command.add_option("--ca", flags.tls.authorities, "certificates to trust, in PEM form (default: the system's)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command.add_flag("--insecure", flags.tls.insecure, "take any certificate");
}

void add_workload_flags(CLI::App& command, LoadFlags& flags) {
  CLI::Option* concurrency = add_number<int64_t>(command, "--concurrency", flags.concurrency, 1, 8192,
                                                 "keep N requests under way (default: 8)");
  CLI::Option* rate = add_number<double>(command, "--rate", flags.rate, 1e-6, 1e6,
                                         "send R requests a second, at times by chance, whatever the server does", "R");
  CLI::Option* agents = add_number<int64_t>(command, "--agents", flags.agents, 1, 8192,
                                            "let N agents work at a time, each with conversations of many turns");
  concurrency->excludes(rate)->excludes(agents);
  rate->excludes(agents);
  add_number<int64_t>(command, "--turns", flags.agent.turns, 1, 10'000, "of an agent's conversation (default: 10)")
      ->needs(agents);
  add_number<int64_t>(command, "--head-tokens", flags.agent.head_tokens, 1, kMost,
                      "tokens of the instructions that all agents share (default: 1000)")
      ->needs(agents);
  add_range(command, "--tool-tokens", flags.agent.tool_tokens, "tokens of what a tool tells an agent");
  command
      .add_option("--file", flags.file,
                  "requests, one a line of JSON with \"prompt\" or \"messages\" (default: made up)")
      ->type_name("FILE");
  add_range(command, "--prompt-tokens", flags.prompt_tokens, "tokens of a prompt that is made up, or two bounds");
  add_range(command, "--answer-tokens", flags.answer_tokens, "tokens of an answer, or two bounds");
  add_number<uint64_t>(command, "--seed", flags.seed, 0, UINT64_MAX, "of what is made up and of times (default: 1)");
}

void add_request_flags(CLI::App& command, LoadFlags& flags) {
  add_number<double>(command, "--temperature", flags.request.temperature, 0, 100, "of requests (default: 0)", "X");
  command.add_flag("--ignore-eos,!--natural-ends", flags.ignore_eos,
                   "have answers go on to their last token (default: where prompts are made up)");
  command
      .add_option_function<std::string>(
          "--body",
          [&flags](const std::string& text) {
            try {
              flags.request.extra = parse_json(text, "--body");
            } catch (const Error& error) {
              throw CLI::ValidationError("--body", error.what());
            }
            if (!flags.request.extra.is_object()) throw CLI::ValidationError("--body", "wanted a JSON object");
          },
          "further fields of each request")
      ->type_name("JSON");
}

void add_limit_flags(CLI::App& command, LoadFlags& flags) {
  add_number<int64_t>(
      command, "--requests", flags.limits.requests, 1, kMost,
      "end after N requests (default: 200, of agents a conversation each, or any number within --seconds)");
  add_number<double>(command, "--seconds", flags.limits.seconds, 0.001, kMostSeconds, "begin no request after so long",
                     "S");
  add_number<double>(command, "--drain-seconds", flags.limits.drain_seconds, 0, kMostSeconds,
                     "wait so long for requests under way then (default: 30)", "S");
  add_number<double>(command, "--timeout", flags.limits.timeout_seconds, 0.001, kMostSeconds,
                     "give a request up after so long (default: 600)", "S");
  add_number<int64_t>(command, "--warmup", flags.warmup, 0, kMost, "requests before, which do not count (default: 0)");
  add_milliseconds(command, "--ttft-ms", flags.service.first, "of goodput: longest time to the first text");
  add_milliseconds(command, "--gap-ms", flags.service.gap,
                   "of goodput: longest mean time from token to token of an answer");
  command.add_option("--json", flags.json, "write the figures as JSON")->type_name("FILE");
  command.add_option("--svg", flags.svg, "write a picture of them")->type_name("FILE");
}

}  // namespace

void add_load_flags(CLI::App& command, LoadFlags& flags) {
  add_server_flags(command, flags);
  add_workload_flags(command, flags);
  add_request_flags(command, flags);
  add_limit_flags(command, flags);
}

}  // namespace cleave::app
