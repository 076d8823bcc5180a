#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lower/program.h"

namespace cleave::lower {

/// The parameters of a rank while its programs are made: each set of numbers once for each use, whichever nodes of the
/// graph stand for it and whichever programs work with it.
class ParameterTable {
 public:
  /// The number of the parameter of this use that reads this view, a new one where there is none yet. Uses that want
  /// more precision prevail: a matrix that is once a head is one for all.
  int32_t add(Parameter parameter);

  Parameter& operator[](int32_t index) { return parameters_[static_cast<size_t>(index)]; }
  const std::vector<Parameter>& all() const { return parameters_; }
  std::vector<Parameter> take() { return std::move(parameters_); }

 private:
  std::vector<Parameter> parameters_;
  std::unordered_multimap<size_t, int32_t> by_hash_;
};

}  // namespace cleave::lower
