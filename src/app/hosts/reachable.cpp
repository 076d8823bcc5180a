#include "app/hosts/reachable.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "app/hosts/child_process.h"
#include "base/error.h"
#include "base/strings.h"

namespace cleave::app {
namespace {

// By which the look-up on the other machine says what it has not found.
constexpr int kNoOpenMpi = 81, kNoProgram = 82;

constexpr const char* kConnectSeconds = "10";

// IPv4 addresses, which are those that mpirun and the heartbeat use.
std::vector<in_addr_t> addresses_of(const std::string& host) {
  const addrinfo wanted = {.ai_flags = 0,
                           .ai_family = AF_INET,
                           .ai_socktype = SOCK_STREAM,
                           .ai_protocol = 0,
                           .ai_addrlen = 0,
                           .ai_addr = nullptr,
                           .ai_canonname = nullptr,
                           .ai_next = nullptr};
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<in_addr_t> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next)
    addresses.push_back(reinterpret_cast<const sockaddr_in*>(entry->ai_addr)->sin_addr.s_addr);
  return addresses;
}

bool is_own(in_addr_t address) {
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return false;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(found, freeifaddrs);
  for (const ifaddrs* entry = found; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if (reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr.s_addr == address) return true;
  }
  return false;
}

bool is_this_machine(const std::string& host) {
  char own_name[256] = {};
  gethostname(own_name, sizeof(own_name) - 1);
  if (host == own_name) return true;
  for (const in_addr_t address : addresses_of(host))
    if (is_own(address)) return true;
  return false;
}

// As a shell takes it for one word.
std::string quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

struct Answer {
  int code = 0;
  std::string words;  // the last line of what it has said
};

Answer ask(const std::vector<std::string>& command) {
  ChildProcess child(command);
  std::string words;
  while (const auto bytes = child.read_errors(std::chrono::milliseconds(1000))) words += *bytes;
  while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
  return {child.wait(), split(words, '\n').back()};
}

}  // namespace

std::optional<std::string> why_unreachable(const std::string& host, const std::string& agent,
                                           const std::string& program) {
  if (is_this_machine(host)) return std::nullopt;
  std::vector<std::string> command = {agent};
  if (agent == "ssh")
    command.insert(command.end(), {"-o", "BatchMode=yes", "-o", fmt::format("ConnectTimeout={}", kConnectSeconds)});
  command.insert(command.end(), {host, fmt::format("command -v orted >/dev/null || exit {}; test -x {} || exit {}",
                                                   kNoOpenMpi, quoted(program), kNoProgram)});
  try {
    const Answer answer = ask(command);
    if (answer.code == 0) return std::nullopt;
    if (answer.code == kNoOpenMpi)
      return fmt::format(
          "{} has no Open MPI: orted is not in the PATH of a shell that {} starts there; install it "
          "(Debian: openmpi-bin)",
          host, agent);
    if (answer.code == kNoProgram)
      return fmt::format("{} has no program at {}: install this one at the same path on every machine", host, program);
    return fmt::format("{} cannot be reached ({}): \"{} {} true\" must work without a password", host, answer.words,
                       agent, host);
  } catch (const Error& error) {
    return fmt::format("{} cannot be reached: {}", host, error.what());
  }
}

}  // namespace cleave::app
