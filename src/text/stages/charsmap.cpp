#include "text/stages/charsmap.h"

#include <utf8proc.h>

#include <cstring>

#include "base/error.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// A unit of a darts-clone double array.
bool has_leaf(uint32_t unit) {
  return (unit >> 8 & 1) != 0;
}
uint32_t value(uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
uint32_t label(uint32_t unit) {
  return unit & 0x800000FF;
}
uint32_t offset(uint32_t unit) {
  return unit >> 10 << ((unit & 0x200) >> 6);
}

// The size in bytes from which on a cluster is replaced character by character.
constexpr size_t kLongCluster = 6;

// The size in bytes of the grapheme cluster at the beginning of `text`.
size_t cluster_size(std::string_view text) {
  utf8proc_int32_t state = 0;
  unicode::Utf8Char c = unicode::valid_utf8_at(text, 0);
  size_t size = c.size;
  while (size < text.size()) {
    const unicode::Utf8Char next = unicode::valid_utf8_at(text, size);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(c.code),
                                         static_cast<utf8proc_int32_t>(next.code), &state))
      break;
    size += next.size;
    c = next;
  }
  return size;
}

class PrecompiledNormalizer final : public Normalizer {
 public:
  explicit PrecompiledNormalizer(Charsmap charsmap) : charsmap_(std::move(charsmap)) {}

  std::string apply(std::string_view text) const override {
    std::string normal;
    normal.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
      const size_t size = cluster_size(text.substr(at));
      append_cluster(text.substr(at, size), normal);
      at += size;
    }
    return normal;
  }

 private:
  void append_cluster(std::string_view cluster, std::string& normal) const {
    if (cluster.size() < kLongCluster && append_replacement(cluster, normal)) return;
    for (size_t i = 0; i < cluster.size();) {
      const std::string_view character = cluster.substr(i, unicode::valid_utf8_at(cluster, i).size);
      if (!append_replacement(character, normal)) normal.append(character);
      i += character.size();
    }
  }

  bool append_replacement(std::string_view text, std::string& normal) const {
    const auto replacement = charsmap_.shortest_at(text);
    if (replacement) normal.append(replacement->text);
    return replacement.has_value();
  }

  Charsmap charsmap_;
};

}  // namespace

Charsmap::Charsmap(std::string_view blob, const std::string& what) {
  if (blob.empty()) return;
  uint32_t trie_size = 0;
  if (blob.size() >= sizeof trie_size) std::memcpy(&trie_size, blob.data(), sizeof trie_size);
  if (blob.size() < sizeof trie_size || trie_size > blob.size() - sizeof trie_size || trie_size % sizeof(uint32_t) != 0)
    fail(ErrorKind::Corrupt, "{}: the precompiled charsmap of {} bytes says that its trie has {}", what, blob.size(),
         trie_size);
  units_.resize(trie_size / sizeof(uint32_t));
  if (trie_size > 0) std::memcpy(units_.data(), blob.data() + sizeof trie_size, trie_size);
  texts_ = blob.substr(sizeof trie_size + trie_size);
  // A replacement ends at a zero byte and must be UTF-8.
  if (!unicode::is_utf8(texts_))
    fail(ErrorKind::Corrupt, "{}: the texts of the precompiled charsmap are not UTF-8", what);
}

std::optional<Charsmap::Replacement> Charsmap::find(std::string_view text, bool longest) const {
  std::optional<Replacement> found;
  if (units_.empty()) return found;
  size_t node = offset(units_[0]);
  for (size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    node ^= static_cast<uint8_t>(text[i]);
    if (node >= units_.size() || label(units_[node]) != static_cast<uint8_t>(text[i])) break;
    const bool leaf = has_leaf(units_[node]);
    node ^= offset(units_[node]);
    if (node >= units_.size()) break;
    if (!leaf) continue;
    const size_t begin = value(units_[node]);
    const size_t end = begin < texts_.size() ? texts_.find('\0', begin) : std::string::npos;
    if (begin >= texts_.size() || (begin > 0 && texts_[begin - 1] != '\0')) continue;  // in the midst of a replacement
    found = Replacement{std::string_view(texts_).substr(begin, end - begin), i + 1};
    if (!longest) break;
  }
  return found;
}

std::unique_ptr<Normalizer> make_precompiled_normalizer(Charsmap charsmap) {
  return std::make_unique<PrecompiledNormalizer>(std::move(charsmap));
}

}  // namespace cleave::text
