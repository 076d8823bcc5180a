#pragma once

#include <string>

#include "base/json.h"
#include "plan/overrides.h"

namespace cleave::plan {

/// A value of a configuration together with its place, "ds.json:tensor_parallel.partition_config", for messages and for
/// the origin of what is read from it. Borrows the document. Functions that read throw Error(InvalidArgument) saying
/// what was wanted and seen.
class Place {
 public:
  Place(const Json& json, Origin origin) : json_(&json), origin_(std::move(origin)) {}

  const Json& json() const { return *json_; }
  const Origin& origin() const { return origin_; }
  const std::string& where() const { return origin_.where; }

  /// Member of the object that this is; the value null stands for a missing one.
  bool has(const char* key) const { return json_->contains(key) && !(*json_)[key].is_null(); }
  /// REQUIRES: has(key).
  Place at(const std::string& key) const;
  /// REQUIRES: an array that has it.
  Place at(size_t index) const;

  const Json& object() const;
  const Json& array() const;
  const std::string& string() const;
  bool boolean_or(const char* key, bool otherwise) const;

  [[noreturn]] void wrong(const std::string& wanted) const;

 private:
  const Json* json_;
  Origin origin_;
};

}  // namespace cleave::plan
