#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cleave::app {

/// A machine, and how many processes are to run there.
struct Host {
  std::string name;  // or its IPv4 address
  int processes = 1;
};

/// The machines that --hosts names: "a:2,b" is two processes on a and one on b. Throws Error(InvalidArgument).
std::vector<Host> parse_hosts(std::string_view text);

}  // namespace cleave::app
