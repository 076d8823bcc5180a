#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cleave::comm {

/// Owns a descriptor. Movable.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket();

  int descriptor() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// Where a process can be reached. Plain bytes, so that processes can exchange it.
struct Endpoint {
  static constexpr int kMostAddresses = 16;
  char host[64] = {};  // for messages
  uint64_t key = 0;    // what a visitor must know to be let in; random
  int32_t pid = 0;
  uint32_t port = 0;
  uint32_t num_addresses = 0;
  uint32_t addresses[kMostAddresses] = {};  // IPv4, in network order
};

/// A listening TCP socket on a port of the system's choice, on every IPv4 address of this machine.
class Listener {
 public:
  Listener();
  const Endpoint& endpoint() const { return endpoint_; }

  /// Connects every process with every other: connects to those below `process`, lets in those above. Element p of the
  /// result leads to process p. Throws Error(Comm) naming whoever cannot be reached or does not come in time.
  std::vector<Socket> connect_all(int process, const std::vector<Endpoint>& endpoints, std::chrono::milliseconds limit);

 private:
  Endpoint endpoint_;
  Socket socket_;
};

}  // namespace cleave::comm
