#pragma once

#include <cstdint>
#include <string_view>

namespace cleave::kernels {

/// Functions of one number:
///   Silu      x * sigmoid(x)
///   Gelu      x * (1 + erf(x / sqrt(2))) / 2
///   GeluTanh  the approximation of Gelu by tanh
///   Relu2     max(x, 0)^2
///   Softplus  log(1 + exp(x))
/// The others are what their names say.
enum class UnaryKind : uint8_t { Silu, Gelu, GeluTanh, Relu, Relu2, Tanh, Sigmoid, Exp, Softplus, Log, Floor, Sqrt };

/// "silu", "gelu", "gelu_tanh", ...
std::string_view to_string(UnaryKind kind);

}  // namespace cleave::kernels
