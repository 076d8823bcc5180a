#include "kernels/measure/peak_loop.h"

#include "kernels/simd/isa.h"
#include "kernels/simd/tiles.h"

namespace cleave::kernels {
namespace {

// The loops are assembly, so that neither optimisation nor target flags decide what is measured. Registers 0 to 11 are
// sums, because two units with a latency of four or five cycles need ten under way. Registers 14 and 15 are operands.
// All are zero; instructions take the same time whatever the numbers.
constexpr int kSums = 12;

#define CLEAVE_SUMS ".irp r,0,1,2,3,4,5,6,7,8,9,10,11\n"
#define CLEAVE_VECTOR_REGISTERS                                                                                       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
      "xmm14", "xmm15"

void clear_sse() {
  asm volatile(".irp r,0,1,2,3,4,5,6,7,8,9,10,11,14,15\n xorps %%xmm\\r, %%xmm\\r\n .endr"
               :
               :
               : CLEAVE_VECTOR_REGISTERS);
}

void clear_avx() {
  asm volatile("vzeroall" : : : CLEAVE_VECTOR_REGISTERS);
}

void f32_sse(int64_t rounds) {
  clear_sse();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(CLEAVE_SUMS "mulps %%xmm14, %%xmm\\r\n addps %%xmm15, %%xmm\\r\n .endr" : : : CLEAVE_VECTOR_REGISTERS);
}

void f32_avx2(int64_t rounds) {
  clear_avx();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(CLEAVE_SUMS "vfmadd231ps %%ymm14, %%ymm15, %%ymm\\r\n .endr" : : : CLEAVE_VECTOR_REGISTERS);
  clear_avx();
}

void f32_avx512(int64_t rounds) {
  clear_avx();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(CLEAVE_SUMS "vfmadd231ps %%zmm14, %%zmm15, %%zmm\\r\n .endr" : : : CLEAVE_VECTOR_REGISTERS);
  clear_avx();
}

void bf16_avx512(int64_t rounds) {
  clear_avx();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(CLEAVE_SUMS "vdpbf16ps %%zmm14, %%zmm15, %%zmm\\r\n .endr" : : : CLEAVE_VECTOR_REGISTERS);
  clear_avx();
}

void int8_avx2(int64_t rounds) {
  clear_avx();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(CLEAVE_SUMS
                 "vpmaddubsw %%ymm14, %%ymm15, %%ymm13\n vpmaddwd %%ymm14, %%ymm13, %%ymm13\n"
                 "vpaddd %%ymm13, %%ymm\\r, %%ymm\\r\n .endr"
                 :
                 :
                 : CLEAVE_VECTOR_REGISTERS);
  clear_avx();
}

void int8_avx512(int64_t rounds) {
  clear_avx();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(CLEAVE_SUMS "vpdpbusd %%zmm14, %%zmm15, %%zmm\\r\n .endr" : : : CLEAVE_VECTOR_REGISTERS);
  clear_avx();
}

// Tiles 0 to 3 hold sums, 4 to 7 operands.
constexpr int kTileSums = 4;

void configure_tiles() {
  const TileConfig config;
  asm volatile("ldtilecfg %0" : : "m"(config));
  asm volatile(
      "tilezero %tmm0\n tilezero %tmm1\n tilezero %tmm2\n tilezero %tmm3\n"
      "tilezero %tmm4\n tilezero %tmm5\n tilezero %tmm6\n tilezero %tmm7\n");
}

void bf16_amx(int64_t rounds) {
  configure_tiles();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(
        "tdpbf16ps %tmm6, %tmm4, %tmm0\n tdpbf16ps %tmm7, %tmm4, %tmm1\n"
        "tdpbf16ps %tmm6, %tmm5, %tmm2\n tdpbf16ps %tmm7, %tmm5, %tmm3\n");
  asm volatile("tilerelease");
}

void int8_amx(int64_t rounds) {
  configure_tiles();
  for (int64_t round = 0; round < rounds; ++round)
    asm volatile(
        "tdpbssd %tmm6, %tmm4, %tmm0\n tdpbssd %tmm7, %tmm4, %tmm1\n"
        "tdpbssd %tmm6, %tmm5, %tmm2\n tdpbssd %tmm7, %tmm5, %tmm3\n");
  asm volatile("tilerelease");
}

PeakLoop f32_loop() {
  if (__builtin_cpu_supports("avx512f")) return {"avx512 fma", kSums * 16 * 2, f32_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2 fma", kSums * 8 * 2, f32_avx2};
  return {"sse", kSums * 4 * 2, f32_sse};
}

PeakLoop bf16_loop() {
  if (has_tiles(TileNumbers::Bf16)) return {"amx tdpbf16ps", kTileSums * 16 * 16 * 32 * 2, bf16_amx};
  if (best_isa() == Isa::Avx512Bf16) return {"avx512 vdpbf16ps", kSums * 32 * 2, bf16_avx512};
  return f32_loop();
}

PeakLoop int8_loop() {
  if (has_tiles(TileNumbers::Int8)) return {"amx tdpbssd", kTileSums * 16 * 16 * 64 * 2, int8_amx};
  if (__builtin_cpu_supports("avx512vnni")) return {"avx512 vpdpbusd", kSums * 64 * 2, int8_avx512};
  if (__builtin_cpu_supports("avx2")) return {"avx2 vpmaddubsw", kSums * 32 * 2, int8_avx2};
  return f32_loop();
}

}  // namespace

std::string_view to_string(Arithmetic arithmetic) {
  constexpr std::string_view kNames[] = {"f32", "bf16", "int8"};
  return kNames[static_cast<size_t>(arithmetic)];
}

PeakLoop peak_loop(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::Bf16:
      return bf16_loop();
    case Arithmetic::Int8:
      return int8_loop();
    case Arithmetic::F32:
      break;
  }
  return f32_loop();
}

}  // namespace cleave::kernels
