#include "runtime/weights/weight_feed.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "runtime/weights/weight_source.h"

namespace cleave::runtime {
namespace {

// Rows travel in messages of about this size: large enough for any network's bandwidth, small enough to wait for.
constexpr int64_t kMessageBytes = int64_t{4} << 20;

int64_t rows_per_message(const RowLayout& layout) {
  return std::max<int64_t>(1, kMessageBytes / std::max<int64_t>(1, layout.row_size()));
}

/// What precedes the layouts of a rank's parameters.
struct Announcement {
  int64_t num_parameters = 0, stored_bytes = 0;
};

int64_t size_of(std::span<const RowLayout> layouts) {
  return static_cast<int64_t>(layouts.size_bytes());
}

/// Rows that have come over the network.
class ReceivedRows final : public WeightRows {
 public:
  void receive(const RowLayout& layout, comm::Communicator& communicator) {
    layout_ = layout;
    const int64_t size = layout.row_size();
    buffer_ = Buffer(static_cast<size_t>(layout.bytes()), Pages::Small);
    for (int64_t row = 0; row < layout.num_rows; row += rows_per_message(layout)) {
      const int64_t count = std::min(rows_per_message(layout), layout.num_rows - row);
      communicator.receive(buffer_.data() + row * size, count * size, 0);
    }
  }

  std::span<const std::byte> row(int64_t index, std::span<std::byte>) const override {
    const auto size = static_cast<size_t>(layout_.row_size());
    return buffer_.bytes().subspan(static_cast<size_t>(index) * size, size);
  }
  std::optional<TensorView> mapped() const override { return std::nullopt; }
  void release_rows(int64_t, int64_t) const override {}

 private:
  Buffer buffer_;
};

class FedSource final : public WeightSource {
 public:
  explicit FedSource(comm::Communicator& communicator) : communicator_(communicator) {
    communicator.receive(&announcement_, sizeof announcement_, 0);
    layouts_.resize(static_cast<size_t>(announcement_.num_parameters));
    communicator.receive(layouts_.data(), size_of(layouts_), 0);
  }
  std::span<const RowLayout> layouts() const override { return layouts_; }
  int64_t stored_bytes() const override { return announcement_.stored_bytes; }
  const WeightRows& next() override {
    rows_.receive(layouts_.at(next_++), communicator_);
    return rows_;
  }

 private:
  comm::Communicator& communicator_;
  Announcement announcement_;
  std::vector<RowLayout> layouts_;
  ReceivedRows rows_;
  size_t next_ = 0;
};

void send_rows(const WeightRows& rows, int rank, std::vector<std::byte>& message, comm::Communicator& communicator) {
  const RowLayout& layout = rows.layout();
  const auto size = static_cast<size_t>(layout.row_size());
  for (int64_t first = 0; first < layout.num_rows; first += rows_per_message(layout)) {
    const int64_t count = std::min(rows_per_message(layout), layout.num_rows - first);
    message.resize(std::max(message.size(), static_cast<size_t>(count) * size));
    for (int64_t i = 0; i < count; ++i) {
      const std::span<std::byte> target = std::span(message).subspan(static_cast<size_t>(i) * size, size);
      const std::span<const std::byte> row = rows.row(first + i, target);
      if (row.data() != target.data()) std::ranges::copy(row, target.begin());
    }
    rows.release_rows(first, first + count);
    communicator.send(message.data(), count * layout.row_size(), rank);
  }
}

}  // namespace

void WeightFeed::add(int rank, const ckpt::TensorSource& tensors, std::vector<lower::Parameter> parameters) {
  Receiver& receiver = receivers_.emplace_back(Receiver{rank, std::move(parameters), nullptr});
  receiver.source = weights_from_files(tensors, receiver.parameters);
}

void WeightFeed::announce() {
  for (const Receiver& receiver : receivers_) {
    std::vector<RowLayout> layouts(receiver.source->layouts().begin(), receiver.source->layouts().end());
    for (RowLayout& layout : layouts) layout.is_mapped = false;  // there
    const Announcement announcement{static_cast<int64_t>(layouts.size()), receiver.source->stored_bytes()};
    communicator_.send(&announcement, sizeof announcement, receiver.rank);
    communicator_.send(layouts.data(), size_of(layouts), receiver.rank);
  }
}

void WeightFeed::send() {
  size_t most = 0;
  for (const Receiver& receiver : receivers_) most = std::max(most, receiver.source->layouts().size());
  std::vector<std::byte> message;
  for (size_t p = 0; p < most; ++p)
    for (const Receiver& receiver : receivers_)
      if (p < receiver.source->layouts().size())
        send_rows(receiver.source->next(), receiver.rank, message, communicator_);
}

std::unique_ptr<WeightSource> weights_from_rank_0(comm::Communicator& communicator) {
  return std::make_unique<FedSource>(communicator);
}

}  // namespace cleave::runtime
