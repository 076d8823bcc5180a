#include "runtime/rank.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/topology.h"
#include "base/worker_ids.h"
#include "runtime/cpu/cpu_device.h"

namespace cleave::runtime {
namespace {

std::unique_ptr<Device> make_device(comm::Communicator& communicator, int num_threads, std::span<const int> cpus) {
  if (!cpus.empty()) pin_current_thread(cpus[0]);
  auto device = std::make_unique<cpu::CpuDevice>(num_threads, cpus);
  communicator.watch(worker_ids(device->pool()));
  return device;
}

}  // namespace

Rank::Rank(comm::Communicator& communicator, size_t index, int num_threads, std::span<const int> cpus)
    : communicator_(communicator),
      index_(index),
      device_(make_device(communicator, num_threads, cpus)),
      commands_(communicator) {}

std::optional<Error> Rank::load(int32_t model, const LoadJob& job) {
  RankLoader loader(communicator_, *device_, job);
  if (auto refusal = loader.prepare()) return refusal;
  const auto number = static_cast<size_t>(model);
  parts_.resize(std::max(parts_.size(), number + 1));
  CHECK(parts_[number] == nullptr);
  parts_[number] = loader.finish([&](int64_t done, int64_t total) { job.progress->update(index_, done, total); });
  return std::nullopt;
}

StepOutput Rank::step(const Command& command) {
  return part(command.model).model->step(static_cast<size_t>(command.program), command.input);
}

std::span<const RowLogits> Rank::logits(const Command& command) {
  return part(command.model).model->logits(static_cast<size_t>(command.program), command.input.output_rows);
}

void Rank::unload(int32_t model) {
  drop(model);
  communicator_.barrier();
}

void Rank::drop(int32_t model) {
  parts_.at(static_cast<size_t>(model)).reset();
}

LoadedPart& Rank::part(int32_t model) const {
  const auto& part = parts_.at(static_cast<size_t>(model));
  CHECK(part != nullptr);
  return *part;
}

int32_t Rank::free_number() const {
  return static_cast<int32_t>(std::ranges::find_if(parts_, [](const auto& part) { return part == nullptr; }) -
                              parts_.begin());
}

}  // namespace cleave::runtime
