#include "kernels/params/unary_kind.h"

namespace cleave::kernels {

std::string_view to_string(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::Silu:
      return "silu";
    case UnaryKind::Gelu:
      return "gelu";
    case UnaryKind::GeluTanh:
      return "gelu_tanh";
    case UnaryKind::Relu:
      return "relu";
    case UnaryKind::Relu2:
      return "relu2";
    case UnaryKind::Tanh:
      return "tanh";
    case UnaryKind::Sigmoid:
      return "sigmoid";
    case UnaryKind::Exp:
      return "exp";
    case UnaryKind::Softplus:
      return "softplus";
    case UnaryKind::Log:
      return "log";
    case UnaryKind::Floor:
      return "floor";
    case UnaryKind::Sqrt:
      return "sqrt";
  }
  return "unknown";
}

}  // namespace cleave::kernels
