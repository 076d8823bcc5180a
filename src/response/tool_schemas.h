#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_json.h"
#include "response/response_format.h"

namespace cleave::response {

/// The tools of a request: their names and the schemas of their parameters. Immutable; copies share what they hold.
class ToolSchemas {
 public:
  ToolSchemas() : ToolSchemas("") {}
  /// `tools`: JSON, a list as a chat API has it ({"type": "function", "function": {"name", "parameters"}}), or of what
  /// is inside "function"; "" or null for none. Entries of another form are left out. Throws Error(InvalidArgument) for
  /// what is no list of objects.
  explicit ToolSchemas(std::string_view tools);

  bool empty() const { return tables_->names.empty(); }
  bool has(const std::string& name) const { return tables_->parameters.count(name) > 0; }
  /// In the order in which they came.
  const std::vector<std::string>& names() const { return tables_->names; }
  /// The schema of a tool's arguments; an object of anything where the tool has none. REQUIRES: has(name).
  const OrderedJson& parameters(const std::string& name) const { return tables_->parameters.at(name); }
  /// The types that a parameter may have, in the order in which its schema names them; none where that says nothing.
  std::vector<std::string> types(const std::string& name, const std::string& parameter) const;

 private:
  struct Tables {
    std::vector<std::string> names;
    std::map<std::string, OrderedJson> parameters;
  };
  static std::shared_ptr<const Tables> read(std::string_view tools);

  std::shared_ptr<const Tables> tables_;
};

/// The types that a schema names, in its order. `root`: the document that references in it refer to.
std::vector<std::string> schema_types(const OrderedJson& schema, const OrderedJson& root);

/// What a model wrote for a parameter of these types, as JSON: of the first type that it can be. Text that can be none
/// of them, and text where there are no types but which is no literal either, is a string.
std::string raw_value(std::string_view text, const std::vector<std::string>& types);

}  // namespace cleave::response
