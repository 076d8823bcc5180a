#include "runtime/weights/weight_source.h"

#include <vector>

#include "runtime/weights/weight_reader.h"

namespace cleave::runtime {
namespace {

class FileSource final : public WeightSource {
 public:
  FileSource(const ckpt::TensorSource& tensors, std::span<const lower::Parameter> parameters) : tensors_(tensors) {
    for (const lower::Parameter& parameter : parameters) {
      const WeightReader& reader = readers_.emplace_back(tensors, parameter.view);
      layouts_.push_back(reader.layout());
      if (!parameter.is_copy) stored_bytes_ += reader.stored_bytes();
    }
  }
  ~FileSource() override { tensors_.release_all(); }  // headers and a tokenizer's vocabulary, too

  std::span<const RowLayout> layouts() const override { return layouts_; }
  int64_t stored_bytes() const override { return stored_bytes_; }
  const WeightRows& next() override {
    if (next_ > 0) readers_[next_ - 1].release();
    return readers_.at(next_++);
  }

 private:
  const ckpt::TensorSource& tensors_;
  std::vector<WeightReader> readers_;
  std::vector<RowLayout> layouts_;
  int64_t stored_bytes_ = 0;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<WeightSource> weights_from_files(const ckpt::TensorSource& tensors,
                                                 std::span<const lower::Parameter> parameters) {
  return std::make_unique<FileSource>(tensors, parameters);
}

}  // namespace cleave::runtime
