#include "runtime/weights/weight_source.h"

#include <algorithm>

#include "base/buffer.h"
#include "base/check.h"
#include "runtime/cpu/load_matrix.h"
#include "runtime/weights/weight_reader.h"

namespace cleave::runtime {
namespace {

// Rows travel in messages of about this size: large enough for any network's bandwidth, small enough to wait for.
constexpr int64_t kMessageBytes = int64_t{4} << 20;

/// What precedes a rank's weights.
struct Totals {
  int64_t total = 0, stored = 0, packed = 0;
};

/// What precedes a parameter's rows.
struct Header {
  int64_t num_rows = 0, row_elements = 0;
  int32_t dtype = 0, is_dequantized = 0;

  int64_t row_size() const { return row_bytes(static_cast<DType>(dtype), row_elements); }
  int64_t rows_per_message() const { return std::max<int64_t>(1, kMessageBytes / std::max<int64_t>(1, row_size())); }
};

class FileSource final : public WeightSource {
 public:
  /// `maps`: whoever packs the parameters can read tables where they lie in the files.
  FileSource(const ckpt::TensorSource& tensors, std::span<const lower::Parameter> parameters, const Options& options,
             bool maps)
      : tensors_(tensors) {
    for (const lower::Parameter& parameter : parameters) {
      const WeightReader& reader = readers_.emplace_back(tensors, parameter.view);
      totals_.total += reader.bytes();
      const bool stays = maps && parameter.use == graph::WeightUse::Table && reader.mapped();
      totals_.packed += stays ? 0 : cpu::packed_bytes(reader, parameter, options);
      if (!parameter.is_copy) totals_.stored += reader.stored_bytes();
    }
  }
  ~FileSource() override { tensors_.release_all(); }  // headers and a tokenizer's vocabulary, too

  int64_t total_bytes() const override { return totals_.total; }
  int64_t stored_bytes() const override { return totals_.stored; }
  int64_t packed_bytes() const override { return totals_.packed; }
  const WeightRows& next() override {
    if (next_ > 0) readers_[next_ - 1].release();
    return readers_.at(next_++);
  }

 private:
  const ckpt::TensorSource& tensors_;
  std::vector<WeightReader> readers_;
  Totals totals_;
  size_t next_ = 0;
};

/// Rows that have come over the network.
class ReceivedRows final : public WeightRows {
 public:
  void receive(comm::Communicator& communicator) {
    communicator.receive(&header_, sizeof header_, 0);
    const int64_t size = header_.row_size();
    buffer_ = Buffer(static_cast<size_t>(header_.num_rows * size), Pages::Small);
    for (int64_t row = 0; row < header_.num_rows; row += header_.rows_per_message()) {
      const int64_t count = std::min(header_.rows_per_message(), header_.num_rows - row);
      communicator.receive(buffer_.data() + row * size, count * size, 0);
    }
  }

  int64_t num_rows() const override { return header_.num_rows; }
  int64_t row_elements() const override { return header_.row_elements; }
  DType dtype() const override { return static_cast<DType>(header_.dtype); }
  bool is_dequantized() const override { return header_.is_dequantized != 0; }
  std::span<const std::byte> row(int64_t index, std::span<std::byte>) const override {
    const auto size = static_cast<size_t>(header_.row_size());
    return buffer_.bytes().subspan(static_cast<size_t>(index) * size, size);
  }
  std::optional<TensorView> mapped() const override { return std::nullopt; }
  void release_rows(int64_t, int64_t) const override {}

 private:
  Header header_;
  Buffer buffer_;
};

class FedSource final : public WeightSource {
 public:
  explicit FedSource(comm::Communicator& communicator) : communicator_(communicator) {
    communicator.receive(&totals_, sizeof totals_, 0);
  }
  int64_t total_bytes() const override { return totals_.total; }
  int64_t stored_bytes() const override { return totals_.stored; }
  int64_t packed_bytes() const override { return totals_.packed; }
  const WeightRows& next() override {
    rows_.receive(communicator_);
    return rows_;
  }

 private:
  comm::Communicator& communicator_;
  Totals totals_;
  ReceivedRows rows_;
};

void send_rows(const WeightRows& rows, int rank, std::vector<std::byte>& message, comm::Communicator& communicator) {
  const Header header{rows.num_rows(), rows.row_elements(), static_cast<int32_t>(rows.dtype()),
                      rows.is_dequantized() ? 1 : 0};
  communicator.send(&header, sizeof header, rank);
  const auto size = static_cast<size_t>(header.row_size());
  for (int64_t first = 0; first < header.num_rows; first += header.rows_per_message()) {
    const int64_t count = std::min(header.rows_per_message(), header.num_rows - first);
    message.resize(std::max(message.size(), static_cast<size_t>(count) * size));
    for (int64_t i = 0; i < count; ++i) {
      const std::span<std::byte> target = std::span(message).subspan(static_cast<size_t>(i) * size, size);
      const std::span<const std::byte> row = rows.row(first + i, target);
      if (row.data() != target.data()) std::ranges::copy(row, target.begin());
    }
    rows.release_rows(first, first + count);
    communicator.send(message.data(), count * header.row_size(), rank);
  }
}

}  // namespace

std::unique_ptr<WeightSource> weights_from_files(const ckpt::TensorSource& tensors,
                                                 std::span<const lower::Parameter> parameters, const Options& options) {
  return std::make_unique<FileSource>(tensors, parameters, options, true);
}

std::unique_ptr<WeightSource> weights_from_rank_0(comm::Communicator& communicator) {
  return std::make_unique<FedSource>(communicator);
}

WeightFeed::WeightFeed(const ckpt::TensorSource& tensors,
                       std::vector<std::pair<int, std::vector<lower::Parameter>>> parameters_by_rank,
                       const Options& options, comm::Communicator& communicator)
    : parameters_by_rank_(std::move(parameters_by_rank)), communicator_(communicator) {
  for (const auto& [rank, parameters] : parameters_by_rank_) {
    const auto& source = *sources_.emplace_back(std::make_unique<FileSource>(tensors, parameters, options, false));
    const Totals totals{source.total_bytes(), source.stored_bytes(), source.packed_bytes()};
    communicator_.send(&totals, sizeof totals, rank);
  }
}

void WeightFeed::send() {
  size_t most = 0;
  for (const auto& [rank, parameters] : parameters_by_rank_) most = std::max(most, parameters.size());
  std::vector<std::byte> message;
  for (size_t p = 0; p < most; ++p)
    for (size_t r = 0; r < sources_.size(); ++r)
      if (const auto& [rank, parameters] = parameters_by_rank_[r]; p < parameters.size())
        send_rows(sources_[r]->next(), rank, message, communicator_);
}

}  // namespace cleave::runtime
