#include "base/error.h"
#include "comm/mpi/mpi_world.h"

namespace cleave::comm {

bool has_mpi() {
  return false;
}

std::unique_ptr<World> mpi_world(const MpiOptions&) {
  fail(ErrorKind::Unsupported,
       "mpirun has started this process, but the program is built without MPI: start it without mpirun, or build it "
       "with CLEAVE_MPI=ON");
}

}  // namespace cleave::comm
