#include "app/verify/cases.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

#include "base/error.h"
#include "ckpt/safetensors.h"
#include "tensor/convert.h"

namespace cleave::app {
namespace {

constexpr const char* kWanted =
    "wanted input_ids_0 [L], logits_0 [L, vocabulary] and, if known, greedy_0 [N], then _1 and so on";

// Reads the tensors of one case and says where they do not fit.
class CaseReader {
 public:
  CaseReader(const ckpt::SafetensorsFile& file, int64_t vocab_size)
      : file_(file), path_(file.file().path().string()), vocab_size_(vocab_size) {}

  VerifyCase read(const std::string& name) const {
    const std::string suffix = name.empty() ? "" : "_" + name;
    VerifyCase result{
        .name = name,
        .input_ids = read_ids("input_ids" + suffix),
        .logits = {},
        .greedy = file_.find("greedy" + suffix) == nullptr ? std::vector<int32_t>() : read_ids("greedy" + suffix)};
    result.logits = read_logits("logits" + suffix, static_cast<int64_t>(result.input_ids.size()));
    for (const float logit : result.logits) result.largest = std::max(result.largest, std::fabs(logit));
    if (!(result.largest > 0) || !std::isfinite(result.largest))
      fail(ErrorKind::Corrupt, "{}: the largest number of logits{} is {}, wanted a finite one above 0", path_, suffix,
           result.largest);
    return result;
  }

 private:
  const TensorView& tensor(const std::string& name) const {
    const TensorView* view = file_.find(name);
    if (view == nullptr) fail(ErrorKind::NotFound, "{} has no tensor {}; {}", path_, name, kWanted);
    return *view;
  }

  // Shape without leading extents of 1, but not fewer than `rank` dimensions.
  static Shape squeezed(Shape shape, size_t rank) {
    while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
    return shape;
  }

  std::vector<int32_t> read_ids(const std::string& name) const {
    const TensorView& view = tensor(name);
    const Shape shape = squeezed(view.shape, 1);
    if ((view.dtype != DType::I32 && view.dtype != DType::I64) || shape.size() != 1 || shape[0] < 1)
      fail(ErrorKind::Corrupt, "{}: {} is {} {}, wanted I32 or I64 of one dimension and at least one id", path_, name,
           to_string(view.dtype), to_string(view.shape));
    const auto size = static_cast<size_t>(info(view.dtype).block_bytes);
    std::vector<int32_t> ids;
    for (size_t i = 0; i < static_cast<size_t>(shape[0]); ++i) {
      int64_t wide = 0;
      int32_t narrow = 0;
      std::memcpy(size == sizeof(wide) ? static_cast<void*>(&wide) : &narrow, view.bytes.data() + i * size, size);
      const int64_t id = size == sizeof(wide) ? wide : narrow;
      if (id < 0 || id >= vocab_size_)
        fail(ErrorKind::InvalidArgument, "{}: {} holds id {} at {}, outside the model's vocabulary of {}", path_, name,
             id, i, vocab_size_);
      ids.push_back(static_cast<int32_t>(id));
    }
    return ids;
  }

  std::vector<float> read_logits(const std::string& name, int64_t length) const {
    const TensorView& view = tensor(name);
    const Shape wanted = {length, vocab_size_};
    if (!is_float(view.dtype) || squeezed(view.shape, 2) != wanted)
      fail(ErrorKind::InvalidArgument,
           "{}: {} is {} {}, wanted floating-point numbers of shape {} (tokens, vocabulary)", path_, name,
           to_string(view.dtype), to_string(view.shape), to_string(wanted));
    std::vector<float> logits(static_cast<size_t>(length * vocab_size_));
    convert_to_f32(view.dtype, view.bytes, logits);
    return logits;
  }

  const ckpt::SafetensorsFile& file_;
  std::string path_;
  int64_t vocab_size_;
};

// Names of the cases in the order of their numbers. Any of the three tensors makes one, so that a missing partner is
// found.
std::vector<std::string> case_names(const ckpt::SafetensorsFile& file) {
  std::map<int64_t, std::string> found;
  for (const auto& [tensor, view] : file.tensors())
    for (const std::string_view prefix : {"input_ids", "logits", "greedy"}) {
      if (!std::string_view(tensor).starts_with(prefix)) continue;
      const std::string_view rest = std::string_view(tensor).substr(prefix.size());
      int64_t number = 0;
      if (rest.empty()) found.emplace(-1, "");
      if (!rest.starts_with("_")) continue;
      const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number);
      if (error == std::errc() && end == rest.data() + rest.size() && number >= 0)
        found.emplace(number, rest.substr(1));
    }
  std::vector<std::string> names;
  for (const auto& [number, name] : found) names.push_back(name);
  return names;
}

}  // namespace

std::vector<VerifyCase> read_cases(const std::filesystem::path& path, int64_t vocab_size) {
  const ckpt::SafetensorsFile file(path);
  const std::vector<std::string> names = case_names(file);
  if (names.empty()) fail(ErrorKind::InvalidArgument, "{} holds no reference outputs; {}", path.string(), kWanted);
  const CaseReader reader(file, vocab_size);
  std::vector<VerifyCase> cases;
  for (const std::string& name : names) cases.push_back(reader.read(name));
  return cases;
}

}  // namespace cleave::app
