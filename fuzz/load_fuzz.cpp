#include <cstdlib>
#include <string>

#include "load/exchange.h"

namespace {

using cleave::load::Exchange;
using cleave::load::Result;

// What comes of an answer that arrives in pieces of `step` bytes.
Result read(const std::string& bytes, size_t step) {
  Exchange exchange({}, 0);
  for (size_t i = 0; i < bytes.size(); i += step) exchange.received(bytes.substr(i, step), 1);
  exchange.ended("", 2);
  if (!exchange.over()) std::abort();
  return exchange.result();
}

}  // namespace

// What a server sends. What a client makes of it must not depend on the pieces in which it comes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Result whole = read(bytes, bytes.size() + 1), parts = read(bytes, 3);
  if (whole.good() != parts.good() || whole.gaps.size() != parts.gaps.size()) std::abort();
  if (whole.answer_tokens != parts.answer_tokens || whole.prompt_tokens != parts.prompt_tokens) std::abort();
  return 0;
}
