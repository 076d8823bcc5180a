#include "comm/mpi_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/cpus.h"
#include "comm/mpi_communicator.h"
#include "comm/thread_group.h"
#include "comm/two_level.h"

namespace cleave::comm {
namespace {

// All processes have left MPI_Init by then; what takes longer is a network that does not answer.
constexpr std::chrono::seconds kConnectLimit{30};

// What processes tell one another at first.
struct Introduction {
  Endpoint endpoint;
  uint64_t cpus = 0;  // hash of the CPUs that it may use
  int32_t local_ranks = 0;
};

uint64_t hash_of(const std::vector<int>& cpus) {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(cpus.data()), cpus.size() * sizeof(int)});
}

std::string name_of(int first_rank, int num_ranks, const Endpoint& endpoint) {
  const std::string ranks = num_ranks == 1 ? fmt::format("rank {}", first_rank)
                                           : fmt::format("ranks {}-{}", first_rank, first_rank + num_ranks - 1);
  return fmt::format("{} (host {}, pid {})", ranks, endpoint.host, endpoint.pid);
}

// Initialises MPI, once in a process's life.
void initialise(int local_ranks) {
  int done = 0, provided = 0;
  MPI_Initialized(&done);
  CHECK(done == 0);
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS)
    fail(ErrorKind::Comm, "MPI_Init failed");
  if (provided < MPI_THREAD_MULTIPLE && local_ranks > 1)
    fail(ErrorKind::Unsupported,
         "this MPI serves one thread at a time and {} ranks per process were asked for: start one process per rank",
         local_ranks);
}

std::vector<Introduction> exchange(MPI_Comm communicator, const Introduction& own, int num_processes) {
  std::vector<Introduction> all(static_cast<size_t>(num_processes));
  if (MPI_Allgather(&own, sizeof(own), MPI_BYTE, all.data(), sizeof(own), MPI_BYTE, communicator) != MPI_SUCCESS)
    fail(ErrorKind::Comm, "MPI processes cannot exchange their addresses");
  return all;
}

}  // namespace

bool started_by_mpi(const std::function<const char*(const char*)>& environment) {
  // Open MPI; MPICH, Intel MPI and MVAPICH; anything that starts processes through PMIx, such as srun --mpi=pmix.
  constexpr const char* kVariables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"};
  return std::ranges::any_of(kVariables, [&](const char* name) { return environment(name) != nullptr; });
}

struct MpiWorld::Impl {
  explicit Impl(const MpiOptions& wanted);

  void introduce(const std::vector<Introduction>& all);
  std::shared_ptr<Failure> make_failure();

  MpiOptions options;
  MPI_Comm collectives = MPI_COMM_NULL, direct = MPI_COMM_NULL;
  std::vector<std::string> local_names;  // of this process's ranks
  CpuShare share;
  bool finished = false;
  MpiContext context;
};

MpiWorld::Impl::Impl(const MpiOptions& wanted) : options(wanted) {
  CHECK_GE(options.local_ranks, 1);
  initialise(options.local_ranks);
  MPI_Comm_dup(MPI_COMM_WORLD, &collectives);
  MPI_Comm_dup(MPI_COMM_WORLD, &direct);
  for (MPI_Comm communicator : {MPI_COMM_WORLD, collectives, direct})
    MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN);
  MPI_Comm_rank(collectives, &context.process);
  MPI_Comm_size(collectives, &context.num_processes);
  context.stall_timeout = options.local.stall_timeout;
  Listener listener;
  const Introduction own = {
      .endpoint = listener.endpoint(), .cpus = hash_of(allowed_cpus()), .local_ranks = options.local_ranks};
  const auto all = exchange(collectives, own, context.num_processes);
  introduce(all);
  std::vector<Endpoint> endpoints;
  for (const Introduction& introduction : all) endpoints.push_back(introduction.endpoint);
  context.failure = make_failure();
  context.heartbeat =
      std::make_unique<Heartbeat>(listener.connect_all(context.process, endpoints, kConnectLimit), context.names,
                                  context.stall_timeout, *context.failure, context.pulse);
  context.pulse.adopt_current_thread();
  context.heartbeat->start();
}

