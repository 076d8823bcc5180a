#pragma once

#include <cstdint>
#include <string_view>

namespace cleave::kernels {

/// Numbers that a loop multiplies. Sums are f32, for Int8 32-bit integers.
enum class Arithmetic : uint8_t { F32, Bf16, Int8 };
inline constexpr Arithmetic kArithmetics[] = {Arithmetic::F32, Arithmetic::Bf16, Arithmetic::Int8};

/// "f32", "bf16", "int8".
std::string_view to_string(Arithmetic arithmetic);

/// A loop that only multiplies and adds, in registers, with enough independent sums to keep the arithmetic units busy.
/// Nothing that computes with these numbers is faster.
struct PeakLoop {
  std::string_view instruction;
  double operations = 0;  // of one round; a multiplication and its addition count as two
  void (*run)(int64_t rounds) = nullptr;
};

/// The loop with the fastest instruction for such numbers that processor and system support. That may be the loop of
/// f32: such numbers are then converted to f32 and multiplied as that.
PeakLoop peak_loop(Arithmetic arithmetic);

}  // namespace cleave::kernels
