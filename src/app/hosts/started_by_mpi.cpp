#include "app/hosts/started_by_mpi.h"

#include <cstdlib>

#include "comm/world.h"

namespace cleave::app {

bool started_by_mpi() {
  return comm::started_by_mpi([](const char* name) { return std::getenv(name); });
}

}  // namespace cleave::app
