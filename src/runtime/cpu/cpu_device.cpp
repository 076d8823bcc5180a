#include "runtime/cpu/cpu_device.h"

#include <utility>
#include <vector>

#include "runtime/cpu/executor.h"
#include "runtime/cpu/sequence_memory.h"
#include "runtime/cpu/weight_store.h"

namespace cleave::runtime::cpu {
namespace {

class CpuModel final : public DeviceModel {
 public:
  CpuModel(WeightSource& source, lower::RankPrograms programs, const Options& options, comm::Communicator& communicator,
           ThreadPool& pool, const Progress& progress)
      : programs_(std::move(programs)),
        weights_(source, programs_.parameters, options, pool, progress),
        sequences_(programs_, options, pool) {
    for (const lower::Program& program : programs_.programs)
      executors_.push_back(std::make_unique<Executor>(program, weights_, sequences_, communicator, pool));
  }

  MemoryUse memory() const override {
    MemoryUse use{weights_.stored_bytes(), weights_.bytes(), sequences_.bytes(), 0};
    for (const auto& executor : executors_) use.activations += executor->activation_bytes();
    return use;
  }
  void save(const std::filesystem::path& file, const PartIdentity& identity) const override {
    weights_.save(file, identity);
  }
  StepOutput step(size_t program, const StepInput& input) override { return executors_.at(program)->step(input); }
  std::span<const RowLogits> logits(size_t program, std::span<const int32_t> rows) override {
    return executors_.at(program)->logits(rows);
  }
  void observe(const Observer& observer) override {
    for (const auto& executor : executors_) executor->observe(observer);
  }

 private:
  // In the order in which later ones point into earlier ones.
  const lower::RankPrograms programs_;
  const WeightStore weights_;
  SequenceMemory sequences_;
  std::vector<std::unique_ptr<Executor>> executors_;
};

}  // namespace

int64_t CpuDevice::packed_bytes(const RowLayout& rows, const lower::Parameter& parameter,
                                const Options& options) const {
  return cpu::packed_bytes(rows, parameter, options);
}

std::unique_ptr<DeviceModel> CpuDevice::load(WeightSource& weights, lower::RankPrograms programs,
                                             const Options& options, comm::Communicator& communicator,
                                             const Progress& progress) {
  return std::make_unique<CpuModel>(weights, std::move(programs), options, communicator, pool_, progress);
}

}  // namespace cleave::runtime::cpu
