#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cleave::kernels {

/// Instruction sets that kernels are compiled for. Each includes the ones before it.
///   Portable    plain x86-64
///   Avx2        AVX2, FMA, F16C
///   Avx512      AVX-512 F, BW, DQ, VL
///   Avx512Vnni  AVX-512 VNNI (8-bit dot products)
///   Avx512Bf16  AVX-512 BF16 (dot products of pairs)
///   Amx         AMX tiles of bf16 numbers
enum class Isa : uint8_t { Portable, Avx2, Avx512, Avx512Vnni, Avx512Bf16, Amx };

/// "portable", "avx2", "avx512", "avx512 vnni", "avx512 bf16", "amx".
std::string_view to_string(Isa isa);

/// The fastest set that this processor and operating system support. Found out once per process. Thread-safe.
Isa best_isa();

/// Whether kernels should prefetch weights a page ahead, in a product of `rows` rows with weights that stream from
/// memory.
///                     without           with            measured
///   1 row, Intel      10.2 GB/s         14.0 GB/s       one thread, Q4_1, a processor with AMX
///   1 row, AMD        31 GB/s           19 GB/s         one core, Q6_K, Zen 4, which reads 32 GB/s
///   8 rows            250 GFLOP/s       345 GFLOP/s     one core, Q4_0, Zen 4
/// One row is as fast as memory, but Intel's own prefetching stops at the ends of pages. With more rows the processor
/// does not look far enough ahead.
bool wants_prefetch(int64_t rows);

/// All sets that are supported, smallest first. Tests run over them.
std::vector<Isa> available_isas();

}  // namespace cleave::kernels
