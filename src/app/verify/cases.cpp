#include "app/verify/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "base/error.h"
#include "ckpt/safetensors.h"
#include "tensor/convert.h"

namespace cleave::app {
namespace {

std::string wanted_tensors(const VerifiedOutput& output) {
  if (output.tensor != "logits")
    return fmt::format("wanted input_ids_0 [L], {}_0 [L, {}], then _1 and so on", output.tensor, output.width);
  return "wanted input_ids_0 [L], logits_0 [L, vocabulary] and, if known, greedy_0 [N], then _1 and so on";
}

// Reads the tensors of one case and says where they do not fit.
class CaseReader {
 public:
  CaseReader(const ckpt::SafetensorsFile& file, const VerifiedOutput& output)
      : file_(file), path_(file.file().path().string()), output_(output) {}

  void read(const std::string& name, std::vector<VerifyCase>& cases) const {
    const std::string suffix = name.empty() ? "" : "_" + name;
    VerifyCase result{
        .name = name, .input_ids = read_ids("input_ids" + suffix), .source = {}, .logits = {}, .greedy = {}};
    if (file_.find("greedy" + suffix) != nullptr) result.greedy = read_ids("greedy" + suffix);
    VerifyCase greedy = result;
    if (output_.has_source) {
      result.source = std::exchange(result.input_ids, read_ids("decoder_input_ids" + suffix));
      result.greedy.clear();
    }
    result.logits = read_logits(output_.tensor + suffix, static_cast<int64_t>(result.input_ids.size()));
    for (const float logit : result.logits) result.largest = std::max(result.largest, std::fabs(logit));
    if (!(result.largest > 0) || !std::isfinite(result.largest))
      fail(ErrorKind::Corrupt, "{}: the largest number of {}{} is {}, wanted a finite one above 0", path_,
           output_.tensor, suffix, result.largest);
    cases.push_back(std::move(result));
    if (output_.has_source && greedy.greedy.size() > 1) cases.push_back(greedy_alone(std::move(greedy)));
  }

 private:
  // A text of greedy tokens behind the one that begins it.
  static VerifyCase greedy_alone(VerifyCase c) {
    c.name += " greedy";
    c.source = std::exchange(c.input_ids, {c.greedy.front()});
    c.greedy.erase(c.greedy.begin());
    c.largest = 1;
    return c;
  }

  const TensorView& tensor(const std::string& name) const {
    const TensorView* view = file_.find(name);
    if (view == nullptr) fail(ErrorKind::NotFound, "{} has no tensor {}; {}", path_, name, wanted_tensors(output_));
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
      if (id < 0 || id >= output_.vocab_size)
        fail(ErrorKind::InvalidArgument, "{}: {} holds id {} at {}, outside the model's vocabulary of {}", path_, name,
             id, i, output_.vocab_size);
      ids.push_back(static_cast<int32_t>(id));
    }
    return ids;
  }

  std::vector<float> read_logits(const std::string& name, int64_t length) const {
    const TensorView& view = tensor(name);
    const Shape wanted = {length, output_.width};
    if (!is_float(view.dtype) || squeezed(view.shape, 2) != wanted)
      fail(ErrorKind::InvalidArgument, "{}: {} is {} {}, wanted floating-point numbers of shape {} (tokens, {})", path_,
           name, to_string(view.dtype), to_string(view.shape), to_string(wanted),
           output_.tensor == "logits" ? "vocabulary" : "width");
    std::vector<float> logits(static_cast<size_t>(length * output_.width));
    convert_to_f32(view.dtype, view.bytes, logits);
    return logits;
  }

  const ckpt::SafetensorsFile& file_;
  std::string path_;
  const VerifiedOutput& output_;
};

// Names of the cases in the order of their numbers. Any of the three tensors makes one, so that a missing partner is
// found.
std::vector<std::string> case_names(const ckpt::SafetensorsFile& file, std::string_view output) {
  std::map<int64_t, std::string> found;
  for (const auto& [tensor, view] : file.tensors())
    for (const std::string_view prefix : {std::string_view("input_ids"), output, std::string_view("greedy")}) {
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

std::vector<VerifyCase> read_cases(const std::filesystem::path& path, const VerifiedOutput& output) {
  const ckpt::SafetensorsFile file(path);
  const std::vector<std::string> names = case_names(file, output.tensor);
  if (names.empty())
    fail(ErrorKind::InvalidArgument, "{} holds no reference outputs; {}", path.string(), wanted_tensors(output));
  const CaseReader reader(file, output);
  std::vector<VerifyCase> cases;
  for (const std::string& name : names) reader.read(name, cases);
  return cases;
}

}  // namespace cleave::app
