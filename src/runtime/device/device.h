#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/thread_pool.h"
#include "comm/communicator.h"
#include "lower/program.h"
#include "runtime/device/options.h"
#include "runtime/device/packed_part.h"
#include "runtime/device/step.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

/// Sees what an instruction has computed: the rows of its output in the current step, one after another. Called on the
/// rank's thread.
using Observer = std::function<void(int rank, const lower::Instruction& instruction, std::span<const float> output)>;

/// Bytes of weights packed so far and in all; called from the loading thread.
using Progress = std::function<void(int64_t done, int64_t total)>;

/// Bytes that one rank's part of a model takes.
struct MemoryUse {
  int64_t stored = 0;   // bytes of the checkpoint that became weights
  int64_t weights = 0;  // bytes that weights take, packed
  /// Bytes reserved; they become resident as they are used. The cache holds recurrent states, too.
  int64_t kv_cache = 0, activations = 0;
};

/// One rank's part of a model, ready to compute on the rank's device: packed weights, programs that share them, and the
/// memory of sequences, which these programs share, too. Used by one thread at a time.
///
/// Of a sequence it keeps cached keys and values and recurrent states alone, in the blocks and the slot that the caller
/// hands out.
class DeviceModel {
 public:
  DeviceModel() = default;
  DeviceModel(const DeviceModel&) = delete;
  DeviceModel& operator=(const DeviceModel&) = delete;
  virtual ~DeviceModel() = default;

  virtual MemoryUse memory() const = 0;

  /// Writes the weights as they are packed (packed_part.h). Throws Error(Io).
  virtual void save(const std::filesystem::path& file, const PartIdentity& identity) const = 0;

  /// Runs one step of a program, together with the other ranks of the communicator, which run the same steps. The
  /// output is in the order of output_rows, in host memory. Throws Error(InvalidArgument) for a token id outside the
  /// vocabulary or a position beyond the model's learned ones, Error(Comm) where another rank fails. Allocates nothing
  /// once it has seen a step as large.
  virtual StepOutput step(size_t program, const StepInput& input) = 0;

  /// All logits of some rows of the program's last step, which are numbered as its output_rows: for the other ranks, as
  /// step(). REQUIRES: the step had wishes.
  virtual std::span<const RowLogits> logits(size_t program, std::span<const int32_t> rows) = 0;

  /// From now on every instruction of all programs is followed by a call of `observer`.
  virtual void observe(const Observer& observer) = 0;
};

/// What one rank computes with: the threads of a CPU (cpu/cpu_device.h), or an accelerator. It belongs to its rank,
/// whose thread alone calls it, and outlives the models that are loaded onto it.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// Bytes that the parameter will take in the memory that weights are kept in.
  virtual int64_t packed_bytes(const RowLayout& rows, const lower::Parameter& parameter,
                               const Options& options) const = 0;

  /// Takes and packs the weights of all programs, which were lowered with the sizes of `options`, and binds the
  /// programs. What the weights are read from (where layouts are mapped) and the communicator must outlive the model.
  /// Throws Error.
  virtual std::unique_ptr<DeviceModel> load(WeightSource& weights, lower::RankPrograms programs, const Options& options,
                                            comm::Communicator& communicator, const Progress& progress) = 0;

  /// Threads that run() and steps use.
  virtual int num_threads() const = 0;
  /// Calls job(thread) on each of the threads that the rank has for work of the host, and returns when all have
  /// returned.
  virtual void run(FunctionRef<void(int thread)> job) = 0;
};

}  // namespace cleave::runtime
