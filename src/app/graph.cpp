#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/terminal.h"

namespace cleave::app {
namespace {

struct GraphFlags {
  ModelFlags model;
  std::string name;
};

int print_graphs(const GraphFlags& flags) {
  const inference::OpenedModel opened = open_model(flags.model);
  Output output;
  if (!flags.name.empty())
    output.write(graph::text(opened.graphs.graph(flags.name)));
  else
    for (const graph::Graph& graph : opened.graphs.graphs) output.write(graph::text(graph));
  return 0;
}

}  // namespace

void add_graph(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("graph", "print the computation of a model, one line per operation");
  const auto flags = std::make_shared<GraphFlags>();
  add_model_path(*command, flags->model);
  command->get_option("MODEL")->description("a directory, a .gguf file, or a config.json");
  command->add_option("--graph", flags->name, "this one alone (default: all)")->type_name("NAME");
  command->callback([flags, &action] { action = [flags] { return print_graphs(*flags); }; });
}

}  // namespace cleave::app
