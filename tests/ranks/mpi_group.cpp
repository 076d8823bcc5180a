// mpi_group RANKS MODEL MODEL [wait]: two reference models in one group of ranks of several processes, of which each
// has RANKS. With "wait", rank 0 says "loaded" between the first load and the second, and waits for a line.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "inference/follower.h"
#include "two_models.h"

namespace cleave {
namespace {

void lead(inference::Group& group, const std::string& first, const std::string& second, bool wait) {
  FedModel a(first, group), b(second, group);
  if (wait) {
    a.load();
    std::puts("loaded");
    std::fflush(stdout);
    std::getchar();
  } else {
    check_two_models(a, b);
  }
  b.load();
  b.unload();
}

int run(int ranks, const std::string& first, const std::string& second, bool wait) {
  std::signal(SIGTERM, SIG_IGN);  // mpirun sends it when another process has died: time to say which
  try {
    inference::Group group({.ranks = ranks, .mpi = true});
    const bool leads = group.leads();
    if (leads)
      lead(group, first, second, wait);
    else
      inference::follow("/no/such/model", group);
    group.finish();
    if (leads) std::puts("passed");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    std::fflush(stderr);
    return 1;
  }
}

}  // namespace
}  // namespace cleave

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  return cleave::run(std::atoi(argv[1]), argv[2], argv[3], argc > 4 && std::string_view(argv[4]) == "wait");
}
