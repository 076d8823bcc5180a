#include "server/api/field.h"

#include <cmath>

#include "base/untrusted_text.h"
#include "server/api/failure.h"

namespace cleave::server::api {
namespace {

constexpr size_t kMaxDepth = 128;
constexpr int64_t kMaxMembers = 4096;
constexpr double kMaxExact = 9007199254740992.0;  // the largest number that is an integer in a double

std::string shown(const OrderedJson& json) {
  if (json.is_string()) return in_quotes(json.get_ref<const std::string&>());
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  return json.is_null() ? "null" : dump(json);
}

// Bounds what parsing takes: it recurses with the depth, and looks through all members of an object for each further
// one, since they keep their order.
void check_shape(std::string_view body) {
  std::vector<int64_t> members;  // of every open object or list: the commas in it
  bool in_string = false;
  for (size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') members.push_back(c == '{' ? 0 : INT64_MIN);
    if (c == ',' && !members.empty()) ++members.back();
    if ((c == '}' || c == ']') && !members.empty()) members.pop_back();
    if (members.size() > kMaxDepth) refuse("", "the body is nested deeper than {} levels at byte {}", kMaxDepth, i);
    if (!members.empty() && members.back() >= kMaxMembers)
      refuse("", "the body has an object of more than {} members at byte {}", kMaxMembers, i);
  }
}

}  // namespace

OrderedJson parse_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    refuse("", "the body is empty, wanted a JSON object");
  OrderedJson json;
  try {
    check_shape(body);
    json = OrderedJson::parse(body);
  } catch (const OrderedJson::parse_error& error) {
    refuse("", "the body is not valid JSON at byte {}", error.byte);
  } catch (const OrderedJson::exception&) {  // a number that no double holds
    refuse("", "the body is not valid JSON: a number is out of range");
  }
  if (!json.is_object()) refuse("", "the body is {}, wanted a JSON object", shown(json));
  return json;
}

std::optional<Field> Field::find(const char* key) const {
  require_object();
  const auto found = json_->find(key);
  if (found == json_->end() || found->is_null()) return std::nullopt;
  return Field(*found, path_.empty() ? key : path_ + "." + key);
}

Field Field::at(const char* key) const {
  if (auto field = find(key)) return *field;
  const std::string path = path_.empty() ? key : path_ + "." + key;
  refuse(path, "{} is missing", path);
}

std::vector<Field> Field::elements() const {
  if (!json_->is_array()) wrong("a list");
  std::vector<Field> result;
  result.reserve(json_->size());
  for (const OrderedJson& element : *json_) result.emplace_back(element, fmt::format("{}[{}]", path_, result.size()));
  return result;
}

const std::string& Field::string() const {
  if (!json_->is_string()) wrong("a string");
  return json_->get_ref<const std::string&>();
}

bool Field::boolean() const {
  if (!json_->is_boolean()) wrong("true or false");
  return json_->get<bool>();
}

int64_t Field::integer(int64_t least, int64_t most) const {
  const auto wanted = [&] { return fmt::format("a whole number from {} to {}", least, most); };
  if (json_->is_number_unsigned() && json_->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) wrong(wanted());
  if (json_->is_number_float()) {
    const auto value = json_->get<double>();
    if (std::trunc(value) != value || std::abs(value) > kMaxExact) wrong(wanted());
  } else if (!json_->is_number()) {
    wrong(wanted());
  }
  const auto value = json_->get<int64_t>();
  if (value < least || value > most) wrong(wanted());
  return value;
}

double Field::number(double least, double most) const {
  const auto wanted = [&] { return fmt::format("a number from {} to {}", least, most); };
  if (!json_->is_number()) wrong(wanted());
  const auto value = json_->get<double>();
  if (!(value >= least && value <= most)) wrong(wanted());
  return value;
}

void Field::require_object() const {
  if (!json_->is_object()) wrong("an object");
}

std::optional<std::string> Field::string(const char* key) const {
  const auto field = find(key);
  return field ? std::optional(field->string()) : std::nullopt;
}

bool Field::boolean(const char* key, bool otherwise) const {
  const auto field = find(key);
  return field ? field->boolean() : otherwise;
}

std::optional<int64_t> Field::integer(const char* key, int64_t least, int64_t most) const {
  const auto field = find(key);
  return field ? std::optional(field->integer(least, most)) : std::nullopt;
}

std::optional<double> Field::number(const char* key, double least, double most) const {
  const auto field = find(key);
  return field ? std::optional(field->number(least, most)) : std::nullopt;
}

std::vector<std::string> Field::strings(const char* key) const {
  const auto field = find(key);
  if (!field) return {};
  if (field->json().is_string()) return {field->string()};
  if (!field->json().is_array()) field->wrong("a string or a list of strings");
  std::vector<std::string> result;
  for (const Field& element : field->elements()) result.push_back(element.string());
  return result;
}

std::vector<int32_t> Field::ids(const char* key) const {
  std::vector<int32_t> result;
  if (const auto field = find(key))
    for (const Field& element : field->elements())
      result.push_back(static_cast<int32_t>(element.integer(0, INT32_MAX)));
  return result;
}

void Field::wrong(std::string_view wanted) const {
  const std::string where = path_.empty() ? "the body" : path_;
  refuse(path_, "{}: wanted {}, saw {}", where, wanted, shown(*json_));
}

}  // namespace cleave::server::api
