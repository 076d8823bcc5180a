#include "text/tokenizer/pipeline.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// Limit of a text's bytes, because positions of characters are kept in 32 bits.
constexpr size_t kMaxTextBytes = std::numeric_limits<int32_t>::max();

class PipelineTokenizer final : public Tokenizer {
 public:
  explicit PipelineTokenizer(Pipeline pipeline) : stages_(std::move(pipeline)), decoder_(std::move(stages_.decoder)) {}

  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens) const override {
    if (text.size() > kMaxTextBytes)
      fail(ErrorKind::InvalidArgument, "a text of {} bytes is longer than {}", text.size(), kMaxTextBytes);
    std::vector<int32_t> ids;
    if (unicode::is_utf8(text)) {
      encode_utf8(text, ids);
    } else {
      encode_utf8(unicode::sanitize_utf8(text), ids);
    }
    if (add_special_tokens && stages_.post_processor) return stages_.post_processor->apply(std::move(ids));
    return ids;
  }

  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const override {
    std::vector<std::string_view> tokens;
    tokens.reserve(ids.size());
    for (const int32_t id : ids) {
      if (skip_special_tokens && is_special(id)) continue;
      if (const std::optional<std::string_view> token = token_text(id)) tokens.push_back(*token);
    }
    return decoder_.decode(tokens);
  }

  std::string token_bytes(int32_t id) const override {
    const std::optional<std::string_view> token = token_text(id);
    return token ? decoder_.token_bytes(*token) : "";
  }

  bool is_special(int32_t id) const override {
    const AddedToken* added = stages_.added.find(id);
    return added != nullptr && added->special;
  }

  std::optional<int32_t> token_id(std::string_view token) const override {
    const std::optional<int32_t> added = stages_.added.id(token);
    return added ? added : stages_.model->id(token);
  }

  int32_t vocab_size() const override { return std::max(stages_.model->id_end(), stages_.added.id_end()); }

 private:
  // Added tokens are cut out twice: first those that are found in the text as it is written, then, in the normal form
  // of the stretches between, the others. The rest goes through the pre-tokenizer to the model.
  void encode_utf8(std::string_view text, std::vector<int32_t>& ids) const {
    const std::unique_ptr<PieceEncoder> encoder = stages_.model->start_text();
    for_each_text(text, false, ids, [&](std::string_view part, bool part_at_start) {
      const std::string normal = stages_.normalizer ? stages_.normalizer->apply(part) : std::string();
      for_each_text(stages_.normalizer ? normal : part, true, ids, [&](std::string_view section, bool at_start) {
        encode_section(section, part_at_start && at_start, *encoder, ids);
      });
    });
  }

  // Appends the ids of the added tokens in `text` and calls encode(stretch, at_start) for the stretches between them.
  template <class Encode>
  void for_each_text(std::string_view text, bool normalized, std::vector<int32_t>& ids, Encode&& encode) const {
    std::vector<AddedTokens::Section> sections;
    stages_.added.split(text, normalized, sections);
    for (const AddedTokens::Section& section : sections) {
      if (section.id) {
        ids.push_back(*section.id);
      } else {
        encode(text.substr(section.range.begin, section.range.end - section.range.begin), section.range.begin == 0);
      }
    }
  }

  void encode_section(std::string_view section, bool at_start, PieceEncoder& encoder, std::vector<int32_t>& ids) const {
    Pieces pieces(section, at_start);
    if (stages_.pre_tokenizer) stages_.pre_tokenizer->apply(pieces);
    for (size_t i = 0; i < pieces.size(); ++i) encoder.encode(pieces[i], ids);
  }

  std::optional<std::string_view> token_text(int32_t id) const {
    const AddedToken* added = stages_.added.find(id);
    return added != nullptr ? std::optional<std::string_view>(added->content) : stages_.model->token(id);
  }

  Pipeline stages_;  // its decoder has moved to decoder_
  Decoder decoder_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_pipeline_tokenizer(Pipeline pipeline) {
  return std::make_unique<PipelineTokenizer>(std::move(pipeline));
}

}  // namespace cleave::text
