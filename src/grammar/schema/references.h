#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/ordered_json.h"

namespace cleave::grammar {

/// Where the parts of a schema document are, and what references within it mean. Borrows the document.
class References {
 public:
  explicit References(const OrderedJson& root);

  /// The schema that a `$ref` names: a JSON pointer within the document (RFC 6901). Throws Error(InvalidArgument) where
  /// there is nothing, and Error(Unsupported) for other documents and for anchors. `where` is the place of the `$ref`.
  const OrderedJson& find(const std::string& reference, const std::string& where) const;
  /// A part's place, "#/properties/name".
  std::string place(const OrderedJson* node) const;

 private:
  void add(const OrderedJson& node, bool is_root);

  const OrderedJson& root_;
  std::unordered_map<const OrderedJson*, std::pair<const OrderedJson*, std::string>> parents_;  // with the key
  bool has_inner_ids_ = false;
};

}  // namespace cleave::grammar
