#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace cleave::grammar {

/// What compiling one grammar may take. Grammars come from requests, so none of them may hold up a server.
struct Limits {
  size_t text_bytes = 1 << 20;            // of a schema, an expression or a grammar as it is written
  size_t nodes = 400'000;                 // of the automaton, and of each automaton on the way there
  size_t alternatives = 5'000;            // of one schema once its anyOf, oneOf and allOf are multiplied out
  size_t depth = 128;                     // of groups, of schemas within schemas, and of references to references
  std::chrono::milliseconds time{2'000};  // from the first step to the last
};

/// What is left of the limits while a grammar is compiled. Not thread-safe.
class Budget {
 public:
  explicit Budget(const Limits& limits);

  // Each of these throws Error(Unsupported) where a limit is passed; the message names it.
  void text(size_t bytes) const;
  /// An automaton has this many nodes now.
  void nodes(size_t count);
  void alternatives(size_t count) const;
  /// A step of work; looks at the clock now and then.
  void step();
  /// Looks at the clock at once, for steps that take long.
  void look() const;

  /// One level of nesting for as long as it lives. Throws as the others do where there are too many.
  class Level {
   public:
    explicit Level(Budget& budget);
    ~Level();
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget* budget_;
  };

 private:
  Limits limits_;
  std::chrono::steady_clock::time_point deadline_;
  size_t depth_ = 0;
  size_t steps_ = 0;
};

}  // namespace cleave::grammar
