#include "runtime/rank_group.h"

#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/start_thread.h"
#include "comm/timed_communicator.h"
#include "runtime/command.h"
#include "runtime/load_board.h"
#include "runtime/rank.h"
#include "runtime/shared_progress.h"
#include "runtime/shared_work.h"

namespace cleave::runtime {
namespace {

// Runs `work` and, should it throw, tells the other ranks before passing it on.
template <class Work>
void guarded(comm::Communicator& communicator, Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    communicator.abort(error.what());
    throw;
  } catch (...) {  // of a callback of the library's user
    communicator.abort("it was ended by an exception without a description");
    throw;
  }
}

// Has the communicator of the first rank count its time.
const comm::TimedCommunicator& time_first(LocalRanks& local) {
  auto timed = std::make_unique<comm::TimedCommunicator>(std::move(local.communicators.front()));
  const comm::TimedCommunicator& result = *timed;
  local.communicators.front() = std::move(timed);
  return result;
}

}  // namespace

struct RankGroup::Impl {
  explicit Impl(LocalRanks given)
      : local(std::move(given)),
        first_communicator(time_first(local)),
        ranks(local.communicators.size()),
        board(ranks.size()),
        work(ranks.size(), local.threads_per_rank) {}

  LocalRanks local;
  const comm::TimedCommunicator& first_communicator;
  std::vector<std::unique_ptr<Rank>> ranks;
  LoadBoard board;
  SharedWork work;
  std::vector<std::thread> threads;  // of all ranks but the first
  bool ended = false;                // nobody waits for commands of this process, or will hear them

  comm::Communicator& communicator(size_t index) const { return *local.communicators[index]; }
  Rank& first() const { return *ranks.front(); }
  bool leads() const { return communicator(0).rank() == 0; }

  void make_rank(size_t index) {
    const std::vector<int> cpus = local.cpus.empty() ? std::vector<int>() : local.cpus[index];
    ranks[index] = std::make_unique<Rank>(communicator(index), index, local.threads_per_rank, cpus);
  }

  // Does what the leader wants until it ends the group; `load` what a process does beside its rank's part of a load.
  void obey(size_t index, const std::function<void(const Command&)>& load) {
    Rank& rank = *ranks[index];
    for (;;) {
      const Command command = rank.commands().receive();
      switch (command.kind) {
        case Command::Kind::Load:
          load(command);
          break;
        case Command::Kind::Step:
          rank.step(command);
          break;
        case Command::Kind::Logits:
          rank.logits(command);
          break;
        case Command::Kind::Work:
          if (leads()) work.take_part(index, rank.device());
          break;
        case Command::Kind::Unload:
          rank.unload(command.model);
          break;
        case Command::Kind::End:
          return;
      }
    }
  }

  // The life of a rank that has a thread of its own. The leader hears of errors through the communicators.
  void live(size_t index) {
    try {
      guarded(communicator(index), [&] {
        make_rank(index);
        obey(index, [&](const Command& command) {
          ranks[index]->load(command.model, board.await(index, [&] { communicator(index).tick(); }));
          board.leave(index);
        });
      });
    } catch (...) {
    }
    board.end(index);
    work.leave(index);
  }

  // A load by the first rank of a process: the others take part, and have let go of the source when it returns.
  std::optional<Error> load(int32_t model, LoadJob& job, const std::function<void()>& announce) {
    board.post(job);
    std::optional<Error> refusal;
    std::exception_ptr error;
    try {
      guarded(communicator(0), [&] {
        announce();
        refusal = first().load(model, job);
      });
    } catch (...) {
      error = std::current_exception();
    }
    board.await_others();
    if (error) std::rethrow_exception(error);
    return refusal;
  }

  // A load by the first rank of a process that does not lead.
  void load_described(const Command& command, const OpenSource& open) {
    SharedProgress progress(ranks.size(), {});
    LoadJob job{.progress = &progress};
    ModelSource source;
    try {
      source = open(command.description);
      job.source = &source;
    } catch (const Error& error) {
      job.error = error;
    } catch (const std::exception& error) {
      job.error = Error(ErrorKind::Internal, error.what());
    }
    load(command.model, job, [] {});
  }

  void send(const Command& command) { first().commands().send(command); }

