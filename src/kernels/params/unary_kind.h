#pragma once

#include <cstdint>
#include <string_view>

namespace cleave::kernels {

/// Functions of one argument. Gelu is the exact one, x * (1 + erf(x / sqrt(2))) / 2; GeluTanh its approximation by
/// tanh; Relu2 is max(x, 0)^2; Silu is x * sigmoid(x); Softplus is log(1 + exp(x)).
enum class UnaryKind : uint8_t { Silu, Gelu, GeluTanh, Relu, Relu2, Tanh, Sigmoid, Exp, Softplus, Log, Floor, Sqrt };

/// "silu", "gelu", "gelu_tanh", ...
std::string_view to_string(UnaryKind kind);

}  // namespace cleave::kernels
