#include "plan/overrides/place.h"

#include <fmt/format.h>

#include "base/error.h"
#include "plan/overrides/literal.h"

namespace cleave::plan {
namespace {

std::string describe(const Json& json) {
  if (json.is_structured()) return fmt::format("an {} of {} elements", json.type_name(), json.size());
  if (json.is_string()) return in_quotes(json.get_ref<const std::string&>());
  return json.dump();
}

}  // namespace

Place Place::at(const std::string& key) const {
  const bool at_top = origin_.where.find(':') == std::string::npos;
  Origin origin = origin_;
  origin.where += fmt::format("{}{}", at_top ? ':' : '.', on_one_line(key));
  return {(*json_)[key], std::move(origin)};
}

Place Place::at(size_t index) const {
  Origin origin = origin_;
  origin.where += fmt::format("[{}]", index);
  return {(*json_)[index], std::move(origin)};
}

const Json& Place::object() const {
  if (!json_->is_object()) wrong("an object");
  return *json_;
}

const Json& Place::array() const {
  if (!json_->is_array()) wrong("an array");
  return *json_;
}

const std::string& Place::string() const {
  if (!json_->is_string()) wrong("a string");
  return json_->get_ref<const std::string&>();
}

bool Place::boolean_or(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const Place member = at(key);
  if (!member.json_->is_boolean()) member.wrong("true or false");
  return member.json_->get<bool>();
}

void Place::wrong(const std::string& wanted) const {
  fail(ErrorKind::InvalidArgument, "{}: wanted {}, saw {}", where(), wanted, describe(*json_));
}

}  // namespace cleave::plan
