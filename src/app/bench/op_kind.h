#pragma once

#include <array>
#include <string_view>

#include "lower/program.h"

namespace cleave::app {

/// Kinds of operations that a step's time is divided into.
enum class OpKind : uint8_t { Matmul, Attention, Recurrence, Norm, Elementwise, Exchange, Embedding, Other };
inline constexpr size_t kNumOpKinds = static_cast<size_t>(OpKind::Other) + 1;
inline constexpr std::array<std::string_view, kNumOpKinds> kOpKindNames = {
    "matmul", "attention", "recurrence", "norm", "elementwise", "exchange", "embedding", "other"};

OpKind kind_of(const lower::Instruction& instruction);

}  // namespace cleave::app
