#pragma once

#include <memory>
#include <span>

#include "base/thread_pool.h"
#include "runtime/device/device.h"

namespace cleave::runtime::cpu {

/// The cores of a machine that one rank computes with: a pool of threads, of which the rank's own thread is the first.
class CpuDevice final : public Device {
 public:
  /// Worker t of the pool is bound to cpus[t]; the rank's thread binds itself. Empty: anywhere.
  CpuDevice(int num_threads, std::span<const int> cpus) : pool_(num_threads, cpus) {}

  ThreadPool& pool() { return pool_; }

  int64_t packed_bytes(const RowLayout& rows, const lower::Parameter& parameter, const Options& options) const override;
  std::unique_ptr<DeviceModel> load(WeightSource& weights, lower::RankPrograms programs, const Options& options,
                                    comm::Communicator& communicator, const Progress& progress) override;
  int num_threads() const override { return pool_.size(); }
  void run(FunctionRef<void(int thread)> job) override { pool_.run(job); }

 private:
  ThreadPool pool_;
};

}  // namespace cleave::runtime::cpu
