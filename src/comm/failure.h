#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

namespace cleave::comm {

/// The first failure that any rank of a group has found or been told of; what follows is its consequence and is not
/// kept. Shared by all levels of a group. Thread-safe.
class Failure {
 public:
  /// `on_first` is called once, with the text of the first failure, by the thread that found it.
  explicit Failure(std::function<void(const std::string&)> on_first = {}) : on_first_(std::move(on_first)) {}

  /// Keeps the text unless there is one already.
  void set(const std::string& text);
  bool is_set() const { return set_.load(std::memory_order_seq_cst); }
  /// Throws Error(Comm) with the text where there is one.
  void raise_if_set() const {
    if (set_.load(std::memory_order_acquire)) raise();
  }
  /// REQUIRES: is_set().
  [[noreturn]] void raise() const;

 private:
  std::function<void(const std::string&)> on_first_;
  mutable std::mutex mutex_;
  std::string text_;  // guarded by mutex_
  std::atomic<bool> set_{false};
};

}  // namespace cleave::comm
