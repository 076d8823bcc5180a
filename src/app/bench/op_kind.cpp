#include "app/bench/op_kind.h"

#include "base/error.h"

namespace cleave::app {
namespace {

OpKind kind_of_family(graph::OpFamily family) {
  using graph::OpFamily;
  switch (family) {
    case OpFamily::Matmul:
      return OpKind::Matmul;
    case OpFamily::Attention:
      return OpKind::Attention;
    case OpFamily::Recurrence:
      return OpKind::Recurrence;
    case OpFamily::Norm:
      return OpKind::Norm;
    case OpFamily::Elementwise:
      return OpKind::Elementwise;
    case OpFamily::Embedding:
      return OpKind::Embedding;
    case OpFamily::Other:
      return OpKind::Other;
  }
  fail(ErrorKind::Internal, "a family of operations that has no kind");
}

}  // namespace

OpKind kind_of(const lower::Instruction& instruction) {
  using lower::Action;
  switch (instruction.action) {
    case Action::Compute:
      return kind_of_family(graph::op_info(instruction.op).family);
    case Action::AllReduce:
    case Action::AllGather:
    case Action::Gather:
      return OpKind::Exchange;
    case Action::Narrow:
    case Action::SplitJointSum:
    case Action::Zero:
    case Action::Keep:
      return OpKind::Other;
  }
  fail(ErrorKind::Internal, "an action that has no kind");
}

}  // namespace cleave::app
