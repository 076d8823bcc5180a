#include <cstring>

#include "comm/arguments.h"
#include "comm/communicator.h"

namespace cleave::comm {
namespace {

// Every collective of one rank is a copy or nothing.
class SelfCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_reduce(void*, int64_t, DType dtype) override { require_summable(dtype); }
  void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) override {
    require_summable(dtype);
    copy(send, receive, total_of(counts, 1) * kFloatBytes);
  }
  void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) override {
    copy(send, receive, total_of(bytes, 1));
  }
  void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) override {
    require_rank(root, 1);
    copy(send, receive, total_of(bytes, 1));
  }
  void broadcast(void*, int64_t, int root) override { require_rank(root, 1); }
  void send(const void*, int64_t, int to) override { no_peer(to); }
  void receive(void*, int64_t, int from) override { no_peer(from); }
  void barrier() override {}
  void abort(std::string_view) override {}
  void tick() override {}
  void watch(std::span<const pid_t>) override {}
  std::unique_ptr<Communicator> split(int color) override { return color < 0 ? nullptr : self_communicator(); }

 private:
  static void copy(const void* from, void* to, int64_t bytes) {
    if (bytes > 0) std::memmove(to, from, static_cast<size_t>(bytes));
  }
  [[noreturn]] static void no_peer(int rank) {
    fail(ErrorKind::Internal, "a group of one rank has nobody to exchange with, rank {} was asked for", rank);
  }
};

}  // namespace

std::unique_ptr<Communicator> self_communicator() {
  return std::make_unique<SelfCommunicator>();
}

}  // namespace cleave::comm
