#include "grammar/program/limits.h"

#include "base/error.h"

namespace cleave::grammar {
namespace {

constexpr size_t kStepsPerLook = 256;  // a look at the clock takes as long as some ten steps

}  // namespace

Budget::Budget(const Limits& limits) : limits_(limits), deadline_(std::chrono::steady_clock::now() + limits.time) {}

void Budget::text(size_t bytes) const {
  if (bytes > limits_.text_bytes)
    fail(ErrorKind::Unsupported, "the grammar has {} bytes, at most {} are taken; shorten it", bytes,
         limits_.text_bytes);
}

void Budget::nodes(size_t count) {
  step();
  if (count > limits_.nodes)
    fail(ErrorKind::Unsupported, "the grammar's automaton has over {} states; simplify the grammar", limits_.nodes);
}

void Budget::alternatives(size_t count) const {
  if (count > limits_.alternatives)
    fail(ErrorKind::Unsupported, "a schema has over {} alternatives once its anyOf, oneOf and allOf are multiplied out",
         limits_.alternatives);
}

void Budget::step() {
  if (++steps_ % kStepsPerLook == 0) look();
}

void Budget::look() const {
  if (std::chrono::steady_clock::now() > deadline_)
    fail(ErrorKind::Unsupported, "the grammar takes over {} ms to compile; simplify it", limits_.time.count());
}

Budget::Level::Level(Budget& budget) : budget_(&budget) {
  budget_->step();
  if (budget_->depth_ == budget_->limits_.depth)
    fail(ErrorKind::Unsupported, "the grammar is nested over {} levels deep", budget_->limits_.depth);
  ++budget_->depth_;
}

Budget::Level::~Level() {
  --budget_->depth_;
}

}  // namespace cleave::grammar
