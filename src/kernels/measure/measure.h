#pragma once

#include <span>

#include "base/thread_pool.h"
#include "kernels/measure/peak_loop.h"
#include "kernels/simd/isa.h"
#include "tensor/dtype.h"

/// Measurements of this machine's speed, for the planner and for `bench`. Every figure is the best of several rounds,
/// because whatever else runs on a machine can only make it look slower; one core and the whole machine take turns.
/// Buffers and weights lie in pages of two megabytes and are larger than the caches.
namespace cleave::kernels {

/// The threads that are measured: the calling one alone, and together with the workers of a pool.
struct MeasurePools {
  ThreadPool& core;  // REQUIRES: size() == 1
  ThreadPool& machine;
};

/// An amount per second, of one core and of all together.
struct MeasuredRate {
  double core = 0, machine = 0;
};

/// Bytes per second of reading memory.
MeasuredRate measure_read(const MeasurePools& pools);

/// Operations per second of a loop that only multiplies and adds: no kernel is faster.
MeasuredRate measure_peak(const PeakLoop& loop, const MeasurePools& pools);

/// Speeds of products with weights of one stored type, packed as pack_matrix() does by default.
struct ProductRates {
  MeasuredRate read;   // bytes of weights, as stored, in products with one row
  MeasuredRate flops;  // operations in products with 512 rows
};

/// Measures products with the linears of a model of 1B parameters, more of them than caches hold. `max_rounds` limits
/// the rounds for slow kernels.
ProductRates measure_products(DType dtype, const MeasurePools& pools, Isa isa = best_isa(), int max_rounds = 1000);

/// Stored types that have kernels of their own, for which measure_products() is worth calling. F16 is not one of them,
/// because it is packed as bf16; of blocks that no file holds, the commonest are.
std::span<const DType> measurable_types();

/// Seconds that a product of one row with BF16 weights takes on the pool beyond the time to read the weights.
double measure_product_call(ThreadPool& pool);

}  // namespace cleave::kernels
