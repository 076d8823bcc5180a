#include "response/find_arguments.h"

#include "response/difference.h"
#include "response/mark.h"

namespace cleave::response {
namespace {

constexpr size_t npos = std::string::npos;

bool starts_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

// What a template writes between the key and a value, and behind them, of a call with this argument alone.
std::optional<std::string> text_behind_key(const Probe& probe, const OrderedJson& value) {
  const std::string key(probe::kKeys[0]);
  const ProbeCall call = {std::string(probe::kNames[0]), {{key, value}}, std::string(probe::kIds[0])};
  const auto turn = Probe::behind_user(probe.conversation(OrderedJson::array({probe.answer_with_calls({call})}), true));
  const size_t name = turn ? turn->find(call.name) : npos;
  const size_t at = name == npos ? npos : turn->find(key, name);
  if (at == npos) return std::nullopt;
  return turn->substr(at + key.size());
}

// The marks between keys and values: one, or another for strings, or one and quotes.
void find_value_style(const Probe& probe, const std::string& key_end, std::string_view behind_string,
                      CallSyntax& syntax) {
  constexpr int64_t kNumber = 4815162342;
  syntax.arguments.key_end = key_end;
  const std::optional<std::string> number = text_behind_key(probe, kNumber);
  const size_t at = number ? number->find(std::to_string(kNumber)) : npos;
  if (at == npos) return;
  const std::string other = number->substr(0, at);
  if (other == key_end) return;
  const std::string quote = starts_with(key_end, other) ? key_end.substr(other.size()) : "";
  if (trimmed(quote).empty() || !starts_with(behind_string, quote)) {
    syntax.arguments.key_end_other = other;
    return;
  }
  syntax.arguments.key_end = other;
  syntax.arguments.raw_strings = false;
  const std::optional<std::string> boolean = text_behind_key(probe, true);
  const bool is_python = quote == "'" || (boolean && starts_with(*boolean, other + "True"));
  syntax.style.python = is_python;
  if (quote == "'" || quote == "\"") return;
  syntax.style.quote = quote;
  syntax.style.bare_keys = true;
}

}  // namespace

void find_argument_marks(const Probe& probe, const CallSample& sample, const CallSpan& span, std::string& head_tail,
                         std::string& behind, CallSyntax& syntax) {
  const OrderedJson& arguments = sample.calls[0].arguments;
  const auto first = arguments.begin();
  const auto second = std::next(first);
  const size_t key = span.arguments.begin;
  const size_t key_end = key + first.key().size();
  const size_t value = sample.text.find(first.value().get<std::string>(), key_end);
  const size_t value_end = value + first.value().get<std::string>().size();
  const size_t next_key = sample.text.find(second.key(), value_end);
  std::string between = sample.text.substr(value_end, next_key - value_end);
  find_value_style(probe, sample.text.substr(key_end, value - key_end), between, syntax);
  if (!syntax.arguments.raw_strings) {
    const std::string full = sample.text.substr(key_end, value - key_end);
    const size_t quote = full.size() - syntax.arguments.key_end.size();
    between.erase(0, quote);
    behind.erase(0, quote);
  }
  syntax.arguments.open = common_suffix(head_tail, between);
  head_tail.resize(head_tail.size() - syntax.arguments.open.size());
  between.resize(between.size() - syntax.arguments.open.size());
  syntax.arguments.close = common_prefix(between, behind);
  syntax.arguments.separator = between.substr(syntax.arguments.close.size());
  behind.erase(0, syntax.arguments.close.size());
}

}  // namespace cleave::response
