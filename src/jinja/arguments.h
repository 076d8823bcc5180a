#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace cleave::jinja {

/// The arguments of a call by the names of a function's parameters. Borrows them. Raises TypeError where there are too
/// many, or one that the function does not have.
class BoundArguments {
 public:
  BoundArguments(const Arguments& arguments, std::string_view function, std::initializer_list<std::string_view> names);

  /// Null where it was not given.
  const Value* find(size_t index) const { return values_[index]; }
  /// Raises TypeError where it was not given.
  const Value& at(size_t index) const;

  // The value in one of its meanings; raise TypeError where it has another type.
  bool boolean(size_t index, bool otherwise) const;
  int64_t integer(size_t index, int64_t otherwise) const;
  const std::string& text(size_t index) const;
  std::string text(size_t index, std::string_view otherwise) const;

 private:
  std::string_view function_;
  std::vector<std::string_view> names_;
  std::vector<const Value*> values_;
};

/// For a function that takes no arguments by name (those of Python's str).
BoundArguments positional_only(const Arguments& arguments, std::string_view function,
                               std::initializer_list<std::string_view> names);

/// For a function that takes none. Raises TypeError.
void no_arguments(const Arguments& arguments, std::string_view function);

}  // namespace cleave::jinja
