#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/commands.h"
#include "app/terminal/terminal.h"
#include "define/definitions.h"

namespace cleave::app {
namespace {

struct ModelsFlags {
  std::vector<std::filesystem::path> definitions;
  bool json = false;
};

struct Row {
  std::string architecture, file, origin;
};

// One row per architecture, by name; of several definitions for it the one that counts.
std::vector<Row> rows(const define::Definitions& definitions) {
  std::vector<Row> rows;
  for (const define::Definition& definition : definitions.all())
    for (const std::string& architecture : definition.architectures)
      if (definitions.find(architecture) == &definition)
        rows.push_back({architecture, definition.file, definition.origin});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.architecture < b.architecture; });
  return rows;
}

std::string as_json(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& row : rows)
    list.push_back({{"architecture", row.architecture}, {"definition", row.file}, {"origin", row.origin}});
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_table(const std::vector<Row>& rows) {
  size_t name_width = std::string_view("ARCHITECTURE").size(), file_width = std::string_view("DEFINITION").size();
  for (const Row& row : rows) {
    name_width = std::max(name_width, row.architecture.size());
    file_width = std::max(file_width, row.file.size());
  }
  std::string table;
  const auto add = [&](const Row& row) {
    table += fmt::format("{:{}}  {:{}}  {}\n", row.architecture, name_width, row.file, file_width, row.origin);
  };
  add({"ARCHITECTURE", "DEFINITION", "ORIGIN"});
  for (const Row& row : rows) add(row);
  return table;
}

}  // namespace

void add_models(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("models", "list the architectures that can be run");
  const auto flags = std::make_shared<ModelsFlags>();
  command->add_option("--model-def", flags->definitions, "model definition to add: a .lua file or a folder of them")
      ->allow_extra_args(false)
      ->type_name("PATH");
  command->add_flag("--json", flags->json, "as JSON");
  command->callback([flags, &action] {
    action = [flags] {
      const std::vector<Row> all = rows(define::Definitions::load(flags->definitions));
      Output().write(flags->json ? as_json(all) : as_table(all));
      return 0;
    };
  });
}

}  // namespace cleave::app
