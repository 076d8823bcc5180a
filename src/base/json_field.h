#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/json.h"

namespace cleave {

/// The token id that a value holds, an integer from 0 to 2^31 - 2 (so that the last id + 1 is a number as well);
/// nothing where it holds something else.
std::optional<int32_t> token_id_in(const Json& json);

/// A value of an untrusted JSON document together with its place in it ("tokenizer.json: model.unk_token"), so that
/// every error says where, what was wanted and what was seen. Borrows the document. All functions that read throw
/// Error(Corrupt).
class JsonField {
 public:
  JsonField(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {}

  const Json& json() const { return *json_; }
  const std::string& path() const { return path_; }

  /// Member of an object; nothing where it is absent or null.
  std::optional<JsonField> find(const char* key) const;
  /// Member of an object that must be there.
  JsonField at(const char* key) const;
  /// Element of an array that has it.
  JsonField at(size_t index) const;

  const Json& array() const;   // the value, which must be an array
  const Json& object() const;  // the value, which must be an object
  const std::string& string() const;
  bool boolean() const;
  /// A whole number from 0 to 2^63 - 1.
  uint64_t count() const;
  /// A token id (token_id_in).
  int32_t token_id() const;

  std::string string_or(const char* key, const std::string& otherwise) const;
  bool boolean_or(const char* key, bool otherwise) const;

  /// Throws Error(Corrupt): "PATH: wanted WANTED, saw ...".
  [[noreturn]] void wrong(const char* wanted) const;

 private:
  const Json* json_;
  std::string path_;
};

/// Throws Error(Unsupported): the field is a `kind` ("normalizer") of a `type` that is not among the `known` ones.
[[noreturn]] void unknown_type(const JsonField& field, const char* kind, const std::string& type,
                               std::span<const std::string> known);

}  // namespace cleave
