#pragma once

namespace cleave::kernels {

/// The version of how packed matrices lie in memory (block_layout.h, dense_layout.h). Files of packed weights have it:
/// it is raised whenever the same rows are packed into other bytes.
inline constexpr int kPackedVersion = 1;

}  // namespace cleave::kernels
