#include "ckpt/quantized/module.h"

#include <algorithm>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {

const TensorView* Module::find(std::string_view suffix) {
  std::string full = name_ + std::string(suffix);
  const auto found = tensors_.find(full);
  if (found == tensors_.end()) return nullptr;
  if (std::ranges::count(used_, full) == 0) used_.push_back(std::move(full));
  return &found->second.view;
}

const TensorView& Module::need(std::string_view suffix) {
  const TensorView* found = find(suffix);
  if (found != nullptr) return *found;
  fail(ErrorKind::Corrupt, "tensor {} is missing, without which {} cannot be read",
       in_quotes(name_ + std::string(suffix)), in_quotes(used_.empty() ? name_ : used_.front()));
}

void Module::ignore(std::initializer_list<std::string_view> suffixes) {
  for (const std::string_view suffix : suffixes) find(suffix);
}

void Module::wrong(std::string_view suffix, const std::string& wanted) const {
  const std::string full = name_ + std::string(suffix);
  const TensorView& view = tensors_.find(full)->second.view;
  fail(ErrorKind::Corrupt, "tensor {} is {} {}, wanted {}", in_quotes(full), to_string(view.dtype),
       to_string(view.shape), wanted);
}

void Module::require(std::string_view suffix, DType dtype, const Shape& shape) {
  const TensorView& view = need(suffix);
  if (view.dtype != dtype || view.shape != shape)
    wrong(suffix, fmt::format("{} {}", to_string(dtype), to_string(shape)));
}

std::vector<TensorView> Module::parts() const {
  std::vector<TensorView> parts;
  for (const std::string& name : used_) parts.push_back(tensors_.find(name)->second.view);
  return parts;
}

}  // namespace cleave::ckpt
