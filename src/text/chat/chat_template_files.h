#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/json.h"

namespace cleave::text {

/// The chat templates of a model by their names; most models have one, "default".
using ChatTemplateSources = std::map<std::string, std::string>;

/// Those of a Hugging Face directory: chat_template.jinja and additional_chat_templates/NAME.jinja, else
/// chat_template.json, else tokenizer_config.json. Empty where it has none. Throws Error(Corrupt).
ChatTemplateSources read_chat_templates(const std::filesystem::path& directory);

/// Those of a file alone: a .json of the above, or the template itself. Throws Error(NotFound) where a .json has none.
ChatTemplateSources read_chat_template_file(const std::filesystem::path& file);

/// The one of that name; where the name is "", "tool_use" if there are tools and it exists, and "default" or the only
/// one otherwise, as Transformers chooses. Throws Error(NotFound), naming those that there are.
const std::string& choose_chat_template(const ChatTemplateSources& sources, const std::string& name, bool has_tools,
                                        const std::string& what);

}  // namespace cleave::text
