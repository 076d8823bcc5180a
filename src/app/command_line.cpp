#include "app/command_line.h"

#include <fmt/format.h>

#include <csignal>
#include <new>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/hosts/start.h"
#include "app/terminal/terminal.h"
#include "base/strings.h"

namespace cleave::app {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::vector<std::string> near = nearest_names(name, known, 1);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near.front());
}

std::vector<std::string> flag_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// Arguments that nothing took: an unknown flag, an unknown command, or one argument too many.
std::string explain_extras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  const CLI::App& command = app.get_subcommands().empty() ? app : *app.get_subcommands().front();
  for (const std::string& extra : extras)
    if (extra.starts_with("-") && extra.size() > 1) {
      const std::string name = extra.substr(0, extra.find('='));
      return fmt::format("unknown flag {}{}", name, suggestion(name, flag_names(command)));
    }
  const std::string first = extras.empty() ? "" : extras.front();
  if (&command == &app) return fmt::format("unknown command {}{}", first, suggestion(first, command_names(app)));
  return fmt::format("unexpected argument {}; a text with spaces needs quotes", first);
}

std::string usage_hint(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "cleave --help" : fmt::format("cleave {} --help", chosen.front()->get_name());
}

int wrong_usage(const CLI::App& app, const std::string& message) {
  print_error(fmt::format("{} (see {})", message, usage_hint(app)));
  return kWrongUsage;
}

void describe(CLI::App& app, Action& action) {
  app.name("cleave");
  app.set_version_flag("--version", "cleave " CLEAVE_VERSION);
  app.require_subcommand(0, 1);
  add_generate(app, action);
  add_chat(app, action);
  add_serve(app, action);
  add_embed(app, action);
  add_plan(app, action);
  add_bench(app, action);
  add_bench_serve(app, action);
  add_perplexity(app, action);
  add_verify(app, action);
  add_shard(app, action);
  add_models(app, action);
  add_graph(app, action);
  add_tokenize(app, action);
  add_template(app, action);
}

// The machines that --hosts names, if the chosen command knows the flag and it is given.
std::vector<Host> chosen_hosts(const CLI::App& app) {
  if (app.get_subcommands().empty()) return {};
  const CLI::Option* hosts = app.get_subcommands().front()->get_option_no_throw("--hosts");
  return hosts == nullptr || hosts->empty() ? std::vector<Host>() : parse_hosts(hosts->as<std::string>());
}

int parse_and_run(CLI::App& app, const Action& action, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    Output().write(app.help());
    return 0;
  } catch (const CLI::CallForAllHelp&) {
    Output().write(app.help("", CLI::AppFormatMode::All));
    return 0;
  } catch (const CLI::CallForVersion& version) {
    Output().write(fmt::format("{}\n", version.what()));
    return 0;
  } catch (const CLI::ExtrasError&) {
    return wrong_usage(app, explain_extras(app));
  } catch (const CLI::ParseError& error) {
    return wrong_usage(app, error.what());
  }
  if (!action) return wrong_usage(app, fmt::format("a command is missing: {}", join(command_names(app), ", ")));
  const std::vector<Host> hosts = chosen_hosts(app);
  if (!hosts.empty() && !is_started_by_hosts()) return run_on_hosts(hosts, {argv + 1, argv + argc});
  return action();
}

int describe_and_run(int argc, char** argv) {
  CLI::App app("Runs Hugging Face and GGUF language models.");
  Action action;
  try {
    describe(app, action);
    return parse_and_run(app, action, argc, argv);
  } catch (const CLI::ParseError& error) {  // found by a command among its flags
    return wrong_usage(app, error.what());
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return kFailed;
}

}  // namespace

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is reported where it is written to
  announce_begin();
  const int code = describe_and_run(argc, argv);
  announce_end();
  return code;
}

}  // namespace cleave::app
