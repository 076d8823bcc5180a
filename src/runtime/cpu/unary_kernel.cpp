#include "runtime/cpu/unary_kernel.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace cleave::runtime::cpu {
namespace {

using Graph = graph::UnaryKind;
using Kernel = kernels::UnaryKind;

// In the order of graph::UnaryKind.
constexpr std::array<std::pair<Graph, Kernel>, 12> kKernels = {{{Graph::Silu, Kernel::Silu},
                                                                {Graph::Gelu, Kernel::Gelu},
                                                                {Graph::GeluTanh, Kernel::GeluTanh},
                                                                {Graph::Relu, Kernel::Relu},
                                                                {Graph::Relu2, Kernel::Relu2},
                                                                {Graph::Tanh, Kernel::Tanh},
                                                                {Graph::Sigmoid, Kernel::Sigmoid},
                                                                {Graph::Exp, Kernel::Exp},
                                                                {Graph::Softplus, Kernel::Softplus},
                                                                {Graph::Log, Kernel::Log},
                                                                {Graph::Floor, Kernel::Floor},
                                                                {Graph::Sqrt, Kernel::Sqrt}}};
static_assert(kKernels.size() == static_cast<size_t>(Graph::Sqrt) + 1);

}  // namespace

kernels::UnaryKind unary_kernel(graph::UnaryKind kind) {
  const auto& [graph, kernel] = kKernels.at(static_cast<size_t>(kind));
  CHECK(graph == kind);
  return kernel;
}

}  // namespace cleave::runtime::cpu
