#include "grammar/automaton/dfa.h"

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "grammar/matching/machine.h"
#include "grammar/regex/emit.h"

namespace cleave::grammar {

Dfa::Dfa() {
  add_state(false);
}

uint32_t Dfa::add_state(bool accepts) {
  accepts_.push_back(accepts);
  next_.resize(accepts_.size() * num_classes_, kDead);
  return static_cast<uint32_t>(accepts_.size() - 1);
}

Dfa::Dfa(const Expression& expression, Encoding encoding, Budget& budget) {
  ProgramBuilder builder(budget);
  const uint32_t rule = builder.add_rule("an expression");
  grammar::emit(builder, builder.start(rule), expression, encoding, Repetition::Unrolled, builder.end(rule));
  *this = Dfa(builder, rule);
}

// A program without calls is a nondeterministic automaton, and a machine over it the subset construction.
Dfa::Dfa(ProgramBuilder& builder, uint32_t rule) : Dfa() {
  if (!builder.has_text(rule)) return;
  Budget& budget = builder.budget();
  const auto program = std::make_shared<Program>(builder.finish(rule));
  Machine machine(program);
  classes_ = program->classes;
  num_classes_ = program->num_classes;
  next_.resize(num_classes_, kDead);
  std::array<uint8_t, 256> byte_of{};  // by class: one of its bytes
  for (size_t byte = 0; byte < 256; ++byte) byte_of[classes_[byte]] = static_cast<uint8_t>(byte);
  std::vector<Machine::State> states{Machine::kDead, machine.start()};
  std::unordered_map<Machine::State, uint32_t> ids{{Machine::kDead, kDead}, {machine.start(), 1}};
  start_ = add_state(machine.complete(machine.start()));
  for (uint32_t id = 1; id < states.size(); ++id) {
    budget.nodes(states.size());
    budget.look();
    for (uint32_t byte_class = 0; byte_class < num_classes_; ++byte_class) {
      budget.step();
      const Machine::State target = machine.step(states[id], byte_of[byte_class]);
      const auto [known, is_new] = ids.try_emplace(target, static_cast<uint32_t>(states.size()));
      if (is_new) {
        states.push_back(target);
        add_state(machine.complete(target));
      }
      next_[id * num_classes_ + byte_class] = known->second;
    }
  }
}

Dfa Dfa::of_texts(const std::vector<std::string>& texts, Budget& budget) {
  ProgramBuilder builder(budget);
  const uint32_t rule = builder.add_rule("texts");
  std::map<std::string, uint32_t> nodes{{"", builder.start(rule)}};  // by what has been read
  for (const std::string& text : texts) {
    uint32_t from = builder.start(rule);
    for (size_t i = 0; i < text.size(); ++i) {
      const auto [node, is_new] = nodes.try_emplace(text.substr(0, i + 1));
      if (is_new) {
        node->second = builder.add_node();
        builder.literal(from, text.substr(i, 1), node->second);
      }
      from = node->second;
    }
    builder.empty(from, builder.end(rule));
  }
  return Dfa(builder, rule);
}

// Pairs of states, as far as they are reached.
class Dfa::Product {
 public:
  Product(const Dfa& first, const Dfa& second, Combination combination)
      : first_(first), second_(second), combination_(combination) {
    join_classes();
    made_.start_ = id_of(first_.start_, second_.start_);
  }

  Dfa make(Budget& budget) {
    for (uint32_t id = 1; id < pairs_.size(); ++id) {
      budget.nodes(pairs_.size());
      for (uint32_t byte_class = 0; byte_class < made_.num_classes_; ++byte_class) {
        const uint8_t byte = byte_of_[byte_class];
        const uint32_t target = id_of(first_.next(pairs_[id].first, byte), second_.next(pairs_[id].second, byte));
        made_.next_[id * made_.num_classes_ + byte_class] = target;
      }
    }
    return std::move(made_);
  }

 private:
  void join_classes() {
    std::map<std::pair<uint8_t, uint8_t>, uint8_t> classes;
    for (size_t byte = 0; byte < 256; ++byte) {
      const std::pair both(first_.classes_[byte], second_.classes_[byte]);
      const auto [known, is_new] = classes.try_emplace(both, static_cast<uint8_t>(classes.size()));
      if (is_new) byte_of_.push_back(static_cast<uint8_t>(byte));
      made_.classes_[byte] = known->second;
    }
    made_.num_classes_ = static_cast<uint32_t>(classes.size());
    made_.next_.resize(made_.num_classes_, kDead);
  }

  uint32_t id_of(uint32_t first, uint32_t second) {
    if (is_dead(first, second)) return kDead;
    const auto [known, is_new] = ids_.try_emplace({first, second}, static_cast<uint32_t>(pairs_.size()));
    if (is_new) {
      pairs_.emplace_back(first, second);
      made_.add_state(accepts(first, second));
    }
    return known->second;
  }
  bool accepts(uint32_t first, uint32_t second) const {
    const bool own = first_.accepts_[first], others = second_.accepts_[second];
    if (combination_ == Combination::Both) return own && others;
    return combination_ == Combination::Either ? own || others : own && !others;
  }
  bool is_dead(uint32_t first, uint32_t second) const {
    if (combination_ == Combination::Both) return first == kDead || second == kDead;
    return combination_ == Combination::Either ? first == kDead && second == kDead : first == kDead;
  }

