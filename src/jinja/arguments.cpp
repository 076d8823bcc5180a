#include "jinja/arguments.h"

#include <fmt/format.h>

#include <algorithm>

namespace cleave::jinja {

BoundArguments::BoundArguments(const Arguments& arguments, std::string_view function,
                               std::initializer_list<std::string_view> names)
    : function_(function), names_(names), values_(names.size(), nullptr) {
  if (arguments.positional.size() > names_.size())
    raise("TypeError", fmt::format("{}() takes at most {} arguments ({} given)", function_, names_.size(),
                                   arguments.positional.size()));
  for (size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end())
      raise("TypeError", fmt::format("{}() got an unexpected keyword argument '{}'", function_, name));
    const Value*& slot = values_[static_cast<size_t>(found - names_.begin())];
    if (slot != nullptr) raise("TypeError", fmt::format("{}() got multiple values for argument '{}'", function_, name));
    slot = &value;
  }
}

const Value& BoundArguments::at(size_t index) const {
  if (values_[index] == nullptr)
    raise("TypeError", fmt::format("{}() missing 1 required positional argument: '{}'", function_, names_[index]));
  return *values_[index];
}

bool BoundArguments::boolean(size_t index, bool otherwise) const {
  return values_[index] != nullptr ? truth(*values_[index]) : otherwise;
}

int64_t BoundArguments::integer(size_t index, int64_t otherwise) const {
  const Value* value = values_[index];
  if (value == nullptr) return otherwise;
  if (!value->is_integer() && !value->is_bool())
    raise("TypeError", fmt::format("'{}' object cannot be interpreted as an integer", type_name(*value)));
  return value->as_integer();
}

const std::string& BoundArguments::text(size_t index) const {
  const Value& value = at(index);
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_text())
    raise("TypeError", fmt::format("{}() argument {} must be str, not {}", function_, index + 1, type_name(value)));
  return value.bytes();
}

std::string BoundArguments::text(size_t index, std::string_view otherwise) const {
  return values_[index] != nullptr && !values_[index]->is_none() ? text(index) : std::string(otherwise);
}

BoundArguments positional_only(const Arguments& arguments, std::string_view function,
                               std::initializer_list<std::string_view> names) {
  if (!arguments.named.empty()) raise("TypeError", fmt::format("{}() takes no keyword arguments", function));
  return {arguments, function, names};
}

void no_arguments(const Arguments& arguments, std::string_view function) {
  const size_t given = arguments.positional.size() + arguments.named.size();
  if (given > 0) raise("TypeError", fmt::format("{}() takes no arguments ({} given)", function, given));
}

}  // namespace cleave::jinja
