#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/ordered_json.h"
#include "server/live/exchange.h"
#include "server/live/metrics.h"
#include "server/live/served_model.h"

namespace cleave::server {

/// What an operator sees of a server at one moment. Borrows everything.
struct Status {
  std::string state;    // "loading", "serving", "busy" (takes no more requests), "ending", "failed" or "stuck"
  std::string problem;  // why it is not serving; ""
  double uptime = 0;    // seconds
  const EngineState& engine;
  const Metrics& metrics;
  const std::unordered_set<std::shared_ptr<Exchange>>& exchanges;
  const ServedModel* model = nullptr;  // null: it is being loaded
};

/// GET /status. `now`: gauges and counters since the start, which names of History are for, too. Holds no word of
/// prompts or answers.
OrderedJson status_document(const Status& status);

/// The last minutes of a server, as samples of its gauges and counters: so that graphs have a past when they are
/// opened.
class History {
 public:
  /// Keeps a sample where the last one is old enough. `uptime` in seconds.
  void add(double uptime, const EngineState& state);
  /// GET /status/history: a list for each name, samples in the order of time.
  OrderedJson document() const;

 private:
  struct Sample {
    double uptime;
    EngineState state;
  };
  std::deque<Sample> samples_;
};

}  // namespace cleave::server
