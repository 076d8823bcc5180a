#include "text/files/tiktoken.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/base64.h"
#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/models/score_bpe_model.h"
#include "text/stages/byte_level.h"

namespace cleave::text {
namespace {

struct Entry {
  std::string token;  // bytes
  int32_t rank;
};

std::optional<Entry> read_entry(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::optional<std::string> token = decode_base64(line.substr(0, space));
  int32_t rank = -1;
  const auto [end, error] = std::from_chars(line.data() + space + 1, line.data() + line.size(), rank);
  if (!token || token->empty() || error != std::errc() || end != line.data() + line.size() || rank < 0)
    return std::nullopt;
  return Entry{std::move(*token), rank};
}

std::string_view next_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Makes the vocabulary, in which ranks are ids; a gap between ranks is an id without a token.
ScoreBpeParts read_parts(std::string_view bytes, const std::string& what) {
  ScoreBpeParts parts;
  parts.what = what;
  parts.ignore_merges = true;
  for (int number = 1; !bytes.empty(); ++number) {
    const std::string_view line = next_line(bytes);
    if (line.empty()) continue;
    const std::optional<Entry> entry = read_entry(line);
    if (!entry)
      fail(ErrorKind::Corrupt, "{}:{}: wanted a token in base64, a space and its rank, saw {}", what, number,
           in_quotes(line));
    // Even the shortest line takes six bytes, so that ranks cannot be many times the file.
    if (static_cast<size_t>(entry->rank) > 64 * (bytes.size() + parts.scores.size() + 1024))
      fail(ErrorKind::Corrupt, "{}:{}: the rank {} is far beyond the number of tokens", what, number, entry->rank);
    const auto id = static_cast<size_t>(entry->rank);
    parts.scores.resize(std::max(parts.scores.size(), id + 1), std::numeric_limits<float>::lowest());
    parts.scores[id] = -static_cast<float>(id);
    std::string token;
    append_byte_level(entry->token, token);
    parts.vocabulary.add(token, entry->rank);
  }
  parts.mergeable.assign(parts.scores.size(), true);
  return parts;
}

}  // namespace

bool is_tiktoken(std::string_view bytes) {
  return read_entry(next_line(bytes)).has_value();
}

Pipeline tiktoken_pipeline(std::string_view bytes, const std::vector<std::string>& patterns, const std::string& what) {
  Pipeline stages;
  stages.model = make_score_bpe_model(read_parts(bytes, what));
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const std::string& pattern : patterns)
    steps.push_back(make_split(Pattern::regex(pattern, what), SplitBehavior::Isolated, false));
  steps.push_back(make_byte_level(false, false));
  stages.pre_tokenizer = make_sequence(std::move(steps));
  stages.decoder = make_byte_level_step();
  return stages;
}

}  // namespace cleave::text
