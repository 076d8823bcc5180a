#include "comm/mpi/mpi_links.h"

#include "comm/mpi/mpi_communicator.h"

namespace cleave::comm {

std::unique_ptr<Communicator> MpiLinks::collectives(std::vector<int> ranks, int group) {
  context_.require_tags(group);
  return std::make_unique<MpiCommunicator>(std::static_pointer_cast<MpiLinks>(shared_from_this()), std::move(ranks),
                                           group);
}

std::unique_ptr<PointToPoint> MpiLinks::transfers(std::vector<int> ranks, int group) {
  context_.require_tags(group);
  return std::make_unique<MpiPointToPoint>(std::static_pointer_cast<MpiLinks>(shared_from_this()), std::move(ranks),
                                           group);
}

}  // namespace cleave::comm
