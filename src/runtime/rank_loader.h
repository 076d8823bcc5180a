#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "comm/communicator.h"
#include "graph/turning.h"
#include "lower/program.h"
#include "runtime/device/device.h"
#include "runtime/load_board.h"
#include "runtime/weights/weight_feed.h"

namespace cleave::runtime {

/// Where a rank is, and the bytes that it holds of a model. Plain bytes: ranks send it to one another.
struct RankReport {
  MemoryUse memory;
  char machine[64] = {};  // its name, cut where it is longer
  int64_t process = 0;    // its number there
  int64_t num_threads = 0;
};

/// One rank's part of a model, and what is known of it.
struct LoadedPart {
  std::shared_ptr<const void> owner;  // of what the model borrows
  std::unique_ptr<DeviceModel> model;
  std::vector<int64_t> output_widths;      // by program
  bool keeps_states = false;               // recurrent ones, of each sequence
  std::vector<int64_t> recompute_lengths;  // graph/recompute_lengths.h
  graph::Turning turning;                  // graph/turning.h
  std::vector<RankReport> reports;         // of all ranks
};

/// Loads one rank's part of a model, at the same time as the loaders of all other ranks of the communicator: each calls
/// prepare(), and where that gives no error finish().
class RankLoader {
 public:
  /// Borrows everything.
  RankLoader(comm::Communicator& communicator, Device& device, const LoadJob& job)
      : communicator_(communicator), device_(device), job_(job) {}

  /// Finds out whether all ranks can load the model: all have made the same plan, every weight is there, and the memory
  /// suffices. Gives the reason where one of them cannot, an error on every rank, and nothing has happened then. Throws
  /// Error(Comm) where another rank fails.
  std::optional<Error> prepare();

  /// Reads and packs the weights. Returns when all ranks have. Throws Error, after which the group is of no use.
  std::unique_ptr<LoadedPart> finish(const Progress& progress);

 private:
  /// What a rank tells the others of a stage that it has tried. Plain bytes.
  struct Standing {
    bool failed = false;
    ErrorKind kind = ErrorKind::Internal;
    bool has_files = false;
    char text[501] = {};  // of the error, cut where it is longer
  };

  std::optional<Error> agree(const std::function<void()>& stage);
  template <class T>
  std::vector<T> gather(const T& mine);
  lower::RankPrograms programs_of(int rank) const;
  std::optional<Error> compare_plans();
  void open_weights();
  void announce_weights();
  int64_t packed_bytes() const;

  comm::Communicator& communicator_;
  Device& device_;
  const LoadJob& job_;
  std::vector<Standing> standings_;  // of all ranks, after the last stage
  lower::RankPrograms programs_;
  std::optional<WeightFeed> feed_;  // on rank 0, where others have no files
  std::unique_ptr<WeightSource> weights_;
};

}  // namespace cleave::runtime
