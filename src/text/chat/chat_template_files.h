#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/json.h"

namespace cleave::text {

/// The texts of a model's chat templates by their names. Most models have one, named "default".
using ChatTemplateSources = std::map<std::string, std::string>;

/// The chat templates of a Hugging Face directory; empty if it has none. They are chat_template.jinja with
/// additional_chat_templates/NAME.jinja, or else those in chat_template.json, or else those in tokenizer_config.json.
/// Throws Error(Corrupt).
ChatTemplateSources read_chat_templates(const std::filesystem::path& directory);

/// The chat templates of a single file: one of the .json files above, or a template itself, named "default". Throws
/// Error(NotFound) if a .json file has none, Error(Corrupt).
ChatTemplateSources read_chat_template_file(const std::filesystem::path& file);

/// The template of that name. An empty name chooses as Transformers does: "tool_use" if there are tools and such a
/// template, otherwise "default" or the only one. Throws Error(NotFound) with the names that there are; `what` names
/// the model in it.
const std::string& choose_chat_template(const ChatTemplateSources& sources, const std::string& name, bool has_tools,
                                        const std::string& what);

}  // namespace cleave::text
