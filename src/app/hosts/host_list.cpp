#include "app/hosts/host_list.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/error.h"
#include "base/strings.h"

namespace cleave::app {
namespace {

constexpr int kMostProcesses = 4096;  // of one machine

// What mpirun takes for a name; one that begins with a dash would be a flag of ssh.
bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

Host parse_host(std::string_view text) {
  const size_t colon = text.find(':');
  Host host{.name = std::string(text.substr(0, colon))};
  bool good = is_name(host.name);
  if (colon != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data() + colon + 1, end, host.processes);
    good = good && error == std::errc() && last == end && host.processes >= 1 && host.processes <= kMostProcesses;
  }
  if (!good)
    fail(ErrorKind::InvalidArgument,
         "saw \"{}\", wanted a machine's name or IPv4 address and how many processes it runs (1 to {}), such as "
         "node1:2",
         text, kMostProcesses);
  return host;
}

}  // namespace

std::vector<Host> parse_hosts(std::string_view text) {
  std::vector<Host> hosts;
  for (const std::string& part : split(text, ',')) hosts.push_back(parse_host(part));
  return hosts;
}

}  // namespace cleave::app
