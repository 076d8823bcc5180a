#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "load/network/events.h"
#include "load/network/response_reader.h"
#include "load/report/result.h"
#include "load/workload/job.h"

namespace cleave::load {

/// One request and what comes back: bytes in, times and counts out. The server may send whatever it likes. Knows no
/// network; times are seconds since the run began. Not thread-safe.
class Exchange {
 public:
  /// The request is sent `now`; one that was due earlier has waited since then.
  Exchange(Job job, double now);

  void received(std::string_view bytes, double now);
  /// The connection has ended; `problem` is "" where the server closed it.
  void ended(const std::string& problem, double now);
  /// Nobody waits any longer.
  void give_up(std::string outcome, std::string problem, double now);

  bool over() const { return over_; }
  const Job& job() const { return job_; }
  const Result& result() const { return result_; }
  /// The answer's text. REQUIRES: it is over, and went well.
  const std::string& text() const { return text_; }

 private:
  void take_body(double now);
  void take_event(const std::string& data, double now);
  void take_chunk(const Json& chunk, double now);
  void take_text(const Json& choice, double now);
  void note_usage(const Json& usage);
  void end_response(double now);
  void conclude(double now);

  const Job job_;
  ResponseReader response_;
  EventReader events_;
  std::string text_, body_;  // body_: of a response that is no stream
  Result result_;
  int64_t pieces_ = 0;
  double last_piece_ = 0;
  bool is_stream_ = false, has_finished_ = false, over_ = false;
};

/// What a body says of an error in OpenAI's form or a similar one; else its beginning, fit for a message.
std::string error_in(std::string_view body);

}  // namespace cleave::load
