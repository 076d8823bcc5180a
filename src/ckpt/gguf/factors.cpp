#include "ckpt/gguf/factors.h"

#include <cmath>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/tensors/scaled_blocks.h"

namespace cleave::ckpt {
namespace {

constexpr std::string_view kWeight = ".weight";

const TensorView* find(const GgufContents& contents, const std::string& name) {
  const auto found = contents.tensors.find(name);
  return found == contents.tensors.end() ? nullptr : &found->second;
}

}  // namespace

bool is_factor(const GgufContents& contents, const std::string& name) {
  for (const std::string_view ending : {".input_scale", ".scale"}) {
    if (!name.ends_with(ending)) continue;
    const TensorView* weight = find(contents, name.substr(0, name.size() - ending.size()).append(kWeight));
    return weight != nullptr && weight->dtype == DType::NVFP4;
  }
  return false;
}

std::vector<float> factors_of(const GgufContents& contents, const std::string& name) {
  const TensorView* weight = find(contents, name);
  if (weight == nullptr || weight->dtype != DType::NVFP4 || !name.ends_with(kWeight)) return {};
  const std::string scale = name.substr(0, name.size() - kWeight.size()) + ".scale";
  const TensorView* view = find(contents, scale);
  if (view == nullptr) return {};
  const std::string& file = contents.metadata.file();
  const int64_t count = num_elements(view->shape);
  if (view->dtype != DType::F32 || (count != 1 && (weight->shape.size() < 3 || count != weight->shape[0])))
    fail(ErrorKind::Corrupt, "{}: tensor {} is {} {}, expected one F32 number or one for each expert", file,
         in_quotes(scale), to_string(view->dtype), to_string(view->shape));
  std::vector<float> factors(static_cast<size_t>(count));
  std::memcpy(factors.data(), view->bytes.data(), factors.size() * sizeof(float));
  for (const float factor : factors)
    if (!(std::abs(factor) <= kMostFactor))
      fail(ErrorKind::Corrupt, "{}: tensor {} holds {}, expected a factor of at most {}", file, in_quotes(scale),
           factor, kMostFactor);
  return factors;
}

}  // namespace cleave::ckpt
