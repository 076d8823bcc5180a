#include "grammar/schema/object_members.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "grammar/program/encode.h"
#include "grammar/schema/keywords.h"

namespace cleave::grammar {
namespace {

constexpr size_t kMaxPatterns = 6;      // each doubles the regions
constexpr size_t kFewKeys = 64;         // keys of a region that become properties
constexpr uint32_t kMaxCells = 20'000;  // nodes for names by counts

}  // namespace

ObjectMembers::ObjectMembers(const ObjectRule& rule, JsonRules& rules, Texts& texts, Resolver& resolver,
                             std::function<uint32_t(const Terms&)> rule_of)
    : rule_(rule),
      rules_(rules),
      builder_(rules.builder()),
      texts_(texts),
      resolver_(resolver),
      rule_of_(std::move(rule_of)) {
  find_names();
  find_regions();
}

void ObjectMembers::add_name(const std::string& name) {
  for (const Named& named : named_)
    if (named.name == name) return;
  const bool required = std::find(rule_.required.begin(), rule_.required.end(), name) != rule_.required.end();
  named_.push_back({name, resolver_.member(rule_, name), required});
  num_required_ += required;
}

void ObjectMembers::find_names() {
  for (const ObjectRule::Layer& layer : rule_.layers)
    for (const auto& [name, terms] : layer.properties) add_name(name);
  for (const std::string& name : rule_.required) add_name(name);
}

std::vector<std::string> ObjectMembers::patterns() const {
  std::vector<std::string> all;
  for (const ObjectRule::Layer& layer : rule_.layers)
    for (const auto& [pattern, terms] : layer.patterns)
      if (std::find(all.begin(), all.end(), pattern) == all.end()) all.push_back(pattern);
  if (all.size() > kMaxPatterns)
    fail(ErrorKind::Unsupported, "patternProperties: {} patterns for one object, at most {} are taken", all.size(),
         kMaxPatterns);
  return all;
}

// What layers say of a key to which some of the patterns apply.
Terms ObjectMembers::region_terms(const std::vector<std::string>& patterns, const std::vector<bool>& applies) const {
  Terms all;
  for (const ObjectRule::Layer& layer : rule_.layers) {
    bool named = false;
    for (const auto& [pattern, terms] : layer.patterns) {
      const auto index = std::find(patterns.begin(), patterns.end(), pattern) - patterns.begin();
      if (!applies[static_cast<size_t>(index)]) continue;
      all = joined(std::move(all), terms);
      named = true;
    }
    if (!named) all = joined(std::move(all), layer.additional);
  }
  return all;
}

// Keys that propertyNames allows and that no property has.
Dfa ObjectMembers::key_strings() {
  Dfa keys = texts_.all();
  for (const Terms& names : rule_.names) {
    Dfa allowed;
    for (const Alternative& alternative : resolver_.resolve(names)) {
      if (const auto* string = std::get_if<StringRule>(&alternative))
        allowed = allowed.combined(texts_.strings(*string), Dfa::Combination::Either, builder_.budget());
      std::vector<std::string> texts;
      if (const auto* values = std::get_if<ValuesRule>(&alternative))
        for (const OrderedJson& value : values->values)
          if (value.is_string()) texts.push_back(json_spelling(value.get<std::string>()));
      allowed = allowed.combined(Dfa::of_texts(texts, builder_.budget()), Dfa::Combination::Either, builder_.budget());
    }
    keys = keys.combined(allowed, Dfa::Combination::Both, builder_.budget());
  }
  std::vector<std::string> names;
  for (const Named& named : named_) names.push_back(json_spelling(named.name));
  return keys.combined(Dfa::of_texts(names, builder_.budget()), Dfa::Combination::FirstOnly, builder_.budget());
}

void ObjectMembers::find_regions() {
  const std::vector<std::string> all = patterns();
  const auto closed = [&] { return all.empty() && resolver_.resolve(region_terms({}, {})).empty(); };
  if (rule_.max <= num_required_ || closed()) return;
  any_key_ = all.empty() && named_.empty() && rule_.names.empty();
  std::vector<std::pair<Dfa, std::vector<bool>>> parts;
  parts.emplace_back(any_key_ ? Dfa() : key_strings(), std::vector<bool>());
  for (const std::string& pattern : all) {
    const Dfa& matching = texts_.dfa({TextRule::Kind::Pattern, pattern});
    std::vector<std::pair<Dfa, std::vector<bool>>> split;
    for (const auto& [keys, applies] : parts)
      for (const bool matches : {true, false}) {
        Dfa part =
            keys.combined(matching, matches ? Dfa::Combination::Both : Dfa::Combination::FirstOnly, builder_.budget());
        if (part.empty()) continue;
        split.emplace_back(std::move(part), applies);
        split.back().second.push_back(matches);
      }
    parts = std::move(split);
  }
  for (auto& [keys, applies] : parts) {
    Terms terms = region_terms(all, applies);
    if (!resolver_.resolve(terms).empty()) regions_.push_back({std::move(keys), std::move(terms)});
  }
  if (!any_key_) take_few_keys();
}

// Few keys are properties of their own, so that nobody is left without one that is not yet used.
void ObjectMembers::take_few_keys() {
  std::vector<Region> kept;
  for (Region& region : regions_) {
    const auto few = region.keys.texts(kFewKeys);
    if (few)
      for (const std::string& key : *few) add_name(parse_json(fmt::format("\"{}\"", key), "a key").get<std::string>());
    else
      kept.push_back(std::move(region));
  }
  regions_ = std::move(kept);
}

// A member of any region, from its key on.
uint32_t ObjectMembers::free_member() {
  builder_.set_unique_keys();
  const uint32_t rule = builder_.add_rule("a member");
  const Dfa::Tail tail{&texts_.all(), rules_.spelled_character()};
  for (const Region& region : regions_) {
    const uint32_t begin = builder_.add_node(), behind = builder_.add_node(), colon = builder_.add_node();
    builder_.literal(builder_.start(rule), "\"", begin);
    if (any_key_)
      builder_.call(begin, rules_.spelled_character(), 0, kUnbounded, behind);
    else
      region.keys.emit(builder_, begin, behind, &tail);
    builder_.literal(behind, "\"", colon);
    rules_.add_value(colon, rule_of_(region.terms), builder_.end(rule));
  }
  return rule;
}

void ObjectMembers::add_named(const Named& named, bool comma, uint32_t from, uint32_t to) {
  if (comma) {
    const uint32_t behind = builder_.add_node(), begin = builder_.add_node();
    builder_.literal(from, ",", behind);
    rules_.add_space(behind, begin);
    from = begin;
  }
  const uint32_t colon = builder_.add_node();
  builder_.literal(from, json_quoted(named.name), colon);
  rules_.add_value(colon, rule_of_(named.terms), to);
}

// A node for each name that comes next and each number of members before it. Numbers that make no difference are one:
// from 1 on, or from `min` on, where there is no maximum.
void ObjectMembers::add(uint32_t from, uint32_t to) {
  std::erase_if(named_, [&](const Named& named) {
    return !named.required && named.terms.size() == 1 && named.terms.front().node == &never();
  });
  const auto names = static_cast<uint32_t>(named_.size());
  const bool bounded = rule_.max != kUnbounded && (!regions_.empty() || rule_.max < names);
  const uint32_t min = rule_.min > num_required_ ? rule_.min : 0;
  const uint32_t last = std::min(bounded ? rule_.max : std::max(min, 1u), std::max(names, 1u));
  if (uint64_t{names + 1} * (last + 1) > kMaxCells)
    fail(ErrorKind::Unsupported, "minProperties or maxProperties is too large for an object of {} properties", names);
  std::vector<uint32_t> nodes(last + 1);  // [members so far]
  for (uint32_t& node : nodes) node = builder_.add_node();
  builder_.empty(from, nodes[0]);
  for (const Named& named : named_) {
    std::vector<uint32_t> next(last + 1);
    for (uint32_t& node : next) node = builder_.add_node();
    for (uint32_t count = 0; count <= last; ++count) {
      if (!named.required) builder_.empty(nodes[count], next[count]);
      if (count < last || !bounded) add_named(named, count > 0, nodes[count], next[std::min(count + 1, last)]);
    }
    nodes = std::move(next);
  }
  const std::optional<uint32_t> member = regions_.empty() ? std::nullopt : std::optional(free_member());
  for (uint32_t count = 0; count <= last; ++count) {
    const uint32_t missing = min > count ? min - count : 0;
    const uint32_t left = rule_.max == kUnbounded ? kUnbounded : rule_.max - std::min(rule_.max, count);
    if (member && count > 0)
      rules_.add_list(nodes[count], *member, missing, left, false, to);
    else if (member)
      rules_.add_list(nodes[count], *member, std::max(missing, 1u), left, true, to);
    else if (missing == 0 && count > 0)
      builder_.empty(nodes[count], to);
  }
}

}  // namespace cleave::grammar
