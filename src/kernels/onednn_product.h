#pragma once

#include <memory>

#include "kernels/panel_product.h"

namespace cleave::kernels {

/// Whether oneDNN is only wanted where it uses matrix tiles, as it is outside of tests: without them our own kernel is
/// a little faster (222 against 226 GFLOP/s on Zen 4), and starts no work of its own.
enum class Tiles : uint8_t { Required, Optional };

/// Products with panels through oneDNN, whose kernels read panels as they are. Several slices of panels are worked on
/// at once, each by one thread: oneDNN itself never starts threads. Null where this processor has no such kernels.
std::unique_ptr<PanelProduct> make_onednn_product(const PanelShape& shape, int64_t max_m, Tiles tiles);

}  // namespace cleave::kernels
