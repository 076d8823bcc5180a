#include "comm/mpi/mpi_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "base/check.h"
#include "base/cpus.h"
#include "comm/mpi/mpi_communicator.h"
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
  return fmt::format("{} (host {}, pid {})", name_of_ranks(first_rank, num_ranks), endpoint.host, endpoint.pid);
}

// Initialises MPI, once in a process's life.
void initialise(int local_ranks) {
  int done = 0, provided = 0;
  MPI_Initialized(&done);
  if (done != 0)
    fail(ErrorKind::InvalidArgument,
         "MPI has been initialised in this process already: only one group with mpi can be made, and it does so");
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

class MpiWorld final : public World {
 public:
  explicit MpiWorld(const MpiOptions& options);
  ~MpiWorld() override;

  int process() const override { return context_.process; }
  int num_processes() const override { return context_.num_processes; }
  int first_rank(int process) const override { return context_.first_ranks.at(static_cast<size_t>(process)); }
  CpuShare cpu_share() const override { return share_; }
  int threads_per_rank() const override { return options_.local.threads_per_rank; }
  std::vector<std::unique_ptr<Communicator>> communicators() override;
  void abort(std::string_view why) override { give_up(fmt::format(" gave up: {}", why)); }
  void finish() override;

 private:
  const std::string& own_name() const { return context_.names[static_cast<size_t>(process())]; }
  void give_up(const std::string& how) { context_.failure->set(own_name() + how); }
  std::span<const Member> local_members() const;
  TwoLevelGroup all_ranks() const;
  void introduce(const std::vector<Introduction>& all);
  std::shared_ptr<Failure> make_failure();
  void start_heartbeat(Listener& listener, const std::vector<Introduction>& all);

  MpiOptions options_;
  CpuShare share_;
  bool finished_ = false;
  MpiContext context_;
};

MpiWorld::MpiWorld(const MpiOptions& options) : options_(options) {
  CHECK_GE(options_.local_ranks, 1);
  initialise(options_.local_ranks);
  MPI_Comm_dup(MPI_COMM_WORLD, &context_.collectives);
  MPI_Comm_dup(MPI_COMM_WORLD, &context_.direct);
  for (MPI_Comm communicator : {MPI_COMM_WORLD, context_.collectives, context_.direct})
    MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN);
  MPI_Comm_rank(context_.collectives, &context_.process);
  MPI_Comm_size(context_.collectives, &context_.num_processes);
  context_.stall_timeout = options_.local.stall_timeout;
  Listener listener;
  const Introduction own = {
      .endpoint = listener.endpoint(), .cpus = hash_of(allowed_cpus()), .local_ranks = options_.local_ranks};
  const auto all = exchange(context_.collectives, own, context_.num_processes);
  introduce(all);
  context_.failure = make_failure();
  start_heartbeat(listener, all);
}

// Numbers the ranks and names them and the processes.
void MpiWorld::introduce(const std::vector<Introduction>& all) {
  const Introduction& own = all[static_cast<size_t>(process())];
  int first_rank = 0;
  for (const Introduction& other : all) {
    if (&other == &own) share_.first_rank = share_.num_ranks;
    if (std::strcmp(other.endpoint.host, own.endpoint.host) == 0 && other.cpus == own.cpus)
      share_.num_ranks += other.local_ranks;
    context_.first_ranks.push_back(first_rank);
    context_.most_local_ranks = std::max(context_.most_local_ranks, other.local_ranks);
    context_.names.push_back(name_of(first_rank, other.local_ranks, other.endpoint));
    for (int rank = first_rank; rank < first_rank + other.local_ranks; ++rank)
      context_.members.push_back({.name = name_of(rank, 1, other.endpoint)});
    first_rank += other.local_ranks;
  }
  context_.first_ranks.push_back(first_rank);
  options_.local.threads_per_rank = threads_of_rank(options_.local, share_.num_ranks);
  options_.local.num_neighbours = share_.num_ranks - options_.local_ranks;
  context_.cores_suffice = share_.num_ranks * options_.local.threads_per_rank <= usable_cpus();
}

std::shared_ptr<Failure> MpiWorld::make_failure() {
  return std::make_shared<Failure>([this](const std::string& text) {
    context_.heartbeat->tell(text);
    if (options_.on_failure) options_.on_failure(text);
  });
}

void MpiWorld::start_heartbeat(Listener& listener, const std::vector<Introduction>& all) {
  std::vector<Endpoint> endpoints;
  for (const Introduction& introduction : all) endpoints.push_back(introduction.endpoint);
  std::vector<Socket> sockets = listener.connect_all(process(), endpoints, kConnectLimit);
  std::vector<HeartbeatPeer> peers;
  for (size_t p = 0; p < all.size(); ++p)
    peers.push_back({std::move(sockets[p]), context_.names[p], all[p].local_ranks});
  std::vector<std::shared_ptr<Pulse>> pulses;
  for (const Member& member : local_members()) pulses.push_back(member.pulse);
  pulses.front()->adopt_current_thread();  // until the first rank's thread makes a call, it is this one
  context_.heartbeat =
      std::make_unique<Heartbeat>(std::move(peers), context_.stall_timeout, *context_.failure, std::move(pulses));
  context_.heartbeat->start();
}

std::span<const Member> MpiWorld::local_members() const {
  return std::span(context_.members)
      .subspan(static_cast<size_t>(first_rank(process())), static_cast<size_t>(options_.local_ranks));
}

// After a failure MPI is left as it is: MPI_Finalize would wait for the dead.
MpiWorld::~MpiWorld() {
  if (!finished_) give_up(" gave up");
}

TwoLevelGroup MpiWorld::all_ranks() const {
  TwoLevelGroup group{.first_ranks = context_.first_ranks, .process = process()};
  group.ranks.resize(static_cast<size_t>(context_.num_ranks()));
  std::iota(group.ranks.begin(), group.ranks.end(), 0);
  return group;
}

std::vector<std::unique_ptr<Communicator>> MpiWorld::communicators() {
  const TwoLevelGroup group = all_ranks();
  const int first = first_rank(process());
  std::vector<std::unique_ptr<Communicator>> ranks;
  // One rank per process everywhere: no second level.
  if (context_.num_ranks() == num_processes()) {
    ranks.push_back(std::make_shared<MpiLinks>(context_, first)->collectives(group.ranks, group.number));
    return ranks;
  }
  const auto members = local_members();
  auto locals = thread_communicators({members.begin(), members.end()}, options_.local, context_.failure);
  for (int rank = 0; rank < options_.local_ranks; ++rank)
    ranks.push_back(std::make_unique<TwoLevelCommunicator>(std::move(locals[static_cast<size_t>(rank)]),
                                                           std::make_shared<MpiLinks>(context_, first + rank), group));
  return ranks;
}

void MpiWorld::finish() {
  std::make_shared<MpiLinks>(context_, first_rank(process()))->collectives(all_ranks().leaders(), 0)->barrier();
  context_.heartbeat->say_goodbye();
  MPI_Comm_free(&context_.collectives);
  MPI_Comm_free(&context_.direct);
  MPI_Finalize();
  finished_ = true;
}

}  // namespace

bool has_mpi() {
  return true;
}

std::unique_ptr<World> mpi_world(const MpiOptions& options) {
  return std::make_unique<MpiWorld>(options);
}

}  // namespace cleave::comm
