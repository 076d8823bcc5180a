#include <utility>

#include "base/error.h"
#include "text/models/bpe_model.h"
#include "text/models/vocabulary_json.h"

namespace cleave::text {
namespace {

// Before version 0.20 of the library a merge was one string, "left right".
std::pair<std::string_view, std::string_view> read_merge(const JsonField& list, size_t index) {
  const Json& merge = list.json()[index];
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
      list.at(index).wrong("two tokens with a space between");
    return {text.substr(0, space), text.substr(space + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string())
    list.at(index).wrong("a pair of tokens");
  return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
}

bool is_version_line(const Json& merge) {
  return merge.is_string() && merge.get_ref<const std::string&>().starts_with("#version");
}

void read_merges(const JsonField& field, BpeParts& parts) {
  const Json& list = field.array();
  parts.merges = MergeTable(list.size());
  uint32_t rank = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (is_version_line(list[i])) continue;
    const auto [left, right] = read_merge(field, i);
    add_merge(parts, left, right, rank++, [&] { return field.at(i).path(); });
  }
}

}  // namespace

std::unique_ptr<TokenModel> read_bpe_model(const JsonField& field) {
  BpeParts parts;
  parts.what = field.path();
  parts.vocabulary = read_vocabulary(field.at("vocab"));
  parts.unknown_token = field.string_or("unk_token", "");
  parts.fuse_unknown = field.boolean_or("fuse_unk", false);
  parts.ignore_merges = field.boolean_or("ignore_merges", false);
  parts.byte_fallback = field.boolean_or("byte_fallback", false);
  parts.prefix = field.string_or("continuing_subword_prefix", "");
  parts.suffix = field.string_or("end_of_word_suffix", "");
  read_merges(field.at("merges"), parts);
  return make_bpe_model(std::move(parts));
}

}  // namespace cleave::text