  const Dfa &first_, &second_;
  Combination combination_;
  Dfa made_;
  std::vector<uint8_t> byte_of_;  // by class: one of its bytes
  std::vector<std::pair<uint32_t, uint32_t>> pairs_{{kDead, kDead}};
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> ids_;
};

Dfa Dfa::combined(const Dfa& other, Combination combination, Budget& budget) const {
  return Product(*this, other, combination).make(budget);
}

bool Dfa::accepts(std::string_view text) const {
  uint32_t state = start_;
  for (const char byte : text) state = next(state, static_cast<uint8_t>(byte));
  return accepts_[state];
}

bool Dfa::empty() const {
  return !live()[start_];
}

// States from which a text can still be accepted.
std::vector<bool> Dfa::live() const {
  std::vector<std::vector<uint32_t>> sources(accepts_.size());
  for (uint32_t state = 0; state < accepts_.size(); ++state)
    for (uint32_t byte_class = 0; byte_class < num_classes_; ++byte_class)
      sources[next_[state * num_classes_ + byte_class]].push_back(state);
  std::vector<bool> live = accepts_;
  std::vector<uint32_t> pending;
  for (uint32_t state = 0; state < live.size(); ++state)
    if (live[state]) pending.push_back(state);
  while (!pending.empty()) {
    const uint32_t state = pending.back();
    pending.pop_back();
    for (const uint32_t source : sources[state]) {
      if (!live[source]) pending.push_back(source);
      live[source] = true;
    }
  }
  return live;
}

std::optional<std::vector<std::string>> Dfa::texts(size_t limit) const {
  // As many steps as texts of a sensible length take; where they do not suffice, there are too many or there is a loop.
  size_t steps = 64 * (limit + 1);
  const std::vector<bool> live = this->live();
  std::vector<std::string> found;
  std::vector<std::pair<uint32_t, std::string>> pending;
  if (live[start_]) pending.emplace_back(start_, "");
  while (!pending.empty()) {
    auto [state, text] = std::move(pending.back());
    pending.pop_back();
    if (accepts_[state]) found.push_back(text);
    if (found.size() > limit || steps-- == 0) return std::nullopt;
    for (int byte = 255; byte >= 0; --byte) {
      const uint32_t target = next(state, static_cast<uint8_t>(byte));
      if (live[target]) pending.emplace_back(target, text + static_cast<char>(byte));
      if (pending.size() > 2 * limit + 256) return std::nullopt;
    }
  }
  return found;
}

// Whether the texts from a state on are those of another automaton.
bool Dfa::is_tail(uint32_t state, const Dfa& texts, Budget& budget) const {
  if (!accepts_[state] || next(state, 'a') != state) return false;  // few states go further
  std::set<std::pair<uint32_t, uint32_t>> seen{{state, texts.start_}};
  std::vector<std::pair<uint32_t, uint32_t>> pending(seen.begin(), seen.end());
  while (!pending.empty()) {
    const auto [own, other] = pending.back();
    pending.pop_back();
    budget.look();
    if (accepts_[own] != texts.accepts_[other] || (own == kDead) != (other == kDead)) return false;
    for (int byte = 0; byte < 256; ++byte) {
      const std::pair both(next(own, static_cast<uint8_t>(byte)), texts.next(other, static_cast<uint8_t>(byte)));
      if (seen.insert(both).second) pending.push_back(both);
    }
  }
  return true;
}

void Dfa::emit(ProgramBuilder& builder, uint32_t from, uint32_t to, const Tail* tail) const {
  const std::vector<bool> live = this->live();
  if (!live[start_]) return;
  std::vector<uint32_t> nodes(accepts_.size());
  for (uint32_t state = 0; state < accepts_.size(); ++state)
    if (live[state]) nodes[state] = builder.add_node();
  builder.empty(from, nodes[start_]);
  for (uint32_t state = 0; state < accepts_.size(); ++state) {
    if (!live[state]) continue;
    if (tail != nullptr && is_tail(state, *tail->texts, builder.budget())) {
      builder.call(nodes[state], tail->character, 0, kUnbounded, to);
      continue;
    }
    if (accepts_[state]) builder.empty(nodes[state], to);
    emit_edges(builder, state, live, nodes);
  }
}

void Dfa::emit_edges(ProgramBuilder& builder, uint32_t state, const std::vector<bool>& live,
                     const std::vector<uint32_t>& nodes) const {
  for (int first = 0; first < 256;) {
    const uint32_t target = next(state, static_cast<uint8_t>(first));
    int last = first;
    while (last < 255 && next(state, static_cast<uint8_t>(last + 1)) == target) ++last;
    if (live[target])
      builder.bytes(nodes[state], static_cast<uint8_t>(first), static_cast<uint8_t>(last), nodes[target]);
    first = last + 1;
  }
}

}  // namespace cleave::grammar
