#include "text/chat_template.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/jinja/json_reader.h"
#include "text/jinja/objects.h"
#include "text/jinja/parser.h"

namespace cleave::text {
namespace {

// Longer than any published template (up to 30 KB).
constexpr size_t kMaxTemplateBytes = 1 << 20;

}  // namespace

struct ChatTemplate::Parsed {
  std::string what;
  jinja::Statements statements;
};

ChatTemplate::ChatTemplate(std::string_view source, std::string what) {
  if (source.size() > kMaxTemplateBytes)
    fail(ErrorKind::Unsupported, "{}: a chat template of {} bytes is longer than {}", what, source.size(),
         kMaxTemplateBytes);
  jinja::Statements statements = jinja::parse(source, what);
  parsed_ = std::make_unique<const Parsed>(Parsed{std::move(what), std::move(statements)});
}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

std::string ChatTemplate::render(std::string_view variables, int64_t now) const {
  jinja::Limits limits;
  limits.clock = now;
  return render(variables, limits);
}

std::string ChatTemplate::render(std::string_view variables, const jinja::Limits& limits) const {
  jinja::Context context(limits);
  jinja::define_globals(context);
  const jinja::Value values = jinja::read_json(variables, "template variables", context);
  if (!values.is_dict()) fail(ErrorKind::InvalidArgument, "template variables: wanted a JSON object");
  for (const auto& [key, value] : values.as_dict().entries()) context.assign(key.bytes(), value);
  try {
    jinja::execute_all(parsed_->statements, context);
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("{}:{}:{}: {}", parsed_->what, context.place().line, context.place().column, error.what()));
  }
  return context.take_output();
}

}  // namespace cleave::text
