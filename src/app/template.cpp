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
#include "response/check_format.h"
#include "response/explain_format.h"

namespace cleave::app {
namespace {

struct TemplateFlags {
  std::filesystem::path path;
  std::string name;
  std::string date;
  bool jsonl = false;
  bool explain = false;
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

const char* to_string(response::FormatCheck::Outcome outcome) {
  switch (outcome) {
    case response::FormatCheck::Outcome::NotWritten:
      return "not written by the template";
    case response::FormatCheck::Outcome::Differs:
      return "differs";
    case response::FormatCheck::Outcome::DiffersCut:
      return "differs in pieces";
    case response::FormatCheck::Outcome::Same:
      return "the same";
  }
  return "";
}

// The chat format of a model, or of a template's file alone.
text::ChatFormat any_chat_format(const std::filesystem::path& path) {
  if (std::unique_ptr<text::ChatFormat> format = inference::load_chat_format(path)) return std::move(*format);
  // A template that concatenates the special tokens of its model fails without any.
  return {text::read_chat_template_file(path), {{"bos_token", "<s>"}, {"eos_token", "</s>"}}, path.string()};
}

// What answers look like, and what becomes of answers that the template itself writes.
int explain(const TemplateFlags& flags) {
  const text::ChatFormat chat = any_chat_format(flags.path);
  const response::ResponseFormat format = inference::load_response_format(flags.path, chat);
  Output output;
  output.write(response::explain_format(format) + "\nwritten by the template and read back, whole and cut anywhere:\n");
  for (const response::FormatCheck& check : response::check_format(chat, format)) {
    output.write(fmt::format("{:<24}{}\n", check.what, to_string(check.outcome)));
    if (!check.read.empty())
      output.write(fmt::format("  written  {}\n  read     {}\n", as_json(check.answer), check.read));
  }
  return 0;
}

int render(const TemplateFlags& flags) {
  if (flags.explain) return explain(flags);
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
  command->add_flag("--explain", flags->explain,
                    "what was found of the model's answers instead: marks of reasoning and tool calls, each tried");
  command->callback([flags, &action] { action = [flags] { return render(*flags); }; });
}

}  // namespace cleave::app
