#include "graph/stored_name.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/tensor_table.h"

namespace cleave::graph {

std::string stored_name(const WeightAttributes& weight, int64_t i) {
  std::string name = weight.name;
  if (weight.sorted_columns) name += kSortedColumns;
  if (weight.stacked == 0) return name;
  const size_t star = name.find('*');
  if (star == std::string::npos) fail(ErrorKind::InvalidArgument, "{}: stacked weights need a * in their name", name);
  return name.replace(star, 1, std::to_string(i));
}

std::vector<std::string> stored_names(const WeightAttributes& weight) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < std::max<int64_t>(1, weight.stacked); ++i) names.push_back(stored_name(weight, i));
  return names;
}

}  // namespace cleave::graph
