#include "load/network/network.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "load/network/response_reader.h"
#include "load/network/sockets.h"

namespace cleave::load {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr size_t kMaxBodyBytes = 16 << 20;

/// An answer that somebody waits for.
struct Question {
  ResponseReader reader;
  Response response;
  std::optional<std::string> problem;  // "" where the response is whole

  void received(std::string_view bytes) {
    reader.push(bytes);
    note_progress();
  }
  void ended(const std::string& why) {
    if (why.empty()) reader.end();
    if (!why.empty()) problem = why;
    note_progress();
  }
  void note_progress() {
    using State = ResponseReader::State;
    if (problem || reader.state() == State::Head) return;
    if (reader.state() == State::Failed) {
      problem = reader.problem();
      return;
    }
    response.body += reader.take_body();
    if (response.body.size() > kMaxBodyBytes) problem = "its answer has more than 16 MiB";
    if (reader.state() != State::Complete) return;
    response.status = reader.status();
    response.content_type = reader.content_type();
    problem = "";
  }
};

}  // namespace

struct Network::Impl {
  Impl(Target where, const TlsOptions& tls)
      : target(std::move(where)),
        endpoints(endpoints_of(io, target)),
        context(target.tls ? client_context(tls) : nullptr) {}

  const Target target;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  const Endpoints endpoints;
  std::unique_ptr<asio::ssl::context> context;
};

Network::Network(Target target, const TlsOptions& tls) : impl_(std::make_unique<Impl>(std::move(target), tls)) {}
Network::~Network() = default;

const Target& Network::target() const {
  return impl_->target;
}

std::shared_ptr<Connection> Network::open(std::string request, ConnectionEvents events) {
  if (impl_->context == nullptr) return open_plain(impl_->io, impl_->endpoints, std::move(request), std::move(events));
  return open_tls(impl_->io, impl_->endpoints, *impl_->context, impl_->target.host, std::move(request),
                  std::move(events));
}

void Network::after(std::chrono::duration<double> delay, std::function<void()> work) {
  const auto timer = std::make_shared<asio::steady_timer>(impl_->io);
  timer->expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(delay));
  timer->async_wait([timer, work = std::move(work)](ErrorCode error) {
    if (!error) work();
  });
}

void Network::post(std::function<void()> work) {
  asio::post(impl_->io, std::move(work));
}

void Network::run() {
  impl_->io.restart();
  impl_->io.run();
}

void Network::stop() {
  impl_->io.stop();
}

Response Network::ask(std::string_view method, std::string_view path, std::string_view key, std::string_view body,
                      std::chrono::seconds patience) {
  const auto question = std::make_shared<Question>();
  const auto look = [this, question] {
    if (question->problem) stop();
  };
  const auto connection =
      open(request_bytes(target(), method, path, key, body), {.received =
                                                                  [question, look](std::string_view bytes) {
                                                                    question->received(bytes);
                                                                    look();
                                                                  },
                                                              .ended =
                                                                  [question, look](const std::string& problem) {
                                                                    question->ended(problem);
                                                                    look();
                                                                  }});
  after(patience, [question, look] {
    if (question->problem) return;
    question->problem = "no answer in time";
    look();
  });
  run();
  connection->close();
  if (!question->problem->empty()) {
    const bool came = question->reader.state() != ResponseReader::State::Head;
    fail(came ? ErrorKind::Corrupt : ErrorKind::Io, "{}{}: {}",
         target().unix_socket.empty() ? target().authority() : target().unix_socket, path, *question->problem);
  }
  return std::move(question->response);
}

}  // namespace cleave::load
