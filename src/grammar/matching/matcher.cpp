#include "grammar/matching/matcher.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace cleave::grammar {
namespace {

// For one grammar: some hundred masks of a vocabulary of 150,000 tokens.
constexpr size_t kSharedMaskBytes = 8 << 20;
// Per answer: a string's characters take turns between few states.
constexpr size_t kRememberedMasks = 8;

}  // namespace

TokenGrammar::TokenGrammar(std::shared_ptr<const Program> program, std::shared_ptr<const Vocabulary> vocabulary)
    : program_(std::move(program)), vocabulary_(std::move(vocabulary)), masks_(kSharedMaskBytes) {}

Matcher::Matcher(std::shared_ptr<TokenGrammar> grammar)
    : grammar_(std::move(grammar)),
      machine_(grammar_->program()),
      walk_(machine_, grammar_->vocabulary()),
      state_(machine_.start()) {}

// Whether a byte opens an object or an array of a JSON text.
bool Matcher::begins_json(Machine::State state, uint8_t byte) const {
  if (byte != '{' && byte != '[') return false;
  const Program& program = machine_.program();
  for (const Config& config : machine_.configs(state))
    for (const ByteEdge& edge : program.edges_of(config.node))
      if (program.nodes[config.node].json && edge.low <= byte && byte <= edge.high) return true;
  return false;
}

// Steps over bytes; false where the grammar or a repeated key stops them.
bool Matcher::allows(std::string_view bytes, Machine::State& state, UsedKeys::Trial& keys) {
  for (const char byte : bytes) {
    const bool json =
        machine_.program().unique_keys && (keys.inside() || begins_json(state, static_cast<uint8_t>(byte)));
    state = machine_.step(state, static_cast<uint8_t>(byte));
    if (state == Machine::kDead || (json && !keys.add(byte))) return false;
  }
  return true;
}

void Matcher::compact_if_crowded() {
  if (!machine_.crowded()) return;
  remembered_.clear();
  state_ = machine_.compact(state_);
}

bool Matcher::accept_bytes(std::string_view bytes) {
  if (ended_) return false;
  compact_if_crowded();
  Machine::State state = state_;
  UsedKeys::Trial keys(keys_);
  if (!allows(bytes, state, keys)) return false;
  state_ = state;
  keys_.take(std::move(keys));
  return true;
}

bool Matcher::accept(int32_t token) {
  const Vocabulary& vocabulary = grammar_->vocabulary();
  if (token < 0 || token >= vocabulary.size()) return false;
  if (vocabulary.is_end_token(token)) {
    if (!complete()) return false;
    ended_ = true;
    return true;
  }
  return !vocabulary.bytes(token).empty() && accept_bytes(vocabulary.bytes(token));
}

std::string Matcher::forced(size_t limit) {
  std::string bytes;
  Machine::State state = state_;
  while (!ended_ && bytes.size() < limit && !machine_.complete(state)) {
    const auto configs = machine_.configs(state);
    const auto first = machine_.program().edges_of(configs.front().node);
    const uint8_t byte = first.front().low;
    const bool single = std::all_of(configs.begin(), configs.end(), [&](const Config& config) {
      const auto edges = machine_.program().edges_of(config.node);
      return std::all_of(edges.begin(), edges.end(),
                         [&](const ByteEdge& edge) { return edge.low == byte && edge.high == byte; });
    });
    if (!single) break;
    state = machine_.step(state, byte);
    if (state == Machine::kDead) break;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

void Matcher::mask(std::span<uint32_t> allowed) {
  const Vocabulary& vocabulary = grammar_->vocabulary();
  std::vector<uint32_t> changed;
  const std::vector<uint32_t>* mask = &changed;
  if (ended_)
    changed.resize(vocabulary.words());
  else
    mask = &mask_of_state();
  const bool unique_keys = machine_.program().unique_keys && !ended_;
  if (complete() || unique_keys) changed = *mask;
  if (unique_keys) clear_repeated_keys(changed);
  if (complete())
    for (const int32_t token : vocabulary.end_tokens()) changed[token / 32] |= 1u << (token % 32);
  if (complete() || unique_keys) mask = &changed;
  if (std::all_of(mask->begin(), mask->end(), [](uint32_t word) { return word == 0; }))
    fail(ErrorKind::Unsupported, "the vocabulary has no token that the grammar allows here");
  for (size_t i = 0; i < allowed.size(); ++i) allowed[i] &= i < mask->size() ? (*mask)[i] : 0;
}

const std::vector<uint32_t>& Matcher::mask_of_state() {
  ++uses_;
  for (Remembered& entry : remembered_)
    if (entry.state == state_) {
      entry.used = uses_;
      return entry.mask;
    }
  compact_if_crowded();
  if (remembered_.size() == kRememberedMasks)
    remembered_.erase(std::min_element(remembered_.begin(), remembered_.end(),
                                       [](const auto& a, const auto& b) { return a.used < b.used; }));
  remembered_.push_back({state_, uses_, compute_mask()});
  return remembered_.back().mask;
}

std::vector<uint32_t> Matcher::compute_mask() {
  const Vocabulary& vocabulary = grammar_->vocabulary();
  const LocalView view = local_view(machine_, state_, vocabulary.longest());
  std::shared_ptr<const LocalMask> local = grammar_->masks().find(view.key);
  if (!local) {
    local = std::make_shared<LocalMask>(local_mask(machine_, view, vocabulary, walk_));
    grammar_->masks().add(view.key, local);
  }
  std::vector<uint32_t> mask = local->allowed;
  std::vector<Machine::State> after(view.returns.size());
  for (size_t i = 0; i < after.size(); ++i) after[i] = machine_.after_return(view.returns[i]);
  const auto visit = [&](const Vocabulary::Node& node, uint32_t, Machine::State) { vocabulary.set_tokens(node, mask); };
  for (const LocalMask::Escape& escape : local->escapes) {
    const Machine::State state = after[escape.number];
    if (state == Machine::kDead) continue;
    const Vocabulary::Node& node = vocabulary.nodes()[escape.node];
    vocabulary.set_tokens(node, mask);
    walk_.below(escape.node + 1, node.end, node.depth, state, 0, visit);
  }
  return mask;
}

// Only tokens with enough quotes can complete a key, and only those with three can begin and complete one, or complete
// two.
void Matcher::clear_repeated_keys(std::vector<uint32_t>& mask) {
  const Vocabulary& vocabulary = grammar_->vocabulary();
  const auto clear_if = [&](std::span<const int32_t> tokens, auto repeats) {
    for (const int32_t token : tokens) {
      uint32_t& word = mask[token / 32];
      const uint32_t bit = 1u << (token % 32);
      if ((word & bit) != 0 && repeats(vocabulary.bytes(token))) word &= ~bit;
    }
  };
  if (keys_.any())
    clear_if(vocabulary.with_quotes(keys_.quotes_to_key()),
             [&](std::string_view bytes) { return keys_.would_repeat(bytes); });
  clear_if(vocabulary.with_quotes(3), [&](std::string_view bytes) {
    Machine::State state = state_;
    UsedKeys::Trial keys(keys_);
    return !allows(bytes, state, keys);
  });
}

}  // namespace cleave::grammar
