#include "grammar/matching/machine.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/hash.h"

namespace cleave::grammar {
namespace {

// States beyond which a machine is compacted, and beyond which a single walk is given up. A state takes some 500 bytes.
constexpr size_t kStatesToCompact = 20'000;
constexpr size_t kMaxStates = 120'000;
// Nodes reached and calls ended in one step; grammars of use take some hundred at most.
constexpr size_t kMaxWork = 30'000;
// Calls within calls; JSON that is nested deeper is refused by its readers, too.
constexpr uint32_t kMaxDepth = 1'000;
constexpr size_t kTablesPerBlock = 64;

}  // namespace

size_t Machine::KeyHash::operator()(const Key& key) const {
  Hash hash;
  hash.add(key.complete);
  for (const Config& config : key.configs) {
    hash.add(config.node);
    hash.add(config.stack);
  }
  return hash.value();
}

Machine::Machine(std::shared_ptr<const Program> program)
    : program_(std::move(program)), reached_(program_->nodes.size()) {
  reset();
  begin();
  reach(program_->start, stacks_.intern({{kBottom, 0, Stacks::kNone}}));
  start_ = intern(close());
}

void Machine::reset() {
  stacks_ = Stacks();
  ids_.clear();
  entries_.clear();
  tables_.clear();
  table_left_ = 0;
  returned_.clear();
  intern({});  // kDead
}

uint32_t* Machine::new_table() {
  const size_t classes = program_->num_classes;
  if (table_left_ == 0) {
    tables_.push_back(std::make_unique<uint32_t[]>(classes * kTablesPerBlock));
    std::fill_n(tables_.back().get(), classes * kTablesPerBlock, kUnknown);
    table_left_ = kTablesPerBlock;
  }
  return tables_.back().get() + classes * (kTablesPerBlock - table_left_--);
}

Machine::State Machine::intern(Key key) {
  const auto [found, is_new] = ids_.try_emplace(std::move(key), static_cast<State>(entries_.size()));
  if (is_new) {
    if (entries_.size() > kMaxStates || stacks_.size() > 4 * kMaxStates)
      fail(ErrorKind::Unsupported, "the grammar allows too many different continuations; simplify it");
    entries_.push_back({&found->first});
  }
  return found->second;
}

// Forgets what an error may have left of the last set of nodes.
void Machine::begin() {
  pending_.clear();
  touched_.clear();
  escaped_.clear();
  completed_ = false;
  work_ = 0;
  ++epoch_;
}

Machine::State Machine::compute_step(State state, uint8_t byte) {
  begin();
  if (entries_[state].next == nullptr) entries_[state].next = new_table();
  for (const Config& config : configs(state)) {
    if (config.node >= kEscape) continue;
    for (const ByteEdge& edge : program_->edges_of(config.node))
      if (edge.low <= byte && byte <= edge.high) reach(edge.target, config.stack);
  }
  const State next = intern(close());
  entries_[state].next[program_->classes[byte]] = next;
  return next;
}

Machine::State Machine::after_return(uint32_t stack) {
  if (const auto known = returned_.find(stack); known != returned_.end()) return known->second;
  begin();
  leave(stack);
  return returned_[stack] = intern(close());
}

Machine::State Machine::state_of(std::vector<Config> configs) {
  return intern({std::move(configs), false});
}

void Machine::reach(uint32_t node, uint32_t stack) {
  Reached& own = reached_[node];
  if (own.epoch != epoch_) {
    own = {epoch_, Stacks::kNone, false};
    touched_.push_back(node);
  }
  const uint32_t united = stacks_.unite(own.stack, stack);
  if (united == own.stack) return;
  own.stack = united;
  if (!std::exchange(own.pending, true)) pending_.push_back(node);
}

// Whether the match that begins is the last one and nothing is left to do behind it: its end is the caller's.
bool Machine::is_last(const Call& call, uint32_t count) const {
  return count + 1 >= call.min && count + 1 == call.max && program_->only_accepts(call.target);
}

// Without an upper limit, matches count only up to the lower one, so that states stay few.
uint32_t Machine::counted(const Call& call, uint32_t count) {
  return call.max == kUnbounded ? std::min(count, call.min) : count;
}

// Begins the first match of a call, and goes on behind it where it may be left out.
void Machine::enter(uint32_t index, uint32_t stack) {
  const Call& call = program_->calls[index];
  if (call.min == 0) reach(call.target, stack);
  if (is_last(call, 0)) return reach(call.start, stack);
  if (stacks_.depth(stack) < kMaxDepth) reach(call.start, stacks_.intern({{index, 0, stack}}));
}

// The rule on top of the stacks has ended. Calls that go on with a further match do so for all counts at once.
void Machine::leave(uint32_t stack) {
  std::vector<Frame> again;
  const auto flush = [&] {
    if (again.empty()) return;
    const uint32_t first = program_->calls[again.front().call].start;
    reach(first, stacks_.intern(std::exchange(again, {})));
  };
  for (const Frame& frame : stacks_.frames(stack)) {
    if (++work_ > kMaxWork) fail(ErrorKind::Unsupported, "the grammar is too ambiguous; simplify it");
    if (frame.call == kBottom) {
      completed_ = true;
    } else if (frame.call >= kEscape) {
      escaped_.push_back(frame.call);
    } else {
      const Call& call = program_->calls[frame.call];
      const uint32_t count = frame.count + 1;
      if (count >= call.min) reach(call.target, frame.parent);
      if (count >= call.max) continue;
      if (is_last(call, count)) {
        reach(call.start, frame.parent);
        continue;
      }
      const Frame next{frame.call, counted(call, count), frame.parent};
      if (!again.empty() && again.back().call != next.call) flush();
      if (!again.empty() && again.back().count == next.count)
        again.back().parent = stacks_.unite(again.back().parent, next.parent);
      else
        again.push_back(next);
    }
  }
  flush();
}

void Machine::expand(uint32_t node) {
  const uint32_t stack = reached_[node].stack;
  for (const uint32_t target : program_->empty_of(node)) reach(target, stack);
  const auto [first, last] = program_->calls_of(node);
  for (uint32_t call = first; call < last; ++call) enter(call, stack);
  if (program_->nodes[node].accepts) leave(stack);
}

Machine::Key Machine::close() {
  Key key;
  while (!pending_.empty()) {
    if (++work_ > kMaxWork) fail(ErrorKind::Unsupported, "the grammar is too ambiguous; simplify it");
    const uint32_t node = pending_.back();
    pending_.pop_back();
    reached_[node].pending = false;
    expand(node);
  }
  for (const uint32_t node : touched_)
    if (!program_->edges_of(node).empty()) key.configs.push_back({node, reached_[node].stack});
  std::sort(escaped_.begin(), escaped_.end());
  escaped_.erase(std::unique(escaped_.begin(), escaped_.end()), escaped_.end());
  for (const uint32_t escape : escaped_) key.configs.push_back({escape, Stacks::kNone});
  std::sort(key.configs.begin(), key.configs.end(), [](const Config& a, const Config& b) { return a.node < b.node; });
  key.complete = completed_;
  return key;
}

uint32_t Machine::copy_stack(const Stacks& from, uint32_t stack, std::unordered_map<uint32_t, uint32_t>& copies) {
  if (stack == Stacks::kNone) return stack;
  if (const auto known = copies.find(stack); known != copies.end()) return known->second;
  std::vector<Frame> frames;
  for (const Frame& frame : from.frames(stack))
    frames.push_back({frame.call, frame.count, copy_stack(from, frame.parent, copies)});
  return copies[stack] = stacks_.intern(std::move(frames));
}

bool Machine::crowded() const {
  return entries_.size() > kStatesToCompact || stacks_.size() > 4 * kStatesToCompact;
}

Machine::State Machine::compact(State keep) {
  Key kept = *entries_[keep].key, start = *entries_[start_].key;
  const Stacks old = std::move(stacks_);
  reset();
  std::unordered_map<uint32_t, uint32_t> copies;
  for (Key* key : {&kept, &start})
    for (Config& config : key->configs) config.stack = copy_stack(old, config.stack, copies);
  start_ = intern(std::move(start));
  return intern(std::move(kept));
}

}  // namespace cleave::grammar
