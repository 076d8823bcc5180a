#include <fmt/format.h>

#include <ctime>
#include <iostream>
#include <memory>
#include <optional>

#include "app/commands.h"
#include "app/terminal/jsonl.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "inference/tokenizer.h"
#include "jinja/template.h"

namespace cleave::app {
namespace {

struct TemplateFlags {
  std::filesystem::path path;
  std::string name;
  std::string date;
  bool jsonl = false;
};

// Noon of a day, so that it is that day in every time zone; now where none is given.
int64_t clock(const std::string& date) {
  if (date.empty()) return std::time(nullptr);
  std::tm parts{};
  const char* end = strptime(date.c_str(), "%Y-%m-%d", &parts);
  if (end == nullptr || *end != '\0')
    throw CLI::ValidationError("--date", fmt::format("saw \"{}\", wanted a day as in 2024-07-26", date));
  parts.tm_hour = 12;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

std::string as_json(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A template of a model, with what the model fills in, or one of a file alone.
class AnyTemplate {
 public:
  AnyTemplate(const std::filesystem::path& path, std::string name)
      : format_(inference::load_chat_format(path)), name_(std::move(name)) {
    if (format_ == nullptr) alone_.emplace(inference::load_chat_template(path, name_));
  }

  std::string render(const std::string& variables, int64_t now) const {
    return alone_ ? alone_->render(variables, now) : format_->render_variables(variables, name_, now);
  }

 private:
  std::unique_ptr<text::ChatFormat> format_;
  std::optional<jinja::Template> alone_;
  std::string name_;
};

// One rendering; an error is an answer too.
std::string rendered_line(const AnyTemplate& chat_template, const std::string& line, int64_t now) {
  try {
    return as_json(chat_template.render(line, now));
  } catch (const Error& error) {
    return fmt::format("{{\"error\": {}}}", as_json(error.what()));
  }
}

int render(const TemplateFlags& flags) {
  const int64_t now = clock(flags.date);
  const AnyTemplate chat_template(flags.path, flags.name);
  Output output;
  if (flags.jsonl) {
    for_each_line(std::cin,
                  [&](const std::string& line) { output.write(rendered_line(chat_template, line, now) + "\n"); });
    return 0;
  }
  output.write(chat_template.render(read_all(std::cin, "standard input"), now));
  return 0;
}

}  // namespace

void add_template(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("template", "write a conversation as a model's chat template has it");
  const auto flags = std::make_shared<TemplateFlags>();
  command->add_option("MODEL", flags->path, "a directory, a .gguf file, or a template: FILE.jinja")->required();
  command->add_option("--name", flags->name, "the named template to take, where there are several")->type_name("NAME");
  command->add_option("--date", flags->date, "the day that the template takes for today (default: today)")
      ->type_name("YYYY-MM-DD");
  command->add_flag("--jsonl", flags->jsonl,
                    "an object of variables on each line of standard input, a string on each of the output; default: "
                    "one object, its text as it is");
  command->callback([flags, &action] { action = [flags] { return render(*flags); }; });
}

}  // namespace cleave::app
