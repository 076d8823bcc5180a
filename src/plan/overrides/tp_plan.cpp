#include "plan/overrides/tp_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "plan/overrides/items.h"
#include "plan/overrides/model_keyword.h"

namespace cleave::plan {
namespace {

/// A style of Transformers: what it comes to here, or why it comes to nothing.
struct Style {
  std::string_view name;
  std::optional<Treatment> treatment;
  std::string_view why_not = {};
};

constexpr std::string_view kDerived = "exchanges between ranks follow from how linears are split";
constexpr std::string_view kWholeAnyway = "norms are whole on every rank, and tokens are not split";

// Styles of Transformers 4.48 to 5.23: integrations/tensor_parallel.py, later distributed/tensor_parallel.py and
// distributed/expert_parallel.py. What a style says of gathering its output or splitting its input goes without saying
// here: it happens where the next operation needs it.
constexpr std::array kStyles = {
    Style{"colwise", Treatment::Column},
    Style{"colwise_rep", Treatment::Column},
    Style{"colwise_gather_output", Treatment::Column},
    Style{"packed_colwise", Treatment::Column},
    Style{"local_colwise", Treatment::Column},
    Style{"local_packed_colwise", Treatment::Column},
    Style{"embedding_colwise", Treatment::Column},
    Style{"rowwise", Treatment::Row},
    Style{"rowwise_rep", Treatment::Row},
    Style{"rowwise_split_input", Treatment::Row},
    Style{"packed_rowwise", Treatment::Row},
    Style{"local_rowwise", Treatment::Row},
    Style{"local_packed_rowwise", Treatment::Row},
    Style{"embedding_rowwise", Treatment::Row},
    Style{"vocab_parallel_rowwise", Treatment::Row},
    Style{"replicate", Treatment::Keep},
    Style{"replicated_with_grad_allreduce", Treatment::Keep},
    Style{"mla_kv_a_proj", Treatment::Keep},
    Style{"ep_router", Treatment::Keep},
    Style{"megamoe_router", Treatment::Keep},
    Style{"moe_tp_experts", Treatment::InsideExperts},
    Style{"grouped_gemm", Treatment::ByExpert},
    Style{"ep_dispatch_experts", Treatment::ByExpert},
    Style{"megamoe_experts", Treatment::ByExpert},
    Style{"sequence_parallel", std::nullopt, kWholeAnyway},
    Style{"gather", std::nullopt, kDerived},
    Style{"all_reduce", std::nullopt, kDerived},
    Style{"local", std::nullopt, kDerived},
    Style{"isolated", std::nullopt, kDerived},
    Style{"local_params", std::nullopt, kDerived},
    Style{"moe_identity_expert", std::nullopt, "an expert without weights has nothing to split"},
};

const Style* find_style(std::string_view name) {
  const auto found = std::find_if(kStyles.begin(), kStyles.end(),
                                  [&](const Style& style) { return equal_ignoring_case(style.name, name); });
  return found == kStyles.end() ? nullptr : &*found;
}

[[noreturn]] void fail_unknown(const ConfigField& entry) {
  std::vector<std::string> known;
  for (const Style& style : kStyles) known.emplace_back(style.name);
  std::vector<std::string> nearest;
  if (entry.string().size() <= kMaxComparedBytes) nearest = nearest_names(entry.string(), known);
  fail(ErrorKind::InvalidArgument, "{}: Transformers has no style {}; {}: {}", entry.where(),
       in_quotes(entry.string(), '\''), nearest.empty() ? "it has" : "near it",
       join(nearest.empty() ? known : nearest, ", "));
}

// Transformers 5 stacks experts in one tensor and names that: "layers.*.mlp.experts.gate_up_proj". Which side of it is
// cut depends on how it lies in memory ("colwise" for down_proj in Llama 4); either way each expert is split, so the
// entry is one about the mixture. Returns the mixture's name.
std::optional<std::string> mixture_of_stacked(const std::string& key) {
  std::vector<std::string> segments = split(key, '.');
  if (segments.size() < 2 || segments[segments.size() - 2] != "experts") return std::nullopt;
  segments.pop_back();
  return join(segments, ".");
}

// Mixtral's checkpoints call block_sparse_moe what Transformers 5 calls mlp; it renames while loading.
std::vector<std::string> checkpoint_spellings(const std::string& key) {
  static constexpr std::string_view kNew = "mlp.experts", kOld = "block_sparse_moe.experts";
  const size_t at = key.find(kNew);
  if (at == std::string::npos) return {};
  return {std::string(key).replace(at, kNew.size(), kOld)};
}

bool is_split(Treatment treatment) {
  return treatment == Treatment::Row || treatment == Treatment::Column;
}

Override to_override(const std::string& key, const Style& style, bool optional, const Origin& origin) {
  Override entry;
  entry.pattern = checked_name(key, origin.where);
  entry.treatment = *style.treatment;
  entry.origin = origin;
  entry.syntax = Override::Syntax::PlanKey;
  entry.optional = optional || style.name == "replicated_with_grad_allreduce";  // stands at norms, which are no linears
  if (const auto mixture = mixture_of_stacked(entry.pattern); mixture && entry.treatment != Treatment::Keep) {
    entry.pattern = *mixture;
    if (is_split(entry.treatment)) entry.treatment = Treatment::InsideExperts;
  }
  entry.spellings = checkpoint_spellings(entry.pattern);
  return entry;
}

bool is_repeated(const Override& entry, const std::vector<Override>& overrides) {
  return std::any_of(overrides.begin(), overrides.end(), [&](const Override& other) {
    return other.pattern == entry.pattern && other.treatment == entry.treatment &&
           other.origin.where == entry.origin.where;
  });
}

}  // namespace

void read_tp_plan(const ConfigField& plan, bool optional, ParsedOverrides& out) {
  std::map<const Style*, size_t> ignored;
  if (plan.object().size() > kMaxOverrides) plan.wrong(fmt::format("no more than {} entries", kMaxOverrides));
  for (const auto& [key, value] : plan.object().items()) {
    const ConfigField entry = plan.at(key);
    const Style* style = find_style(entry.string());
    if (style == nullptr) fail_unknown(entry);
    if (!style->treatment) {
      ++ignored[style];
      continue;
    }
    Override read = to_override(key, *style, optional, plan.origin());
    if (!is_repeated(read, out.overrides)) out.overrides.push_back(std::move(read));
  }
  for (const auto& [style, count] : ignored)
    out.notes.push_back(fmt::format("{}: style '{}' ({} {}) has no effect here: {}", plan.where(), style->name, count,
                                    count == 1 ? "entry" : "entries", style->why_not));
}

bool is_tp_plan(const Json& json) {
  return json.is_object() && !json.empty() && std::all_of(json.begin(), json.end(), [](const Json& value) {
           return value.is_string() && find_style(value.get_ref<const std::string&>()) != nullptr;
         });
}

}  // namespace cleave::plan
