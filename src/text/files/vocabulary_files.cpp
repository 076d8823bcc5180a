#include "text/files/vocabulary_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/untrusted_text.h"
#include "text/models/bpe_model.h"
#include "text/models/vocabulary_json.h"
#include "text/models/word_model.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

namespace fs = std::filesystem;

// Calls visit(line, number) for each line, which ends in \n or \r\n; numbers begin at 1.
template <class Visit>
void for_each_line(std::string_view rest, Visit&& visit) {
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line, number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void read_merges(const fs::path& path, BpeParts& parts) {
  const MappedFile file(path);
  uint32_t rank = 0;
  for_each_line(file.text(), [&](std::string_view line, size_t number) {
    if (line.empty() || line.starts_with("#version")) return;
    const auto place = [&] { return fmt::format("{}:{}", path.string(), number); };
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
      fail(ErrorKind::Corrupt, "{}: wanted two tokens with a space between, saw {}", place(), in_quotes(line));
    add_merge(parts, line.substr(0, space), line.substr(space + 1), rank++, place);
  });
}

std::unique_ptr<PreTokenizer> in_sequence(std::unique_ptr<PreTokenizer> first, std::unique_ptr<PreTokenizer> second) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  steps.push_back(std::move(first));
  steps.push_back(std::move(second));
  return make_sequence(std::move(steps));
}

}  // namespace

Pipeline vocab_json_pipeline(const fs::path& vocab, const fs::path& merges, const DirectorySettings& settings) {
  const MappedFile file(vocab);
  const Json json = parse_json(file.text(), vocab.string());
  BpeParts parts;
  parts.what = vocab.string();
  parts.vocabulary = read_vocabulary(JsonField(json, vocab.string() + ":"));
  read_merges(merges, parts);
  Pipeline stages;
  stages.model = make_bpe_model(std::move(parts));
  stages.normalizer = settings.normalizer();
  const std::optional<std::string> pattern = settings.byte_level_pattern();
  stages.pre_tokenizer =
      pattern ? in_sequence(make_split(Pattern::regex(*pattern, vocab.string()), SplitBehavior::Isolated, false),
                            make_byte_level(settings.add_prefix_space(), false))
              : make_byte_level(settings.add_prefix_space(), true);
  stages.decoder = make_byte_level_step();
  return stages;
}

Pipeline vocab_txt_pipeline(const fs::path& vocab, const DirectorySettings& settings) {
  const MappedFile file(vocab);
  WordPieceParts parts;
  parts.what = vocab.string();
  parts.unknown_token = settings.unknown_token("[UNK]");
  for_each_line(file.text(), [&](std::string_view line, size_t number) {
    if (!unicode::is_utf8(line)) fail(ErrorKind::Corrupt, "{}:{}: the token is not UTF-8", vocab.string(), number);
    parts.vocabulary.add(line, static_cast<int32_t>(number - 1));
  });
  Pipeline stages;
  stages.model = make_word_piece_model(std::move(parts));
  stages.normalizer = make_bert_normalizer(settings.bert_normalizing());
  stages.pre_tokenizer = in_sequence(make_split(unicode::is_whitespace, SplitBehavior::Removed),
                                     make_split(unicode::is_punctuation, SplitBehavior::Isolated));
  stages.decoder = make_word_piece_step("##", true);
  return stages;
}

}  // namespace cleave::text
