#include "grammar/matching/vocabulary.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "unicode/utf8.h"

namespace cleave::grammar {
namespace {

// Characters of the slices. Few strings have less than 4 characters left, and few tokens more than 16.
constexpr std::array<uint32_t, Vocabulary::kSlices> kSliceCharacters{4, 16, UINT32_MAX};
constexpr size_t kMaxTokenBytes = UINT16_MAX;

// The characters of a token that any JSON string may contain; nothing for another token.
std::optional<uint32_t> plain_characters(std::string_view token) {
  if (token.empty() || !unicode::is_utf8(token)) return std::nullopt;
  uint32_t count = 0;
  for (const char character : token) {
    const auto byte = static_cast<uint8_t>(character);
    if (byte < 0x20 || byte == '"' || byte == '\\') return std::nullopt;
    count += (byte & 0xC0) != 0x80;
  }
  return count;
}

}  // namespace

Vocabulary::Vocabulary(std::span<const std::string> tokens, std::span<const int32_t> end_tokens)
    : bytes_(tokens.begin(), tokens.end()),
      same_(tokens.size(), -1),
      end_tokens_(end_tokens.begin(), end_tokens.end()) {
  std::erase_if(end_tokens_, [&](int32_t token) { return token < 0 || token >= size(); });
  for (const int32_t token : end_tokens_) bytes_[token].clear();
  for (const std::string& bytes : bytes_) {
    longest_ = std::max(longest_, bytes.size());
    if (bytes.size() > kMaxTokenBytes)
      fail(ErrorKind::Unsupported, "a token of the vocabulary has {} bytes, grammars work with at most {}",
           bytes.size(), kMaxTokenBytes);
  }
  build_trie();
  build_slices();
  for (int32_t token = 0; token < size(); ++token) {
    const auto quotes = static_cast<size_t>(std::count(bytes_[token].begin(), bytes_[token].end(), '"'));
    for (size_t count = 0; count < std::min(quotes, with_quotes_.size()); ++count) with_quotes_[count].push_back(token);
  }
}

bool Vocabulary::is_end_token(int32_t token) const {
  return std::find(end_tokens_.begin(), end_tokens_.end(), token) != end_tokens_.end();
}

// Adds the tokens in the order of their bytes; each closes the nodes that it has not in common with the one before.
void Vocabulary::build_trie() {
  std::vector<int32_t> order(bytes_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return bytes_[a] < bytes_[b]; });
  std::vector<uint32_t> open;  // nodes on the path to the last token
  const auto close = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back()) nodes_[open.back()].end = static_cast<uint32_t>(nodes_.size());
  };
  int32_t last = -1;
  for (const int32_t token : order) {
    const std::string& bytes = bytes_[token];
    if (bytes.empty()) continue;
    if (last >= 0 && bytes_[last] == bytes) {
      same_[last] = token;
      last = token;
      continue;
    }
    const std::string_view before = last >= 0 ? bytes_[last] : std::string_view();
    const auto differ = std::mismatch(before.begin(), before.end(), bytes.begin(), bytes.end());
    close(static_cast<size_t>(differ.first - before.begin()));
    while (open.size() < bytes.size()) {
      open.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, -1, static_cast<uint16_t>(open.size()), static_cast<uint8_t>(bytes[open.size() - 1])});
    }
    nodes_.back().token = token;
    last = token;
  }
  close(0);
}

void Vocabulary::build_slices() {
  for (size_t k = 0; k < kSlices; ++k) slices_[k] = {kSliceCharacters[k], std::vector<uint32_t>(words())};
  std::vector<uint32_t> path;  // nodes above the current one, and itself
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    path.resize(node.depth);
    path[node.depth - 1] = i;
    if (node.token < 0) continue;
    const std::optional<uint32_t> characters = plain_characters(bytes_[node.token]);
    for (size_t k = 0; k < kSlices; ++k) {
      if (characters && *characters <= kSliceCharacters[k])
        set_tokens(node, slices_[k].mask);
      else
        for (const uint32_t above : path) nodes_[above].outside |= 1u << k;
    }
  }
}

}  // namespace cleave::grammar
