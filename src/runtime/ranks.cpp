#include "runtime/ranks.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "base/check.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/topology.h"
#include "base/worker_ids.h"
#include "lower/lower.h"
#include "runtime/cpu/executor.h"
#include "runtime/step_message.h"
#include "runtime/weights/weight_source.h"

namespace cleave::runtime {
namespace {

/// Adds up the progress of ranks that load at the same time.
class SharedProgress {
 public:
  SharedProgress(size_t ranks, const Progress& progress) : progress_(progress), done_(ranks), total_(ranks) {}

  void update(size_t rank, int64_t done, int64_t total) {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    done_[rank] = done;
    total_[rank] = total;
    int64_t all_done = 0, all = 0;
    for (size_t r = 0; r < done_.size(); ++r) {
      if (total_[r] == 0) return;  // has not begun: the sum would mislead
      all_done += done_[r];
      all += total_[r];
    }
    progress_(all_done, all);
  }

 private:
  const Progress& progress_;
  std::mutex mutex_;
  std::vector<int64_t> done_, total_;
};

/// What a rank is going to hold, and where.
struct Need {
  char machine[64] = {};  // its name, cut if need be
  int64_t weights = 0;
  int64_t available = 0;
};

// Memory is given out as it is first used, and where there is none left the system ends a process without a word. All
// ranks look before any of them loads. Throws Error(Io) where this machine cannot hold the weights of its ranks.
void require_memory(comm::Communicator& communicator, int64_t weights) {
  Need mine{.weights = weights, .available = available_memory().value_or(INT64_MAX)};
  gethostname(mine.machine, sizeof mine.machine - 1);
  std::vector<Need> all(static_cast<size_t>(communicator.size()));
  communicator.all_gather(&mine, all.data(), std::vector<int64_t>(all.size(), sizeof(Need)));
  int64_t wanted = 0, available = INT64_MAX;
  for (const Need& need : all) {
    if (std::string_view(need.machine) != mine.machine) continue;
    wanted += need.weights;
    available = std::min(available, need.available);
  }
  if (wanted > available)
    fail(ErrorKind::Io,
         "the weights take {} of memory on {}, which has {} left: quantise them (--weights int8 or int4), or split the "
         "model over more machines",
         format_bytes(static_cast<double>(wanted)), mine.machine, format_bytes(static_cast<double>(available)));
}

}  // namespace

struct Ranks::Impl {
  /// One rank. Its model is made on its own thread, so that its memory lies where that thread runs.
  struct Rank {
    comm::Communicator* communicator = nullptr;
    std::unique_ptr<ThreadPool> pool;
    std::unique_ptr<cpu::Executor> model;
    std::unique_ptr<StepMessage> message;
    std::thread thread;  // of all but the first
    bool failed = false;
  };

  LocalRanks local;
  Options options;
  std::vector<Rank> ranks;
  std::vector<RankReport> reports;
  bool failed = false;
  std::atomic<size_t> loaded = 0;  // ranks with threads of their own that have loaded or failed to

  // Runs `work` and, should it throw, tells the other ranks before passing it on.
  template <class Work>
  static void guarded(Rank& rank, Work work) {
    try {
      work();
    } catch (const std::exception& error) {
      rank.communicator->abort(error.what());
      throw;
    }
  }

  void load(Rank& rank, const WeightOrigin& weights, const graph::Graph& graph, const plan::Plan& plan,
            const Progress& progress) {
    guarded(rank, [&] {
      comm::require_equal(*rank.communicator, plan.hash(), "plans");
      const auto index = static_cast<size_t>(&rank - ranks.data());
      const std::vector<int> cpus = local.cpus.empty() ? std::vector<int>() : local.cpus[index];
      if (!cpus.empty()) pin_current_thread(cpus[0]);
      rank.pool = std::make_unique<ThreadPool>(local.threads_per_rank, cpus);
      rank.communicator->watch(worker_ids(*rank.pool));
      rank.message = std::make_unique<StepMessage>(*rank.communicator);
      const int number = rank.communicator->rank();
      std::optional<WeightFeed> feed;
      if (number == 0 && !weights.feed.empty())
        feed.emplace(*weights.tensors, fed_parameters(weights, graph, plan), options, *rank.communicator);
      lower::RankPrograms programs = lower::lower(graph, plan, number, limits_of(options));
      const auto source = weights.tensors != nullptr
                              ? weights_from_files(*weights.tensors, programs.parameters, options)
                              : weights_from_rank_0(*rank.communicator);
      require_memory(*rank.communicator, source->packed_bytes());
      if (feed) feed->send();
      feed.reset();
      const Progress ticking = [&](int64_t done, int64_t total) {
        rank.communicator->tick();
        progress(done, total);
      };
      rank.model = std::make_unique<cpu::Executor>(
          cpu::Executor::load(*source, std::move(programs), options, *rank.communicator, *rank.pool, ticking));
      exchange_reports(rank);
    });
  }