  // Sends a command and does the first rank's part of it.
  void command(const Command& command, FunctionRef<void(Rank& rank, const Command& command)> part) {
    try {
      guarded(communicator(0), [&] {
        send(command);
        part(first(), command);
      });
    } catch (...) {
      ended = true;
      throw;
    }
  }

  void join() {
    board.close();
    for (std::thread& thread : threads)
      if (thread.joinable()) thread.join();
  }
};

RankGroup::RankGroup(LocalRanks local) {
  CHECK(!local.communicators.empty());
  impl_ = std::make_unique<Impl>(std::move(local));
  Impl& m = *impl_;
  try {
    guarded(m.communicator(0), [&] {
      for (size_t r = 1; r < m.ranks.size(); ++r) m.threads.push_back(start_thread([&m, r] { m.live(r); }));
      m.make_rank(0);
    });
  } catch (...) {
    m.join();
    throw;
  }
}

RankGroup::~RankGroup() {
  Impl& m = *impl_;
  if (!m.ended) {
    try {
      if (leads())
        m.send({Command::Kind::End});
      else
        m.communicator(0).abort("it was not to follow");
    } catch (const std::exception&) {  // another rank failed at the very end: it has said so itself
    }
  }
  m.join();
}

bool RankGroup::leads() const {
  return impl_->leads();
}
int RankGroup::size() const {
  return impl_->communicator(0).size();
}
const LoadedPart& RankGroup::part(int32_t model) const {
  return impl_->first().part(model);
}

void RankGroup::follow(const OpenSource& open) {
  CHECK(!leads());
  Impl& m = *impl_;
  m.ended = true;  // whatever ends it, there is nothing to tell the others
  guarded(m.communicator(0), [&] { m.obey(0, [&](const Command& command) { m.load_described(command, open); }); });
}

int32_t RankGroup::load(const ModelSource& source, std::string_view description, const Progress& progress) {
  CHECK(leads());
  CHECK_EQ(size(), source.plan->ranks);
  Impl& m = *impl_;
  SharedProgress shared(m.ranks.size(), progress);
  LoadJob job{&source, std::nullopt, &shared};
  const int32_t number = m.first().free_number();
  std::optional<Error> refusal;
  try {
    refusal = m.load(number, job,
                     [&] { m.send({.kind = Command::Kind::Load, .model = number, .description = description}); });
  } catch (...) {
    m.ended = true;
    throw;
  }
  if (refusal) throw Error(*refusal);
  return number;
}

StepOutput RankGroup::step(int32_t model, int32_t program, const StepInput& input) {
  StepOutput output;
  impl_->command({Command::Kind::Step, model, program, input},
                 [&](Rank& rank, const Command& command) { output = rank.step(command); });
  return output;
}

std::span<const RowLogits> RankGroup::logits(int32_t model, int32_t program, std::span<const int32_t> rows) {
  std::span<const RowLogits> output;
  impl_->command({Command::Kind::Logits, model, program, {.tokens = {}, .sequences = {}, .output_rows = rows}},
                 [&](Rank& rank, const Command& command) { output = rank.logits(command); });
  return output;
}

double RankGroup::exchange_seconds() const {
  return impl_->first_communicator.seconds();
}

int RankGroup::num_workers() const {
  return impl_->work.num_workers();
}

void RankGroup::share_out(int64_t count, FunctionRef<void(int64_t index, int worker)> task) {
  Impl& m = *impl_;
  if (count <= 1) {
    if (count == 1) task(0, 0);
    return;
  }
  m.work.post(count, task);
  try {
    if (m.ranks.size() > 1) guarded(m.communicator(0), [&] { m.send({Command::Kind::Work}); });
  } catch (...) {
    m.ended = true;
    throw;
  }
  m.work.take_part(0, m.first().device());
  if (m.ranks.size() > 1) m.work.await_others();
}

void RankGroup::unload(int32_t model) noexcept {
  Impl& m = *impl_;
  try {
    if (m.ended) return m.first().drop(model);
    m.send({Command::Kind::Unload, model});
    m.first().unload(model);
  } catch (const std::exception&) {  // the next call says so
    m.ended = true;
    m.first().drop(model);
  }
}

void RankGroup::observe(int32_t model, const Observer& observer) {
  for (const auto& rank : impl_->ranks) rank->part(model).model->observe(observer);
}

}  // namespace cleave::runtime
