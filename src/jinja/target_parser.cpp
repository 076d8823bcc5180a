#include "jinja/target_parser.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace cleave::jinja {
namespace {

bool is_constant(std::string_view name) {
  return name == "true" || name == "false" || name == "none" || name == "True" || name == "False" || name == "None";
}

TargetPointer parse_single_target(TokenStream& stream, bool attributes) {
  if (stream.skip_operator("(")) {
    TargetPointer inner = parse_target(stream, attributes);
    stream.expect_operator(")");
    return inner;
  }
  std::string name = stream.expect_name();
  if (attributes && stream.skip_operator(".")) return make_attribute_target(std::move(name), stream.expect_name());
  if (is_constant(name)) stream.fail(fmt::format("can't assign to '{}'", name));
  return make_name_target(std::move(name));
}

}  // namespace

TargetPointer parse_target(TokenStream& stream, bool attributes) {
  const TokenStream::Nesting nesting(stream);
  std::vector<TargetPointer> targets;
  targets.push_back(parse_single_target(stream, attributes));
  bool is_tuple = false;
  while (stream.skip_operator(",")) {
    is_tuple = true;
    if (stream.ends_tuple() || stream.is_operator("=")) break;
    targets.push_back(parse_single_target(stream, attributes));
  }
  return is_tuple ? make_tuple_target(std::move(targets)) : std::move(targets.front());
}

}  // namespace cleave::jinja
