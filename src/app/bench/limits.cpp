#include "app/bench/limits.h"

#include <algorithm>
#include <fstream>

#include "base/buffer.h"
#include "base/error.h"
#include "base/stop_watch.h"
#include "base/thread_pool.h"
#include "kernels/measure/measure.h"

namespace cleave::app {
namespace {

using kernels::Arithmetic;

Arithmetic arithmetic_of(DType stored, bool exact) {
  if (exact || stored == DType::F32 || stored == DType::F64) return Arithmetic::F32;
  return is_block(stored) ? Arithmetic::Int8 : Arithmetic::Bf16;
}

// Reads bytes [begin, end) of a file into a part of memory that is used again and again.
void read_range(const std::filesystem::path& path, int64_t begin, int64_t end) {
  constexpr int64_t kStep = int64_t{1} << 20;
  Buffer buffer(kStep, Pages::Small);
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // straight into ours
  file.open(path, std::ios::binary);
  file.seekg(begin);
  for (; begin < end && file; begin += kStep)
    file.read(reinterpret_cast<char*>(buffer.data()), std::min(kStep, end - begin));
  if (!file) fail(ErrorKind::Io, "cannot read {}", path.string());
}

}  // namespace

double measure_files(const std::vector<std::filesystem::path>& files, int threads) {
  constexpr int64_t kPiece = int64_t{64} << 20, kMost = int64_t{4} << 30;
  ThreadPool pool(threads);
  double rate = 0;
  for (int pass = 0; pass < 2; ++pass) {
    double seconds = 0;
    int64_t bytes = 0;
    for (const std::filesystem::path& path : files) {
      std::error_code error;
      const auto whole = static_cast<int64_t>(std::filesystem::file_size(path, error));
      if (error) fail(ErrorKind::Io, "cannot read {}: {}", path.string(), error.message());
      const int64_t size = std::min(whole, kMost - bytes);
      const int64_t pieces = (size + kPiece - 1) / kPiece;
      seconds += seconds_of([&] {
        pool.parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
          read_range(path, first * kPiece, std::min(size, last * kPiece));
        });
      });
      bytes += size;
    }
    if (bytes > 0) rate = std::max(rate, static_cast<double>(bytes) / seconds);
  }
  return rate;
}

std::map<int, Limits> measure_limits(const std::vector<int>& threads) {
  std::map<int, Limits> limits;
  for (const int count : threads) {
    if (limits.contains(count)) continue;
    ThreadPool core(1), machine(count);
    const kernels::MeasurePools pools{core, machine};
    Limits& all = limits[count];
    Limits one;
    const auto take = [&](const kernels::MeasuredRate& rate, double& of_one, double& of_all) {
      of_one = rate.core;
      of_all = rate.machine;
    };
    take(kernels::measure_read(pools), one.read, all.read);
    for (const Arithmetic arithmetic : kernels::kArithmetics) {
      const auto i = static_cast<size_t>(arithmetic);
      take(kernels::measure_peak(kernels::peak_loop(arithmetic), pools), one.peak[i], all.peak[i]);
    }
    limits.emplace(1, one);
  }
  return limits;
}

Bound bound_of(const plan::StepWork& work, const Limits& limits, bool exact) {
  const auto peak = [&](Arithmetic arithmetic) { return limits.peak[static_cast<size_t>(arithmetic)]; };
  const double memory = (work.weight_bytes + work.cache_bytes) / limits.read;
  const double attention = exact ? peak(Arithmetic::F32) : std::max(peak(Arithmetic::F32), peak(Arithmetic::Bf16));
  double arithmetic = work.attention_flops / attention;
  for (const auto& [stored, flops] : work.flops) arithmetic += flops / peak(arithmetic_of(stored, exact));
  return memory > arithmetic ? Bound{memory, "memory"} : Bound{arithmetic, "arithmetic"};
}

}  // namespace cleave::app
