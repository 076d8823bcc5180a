#include "response/channel_parser.h"

#include <algorithm>

#include "response/event_writer.h"
#include "response/mark.h"

namespace cleave::response {
namespace {

using Type = ResponseEvent::Type;

constexpr std::string_view kRecipient = "to=";
constexpr size_t kMaxHeader = 1024;  // bytes

/// A parser of answers that are messages in channels: header, mark, text, end, and the next header.
class ChannelParser : public AnswerParser {
 public:
  ChannelParser(const ResponseFormat& format, ParserSettings settings)
      : syntax_(*format.channels),
        settings_(std::move(settings)),
        writer_(settings_.tools, settings_.id_seed),
        start_(syntax_.start),
        channel_(syntax_.channel),
        message_(syntax_.message) {
    for (const std::string& end : syntax_.ends) ends_.emplace_back(end);
  }

  std::vector<ResponseEvent> feed(std::string_view text) override {
    text_ += text;
    while (step(false)) continue;
    if (state_ != State::Call) {
      text_.erase(0, at_);
      at_ = 0;
    }
    return writer_.take();
  }

  std::vector<ResponseEvent> finish() override {
    while (step(true)) continue;
    if (state_ == State::Call && writer_.call_begun()) writer_.end_call(reader_->whole());
    writer_.finish();
    return writer_.take();
  }

  bool in_reasoning() const override { return state_ == State::Text && type_ == Type::Reasoning; }
  bool in_call() const override { return writer_.call_begun(); }

 private:
  enum class State : uint8_t { Header, Text, Held, Call, Between };

  bool step(bool final) {
    switch (state_) {
      case State::Header:
        return read_header(final);
      case State::Text:
        return read_text(final);
      case State::Held:
        return read_held();
      case State::Call:
        return read_call(final);
      case State::Between:
        return read_between(final);
    }
    return false;
  }

  bool begins_like_header(std::string_view text) const {
    for (const std::string_view head :
         {std::string_view(syntax_.start), std::string_view(syntax_.author), std::string_view(syntax_.channel),
          kRecipient, std::string_view(syntax_.message)}) {
      const size_t known = std::min(head.size(), text.size());
      if (text.substr(0, known) == head.substr(0, known)) return true;
    }
    return false;
  }

  bool read_header(bool final) {
    const std::string_view rest = std::string_view(text_).substr(at_);
    if (left_trimmed(rest).empty()) return false;
    const Match message = message_.find(text_, at_);
    const bool is_header = begins_like_header(left_trimmed(rest)) && rest.size() <= kMaxHeader;
    if (message.fit == Fit::Yes && message.begin - at_ <= kMaxHeader && begins_like_header(left_trimmed(rest))) {
      begin_message(std::string(rest.substr(0, message.begin - at_)));
      at_ = message.end;
      return true;
    }
    if (is_header && !final) return false;
    const bool cut = is_header && left_trimmed(rest)[0] == '<';
    if (cut) at_ = text_.size();  // marks alone
    begin_text(Type::Content);
    skip_ = 1;
    return !cut;
  }

  void begin_text(Type type) {
    writer_.mark();
    type_ = settings_.keeps_reasoning ? Type::Content : type;
    state_ = State::Text;
  }

  void begin_message(const std::string& header) {
    const std::string name = recipient(header);
    if (!name.empty() && !settings_.tools.empty() && writer_.on_call(name, "")) {
      reader_ = make_arguments_reader(writer_);
      state_ = State::Call;
      return;
    }
    const std::string to = channel(header);
    begin_text(to == syntax_.reasoning ? Type::Reasoning : Type::Content);
    if (settings_.is_held && to == syntax_.content) state_ = State::Held;
  }

  // Content up to the end of an answer that a grammar holds.
  bool read_held() {
    writer_.text(Type::Content, std::string_view(text_).substr(at_));
    at_ = text_.size();
    return false;
  }

  static std::string word_behind(const std::string& text, size_t begin) {
    return text.substr(begin, text.find_first_of(" \t\r\n<", begin) - begin);
  }

  std::string channel(const std::string& header) const {
    const size_t at = header.rfind(syntax_.channel);
    return at == std::string::npos ? "" : word_behind(header, at + syntax_.channel.size());
  }

  // The tool that a message goes to, without the namespace of functions; "" where it goes to nobody.
  std::string recipient(const std::string& header) const {
    const size_t at = header.find(kRecipient);
    if (at == std::string::npos) return "";
    const std::string name = word_behind(header, at + kRecipient.size());
    const size_t space = syntax_.recipient.find(kRecipient);
    const std::string inside = space == std::string::npos ? "" : syntax_.recipient.substr(space + kRecipient.size());
    return name.compare(0, inside.size(), inside) == 0 ? name.substr(inside.size()) : name;
  }

  // The first mark that ends a text.
  Match next_mark(bool final) const {
    Match first{Fit::No, text_.size(), text_.size()};
    const auto look_for = [&](const Mark& mark) {
      const Match match = mark.find(text_, at_ + skip_);
      if (match.fit == Fit::No || (final && match.fit == Fit::Partly)) return;
      if (match.begin < first.begin || (match.begin == first.begin && match.fit == Fit::Yes)) first = match;
    };
    for (const Mark& end : ends_) look_for(end);
    look_for(start_);
    look_for(channel_);
    return first;
  }

  bool read_text(bool final) {
    const Match mark = next_mark(final);
    writer_.text(type_, std::string_view(text_).substr(at_, mark.begin - at_));
    if (mark.begin > at_) skip_ = 0;
    at_ = mark.begin;
    if (mark.fit != Fit::Yes) return false;
    writer_.mark();
    state_ = State::Between;
    return true;
  }

  bool read_call(bool final) {
    const CallReader::Status status = reader_->read(std::string_view(text_).substr(at_), final);
    if (status == CallReader::Status::More) return false;
    if (status == CallReader::Status::Wrong) {
      writer_.drop_call();
      begin_text(Type::Content);
      return true;
    }
    at_ += reader_->end();
    writer_.end_call(true);
    state_ = State::Between;
    return true;
  }

  bool read_between(bool final) {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ == text_.size()) return false;
    for (const Mark& end : ends_) {
      const Match match = end.at(text_, at_);
      if (match.fit == Fit::Partly && !final) return false;
      if (match.fit != Fit::Yes) continue;
      at_ = match.end;
      return true;
    }
    state_ = State::Header;
    return true;
  }

  const ChannelSyntax& syntax_;
  ParserSettings settings_;
  EventWriter writer_;
  Mark start_, channel_, message_;
  std::vector<Mark> ends_;
  State state_ = State::Header;
  Type type_ = Type::Content;
  std::string text_;
  size_t at_ = 0;    // before it all is told
  size_t skip_ = 0;  // bytes from there on that begin no mark
  std::unique_ptr<CallReader> reader_;
};

}  // namespace

std::unique_ptr<AnswerParser> make_channel_parser(const ResponseFormat& format, ParserSettings settings) {
  return std::make_unique<ChannelParser>(format, std::move(settings));
}

}  // namespace cleave::response
