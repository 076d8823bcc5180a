#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/terminal/terminal.h"

namespace cleave::app {
namespace {

struct GraphFlags {
  ModelFlags model;
  std::string name;
};

int print_graph(const GraphFlags& flags) {
  const inference::OpenedModel opened = open_model(flags.model);
  Output output;
  const graph::Graph& graph = opened.traced.graph;
  output.write(flags.name.empty() ? graph::text(graph) : graph::text(graph, flags.name));
  return 0;
}

}  // namespace

void add_graph(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("graph", "print the computation of a model, one line per operation");
  const auto flags = std::make_shared<GraphFlags>();
  add_model_path(*command, flags->model);
  command->get_option("MODEL")->description("a directory, a .gguf file, or a config.json");
  command->add_option("--graph", flags->name, "what this output needs alone (default: all)")->type_name("NAME");
  command->callback([flags, &action] { action = [flags] { return print_graph(*flags); }; });
}

}  // namespace cleave::app
