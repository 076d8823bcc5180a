#pragma once

#include <string>
#include <utility>

#include "base/json_field.h"
#include "plan/overrides.h"

namespace cleave::plan {

/// A value of a configuration together with its origin, whose `where` is the value's path
/// ("ds.json:tensor_parallel.partition_config"): what is read from the value has that origin. Borrows the document.
/// Functions that read throw Error(InvalidArgument) saying what was wanted and seen.
class ConfigField {
 public:
  /// The root of a document, which `origin.where` names.
  ConfigField(const Json& json, const Origin& origin)
      : ConfigField(JsonField(json, origin.where, JsonAuthor::Person), origin) {}

  const Json& json() const { return field_.json(); }
  const Origin& origin() const { return origin_; }
  const std::string& where() const { return field_.path(); }

  /// Whether the object has the member; null counts as none.
  bool has(const std::string& key) const { return json().contains(key) && !json()[key].is_null(); }
  /// REQUIRES: has(key).
  ConfigField at(const std::string& key) const { return {field_.at(key), origin_}; }
  /// REQUIRES: an array that has the element.
  ConfigField at(size_t index) const { return {field_.at(index), origin_}; }

  const Json& object() const { return field_.object(); }
  const Json& array() const { return field_.array(); }
  const std::string& string() const { return field_.string(); }
  bool boolean_or(const std::string& key, bool otherwise) const { return field_.boolean_or(key, otherwise); }

  [[noreturn]] void wrong(std::string_view wanted) const { field_.wrong(wanted); }

 private:
  ConfigField(JsonField field, Origin origin) : field_(std::move(field)), origin_(std::move(origin)) {
    origin_.where = field_.path();
  }

  JsonField field_;
  Origin origin_;
};

}  // namespace cleave::plan
