#include <gtest/gtest.h>

#include <string>

#include "lower/passes.h"

namespace cleave::lower {
namespace {

using graph::Op;

Operand value(int32_t index) {
  return {Operand::Kind::Value, index};
}
Operand parameter(int32_t index) {
  return {Operand::Kind::Parameter, index};
}

Instruction instruction(Op op, std::vector<Operand> inputs, int32_t output, graph::Attributes attributes = {}) {
  Instruction i{};
  i.op = op;
  i.attributes = std::move(attributes);
  i.inputs = std::move(inputs);
  i.input_shapes.assign(i.inputs.size(), Shape{8});
  i.output = output;
  i.output_shape = {8};
  if (op == Op::Matmul) i.payload = Products{};
  if (op == Op::Mul || op == Op::Add) i.payload = Elementwise{};
  return i;
}

Instruction silu(int32_t from, int32_t to) {
  return instruction(Op::Unary, {value(from)}, to, graph::UnaryAttributes{graph::UnaryKind::Silu});
}

// Values 0 ... count - 1 of one width; the last one is the result.
Program program_of(std::vector<Instruction> instructions, int32_t count) {
  Program program;
  program.instructions = std::move(instructions);
  program.values.resize(static_cast<size_t>(count));
  program.output = value(count - 1);
  return program;
}

void fuse_alone(Program& program) {
  ParameterTable parameters;
  fuse(program, parameters, {});
}

TEST(Fuse, PutsAFunctionIntoTheMultiplicationThatAloneUsesIt) {
  for (const bool swapped : {false, true}) {
    Program program =
        program_of({silu(0, 2), instruction(Op::Mul, {value(swapped ? 1 : 2), value(swapped ? 2 : 1)}, 3)}, 4);
    fuse_alone(program);
    ASSERT_EQ(program.instructions.size(), 1u);
    EXPECT_EQ(program.instructions[0].as<Elementwise>().gate, graph::UnaryKind::Silu);
    EXPECT_EQ(program.instructions[0].inputs[0].index, 0);
    EXPECT_EQ(program.instructions[0].inputs[1].index, 1);
  }
}

TEST(Fuse, LeavesAFunctionThatSomethingElseUses) {
  Program twice = program_of(
      {silu(0, 2), instruction(Op::Mul, {value(2), value(1)}, 3), instruction(Op::Add, {value(2), value(3)}, 4)}, 5);
  fuse_alone(twice);
  EXPECT_EQ(twice.instructions.size(), 3u);
  Program square = program_of({silu(0, 1), instruction(Op::Mul, {value(1), value(1)}, 2)}, 3);
  fuse_alone(square);
  EXPECT_EQ(square.instructions.size(), 2u);
  Program repeated = program_of({silu(0, 2), instruction(Op::Mul, {value(2), value(1)}, 3)}, 4);
  repeated.instructions[1].payload = Elementwise{Elementwise::Repeat::Row};
  fuse_alone(repeated);
  EXPECT_EQ(repeated.instructions.size(), 2u);
  Program result = program_of({instruction(Op::Mul, {value(2), value(1)}, 3), silu(0, 2)}, 4);
  result.output = value(2);
  fuse_alone(result);
  EXPECT_EQ(result.instructions.size(), 2u);
}

TEST(Fuse, PutsProductsOfOneValueNextToEachOther) {
  const auto product = [](int32_t from, int32_t weight, int32_t to) {
    return instruction(Op::Matmul, {value(from), parameter(weight)}, to);
  };
  Program program = program_of({product(0, 0, 1), silu(1, 2), product(2, 1, 3), product(0, 2, 4), silu(4, 5),
                                product(0, 3, 6), product(2, 4, 7)},
                               8);
  fuse_alone(program);
  std::string outputs;
  std::vector<int32_t> shared;
  for (const Instruction& i : program.instructions) {
    outputs += std::to_string(i.output);
    if (i.op == Op::Matmul) shared.push_back(i.as<Products>().shares_input_with);
  }
  EXPECT_EQ(outputs, "1462375");
  EXPECT_EQ(shared, (std::vector<int32_t>{-1, 0, 2, -1, 1}));  // the matrices of the products before
}

}  // namespace
}  // namespace cleave::lower
