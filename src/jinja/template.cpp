#include "jinja/template.h"

#include <fmt/format.h>

#include "base/error.h"
#include "jinja/json_reader.h"
#include "jinja/objects.h"
#include "jinja/parser.h"

namespace cleave::jinja {
namespace {

// Longer than any published template (up to 30 KB).
constexpr size_t kMaxTemplateBytes = 1 << 20;

}  // namespace

struct Template::Parsed {
  std::string what;
  Statements statements;
};

Template::Template(std::string_view source, std::string what) {
  if (source.size() > kMaxTemplateBytes)
    fail(ErrorKind::Unsupported, "{}: a chat template of {} bytes is longer than {}", what, source.size(),
         kMaxTemplateBytes);
  Statements statements = parse(source, what);
  parsed_ = std::make_unique<const Parsed>(Parsed{std::move(what), std::move(statements)});
}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

std::string Template::render(std::string_view variables, int64_t now) const {
  Limits limits;
  limits.clock = now;
  return render(variables, limits);
}

std::string Template::render(std::string_view variables, const Limits& limits) const {
  Context context(limits);
  define_globals(context);
  const Value values = read_json(variables, "template variables", context);
  if (!values.is_dict()) fail(ErrorKind::InvalidArgument, "template variables: wanted a JSON object");
  for (const auto& [key, value] : values.as_dict().entries()) context.assign(key.bytes(), value);
  try {
    execute_all(parsed_->statements, context);
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("{}:{}:{}: {}", parsed_->what, context.place().line, context.place().column, error.what()));
  }
  return context.take_output();
}

}  // namespace cleave::jinja
