#pragma once

#include <cstdint>
#include <string_view>

namespace cleave::kernels {

/// Numbers that are multiplied; sums are f32, or 32-bit integers for Int8.
enum class Arithmetic : uint8_t { F32, Bf16, Int8 };
inline constexpr Arithmetic kArithmetics[] = {Arithmetic::F32, Arithmetic::Bf16, Arithmetic::Int8};

/// "f32", "bf16", "int8".
std::string_view to_string(Arithmetic arithmetic);

/// A loop that does nothing but multiply and add, in registers, with as many independent sums as keep the arithmetic
/// units busy: nothing that computes with these numbers is faster.
struct PeakLoop {
  std::string_view instruction;
  double operations = 0;  // of one round; a multiplication and its addition are two
  void (*run)(int64_t rounds) = nullptr;
};

/// With the widest instruction for such numbers that processor and system support. Where there is none, numbers are
/// converted and multiplied as f32: that loop is given.
PeakLoop peak_loop(Arithmetic arithmetic);

}  // namespace cleave::kernels
