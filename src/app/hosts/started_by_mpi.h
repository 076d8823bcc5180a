#pragma once

namespace cleave::app {

/// Whether mpirun has started this process.
bool started_by_mpi();

}  // namespace cleave::app
