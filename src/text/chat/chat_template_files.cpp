#include "text/chat/chat_template_files.h"

#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/mapped_file.h"
#include "base/strings.h"

namespace cleave::text {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  return std::string(MappedFile(path).text());
}

// The chat_template of a JSON file: a text, a list of named ones, or an object of them.
ChatTemplateSources templates_in(const Json& json) {
  ChatTemplateSources sources;
  if (!json.is_object() || !json.contains("chat_template")) return sources;
  const Json& value = json["chat_template"];
  if (value.is_string()) sources["default"] = value.get<std::string>();
  if (value.is_object())
    for (const auto& [name, source] : value.items())
      if (source.is_string()) sources[name] = source.get<std::string>();
  if (!value.is_array()) return sources;
  for (const Json& entry : value)
    if (entry.is_object() && entry.contains("name") && entry["name"].is_string() && entry.contains("template") &&
        entry["template"].is_string())
      sources[entry["name"].get<std::string>()] = entry["template"].get<std::string>();
  return sources;
}

}  // namespace

ChatTemplateSources read_chat_templates(const fs::path& directory) {
  ChatTemplateSources sources;
  if (is_file(directory / "chat_template.jinja")) sources["default"] = read_text(directory / "chat_template.jinja");
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory / "additional_chat_templates", ignored))
    if (entry.path().extension() == ".jinja") sources[entry.path().stem().string()] = read_text(entry.path());
  for (const char* name : {"chat_template.json", "tokenizer_config.json"})
    if (sources.empty() && is_file(directory / name))
      sources = templates_in(parse_json(read_text(directory / name), (directory / name).string()));
  return sources;
}

ChatTemplateSources read_chat_template_file(const fs::path& file) {
  std::string text = read_text(file);
  if (file.extension() != ".json") return {{"default", std::move(text)}};
  ChatTemplateSources sources = templates_in(parse_json(text, file.string()));
  if (sources.empty()) fail(ErrorKind::NotFound, "{}: has no chat_template", file.string());
  return sources;
}

const std::string& choose_chat_template(const ChatTemplateSources& sources, const std::string& name, bool has_tools,
                                        const std::string& what) {
  const auto found = [&](const std::string& wanted) { return sources.find(wanted); };
  if (name.empty()) {
    if (has_tools && found("tool_use") != sources.end()) return found("tool_use")->second;
    if (found("default") != sources.end()) return found("default")->second;
    if (sources.size() == 1) return sources.begin()->second;
  } else if (found(name) != sources.end()) {
    return found(name)->second;
  }
  std::vector<std::string> names;
  for (const auto& [known, source] : sources) names.push_back(known);
  fail(ErrorKind::NotFound, "{}: has no chat template{}; there are: {}", what,
       name.empty() ? " named default" : " named " + name, names.empty() ? "none" : join(names, ", "));
}

}  // namespace cleave::text
