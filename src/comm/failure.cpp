#include "comm/failure.h"

#include "base/error.h"

namespace cleave::comm {

void Failure::set(const std::string& text) {
  {
    const std::scoped_lock lock(mutex_);
    if (set_.load(std::memory_order_relaxed)) return;
    text_ = text;
    set_.store(true, std::memory_order_seq_cst);
  }
  if (on_first_) on_first_(text);
}

void Failure::raise() const {
  const std::scoped_lock lock(mutex_);
  throw Error(ErrorKind::Comm, text_);
}

}  // namespace cleave::comm
