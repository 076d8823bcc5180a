#include "server/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cleave::server::http {
namespace {

// A write is given so much at a time, so that its time limit is about bytes and not about whole answers.
constexpr size_t kWriteBytes = 64 << 10;
constexpr auto kNever = Connection::Clock::time_point::max();

bool has_header(const Headers& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const auto& header) { return header.first == name; });
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, const Limits& limits, const Handlers& handlers)
    : transport_(std::move(transport)), limits_(limits), handlers_(handlers) {}

void Connection::run() {
  now_ = Clock::now();
  read_deadline_ = now_ + limits_.idle_time;
  read_more();
}

void Connection::check_time(Clock::time_point now) {
  now_ = now;
  if (closed() || now < std::min({read_deadline_, body_deadline_, write_deadline_})) return;
  const bool in_request =
      reader_ != nullptr && !answering_ && !lingering_ && now >= std::min(read_deadline_, body_deadline_);
  if (!in_request) return close();
  refuse(handlers_.refuse(reader_->head(), 408, "the request did not arrive in time"));
}

void Connection::close_when_idle() {
  closing_ = true;
  if (!closed() && idle() && reader_ == nullptr) close();
}

void Connection::close() {
  if (closed()) return;
  const auto self = shared_from_this();
  transport_->close();
  transport_.reset();
  answering_ = false;
  drained_ = nullptr;
  if (const auto gone = std::exchange(gone_, nullptr)) gone();
}

void Connection::read_more() {
  if (closed() || reading_ || input_ended_) return;
  if (reader_ == nullptr && input_.size() >= limits_.pipelined_bytes) return close();
  reading_ = true;
  transport_->read(buffer_, [self = shared_from_this()](size_t count) {
    self->reading_ = false;
    self->take_input(count);
  });
}

void Connection::take_input(size_t count) {
  if (closed()) return;
  if (count == 0) {
    input_ended_ = true;
    if (answering_ || idle() || lingering_) close();  // otherwise the rest of an answer is on its way
    return;
  }
  now_ = Clock::now();
  if (!lingering_) input_.append(buffer_.data(), count);
  if (!answering_ && !lingering_) parse();
  read_more();
}

// Takes requests out of the input until one is being answered, or more is wanted.
void Connection::parse() {
  while (!closed() && !answering_ && !lingering_ && !input_.empty()) {
    if (reader_ == nullptr) {
      if (closing_ || backlog() > 0) return;
      reader_ = std::make_unique<RequestReader>(limits_);
      read_deadline_ = now_ + limits_.header_time;
    }
    const size_t before = input_.size();
    const RequestReader::State was = reader_->state(), state = reader_->read(input_);
    if (state == RequestReader::State::Failed)
      return refuse(handlers_.refuse(reader_->head(), reader_->status(), reader_->problem()));
    if (was == RequestReader::State::Head && state != RequestReader::State::Head && !parse_head()) return;
    if (state == RequestReader::State::Body) read_deadline_ = now_ + limits_.stall_time;
    if (state == RequestReader::State::Complete)
      begin_request(reader_->take());
    else if (input_.size() == before && was == state)
      return;
  }
}

// Looks at a request whose headers are complete. Gives false where it is refused.
bool Connection::parse_head() {
  if (std::optional<Response> refusal = handlers_.check(reader_->head())) {
    refuse(std::move(*refusal));
    return false;
  }
  body_deadline_ = now_ + limits_.body_time;
  if (reader_->state() == RequestReader::State::Body && reader_->expects_continue() && input_.empty()) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  return !closed();
}

void Connection::begin_request(Request request) {
  reader_.reset();
  read_deadline_ = body_deadline_ = kNever;
  answering_ = true;
  ++serial_;
  head_only_ = request.method == "HEAD";
  keep_alive_ = request.keep_alive;
  version_ = request.version;
  handlers_.handle(std::move(request), Reply(weak_from_this(), serial_));
}

// Answers a request that has not been read to its end. What the client still sends is read for a while, since closing
// a socket with bytes in it would take the answer from a client that writes before it reads.
void Connection::refuse(Response response) {
  head_only_ = reader_->head().method == "HEAD";
  version_ = 11;
  keep_alive_ = false;
  reader_.reset();
  read_deadline_ = body_deadline_ = kNever;
  answering_ = true;
  ++serial_;
  send(std::move(response));
}

void Connection::send(Response response) {
  Headers headers = std::move(response.headers);
  const bool has_body = response.status != 204 && response.status != 304;
  if (!response.body.empty() || has_body) {
    headers.emplace_back("Content-Type", response.content_type);
    headers.emplace_back("Content-Length", fmt::format("{}", response.body.size()));
  }
  if (closing_) keep_alive_ = false;
  if (has_header(headers, "Connection"))
    keep_alive_ = false;
  else if (!keep_alive_ || version_ < 11)
    headers.emplace_back("Connection", keep_alive_ ? "keep-alive" : "close");
  out_ += head_of(response.status, headers);
  if (!head_only_) out_ += response.body;
  end_answer();
}

void Connection::start(int status, Headers headers) {
  chunked_ = version_ >= 11;
  if (closing_) keep_alive_ = false;
  if (chunked_)
    headers.emplace_back("Transfer-Encoding", "chunked");
  else
    keep_alive_ = false;  // the end of the connection is the end of the stream
  if (!keep_alive_) headers.emplace_back("Connection", "close");
  out_ += head_of(status, headers);
  flush();
}

void Connection::write(std::string_view bytes) {
  if (bytes.empty() || head_only_) return;
  if (chunked_)
    out_.append(fmt::format("{:x}\r\n", bytes.size())).append(bytes).append("\r\n");
  else
    out_.append(bytes);
  flush();
}

void Connection::finish() {
  if (chunked_ && !head_only_) out_ += "0\r\n\r\n";
  end_answer();
}

void Connection::end_answer() {
  const auto self = shared_from_this();
  answering_ = chunked_ = false;
  gone_ = drained_ = nullptr;
  if (!keep_alive_) closing_ = true;
  flush();
  settle();
}

void Connection::flush() {
  if (closed() || !writing_.empty() || out_.empty()) return;
  if (out_.size() <= kWriteBytes) {
    writing_ = std::exchange(out_, {});
  } else {
    writing_ = out_.substr(0, kWriteBytes);
    out_.erase(0, kWriteBytes);
  }
  write_deadline_ = Clock::now() + limits_.stall_time;
  transport_->write(writing_, [self = shared_from_this()](bool ok) { self->wrote(ok); });
}

void Connection::wrote(bool ok) {
  writing_.clear();
  write_deadline_ = kNever;
  if (closed()) return;
  if (!ok) return close();
  flush();
  if (!writing_.empty()) return;
  if (const auto drained = drained_; answering_ && drained) return drained();
  settle();
}

// Goes on behind an answer: to the next request, or to the end.
void Connection::settle() {
  if (closed() || !idle() || lingering_) return;
  if (input_ended_) return close();
  now_ = Clock::now();
  if (closing_) {
    lingering_ = true;
    input_.clear();
    transport_->end_writing();
    read_deadline_ = now_ + limits_.lingering_time;
    return read_more();
  }
  read_deadline_ = now_ + limits_.idle_time;
  parse();
  read_more();
}

}  // namespace cleave::server::http
