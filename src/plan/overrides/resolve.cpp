#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/check.h"
#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "plan/overrides.h"
#include "plan/overrides/model_keyword.h"
#include "plan/overrides/pattern.h"

namespace cleave::plan {
namespace {

constexpr size_t kShownPaths = 3;  // in a message
constexpr size_t kShownNames = 8;  // in a message; a model has no more kinds of linears in a layer, mostly

bool applies(const Override& override, const ModelNames& names) {
  if (override.models.empty()) return true;
  return std::any_of(override.models.begin(), override.models.end(), [&](const std::string& model) {
    if (override.exact_models) return equal_ignoring_case(model, names.model_type);
    return keyword_means_model(model, names.model_type) ||
           std::any_of(names.architectures.begin(), names.architectures.end(),
                       [&](const std::string& architecture) { return keyword_means_model(model, architecture); });
  });
}

// "a, b, c and 4 more"
std::string listed(const std::vector<std::string>& names, size_t limit = kShownNames) {
  const size_t shown = std::min(names.size(), limit);
  std::string text = join(std::span(names).first(shown), ", ");
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

// Matches overrides with modules, then chooses for each module.
class Resolver {
 public:
  Resolver(std::span<const Override> overrides, std::span<const ModuleInfo> modules, bool strict)
      : overrides_(overrides), modules_(modules), strict_(strict), chosen_(modules.size()) {
    paths_.reserve(modules.size());
    for (const ModuleInfo& module : modules) paths_.emplace_back(module.name);
  }

  Resolved run(const ModelNames& names) {
    for (size_t i = 0; i < overrides_.size(); ++i)
      if (applies(overrides_[i], names)) match(i);
    report_plans_without_match();
    for (const Candidate& candidate : candidates_) report_ties(candidate);
    add_tie_warnings();
    for (const Candidate& candidate : candidates_) require_every_linear(candidate);
    return result();
  }

 private:
  // An override that applies to this model, with the modules that it is about.
  struct Candidate {
    size_t index;
    Specificity specificity;
    std::vector<size_t> modules;
  };

  const Override& override_of(const Candidate& candidate) const { return overrides_[candidate.index]; }

  bool suits(Treatment treatment, size_t module) const {
    const bool about_experts = treatment == Treatment::ByExpert || treatment == Treatment::InsideExperts;
    return !about_experts || modules_[module].kind == ModuleInfo::Kind::Experts;
  }

  // What PyTorch calls a linear.
  bool is_linear(size_t module) const { return modules_[module].kind != ModuleInfo::Kind::Embedding; }

  void match(size_t index) {
    const Override& override = overrides_[index];
    Candidate candidate{index, {}, {}};
    if (override.scope == Override::Scope::Matching) {
      const Pattern pattern(override);
      candidate.specificity = pattern.specificity();
      bool any_name = false;
      for (size_t m = 0; m < modules_.size(); ++m) {
        if (!pattern.matches(paths_[m])) continue;
        any_name = true;
        if (suits(override.treatment, m)) candidate.modules.push_back(m);
      }
      if (candidate.modules.empty()) report_no_match(override, any_name);
    } else if (override.scope == Override::Scope::Rest) {
      candidate.specificity = {-1, 0};
      for (size_t m = 0; m < modules_.size(); ++m)
        if (is_linear(m)) candidate.modules.push_back(m);
    }
    candidates_.push_back(std::move(candidate));
    for (const size_t m : candidates_.back().modules) {
      std::optional<size_t>& holder = chosen_[m];
      if (!holder || wins(candidates_.back(), candidates_[*holder])) holder = candidates_.size() - 1;
    }
  }

  bool same_rank(const Candidate& a, const Candidate& b) const {
    const Origin &x = override_of(a).origin, &y = override_of(b).origin;
    return x.kind == y.kind && x.file == y.file && a.specificity == b.specificity;
  }

  // Whether `later`, which comes later in the list, takes precedence.
  bool wins(const Candidate& later, const Candidate& earlier) const {
    const Override &x = override_of(later), &y = override_of(earlier);
    const auto rank = [](const Override& o, const Candidate& c) {
      return std::tuple(o.origin.kind, o.origin.file, c.specificity);
    };
    if (rank(x, later) != rank(y, earlier)) return rank(x, later) > rank(y, earlier);
    return x.syntax != Override::Syntax::LayerSpec;  // of those the first holds
  }

  void report_no_match(const Override& override, bool any_name) {
    if (override.optional) {
      ++missing_[override.origin.where];
      return;
    }
    const std::string subject = fmt::format("{}: {}", override.origin.where, in_quotes(override.pattern, '\''));
    if (!any_name)
      complain(fmt::format("{} matches no module of this model; {}", subject, advice(override)));
    else
      complain(fmt::format("{} names no experts, so '{}' does not apply", subject, to_string(override.treatment)));
  }

  void complain(std::string message) {
    if (strict_) throw Error(ErrorKind::NotFound, message);
    warnings_.push_back(std::move(message));
  }

  // "nearest: ...": ends of module names with as many segments as the pattern has.
  std::string advice(const Override& override) const {
    const bool is_regex = override.syntax == Override::Syntax::LayerSpec || override.pattern.starts_with("re:");
    const size_t length = is_regex ? std::string::npos : split(override.pattern, '.').size();
    std::vector<std::string> ends;
    for (const ModulePath& path : paths_) {
      std::string end = path.folded(length);
      if (std::find(ends.begin(), ends.end(), end) == ends.end()) ends.push_back(std::move(end));
    }
    if (is_regex)
      return fmt::format("a regular expression is compared with whole paths such as {}", listed(ends, kShownPaths));
    const std::vector<std::string> nearest = nearest_names(override.pattern, ends);
    return nearest.empty() ? fmt::format("it has {}", listed(ends)) : fmt::format("nearest: {}", listed(nearest));
  }

  // A plan for a class of models may name what this model lacks, but something of it should be there.
  void report_plans_without_match() {
    for (const auto& [where, count] : missing_) {
      size_t all = 0;
      for (const Candidate& candidate : candidates_)
        all +=
            override_of(candidate).origin.where == where && override_of(candidate).origin.kind != OriginKind::BuiltIn;
      if (all == count) complain(fmt::format("{}: nothing in it matches a module of this model", where));
    }
  }

  // Notes where `candidate` lost against an equal that says something else.
  void report_ties(const Candidate& candidate) {
    const Override& loser = override_of(candidate);
    if (loser.syntax == Override::Syntax::LayerSpec) return;
    for (const size_t m : candidate.modules) {
      const Candidate& winner = candidates_[*chosen_[m]];
      if (override_of(winner).treatment == loser.treatment || !same_rank(candidate, winner)) continue;
      std::vector<size_t>& modules = ties_[{candidate.index, winner.index}];
      modules.push_back(m);
    }
  }

  void add_tie_warnings() {
    for (const auto& [pair, modules] : ties_) {
      const Override &loser = overrides_[pair.first], &winner = overrides_[pair.second];
      const std::string others = modules.size() > 1 ? fmt::format(" and {} more", modules.size() - 1) : "";
      warnings_.push_back(
          fmt::format("{}: {} ({}) and {}: {} ({}) are equally specific about {}{}; the later holds: {}",
                      loser.origin.where, in_quotes(loser.pattern, '\''), to_string(loser.treatment),
                      winner.origin.where, in_quotes(winner.pattern, '\''), to_string(winner.treatment),
                      modules_[modules.front()].name, others, to_string(winner.treatment)));
    }
  }

  // DeepSpeed's strict_mode.
  void require_every_linear(const Candidate& candidate) const {
    const Override& rule = override_of(candidate);
    if (rule.scope != Override::Scope::EveryLinear) return;
    std::vector<bool> covered(modules_.size(), false);
    for (const Candidate& other : candidates_) {
      const Override& spec = override_of(other);
      const bool same_file = spec.origin.kind == rule.origin.kind && spec.origin.file == rule.origin.file;
      if (!same_file || spec.syntax != Override::Syntax::LayerSpec || spec.scope != Override::Scope::Matching) continue;
      for (const size_t m : other.modules) covered[m] = true;
    }
    std::vector<std::string> missing;
    for (size_t m = 0; m < modules_.size(); ++m) {
      if (covered[m] || !is_linear(m)) continue;
      std::string name = paths_[m].folded();
      if (std::find(missing.begin(), missing.end(), name) == missing.end()) missing.push_back(std::move(name));
    }
    if (!missing.empty())
      fail(ErrorKind::NotFound, "{}: no layer_specs match {}; add one, or leave strict_mode out", rule.origin.where,
           listed(missing));
  }

  Resolved result() const {
    Resolved resolved{std::vector<std::optional<Decision>>(modules_.size()), warnings_};
    for (size_t m = 0; m < modules_.size(); ++m) {
      if (!chosen_[m]) continue;
      const Candidate& holder = candidates_[*chosen_[m]];
      resolved.by_module[m] = Decision{override_of(holder).treatment, holder.index};
    }
    return resolved;
  }

  std::span<const Override> overrides_;
  std::span<const ModuleInfo> modules_;
  bool strict_;
  std::vector<ModulePath> paths_;
  std::vector<Candidate> candidates_;                              // in the order of the overrides
  std::vector<std::optional<size_t>> chosen_;                      // by module: index of the candidate that holds
  std::map<std::string, size_t> missing_;                          // optional overrides without a match, by origin
  std::map<std::pair<size_t, size_t>, std::vector<size_t>> ties_;  // modules, by indices of loser and winner
  std::vector<std::string> warnings_;
};

}  // namespace

Resolved resolve(std::span<const Override> overrides, std::span<const ModuleInfo> modules, const ModelNames& names,
                 bool strict) {
  return Resolver(overrides, modules, strict).run(names);
}

}  // namespace cleave::plan
