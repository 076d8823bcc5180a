#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "grammar/matching/machine.h"
#include "grammar/matching/vocabulary.h"
#include "grammar/matching/walk.h"

namespace cleave::grammar {

/// A state without what lies below the rules that it is in (and below their callers, where they only take bytes):
/// "escapes" stand for it. States that differ only there share it, such as those of all strings of a document.
struct LocalView {
  std::vector<uint32_t> key;      // says all of it that matters for tokens, whatever machine made it
  std::vector<Config> configs;    // with escapes for what lies below
  std::vector<uint32_t> returns;  // by number of an escape: the stacks that it stands for
};

/// The view of a state. Counts of repetitions are told apart only as far as `longest` bytes can reach.
LocalView local_view(Machine& machine, Machine::State state, size_t longest);

/// What the tokens' trie says of a local view.
struct LocalMask {
  std::vector<uint32_t> allowed;  // tokens that need nothing of what lies below
  struct Escape {
    uint32_t node;    // of the trie: at the end of its bytes, the view's rules have ended
    uint32_t number;  // of the escape that goes on from there
  };
  std::vector<Escape> escapes;
};

LocalMask local_mask(Machine& machine, const LocalView& view, const Vocabulary& vocabulary, Walk& walk);

/// Local masks that all answers with one grammar share; the least recently used ones are dropped. Thread-safe.
class LocalMasks {
 public:
  /// `bytes`: how much to keep.
  explicit LocalMasks(size_t bytes) : bytes_left_(bytes) {}

  /// Null where there is none.
  std::shared_ptr<const LocalMask> find(const std::vector<uint32_t>& key);
  void add(const std::vector<uint32_t>& key, std::shared_ptr<const LocalMask> mask);

 private:
  struct Entry {
    std::vector<uint32_t> key;
    std::shared_ptr<const LocalMask> mask;
    size_t bytes;
  };

  std::mutex mutex_;
  size_t bytes_left_;
  std::list<Entry> entries_;  // the most recently used first
  std::map<std::vector<uint32_t>, std::list<Entry>::iterator> by_key_;
};

}  // namespace cleave::grammar
