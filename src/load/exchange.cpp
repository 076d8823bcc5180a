#include "load/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::load {
namespace {

constexpr int kOk = 200;
constexpr size_t kMaxErrorBytes = 64 << 10;
// Of an answer, which an agent sends again: more than any context holds.
constexpr size_t kMaxTextBytes = 8 << 20;
constexpr int64_t kMaxCount = int64_t{1} << 40;

// A member of what may be anything; null where there is none.
const Json& member(const Json& json, const char* name) {
  static const Json kNull;
  if (!json.is_object()) return kNull;
  const auto found = json.find(name);
  return found == json.end() ? kNull : *found;
}

int64_t count_in(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_number_integer()) return 0;
  const auto count = value.get<int64_t>();
  return count >= 0 && count <= kMaxCount ? count : 0;
}

void append(std::string& text, const Json& value) {
  if (value.is_string()) text += value.get_ref<const std::string&>();
}

}  // namespace

Exchange::Exchange(Job job, double now) : job_(std::move(job)) {
  result_.begin = job_.due.value_or(now);
  result_.sent = now;
  result_.turn = job_.turn;
}

void Exchange::received(std::string_view bytes, double now) {
  using State = ResponseReader::State;
  if (over_) return;
  try {
    const State state = response_.push(bytes);
    if (response_.has_head()) take_body(now);  // also of what turns out to be wrong later on
    if (over_) return;
    if (state == State::Failed) return give_up("bad answer", response_.problem(), now);
    if (state == State::Complete) end_response(now);
  } catch (const Error& error) {
    give_up("bad answer", error.what(), now);
  }
}

void Exchange::take_body(double now) {
  is_stream_ = response_.status() == kOk && response_.content_type().starts_with("text/event-stream");
  const std::string bytes = response_.take_body();
  if (is_stream_) return events_.push(bytes, [&](const std::string& data) { take_event(data, now); });
  body_.append(std::string_view(bytes).substr(0, kMaxErrorBytes - std::min(body_.size(), kMaxErrorBytes)));
}

void Exchange::take_event(const std::string& data, double now) {
  if (over_) return;
  if (data.starts_with("[DONE]")) return conclude(now);
  take_chunk(parse_json(data, "an event of the stream"), now);
}

void Exchange::take_chunk(const Json& chunk, double now) {
  if (!member(chunk, "error").is_null()) return give_up("error in a stream", error_in(chunk.dump()), now);
  note_usage(member(chunk, "usage"));
  const Json& choices = member(chunk, "choices");
  if (!choices.is_array()) return;
  for (const Json& choice : choices) {
    take_text(choice, now);
    if (member(choice, "finish_reason").is_string()) has_finished_ = true;
  }
}

// Whatever a user sees coming counts: text, reasoning, or a call.
void Exchange::take_text(const Json& choice, double now) {
  const Json& delta = member(choice, "delta");
  const size_t before = text_.size();
  append(text_, member(choice, "text"));
  append(text_, member(delta, "content"));
  bool has_come = text_.size() > before;
  for (const char* name : {"reasoning_content", "reasoning"})
    has_come =
        has_come || (member(delta, name).is_string() && !member(delta, name).get_ref<const std::string&>().empty());
  has_come = has_come || (member(delta, "tool_calls").is_array() && !member(delta, "tool_calls").empty());
  if (text_.size() > kMaxTextBytes) fail(ErrorKind::Corrupt, "the answer has more than {} bytes", kMaxTextBytes);
  if (!has_come) return;
  if (result_.first)
    result_.gaps.push_back(static_cast<float>(now - last_piece_));
  else
    result_.first = now;
  last_piece_ = now;
  ++pieces_;
}

void Exchange::note_usage(const Json& usage) {
  if (!usage.is_object()) return;
  result_.counted = true;
  result_.prompt_tokens = count_in(usage, "prompt_tokens");
  result_.answer_tokens = count_in(usage, "completion_tokens");
  result_.cached_tokens = count_in(member(usage, "prompt_tokens_details"), "cached_tokens");
}

// Without [DONE], which some servers leave out, an answer is whole where its end was told.
void Exchange::end_response(double now) {
  if (is_stream_ && has_finished_) return conclude(now);
  if (is_stream_) return give_up("cut stream", "the stream ended within an answer", now);
  if (response_.status() != kOk) return give_up(fmt::format("{}", response_.status()), error_in(body_), now);
  give_up("no stream",
          fmt::format("it answers with {} in place of a stream",
                      response_.content_type().empty() ? "no type" : on_one_line(response_.content_type())),
          now);
}

void Exchange::ended(const std::string& problem, double now) {
  if (over_) return;
  const bool had_begun = response_.state() != ResponseReader::State::Head;
  if (!problem.empty()) return give_up(had_begun ? "cut stream" : "no connection", problem, now);
  if (response_.end() == ResponseReader::State::Complete) return end_response(now);
  give_up(had_begun ? "cut stream" : "no answer", response_.problem(), now);
}

void Exchange::give_up(std::string outcome, std::string problem, double now) {
  if (over_) return;
  result_.outcome = std::move(outcome);
  result_.problem = std::move(problem);
  conclude(now);
}

void Exchange::conclude(double now) {
  over_ = true;
  result_.end = now;
  if (!result_.counted) result_.answer_tokens = pieces_;
}

std::string error_in(std::string_view body) {
  try {
    const Json json = parse_json(body, "");
    const Json& error = member(json, "error").is_null() ? json : member(json, "error");
    for (const Json* text : {&error, &member(error, "message"), &member(json, "detail")})
      if (text->is_string()) return on_one_line(text->get<std::string>());
  } catch (const Error&) {
    return on_one_line(body);
  }
  return on_one_line(body);
}

}  // namespace cleave::load
