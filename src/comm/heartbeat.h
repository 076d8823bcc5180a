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

/// Watches the other processes of a group over one TCP connection to each. A connection that ends tells of a death
/// within milliseconds, silence tells of a stopped process or an unreachable machine, and what a rank has to say before
/// it gives up arrives even where the others compute. Failures found or heard of are set in `failure`. A thread of its
/// own does the work; members are thread-safe.
class Heartbeat {
 public:
  /// `peers[p]` is connected to process p; that of this process itself is empty. `names[p]` is what errors call it.
  /// `pulse` is this process's and outlives the object, as `failure` does.
  Heartbeat(std::vector<Socket> peers, std::vector<std::string> names, std::chrono::milliseconds stall_timeout,
            Failure& failure, const Pulse& pulse);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat();

  /// Begins to watch. REQUIRES: called once.
  void start();

  /// How often the ranks of process p have been seen alive; it stands still where they have stalled.
  uint64_t progress(int process) const {
    return peers_[static_cast<size_t>(process)].progress.load(std::memory_order_relaxed);
  }

  /// Tells every other process of a failure; returns when the message is on its way.
  void tell(std::string_view failure);

  /// Tells the others that from now on this process may end without being dead.
  void say_goodbye();

 private:
  // The only kind of message. All processes run the same program on the same kind of machine.
  enum class Kind : uint32_t { Beat, Failure, Goodbye };
  struct Message {
    Kind kind = Kind::Beat;
    uint32_t text_size = 0;
    uint64_t progress = 0;
    char text[496] = {};
  };
  struct Peer {
    Socket socket;
    std::string name;
    std::atomic<uint64_t> progress{0};
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

  std::vector<Peer> peers_;
  std::chrono::milliseconds stall_timeout_;
  Failure& failure_;
  const Pulse& pulse_;
  uint64_t own_progress_ = 0;  // sent with every beat
  uint64_t last_sample_ = 0;
  std::mutex mutex_;  // guards writing to sockets
  Socket stop_;       // readable when the thread is to end
  std::thread thread_;
};

}  // namespace cleave::comm
