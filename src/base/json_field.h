#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace cleave {

/// Who wrote a document. A program's faults are Error(Corrupt) and its values are shown with their type, `the string
/// "x"`; a person's are Error(InvalidArgument) and the values are shown as they were written, `'x'`.
enum class JsonAuthor : uint8_t { Program, Person };

/// A value of an untrusted JSON document together with its path in it, so that every error says where, what was wanted
/// and what was seen: "tokenizer.json: model.unk_token: wanted a string, saw the number 3". Borrows the document.
///
/// All functions that read throw Error of the author's kind where the value is of another type.
class JsonField {
 public:
  /// `path` of the root: the file's name, with a colon behind it if a space is to follow before the first key.
  JsonField(const Json& json, std::string path, JsonAuthor author = JsonAuthor::Program)
      : json_(&json), path_(std::move(path)), author_(author) {}

  const Json& json() const { return *json_; }
  const std::string& path() const { return path_; }

  /// Member of an object; nothing where it is absent or null.
  std::optional<JsonField> find(const std::string& key) const;
  /// Member of an object that must be there.
  JsonField at(const std::string& key) const;
  /// Element of an array. REQUIRES: it has one of that index.
  JsonField at(size_t index) const;

  const Json& array() const;   // the value, which must be an array
  const Json& object() const;  // the value, which must be an object
  const std::string& string() const;
  bool boolean() const;
  /// A whole number from 0 to 2^63 - 1.
  uint64_t count() const;

  /// A member's value; `otherwise` where it is absent or null.
  std::string string_or(const std::string& key, const std::string& otherwise) const;
  bool boolean_or(const std::string& key, bool otherwise) const;

  /// Throws the error "PATH: wanted WANTED, saw ...".
  [[noreturn]] void wrong(std::string_view wanted) const;

 private:
  const Json* json_;
  std::string path_;
  JsonAuthor author_;
};

}  // namespace cleave
