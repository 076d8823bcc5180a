#include "app/bench/op_kind.h"

namespace cleave::app {
namespace {

OpKind kind_of_op(graph::Op op) {
  using graph::Op;
  switch (op) {
    case Op::Matmul:
    case Op::BlockMatmul:
      return OpKind::Matmul;
    case Op::Attention:
      return OpKind::Attention;
    case Op::CausalConv:
    case Op::LinearAttention:
    case Op::LinearRecurrence:
      return OpKind::Recurrence;
    case Op::RmsNorm:
    case Op::LayerNorm:
      return OpKind::Norm;
    case Op::Add:
    case Op::Mul:
    case Op::Div:
    case Op::Scale:
    case Op::Unary:
    case Op::Shift:
    case Op::Clamp:
    case Op::Softmax:
    case Op::Rope:
      return OpKind::Elementwise;
    case Op::Embedding:
      return OpKind::Embedding;
    default:  // routing of experts, copies
      return OpKind::Other;
  }
}

}  // namespace

OpKind kind_of(const lower::Instruction& instruction) {
  switch (instruction.action) {
    case lower::Action::Compute:
      return kind_of_op(instruction.op);
    case lower::Action::AllReduce:
    case lower::Action::AllGather:
    case lower::Action::Gather:
      return OpKind::Exchange;
    default:
      return OpKind::Other;
  }
}

}  // namespace cleave::app
