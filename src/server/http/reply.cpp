#include "server/http/reply.h"

#include <utility>

#include "server/http/connection.h"

namespace cleave::server::http {

std::shared_ptr<Connection> Reply::connection() const {
  std::shared_ptr<Connection> connection = connection_.lock();
  return connection != nullptr && connection->is_answering(serial_) ? connection : nullptr;
}

void Reply::send(Response response) const {
  if (const auto open = connection()) open->send(std::move(response));
}

void Reply::start(int status, Headers headers) const {
  if (const auto open = connection()) open->start(status, std::move(headers));
}

void Reply::write(std::string_view bytes) const {
  if (const auto open = connection()) open->write(bytes);
}

void Reply::finish() const {
  if (const auto open = connection()) open->finish();
}

void Reply::abort() const {
  if (const auto open = connection()) open->close();
}

bool Reply::over() const {
  return connection() == nullptr;
}

size_t Reply::backlog() const {
  const auto open = connection();
  return open == nullptr ? 0 : open->backlog();
}

void Reply::on_gone(std::function<void()> callback) const {
  if (const auto open = connection()) open->on_gone(std::move(callback));
}

void Reply::on_drained(std::function<void()> callback) const {
  if (const auto open = connection()) open->on_drained(std::move(callback));
}

}  // namespace cleave::server::http
