#include "app/serve/settings_file.h"

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace cleave::app {
namespace {

[[noreturn]] void wrong(const std::string& message) {
  throw CLI::ValidationError("--settings", message);
}

std::string text_of(const Json& value, const std::string& name) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number()) return value.dump();
  wrong(fmt::format("{}: wanted a string, a number, true, false or a list of them", name));
}

std::vector<CLI::ConfigItem> json_items(const std::string& text, const std::string& file) {
  const Json json = parse_json(text, file);
  if (!json.is_object()) wrong(fmt::format("{}: wanted an object", file));
  std::vector<CLI::ConfigItem> items;
  for (const auto& [name, value] : json.items()) {
    CLI::ConfigItem item;
    item.name = name;
    if (value.is_array())
      for (const Json& element : value) item.inputs.push_back(text_of(element, name));
    else
      item.inputs.push_back(text_of(value, name));
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<CLI::ConfigItem> read_items(const std::string& file) {
  const std::string text = read_file(file);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') return json_items(text, file);
  std::istringstream stream(text);
  return CLI::ConfigTOML().from_config(stream);
}

CLI::Option* option_of(CLI::App& command, std::string name) {
  for (char& c : name)
    if (c == '_') c = '-';
  return name == "model" ? command.get_option_no_throw("MODEL") : command.get_option_no_throw("--" + name);
}

void fill_in(CLI::App& command, const CLI::ConfigItem& item) {
  CLI::Option* option = item.parents.empty() ? option_of(command, item.name) : nullptr;
  if (option == nullptr) wrong(fmt::format("{} is no flag of this command", item.fullname()));
  if (!option->empty()) return;
  if (option->get_expected_min() == 0)
    option->add_result(option->get_flag_value(item.name, CLI::ConfigTOML().to_flag(item)));
  else
    option->add_result(item.inputs);
}

}  // namespace

void add_settings_file(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--settings",
          [&command](const std::string& file) {
            try {
              for (const CLI::ConfigItem& item : read_items(file)) fill_in(command, item);
            } catch (const Error& error) {
              wrong(error.what());
            }
          },
          "read flags from a TOML or JSON file; the command line counts more")
      ->type_name("FILE");
}

}  // namespace cleave::app
