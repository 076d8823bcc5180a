#include "base/json_field.h"

#include <limits>

#include "base/error.h"
#include "base/in_quotes.h"
#include "base/strings.h"

namespace cleave {
namespace {

constexpr size_t kShownLength = 60;  // enough to recognise a value in an error, short enough for one line

std::string describe(const Json& json) {
  if (json.is_structured()) return fmt::format("an {} of {} elements", json.type_name(), json.size());
  std::string shown = json.dump(-1, ' ', true, Json::error_handler_t::replace);  // ASCII, so that cutting is safe
  if (shown.size() > kShownLength) shown = shown.substr(0, kShownLength) + "...";
  return json.is_null() ? "null" : fmt::format("the {} {}", json.type_name(), shown);
}

}  // namespace

std::optional<int32_t> token_id_in(const Json& json) {
  constexpr int64_t kLast = std::numeric_limits<int32_t>::max() - 1;
  if (!json.is_number_integer() || json.get<int64_t>() < 0 || json.get<int64_t>() > kLast) return std::nullopt;
  return json.get<int32_t>();
}

void JsonField::wrong(const char* wanted) const {
  fail(ErrorKind::Corrupt, "{}: wanted {}, saw {}", path_, wanted, describe(*json_));
}

std::optional<JsonField> JsonField::find(const char* key) const {
  const auto found = object().find(key);
  if (found == json_->end() || found->is_null()) return std::nullopt;
  return JsonField(*found, fmt::format("{}{}{}", path_, path_.ends_with(':') ? " " : ".", key));
}

JsonField JsonField::at(const char* key) const {
  std::optional<JsonField> field = find(key);
  if (!field) fail(ErrorKind::Corrupt, "{}: the key \"{}\" is missing", path_, key);
  return *field;
}

JsonField JsonField::at(size_t index) const {
  return JsonField(array()[index], fmt::format("{}[{}]", path_, index));
}

const Json& JsonField::array() const {
  if (!json_->is_array()) wrong("an array");
  return *json_;
}

const Json& JsonField::object() const {
  if (!json_->is_object()) wrong("an object");
  return *json_;
}

const std::string& JsonField::string() const {
  if (!json_->is_string()) wrong("a string");
  return json_->get_ref<const std::string&>();
}

bool JsonField::boolean() const {
  if (!json_->is_boolean()) wrong("true or false");
  return json_->get<bool>();
}

uint64_t JsonField::count() const {
  if (!json_->is_number_integer() || json_->get<int64_t>() < 0) wrong("a whole number that is not negative");
  return json_->get<uint64_t>();
}

int32_t JsonField::token_id() const {
  const std::optional<int32_t> id = token_id_in(*json_);
  if (!id) wrong("a token id from 0 to 2147483646");
  return *id;
}

std::string JsonField::string_or(const char* key, const std::string& otherwise) const {
  const std::optional<JsonField> field = find(key);
  return field ? field->string() : otherwise;
}

bool JsonField::boolean_or(const char* key, bool otherwise) const {
  const std::optional<JsonField> field = find(key);
  return field ? field->boolean() : otherwise;
}

void unknown_type(const JsonField& field, const char* kind, const std::string& type,
                  std::span<const std::string> known) {
  fail(ErrorKind::Unsupported, "{}: a {} of type {} is not known; known are {}", field.path(), kind, in_quotes(type),
       join(known, ", "));
}

}  // namespace cleave