// Numbers the ranks and names the processes.
void MpiWorld::Impl::introduce(const std::vector<Introduction>& all) {
  const Introduction& own = all[static_cast<size_t>(context.process)];
  int first_rank = 0;
  for (const Introduction& other : all) {
    if (&other == &own) share.first_rank = share.num_ranks;
    if (std::strcmp(other.endpoint.host, own.endpoint.host) == 0 && other.cpus == own.cpus)
      share.num_ranks += other.local_ranks;
    context.first_ranks.push_back(first_rank);
    context.names.push_back(name_of(first_rank, other.local_ranks, other.endpoint));
    first_rank += other.local_ranks;
  }
  context.first_ranks.push_back(first_rank);
  options.local.num_neighbours = share.num_ranks - options.local_ranks;
  context.cores_suffice = share.num_ranks * options.local.threads_per_rank <= usable_cpus();
  for (int rank = 0; rank < options.local_ranks; ++rank)
    local_names.push_back(name_of(context.first_ranks[static_cast<size_t>(context.process)] + rank, 1, own.endpoint));
}

std::shared_ptr<Failure> MpiWorld::Impl::make_failure() {
  return std::make_shared<Failure>([this](const std::string& text) {
    context.heartbeat->tell(text);
    if (options.on_failure) options.on_failure(text);
  });
}

MpiWorld::MpiWorld(const MpiOptions& options) : impl_(std::make_unique<Impl>(options)) {}

// After a failure MPI is left as it is: MPI_Finalize would wait for the dead.
MpiWorld::~MpiWorld() {
  if (!impl_->finished) impl_->context.failure->set(impl_->context.names[static_cast<size_t>(process())] + " gave up");
}

void MpiWorld::abort(std::string_view why) {
  impl_->context.failure->set(impl_->context.names[static_cast<size_t>(process())] + " gave up: " + std::string(why));
}

int MpiWorld::process() const {
  return impl_->context.process;
}

int MpiWorld::first_rank(int process) const {
  return impl_->context.first_ranks.at(static_cast<size_t>(process));
}

int MpiWorld::num_processes() const {
  return impl_->context.num_processes;
}

CpuShare MpiWorld::cpu_share() const {
  return impl_->share;
}

std::vector<std::unique_ptr<Communicator>> MpiWorld::communicators() {
  std::vector<std::unique_ptr<Communicator>> ranks;
  MpiContext& context = impl_->context;
  // One rank per process everywhere: no second level.
  if (context.num_ranks() == context.num_processes) {
    ranks.push_back(std::make_unique<MpiCommunicator>(context, impl_->collectives));
    return ranks;
  }
  auto locals = thread_communicators(impl_->local_names, impl_->options.local, context.failure);
  const int first_rank = context.first_ranks[static_cast<size_t>(context.process)];
  for (int rank = 0; rank < impl_->options.local_ranks; ++rank) {
    auto between = rank == 0 ? std::make_unique<MpiCommunicator>(context, impl_->collectives) : nullptr;
    auto direct = std::make_unique<MpiPointToPoint>(context, impl_->direct, first_rank + rank);
    ranks.push_back(std::make_unique<TwoLevelCommunicator>(std::move(locals[static_cast<size_t>(rank)]),
                                                           std::move(between), std::move(direct), context.first_ranks,
                                                           context.process));
  }
  return ranks;
}

void MpiWorld::finish() {
  MpiCommunicator(impl_->context, impl_->collectives).barrier();
  impl_->context.heartbeat->say_goodbye();
  MPI_Comm_free(&impl_->collectives);
  MPI_Comm_free(&impl_->direct);
  MPI_Finalize();
  impl_->finished = true;
}

}  // namespace cleave::comm
