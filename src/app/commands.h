#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace cleave::app {

/// What a command line asks for; gives the exit code.
using Action = std::function<int()>;

/// Each adds one subcommand with its flags. Where the command line names it, parsing sets `action`.
void add_generate(CLI::App& app, Action& action);
void add_chat(CLI::App& app, Action& action);
void add_verify(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_graph(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_template(CLI::App& app, Action& action);
void add_shard(CLI::App& app, Action& action);
void add_perplexity(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_bench_serve(CLI::App& app, Action& action);
void add_embed(CLI::App& app, Action& action);

}  // namespace cleave::app
