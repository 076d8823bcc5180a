#include "app/serve/serve_flags.h"

#include <fmt/format.h>

#include <chrono>
#include <map>

#include "app/api_keys.h"
#include "app/serve/settings_file.h"
#include "app/terminal/terminal.h"

namespace cleave::app {
namespace {

void add_seconds(CLI::App& command, const char* flag, std::chrono::seconds& value, const std::string& help) {
  command
      .add_option_function<int64_t>(
          flag, [&value](int64_t seconds) { value = std::chrono::seconds(seconds); },
          fmt::format("{} (default: {})", help, value.count()))
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}))
      ->type_name("SECONDS");
}

void add_listening_flags(CLI::App& command, server::ServiceOptions& options) {
  command.add_option("--host", options.listen.host, "address to listen on (default: 127.0.0.1, this machine alone)")
      ->type_name("ADDRESS");
  command.add_option("--port", options.listen.port, "port to listen on (default: 8080; 0: any that is free)")
      ->type_name("N");
  command.add_option("--unix-socket", options.listen.unix_socket, "listen on a socket at this path instead")
      ->type_name("PATH");
  CLI::Option* cert =
      command.add_option("--cert", options.listen.certificate, "certificate chain in PEM form, for TLS")
          ->check(CLI::ExistingFile)
          ->type_name("FILE");
  CLI::Option* key =
      command.add_option("--key", options.listen.key, "its private key")->check(CLI::ExistingFile)->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
  command
      .add_option("--allow-host", options.guard.hosts,
                  "a name of this machine that requests may call it by, beside localhost; can be given several times")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command
      .add_option("--allow-origin", options.guard.origins,
                  "an origin whose web pages may use the server (* for all); can be given several times")
      ->allow_extra_args(false)
      ->type_name("ORIGIN");
}

void add_limit_flags(CLI::App& command, ServeFlags& flags) {
  server::ServiceOptions& options = flags.service;
  command.add_option("--context", flags.context, "tokens that a prompt and its answer may have together")
      ->check(CLI::Range(int64_t{1}, int64_t{INT32_MAX}))
      ->type_name("N");
  command.add_option("--cache-tokens", flags.cache_tokens, "tokens that the key-value cache holds over all requests")
      ->check(CLI::Range(int64_t{1}, int64_t{INT32_MAX}))
      ->type_name("N");
  command.add_option("--parallel", flags.parallel, "answers that are computed at the same time (default: 64)")
      ->check(CLI::Range(int64_t{1}, int64_t{1024}))
      ->type_name("N");
  command
      .add_option("--max-gap-ms", flags.max_gap_ms,
                  "time between two tokens of an answer that prompts beside it may take (default: 150)")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}))
      ->type_name("MS");
  command.add_flag("--no-prefix-cache", flags.no_prefix_cache, "compute every prompt from its first token");
  command
      .add_option("--max-queue", options.max_queue, "answers that are computed or wait; more get 503 (default: 256)")
      ->check(CLI::Range(int64_t{1}, int64_t{100'000}))
      ->type_name("N");
  command.add_option("--max-tokens", flags.max_tokens, "tokens of an answer where a request does not say")
      ->check(CLI::Range(int64_t{1}, int64_t{INT32_MAX}))
      ->type_name("N");
  command
      .add_option_function<size_t>(
          "--max-body", [&options](size_t megabytes) { options.limits.body_bytes = megabytes << 20; },
          "largest request in MiB (default: 32)")
      ->check(CLI::Range(1, 4096))
      ->type_name("MIB");
  command.add_option("--max-connections", options.limits.connections, "open connections (default: 4096)")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  add_seconds(command, "--max-wait", options.max_wait, "longest wait for a first token; more get 503");
  add_seconds(command, "--ping-seconds", options.ping, "silence of a stream after which a comment keeps it open");
  add_seconds(command, "--step-limit", options.step_limit, "a step that takes longer makes /health fail");
  add_seconds(command, "--drain-seconds", options.drain, "time for answers under way when SIGTERM comes");
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

void add_serve_flags(CLI::App& command, ServeFlags& flags) {
  flags.service.listen.port = 8080;
  add_settings_file(command);
  add_model_path(command, flags.model);
  add_listening_flags(command, flags.service);
  command.add_option("--api-key-file", flags.key_file, "keys of which requests must have one, one a line")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      .add_option("--alias", flags.aliases,
                  "name of the model, in place of its file's; further ones are other names that requests may use")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command.add_flag("--any-model", flags.any_model, "answer whatever name of a model a request has");
  command.add_flag("--ignore-generation-config", flags.ignore_generation_config,
                   "do not take defaults from the model's generation_config.json");
  add_limit_flags(command, flags);
  command.add_flag("--no-page", flags.no_page, "show no web page at /");
  const std::map<std::string, LogForm> forms = {
      {"text", LogForm::Text}, {"json", LogForm::Json}, {"none", LogForm::None}};
  command.add_option("--log", flags.log, "a line about each request on standard error (default: text)")
      ->transform(CLI::CheckedTransformer(forms))
      ->type_name("text|json|none");
  add_compute_flags(command, flags.model);
}

server::ServiceOptions service_options(const ServeFlags& flags) {
  server::ServiceOptions options = flags.service;
  options.page = !flags.no_page;
  if (!flags.key_file.empty()) options.guard.keys = read_keys(flags.key_file);
  options.guard.local = !options.listen.unix_socket.empty() || is_loopback(options.listen.host);
  if (!options.guard.local && options.guard.keys.empty())
    note("cleave: warning: other machines can use this server without a key; give it --api-key-file");
  return options;
}

}  // namespace cleave::app
