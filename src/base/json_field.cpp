#include "base/json_field.h"

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave {
namespace {

constexpr size_t kShownLength = 60;  // enough to recognise a value in an error, short enough for one line

ErrorKind kind_of(JsonAuthor author) {
  return author == JsonAuthor::Program ? ErrorKind::Corrupt : ErrorKind::InvalidArgument;
}

std::string describe(const Json& json, JsonAuthor author) {
  if (json.is_structured()) return fmt::format("an {} of {} elements", json.type_name(), json.size());
  if (author == JsonAuthor::Person && json.is_string()) return in_quotes(json.get_ref<const std::string&>(), '\'');
  std::string shown = json.dump(-1, ' ', true, Json::error_handler_t::replace);  // ASCII, so that cutting is safe
  if (shown.size() > kShownLength) shown = shown.substr(0, kShownLength) + "...";
  return json.is_null() || author == JsonAuthor::Person ? shown : fmt::format("the {} {}", json.type_name(), shown);
}

// The path without the colon that may end the root's.
std::string_view shown(std::string_view path) {
  return path.substr(0, path.size() - (path.ends_with(':') ? 1 : 0));
}

const char* separator_behind(const std::string& path) {
  if (path.ends_with(':')) return " ";
  return path.find(':') == std::string::npos ? ":" : ".";
}

}  // namespace

void JsonField::wrong(std::string_view wanted) const {
  fail(kind_of(author_), "{}: wanted {}, saw {}", shown(path_), wanted, describe(*json_, author_));
}

std::optional<JsonField> JsonField::find(const std::string& key) const {
  const auto found = object().find(key);
  if (found == json_->end() || found->is_null()) return std::nullopt;
  return JsonField(*found, path_ + separator_behind(path_) + on_one_line(key), author_);
}

JsonField JsonField::at(const std::string& key) const {
  std::optional<JsonField> field = find(key);
  if (!field) fail(kind_of(author_), "{}: the key {} is missing", shown(path_), in_quotes(key));
  return *field;
}

JsonField JsonField::at(size_t index) const {
  return JsonField(array()[index], fmt::format("{}[{}]", path_, index), author_);
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

std::string JsonField::string_or(const std::string& key, const std::string& otherwise) const {
  const std::optional<JsonField> field = find(key);
  return field ? field->string() : otherwise;
}

bool JsonField::boolean_or(const std::string& key, bool otherwise) const {
  const std::optional<JsonField> field = find(key);
  return field ? field->boolean() : otherwise;
}

}  // namespace cleave
