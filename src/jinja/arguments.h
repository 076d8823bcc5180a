#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace cleave::jinja {

/// The arguments of a call, bound to the parameters of a built-in function. Borrows the arguments.
class BoundArguments {
 public:
  /// `names` are the function's parameters. Raises TypeError for too many arguments and for an unknown name.
  BoundArguments(const Arguments& arguments, std::string_view function, std::initializer_list<std::string_view> names);

  /// The value of a parameter; null if the call does not give it.
  const Value* find(size_t index) const { return values_[index]; }
  /// The value of a parameter. Raises TypeError if the call does not give it.
  const Value& at(size_t index) const;

  // The value of a parameter as a C++ type; `otherwise` if the call does not give it. Raise TypeError for another type.
  bool boolean(size_t index, bool otherwise) const;
  int64_t integer(size_t index, int64_t otherwise) const;
  const std::string& text(size_t index) const;
  std::string text(size_t index, std::string_view otherwise) const;

 private:
  std::string_view function_;
  std::vector<std::string_view> names_;
  std::vector<const Value*> values_;
};

/// Binds the arguments of a function that takes none by name, as the methods of Python's str do. Raises TypeError.
BoundArguments positional_only(const Arguments& arguments, std::string_view function,
                               std::initializer_list<std::string_view> names);

/// Raises TypeError if there are arguments, for a function that takes none.
void no_arguments(const Arguments& arguments, std::string_view function);

}  // namespace cleave::jinja
