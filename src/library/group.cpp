#include <algorithm>
#include <utility>

#include "base/cpus.h"
#include "base/error.h"
#include "inference/follower.h"
#include "library/impl.h"

namespace cleave {
namespace {

inference::GroupOptions group_options(const GroupOptions& options) {
  if (options.ranks < 1) fail(ErrorKind::InvalidArgument, "a group of {} ranks, wanted at least 1", options.ranks);
  if (options.threads < 0)
    fail(ErrorKind::InvalidArgument, "{} threads, wanted 1 or more, or 0 for one on each CPU", options.threads);
  const int threads = options.threads == 0 ? usable_cpus() : options.threads;
  return {.ranks = options.ranks,
          .threads_per_rank = std::max(1, threads / options.ranks),
          .pin = options.pin,
          .mpi = options.mpi};
}

}  // namespace

Group::Impl::Impl(const GroupOptions& options) : group(group_options(options)) {}

void Group::Impl::require_leading() const {
  if (finished) fail(ErrorKind::InvalidArgument, "the group has finished; make a new one");
  if (!group.leads()) fail(ErrorKind::InvalidArgument, "sessions are made in the process of rank 0; others follow()");
}

Turn::Turn(GroupUse& use) : use_(use) {
  if (use_.is_computing.exchange(true))
    fail(ErrorKind::InvalidArgument,
         "the ranks of this group are computing; they take one call at a time, and none from within a callback");
}

Group::Group(const GroupOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Group::Group(Group&&) noexcept = default;
Group::~Group() = default;

int Group::ranks() const {
  return impl_->group.num_ranks();
}
bool Group::leads() const {
  return impl_->group.leads();
}
void Group::finish() {
  if (const int left = impl_->use.sessions; left > 0)
    fail(ErrorKind::InvalidArgument, "a group with {} session{} left cannot finish; end {} first", left,
         left == 1 ? "" : "s", left == 1 ? "it" : "them");
  impl_->finished = true;
  impl_->group.finish();
}
void Group::follow(const ModelOptions& model) {
  if (leads()) fail(ErrorKind::InvalidArgument, "this process has rank 0, which leads; others follow");
  inference::follow(model.path, impl_->group);
}

}  // namespace cleave
