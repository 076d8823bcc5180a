#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cleave::kernels {

/// Instruction sets that kernels are compiled for, each including the ones before it. Portable needs plain x86-64 only.
///   Avx2        AVX2, FMA, F16C
///   Avx512      AVX-512 F, BW, DQ, VL
///   Avx512Vnni  AVX-512 VNNI (8-bit dot products)
///   Avx512Bf16  AVX-512 BF16 (dot products of pairs)
///   Amx         AMX tiles of bf16 numbers
enum class Isa : uint8_t { Portable, Avx2, Avx512, Avx512Vnni, Avx512Bf16, Amx };

/// "portable", "avx2", "avx512", "avx512 vnni", "avx512 bf16", "amx".
std::string_view to_string(Isa isa);

/// The largest set that this processor and operating system support; found out once.
Isa best_isa();

/// Whether a stream of weights that `rows` rows meet is to be asked for a page ahead. A single row is as fast as
/// memory: Intel's own prefetching stops at the ends of pages (Q4_1 10.2 GB/s and thread without, 14.0 with it, AMX
/// machine), on AMD's ours only costs (Q6_K 31 GB/s without, 19 with it, of 32 that a Zen 4 core reads). More rows keep
/// the processor from looking ahead far enough (Q4_0, 8 rows: 250 GFLOP/s without, 345 with it).
bool wants_prefetch(int64_t rows);

/// Every set up to best_isa(), smallest first; what tests run over.
std::vector<Isa> available_isas();

}  // namespace cleave::kernels