  std::vector<std::pair<int, std::vector<lower::Parameter>>> fed_parameters(const WeightOrigin& weights,
                                                                            const graph::Graph& graph,
                                                                            const plan::Plan& plan) const {
    std::vector<std::pair<int, std::vector<lower::Parameter>>> parameters;
    for (const int rank : weights.feed)
      parameters.emplace_back(rank, lower::lower(graph, plan, rank, limits_of(options)).parameters);
    return parameters;
  }

  // Rank 0 learns what everybody holds; it also means that everybody is ready.
  void exchange_reports(Rank& rank) {
    const RankReport mine{rank.model->memory()};
    std::vector<RankReport> all(static_cast<size_t>(rank.communicator->size()));
    const std::vector<int64_t> bytes(all.size(), sizeof(RankReport));
    rank.communicator->all_gather(&mine, all.data(), bytes);
    if (&rank == &ranks.front()) reports = std::move(all);
  }

  void follow(Rank& rank) {
    guarded(rank, [&] {
      while (const std::optional<StepInput> input = rank.message->receive()) rank.model->step(*input);
    });
  }

  // On a thread of its own: the error reaches the caller of step() through the communicators.
  void follow_quietly(Rank& rank) {
    try {
      follow(rank);
    } catch (const std::exception&) {
      rank.failed = true;
    }
  }
};

Ranks::Ranks(const WeightOrigin& weights, const graph::Graph& graph, const plan::Plan& plan, const Options& options,
             LocalRanks local, const Progress& progress)
    : impl_(std::make_unique<Impl>()) {
  Impl& m = *impl_;
  CHECK(!local.communicators.empty());
  CHECK_EQ(local.communicators[0]->size(), plan.ranks);
  m.local = std::move(local);
  m.options = options;
  m.ranks.resize(m.local.communicators.size());
  SharedProgress shared(m.ranks.size(), progress);
  const auto load = [&](size_t r) {
    m.load(m.ranks[r], weights, graph, plan, [&, r](int64_t done, int64_t total) { shared.update(r, done, total); });
  };
  for (size_t r = 0; r < m.ranks.size(); ++r) m.ranks[r].communicator = m.local.communicators[r].get();
  for (size_t r = 1; r < m.ranks.size(); ++r)
    m.ranks[r].thread = std::thread([&, r, &rank = m.ranks[r], impl = impl_.get()] {
      try {
        load(r);
      } catch (...) {
        rank.failed = true;
      }
      impl->loaded.fetch_add(1);
      impl->loaded.notify_all();
      if (!rank.failed) impl->follow_quietly(rank);
    });
  std::exception_ptr error;
  try {
    load(0);
  } catch (...) {
    error = std::current_exception();
  }
  for (size_t done = m.loaded; done + 1 < m.ranks.size(); done = m.loaded) m.loaded.wait(done);
  if (error) {
    m.failed = true;
    for (Impl::Rank& rank : m.ranks)
      if (rank.thread.joinable()) rank.thread.join();
    std::rethrow_exception(error);
  }
}

Ranks::~Ranks() {
  Impl& m = *impl_;
  if (lead() && !m.failed && m.ranks.front().message) {
    try {
      m.ranks.front().message->send_end();
    } catch (const std::exception&) {  // another rank failed at the very end: it has said so itself
    }
  }
  for (Impl::Rank& rank : m.ranks)
    if (rank.thread.joinable()) rank.thread.join();
}

bool Ranks::lead() const {
  return impl_->ranks.front().communicator->rank() == 0;
}
int Ranks::size() const {
  return impl_->ranks.front().communicator->size();
}
int64_t Ranks::vocab_size() const {
  return impl_->ranks.front().model->vocab_size();
}
int64_t Ranks::num_blocks() const {
  return impl_->ranks.front().model->num_blocks();
}
int64_t Ranks::num_state_slots() const {
  return impl_->ranks.front().model->num_state_slots();
}
const Options& Ranks::options() const {
  return impl_->options;
}
const std::vector<RankReport>& Ranks::reports() const {
  return impl_->reports;
}

void Ranks::observe(const Observer& observer) {
  for (Impl::Rank& rank : impl_->ranks) rank.model->observe(observer);
}

std::span<const float> Ranks::step(const StepInput& input) {
  Impl::Rank& rank = impl_->ranks.front();
  std::span<const float> logits;
  try {
    Impl::guarded(rank, [&] {
      rank.message->send(input);
      logits = rank.model->step(input);
    });
  } catch (...) {
    impl_->failed = true;
    throw;
  }
  return logits;
}

void Ranks::follow() {
  impl_->failed = true;  // whatever ends it, there is nothing to tell the others
  impl_->follow(impl_->ranks.front());
}

}  // namespace cleave::runtime
