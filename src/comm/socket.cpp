#include "comm/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace cleave::comm {
namespace {

using Clock = std::chrono::steady_clock;

// An address that does not answer (of a bridge or tunnel that only looks alike) must not use up the time.
constexpr std::chrono::milliseconds kAddressLimit{2000};

// What a visitor says first, and gets back where it is expected.
struct Greeting {
  uint64_t key = 0;
  int32_t process = 0;
  int32_t reserved = 0;
};

[[noreturn]] void fail_errno(const char* what) {
  fail(ErrorKind::Io, "cannot {}: {}", what, std::strerror(errno));
}

bool wait_until(int descriptor, int16_t events, Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd entry = {.fd = descriptor, .events = events, .revents = 0};
  return left > 0 && poll(&entry, 1, static_cast<int>(left)) > 0;
}

bool write_greeting(const Socket& socket, const Greeting& greeting) {
  return send(socket.descriptor(), &greeting, sizeof(greeting), MSG_NOSIGNAL) == sizeof(greeting);
}

bool read_greeting(const Socket& socket, Greeting& greeting, Clock::time_point end) {
  size_t size = 0;
  while (size < sizeof(greeting)) {
    if (!wait_until(socket.descriptor(), POLLIN, end)) return false;
    const ssize_t got =
        recv(socket.descriptor(), reinterpret_cast<char*>(&greeting) + size, sizeof(greeting) - size, 0);
    if (got <= 0) return false;
    size += static_cast<size_t>(got);
  }
  return true;
}

// IPv4 addresses of this machine's interfaces, loopback last: it leads to the right place only on the same host.
void find_addresses(Endpoint& endpoint) {
  ifaddrs* interfaces = nullptr;
  if (getifaddrs(&interfaces) != 0) fail_errno("list this machine's network addresses");
  std::vector<uint32_t> addresses;
  for (const ifaddrs* entry = interfaces; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    addresses.push_back(reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr.s_addr);
  }
  freeifaddrs(interfaces);
  std::stable_partition(addresses.begin(), addresses.end(), [](uint32_t a) { return (ntohl(a) >> 24) != 127; });
  endpoint.num_addresses = static_cast<uint32_t>(std::min<size_t>(addresses.size(), Endpoint::kMostAddresses));
  std::copy_n(addresses.begin(), endpoint.num_addresses, endpoint.addresses);
}

// A connection to that address, or none.
Socket connect_to(uint32_t address, uint32_t port, Clock::time_point end) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail_errno("make a socket");
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = address;
  if (connect(socket.descriptor(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) return socket;
  if (errno != EINPROGRESS || !wait_until(socket.descriptor(), POLLOUT, end)) return {};
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? std::move(socket) : Socket();
}

Socket reach(int process, int peer, const Endpoint& endpoint, Clock::time_point end) {
  std::string tried;
  for (uint32_t i = 0; i < endpoint.num_addresses; ++i) {
    const auto address_end = std::min(end, Clock::now() + kAddressLimit);
    Socket socket = connect_to(endpoint.addresses[i], endpoint.port, address_end);
    Greeting answer;
    if (socket && write_greeting(socket, {.key = endpoint.key, .process = process}) &&
        read_greeting(socket, answer, address_end) && answer.key == endpoint.key && answer.process == peer)
      return socket;
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &endpoint.addresses[i], text, sizeof(text));
    tried += fmt::format("{}{}:{}", tried.empty() ? "" : ", ", text, endpoint.port);
  }
  fail(ErrorKind::Comm, "process {} cannot reach process {} on {} (tried {}): a firewall, or networks that do not meet",
       process, peer, endpoint.host, tried);
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

Listener::Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in any = {};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof(any);
  auto* address = reinterpret_cast<sockaddr*>(&any);
  if (!socket_ || bind(socket_.descriptor(), address, size) != 0 || listen(socket_.descriptor(), SOMAXCONN) != 0 ||
      getsockname(socket_.descriptor(), address, &size) != 0)
    fail_errno("listen for other processes");
  endpoint_.port = ntohs(any.sin_port);
  endpoint_.pid = getpid();
  gethostname(endpoint_.host, sizeof(endpoint_.host) - 1);
  if (getrandom(&endpoint_.key, sizeof(endpoint_.key), 0) != sizeof(endpoint_.key)) fail_errno("get random bytes");
  find_addresses(endpoint_);
}

std::vector<Socket> Listener::connect_all(int process, const std::vector<Endpoint>& endpoints,
                                          std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::vector<Socket> peers(endpoints.size());
  for (int peer = 0; peer < process; ++peer)
    peers[static_cast<size_t>(peer)] = reach(process, peer, endpoints[static_cast<size_t>(peer)], end);
  for (size_t missing = endpoints.size() - static_cast<size_t>(process) - 1; missing > 0;) {
    if (!wait_until(socket_.descriptor(), POLLIN, end)) {
      const auto p = static_cast<size_t>(
          std::find_if(peers.begin() + process + 1, peers.end(), [](const Socket& s) { return !s; }) - peers.begin());
      fail(ErrorKind::Comm, "process {} on {} did not connect to process {} on {} within {} s", p, endpoints[p].host,
           process, endpoint_.host, limit.count() / 1000);
    }
    Socket visitor(accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    Greeting greeting;
    // Whoever does not know the key is a stranger and is sent away.
    if (!visitor || !read_greeting(visitor, greeting, std::min(end, Clock::now() + kAddressLimit)) ||
        greeting.key != endpoint_.key || greeting.process <= process ||
        greeting.process >= static_cast<int>(endpoints.size()))
      continue;
    Socket& peer = peers[static_cast<size_t>(greeting.process)];
    if (peer || !write_greeting(visitor, {.key = endpoint_.key, .process = process})) continue;
    peer = std::move(visitor);
    --missing;
  }
  return peers;
}

}  // namespace cleave::comm
