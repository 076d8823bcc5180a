#include "runtime/rank_loader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "graph/recompute_lengths.h"
#include "lower/lower.h"
#include "runtime/memory_need.h"
#include "runtime/weights/packed_source.h"
#include "runtime/weights/weight_source.h"

namespace cleave::runtime {

template <class T>
std::vector<T> RankLoader::gather(const T& mine) {
  std::vector<T> all(static_cast<size_t>(communicator_.size()));
  communicator_.all_gather(&mine, all.data(), std::vector<int64_t>(all.size(), sizeof(T)));
  return all;
}

// Tries a stage that involves no other rank, and hears how it went elsewhere.
std::optional<Error> RankLoader::agree(const std::function<void()>& stage) {
  Standing mine{.has_files = job_.source != nullptr && (job_.source->tensors != nullptr || job_.source->packed)};
  std::optional<Error> error;
  try {
    stage();
  } catch (const Error& caught) {
    error = caught;
  } catch (const std::exception& caught) {
    error = Error(ErrorKind::Internal, caught.what());
  }
  if (error) {
    mine.failed = true;
    mine.kind = error->kind();
    std::string(error->what()).copy(mine.text, sizeof mine.text - 1);
  }
  standings_ = gather(mine);
  if (error) return error;
  const auto failed = std::ranges::find_if(standings_, &Standing::failed);
  if (failed == standings_.end()) return std::nullopt;
  return Error(failed->kind,
               fmt::format("rank {} cannot load the model: {}", failed - standings_.begin(), failed->text));
}

lower::RankPrograms RankLoader::programs_of(int rank) const {
  return lower::lower(*job_.source->graph, *job_.source->plan, rank, job_.source->options.sizes.limits());
}

// A failure of the communicator comes again with its next call.
std::optional<Error> RankLoader::compare_plans() {
  try {
    comm::require_equal(communicator_, job_.source->plan->hash(), "plans");
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

// On rank 0 also those of ranks that have no files.
void RankLoader::open_weights() {
  if (job_.source->packed) {
    weights_ = packed_weights(*job_.source->packed, communicator_.rank(), communicator_.size(), programs_.parameters);
    return;
  }
  const ckpt::TensorSource* tensors = job_.source->tensors;
  if (tensors != nullptr) weights_ = weights_from_files(*tensors, programs_.parameters);
  if (communicator_.rank() != 0) return;
  if (tensors == nullptr) fail(ErrorKind::NotFound, "rank 0 has no files of the model");
  for (size_t rank = 1; rank < standings_.size(); ++rank) {
    if (standings_[rank].has_files) continue;
    if (!feed_) feed_.emplace(communicator_);
    feed_->add(static_cast<int>(rank), *tensors, programs_of(static_cast<int>(rank)).parameters);
  }
}

void RankLoader::announce_weights() {
  if (feed_) feed_->announce();
  if (!weights_) weights_ = weights_from_rank_0(communicator_);
}

int64_t RankLoader::packed_bytes() const {
  int64_t bytes = 0;
  for (size_t p = 0; p < programs_.parameters.size(); ++p)
    bytes += device_.packed_bytes(weights_->layouts()[p], programs_.parameters[p], job_.source->options);
  return bytes;
}

std::optional<Error> RankLoader::prepare() {
  const auto make_programs = [&] {
    if (job_.error) throw *job_.error;
    programs_ = programs_of(communicator_.rank());
  };
  if (auto error = agree(make_programs)) return error;
  if (auto error = compare_plans()) return error;
  if (auto error = agree([&] { open_weights(); })) return error;
  announce_weights();
  return find_shortage(gather(memory_need(packed_bytes())));
}

std::unique_ptr<LoadedPart> RankLoader::finish(const Progress& progress) {
  if (feed_) feed_->send();
  feed_.reset();
  auto part = std::make_unique<LoadedPart>();
  part->owner = job_.source->owner;
  part->keeps_states = !programs_.states.empty();
  part->recompute_lengths = graph::recompute_lengths(*job_.source->graph);
  part->turning = graph::turning(*job_.source->graph);
  for (const lower::Program& program : programs_.programs) part->output_widths.push_back(program.output_width);
  const Progress ticking = [&](int64_t done, int64_t total) {
    communicator_.tick();
    progress(done, total);
  };
  part->model = device_.load(*weights_, std::move(programs_), job_.source->options, communicator_, ticking);
  if (const auto& save = job_.source->save) {
    const PartIdentity identity{save->model, communicator_.rank(), communicator_.size()};
    std::error_code error;  // of a machine that the leader's folder is not on; saving says what is wrong
    std::filesystem::create_directories(save->directory, error);
    part->model->save(save->directory / part_file(identity), identity);
  }
  RankReport report{part->model->memory()};
  gethostname(report.machine, sizeof report.machine - 1);
  report.process = getpid();
  report.num_threads = device_.num_threads();
  part->reports = gather(report);
  return part;
}

}  // namespace cleave::runtime
