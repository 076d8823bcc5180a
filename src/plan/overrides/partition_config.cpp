#include "plan/overrides/partition_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "plan/overrides/items.h"
#include "plan/overrides/model_keyword.h"

namespace cleave::plan {
namespace {

constexpr size_t kMaxPatternBytes = 1024;

// gather_output and grad_allreduce are known and have no effect: outputs are gathered where the next operation needs
// them, and there are no gradients.
constexpr std::array<const char*, 7> kSpecKeys = {"patterns",    "partition_type", "shape",         "partition_dim",
                                                  "model_types", "gather_output",  "grad_allreduce"};

Treatment partition_type(const ConfigField& spec) {
  if (!spec.has("partition_type")) return Treatment::Column;  // DeepSpeed's default
  const ConfigField type = spec.at("partition_type");
  if (equal_ignoring_case(type.string(), "column")) return Treatment::Column;
  if (equal_ignoring_case(type.string(), "row")) return Treatment::Row;
  if (equal_ignoring_case(type.string(), "skip")) return Treatment::Keep;
  type.wrong("row, column or skip");
}

// A size of the shape: positive, -1 where it may be inferred.
bool is_size(const Json& json, bool may_be_inferred) {
  if (!json.is_number_integer()) return false;
  const auto size = json.get<int64_t>();
  return size > 0 || (may_be_inferred && size == -1);
}

// The number of dimensions that the weight is seen in: 2, or as many as the shape has. How a fused weight is laid out
// is known from the model's definition, so beyond its form a shape is not needed.
size_t checked_shape(const ConfigField& spec, size_t partition_dim) {
  if (!spec.has("shape")) return 2;
  const ConfigField shape = spec.at("shape");
  if (shape.array().empty()) shape.wrong("sizes");
  for (size_t i = 0; i < shape.json().size(); ++i) {
    const ConfigField size = shape.at(i);
    if (!size.json().is_array()) {
      if (!is_size(size.json(), true)) size.wrong("a positive size, -1 or an array of sizes");
      continue;
    }
    if (i != partition_dim) size.wrong(fmt::format("one size: only dimension {} is partitioned", partition_dim));
    const bool sizes =
        std::all_of(size.json().begin(), size.json().end(), [](const Json& j) { return is_size(j, false); });
    if (size.json().empty() || !sizes) size.wrong("positive sizes");
  }
  return shape.json().size();
}

// A weight is stored [out, in]: row parallelism cuts the last dimension, column parallelism another. Without a shape
// DeepSpeed does not look at partition_dim.
void check_dimension(const ConfigField& spec, Treatment treatment, ParsedOverrides& out) {
  size_t dim = treatment == Treatment::Row ? 1 : 0;
  if (spec.has("partition_dim")) {
    const ConfigField place = spec.at("partition_dim");
    if (!place.json().is_number_integer() || place.json().get<int64_t>() < 0) place.wrong("a dimension from 0");
    dim = place.json().get<size_t>();
  }
  const size_t rank = checked_shape(spec, dim);
  if (dim >= rank) spec.at("partition_dim").wrong(fmt::format("a dimension below {}", rank));
  const bool cuts_input = dim + 1 == rank;
  if (treatment == Treatment::Keep || cuts_input == (treatment == Treatment::Row)) return;
  const std::string contradiction =
      fmt::format("{}: partition_type {} does not cut dimension {} of {}, which holds {} features", spec.where(),
                  to_string(treatment), dim, rank, cuts_input ? "input" : "output");
  if (spec.has("shape")) fail(ErrorKind::InvalidArgument, "{}; change partition_type or partition_dim", contradiction);
  out.notes.push_back(contradiction + "; partition_type holds");
}

void add_patterns(const ConfigField& patterns, const Override& spec, ParsedOverrides& out) {
  const auto add = [&](const ConfigField& pattern) {
    if (out.overrides.size() >= kMaxOverrides) patterns.wrong(fmt::format("no more than {} patterns", kMaxOverrides));
    if (pattern.string().size() > kMaxPatternBytes) pattern.wrong(fmt::format("at most {} bytes", kMaxPatternBytes));
    out.overrides.push_back(spec);
    out.overrides.back().pattern = pattern.string();
  };
  if (patterns.json().is_string()) return add(patterns);
  if (patterns.array().empty()) patterns.wrong("regular expressions");
  for (size_t i = 0; i < patterns.json().size(); ++i) add(patterns.at(i));
}

void read_layer_spec(const ConfigField& spec, ParsedOverrides& out) {
  for (const auto& [key, value] : spec.object().items()) {
    if (std::find(kSpecKeys.begin(), kSpecKeys.end(), key) != kSpecKeys.end()) continue;
    const std::vector<std::string> known(kSpecKeys.begin(), kSpecKeys.end());
    fail(ErrorKind::InvalidArgument, "{}: unknown key {}; known are {}", spec.where(), in_quotes(key, '\''),
         join(known, ", "));
  }
  if (!spec.has("patterns")) spec.wrong("\"patterns\", regular expressions for names such as .*\\.o_proj\\.weight$");
  Override entry;
  entry.treatment = partition_type(spec);
  entry.origin = spec.origin();
  entry.syntax = Override::Syntax::LayerSpec;
  entry.exact_models = true;
  if (spec.has("model_types")) entry.models = models_from_json(spec.at("model_types").json(), spec.where());
  check_dimension(spec, entry.treatment, out);
  spec.boolean_or("gather_output", false);
  add_patterns(spec.at("patterns"), entry, out);
}

}  // namespace

void read_partition_config(const ConfigField& config, ParsedOverrides& out) {
  config.object();
  if (config.has("layer_specs")) {
    const ConfigField specs = config.at("layer_specs");
    for (size_t i = 0; i < specs.array().size(); ++i) read_layer_spec(specs.at(i), out);
  }
  Override whole;
  whole.syntax = Override::Syntax::LayerSpec;
  whole.origin = config.origin();
  if (!config.boolean_or("use_default_specs", true)) {
    whole.scope = Override::Scope::Rest;
    whole.origin.where += ".use_default_specs";
    out.overrides.push_back(whole);
  }
  if (config.boolean_or("strict_mode", false)) {
    whole.scope = Override::Scope::EveryLinear;
    whole.origin.where = config.where() + ".strict_mode";
    out.overrides.push_back(whole);
  }
}

void read_injection_policy(const ConfigField& policy, ParsedOverrides& out) {
  for (const auto& [layer_class, names] : policy.object().items()) {
    const ConfigField place = policy.at(layer_class);
    for (Override& item : items_from_json(names, Treatment::Row, place.origin()))
      out.overrides.push_back(std::move(item));
  }
}

}  // namespace cleave::plan
