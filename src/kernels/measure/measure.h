#pragma once

#include <span>

#include "base/thread_pool.h"
#include "kernels/measure/peak_loop.h"
#include "kernels/simd/isa.h"
#include "tensor/dtype.h"

/// Speeds of this machine as a model meets them, for the planner. Every figure is the best of several rounds in which
/// one core and the whole machine take turns: what else runs on a machine only makes it look slower. Buffers and
/// weights lie in two-megabyte pages and are larger than any cache; results depend on nothing but the machine.
namespace cleave::kernels {

/// What measures: the calling thread alone, and together with the workers of a pool.
struct MeasurePools {
  ThreadPool& core;  // REQUIRES: size() == 1
  ThreadPool& machine;
};

/// A rate per second, of one core and of all together.
struct MeasuredRate {
  double core = 0, machine = 0;
};

/// Bytes per second of reading memory.
MeasuredRate measure_read(const MeasurePools& pools);

/// Operations per second of multiplying and adding alone: the bound of every kernel.
MeasuredRate measure_peak(const PeakLoop& loop, const MeasurePools& pools);

/// Of products with weights of one stored type, packed as pack_matrix() does by default.
struct ProductRates {
  MeasuredRate read;   // weights' bytes, as stored, in products with one row
  MeasuredRate flops;  // of products with 512 rows
};

/// Of the linears of a model of 1B parameters, more of them than caches hold. `max_rounds`: less patience, for slow
/// kernels.
ProductRates measure_products(DType dtype, const MeasurePools& pools, Isa isa = best_isa(), int max_rounds = 1000);

/// Stored types that have kernels of their own: what measure_products() is worth calling for. F16 is kept as BF16.
std::span<const DType> measurable_types();

/// Seconds that a product of one row with BF16 weights costs on the pool beyond reading its weights.
double measure_product_call(ThreadPool& pool);

/// Seconds that a call takes.
double seconds_of(FunctionRef<void()> call);

/// Seconds of the shortest of `rounds` calls, after one that does not count.
double shortest_call(int rounds, FunctionRef<void()> call);

}  // namespace cleave::kernels
