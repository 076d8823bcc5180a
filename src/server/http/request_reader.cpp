#include "server/http/request_reader.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

#include "base/growing_body.h"

namespace cleave::server::http {
namespace {

namespace beast = boost::beast;

std::string lower(beast::string_view text) {
  std::string result(text.data(), text.size());
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

struct RequestReader::Parser {
  beast::http::request_parser<GrowingBody> message;
};

RequestReader::RequestReader(const Limits& limits) : parser_(std::make_unique<Parser>()), limits_(limits) {
  parser_->message.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  parser_->message.body_limit(limits.body_bytes);
}

RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::read(std::string& input) {
  auto& message = parser_->message;
  message.eager(state_ == State::Body);
  beast::error_code error;
  size_t taken = 0;
  // Lines that are empty may precede a request (RFC 9112, 2.2).
  while (state_ == State::Head && (input.starts_with("\r\n") || input.starts_with("\n")))
    input.erase(0, input[0] == '\r' ? 2 : 1);
  if (!input.empty()) taken = message.put(boost::asio::buffer(input), error);
  input.erase(0, taken);
  if (error == beast::http::error::header_limit)
    return fail(431, fmt::format("the headers have more than {} bytes", limits_.header_bytes));
  if (error == beast::http::error::body_limit)
    return fail(413, fmt::format("the body has more than {} bytes", limits_.body_bytes));
  if (error && error != beast::http::error::need_more)
    return fail(400, fmt::format("this is no HTTP/1.1 request: {}", error.message()));
  if (error && input.size() > limits_.header_bytes)
    return fail(431, fmt::format("a line has more than {} bytes", limits_.header_bytes));
  if (state_ == State::Head && message.is_header_done()) note_head();
  if (state_ == State::Body && message.is_done()) state_ = State::Complete;
  return state_;
}

void RequestReader::note_head() {
  state_ = State::Body;
  const auto& message = parser_->message.get();
  request_.method = text_of(message.method_string());
  request_.path = normalized_path(std::string_view(message.target().data(), message.target().size()));
  request_.version = static_cast<int>(message.version());
  request_.keep_alive = message.keep_alive();
  for (const auto& field : message) request_.headers.emplace_back(lower(field.name_string()), text_of(field.value()));
}

bool RequestReader::expects_continue() const {
  return request_.version >= 11 && lower(beast::string_view(request_.header("expect").data(),
                                                            request_.header("expect").size())) == "100-continue";
}

Request RequestReader::take() {
  request_.body = std::move(parser_->message.get().body());
  return std::move(request_);
}

RequestReader::State RequestReader::fail(int status, std::string problem) {
  if (state_ == State::Head) note_head();  // as far as they are known: the reply's form depends on the path
  status_ = status;
  problem_ = std::move(problem);
  return state_ = State::Failed;
}

}  // namespace cleave::server::http
