#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace cleave::text {

/// Finds the longest of a set of strings that begins at a place. Filled once, then read by any thread.
class TokenTrie {
 public:
  struct Match {
    int32_t value;
    size_t size;  // bytes; 0 where no string begins there
  };

  /// `token` must not be empty; a later value of the same string takes the earlier one's place.
  void insert(std::string_view token, int32_t value);
  Match longest_at(std::string_view text, size_t position) const;
  bool empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    std::map<char, uint32_t> children;
    int32_t value = -1;
  };
  std::vector<Node> nodes_ = std::vector<Node>(1);  // [0] is the root
};

}  // namespace cleave::text
