#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_json.h"

namespace cleave::server::api {

/// The body of a request. Throws Refusal with the position of what is no JSON, and for nesting deeper than 128 levels
/// and for an object of more than 4,096 members; the body itself is not quoted. Objects keep the order of their keys,
/// which templates write out; of equal keys the last counts.
OrderedJson parse_body(std::string_view body);

/// A value of a request's body together with its path in it. All functions that read throw Refusal with the path where
/// the value is of another type or out of range. Borrows the JSON.
class Field {
 public:
  explicit Field(const OrderedJson& json, std::string path = {}) : json_(&json), path_(std::move(path)) {}

  const OrderedJson& json() const { return *json_; }
  const std::string& path() const { return path_; }

  /// A member; nothing where it is absent or null. Refuses what is no object.
  std::optional<Field> find(const char* key) const;
  /// A member that must be there.
  Field at(const char* key) const;
  /// The elements of an array.
  std::vector<Field> elements() const;

  const std::string& string() const;
  bool boolean() const;
  int64_t integer(int64_t least, int64_t most) const;
  double number(double least, double most) const;
  void require_object() const;

  /// Members that may be absent.
  std::optional<std::string> string(const char* key) const;
  bool boolean(const char* key, bool otherwise) const;
  std::optional<int64_t> integer(const char* key, int64_t least, int64_t most) const;
  std::optional<double> number(const char* key, double least, double most) const;
  /// A text or a list of texts.
  std::vector<std::string> strings(const char* key) const;
  std::vector<int32_t> ids(const char* key) const;

  /// Refuses the value: "PATH: wanted WANTED, saw ...".
  [[noreturn]] void wrong(std::string_view wanted) const;

 private:
  const OrderedJson* json_;
  std::string path_;
};

}  // namespace cleave::server::api
