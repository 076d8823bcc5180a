#include <cstdlib>
#include <string>

#include "server/http/request_reader.h"

namespace {

using cleave::server::http::Limits;
using cleave::server::http::RequestReader;
using State = RequestReader::State;

// Reads one request that arrives in pieces of `step` bytes; "" where there is none. What it says must not depend on the
// step.
std::string read(const std::string& bytes, size_t step) {
  const Limits limits{1024, 4096};
  RequestReader reader(limits);
  std::string input;
  for (size_t i = 0; i < bytes.size(); i += step) {
    input += bytes.substr(i, step);
    for (bool progress = true; progress;) {
      const size_t before = input.size();
      const State was = reader.state();
      const State state = reader.read(input);
      if (state == State::Failed) return "";
      if (state == State::Complete) {
        const auto request = reader.take();
        if (request.body.size() > limits.body_bytes) std::abort();
        return request.method + " " + request.path + "\n" + request.body;
      }
      progress = input.size() < before || was != state;
    }
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(bytes, bytes.size() + 1);
  const std::string parts = read(bytes, 3);
  if (!whole.empty() && !parts.empty() && whole != parts) std::abort();
  return 0;
}
