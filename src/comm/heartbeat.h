#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "comm/failure.h"
#include "comm/pulse.h"
#include "comm/socket.h"

namespace cleave::comm {

/// Another process, as the heartbeat sees it.
struct HeartbeatPeer {
  Socket socket;     // connected to it; empty for this process itself
  std::string name;  // what errors call it
  int num_ranks = 1;
};

/// Watches the other processes of a group over one TCP connection to each. A connection that ends tells of a death
/// within milliseconds, silence tells of a stopped process or an unreachable machine, and what a rank has to say before
/// it gives up arrives even where the others compute. Failures found or heard of are set in `failure`. A thread of its
/// own does the work; members are thread-safe.
class Heartbeat {
 public:
  /// `peers` are all processes by their numbers, `pulses` those of this process's ranks. The failure outlives the
  /// object.
  Heartbeat(std::vector<HeartbeatPeer> peers, std::chrono::milliseconds stall_timeout, Failure& failure,
            std::vector<std::shared_ptr<Pulse>> pulses);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat();

  /// Begins to watch. REQUIRES: called once.
  void start();

  /// How often a rank of that process has been seen alive; it stands still where the rank has stalled. Ranks of a
  /// process are counted from 0.
  uint64_t progress(int process, int rank) const {
    return peers_[static_cast<size_t>(process)].progress[static_cast<size_t>(rank)].load(std::memory_order_relaxed);
  }

  /// Tells every other process of a failure; returns when the message is on its way.
  void tell(std::string_view failure);

  /// Tells the others that from now on this process may end without being dead.
  void say_goodbye();

 private:
  // The only kind of message. All processes run the same program on the same kind of machine.
  enum class Kind : uint32_t { Beat, Failure, Goodbye };
  struct Message {
    static constexpr size_t kMostRanks = 62;  // of which one beat tells
    Kind kind = Kind::Beat;
    uint32_t size = 0;                  // of the content: ranks of a beat, characters of a failure
    uint64_t first_rank = 0;            // of a beat
    uint64_t content[kMostRanks] = {};  // progress of each rank, or a failure's text
  };
  struct Peer {
    explicit Peer(HeartbeatPeer peer);
    Socket socket;
    std::string name;
    std::vector<std::atomic<uint64_t>> progress;  // of each rank
    // The rest belongs to the thread, but for `unsent`, which mutex_ guards.
    std::vector<std::byte> unsent;
    std::vector<std::byte> received;  // of a message that is not complete
    std::chrono::nanoseconds silence{0};
    bool said_goodbye = false;
  };

  void run();
  void beat();
  void send_to_all(const Message& message);
  void send(Peer& peer, const Message& message);
  void flush(Peer& peer);
  void receive(Peer& peer);
  void handle(Peer& peer, const Message& message);
  void wait_for_messages();
  void judge(std::chrono::nanoseconds elapsed);

  struct Own {
    std::shared_ptr<Pulse> pulse;
    uint64_t progress = 0;  // sent with every beat
    uint64_t last_sample = 0;
  };

  std::vector<Peer> peers_;
  std::chrono::milliseconds stall_timeout_;
  Failure& failure_;
  std::vector<Own> own_;  // of each rank of this process
  std::mutex mutex_;      // guards writing to sockets
  Socket stop_;           // readable when the thread is to end
  std::thread thread_;
};

}  // namespace cleave::comm
