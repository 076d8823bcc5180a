#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::grammar {

/// The tokens of a tokenizer as a trie of their bytes, for walks that find those that a grammar allows. Made once per
/// tokenizer. Immutable and thread-safe.
class Vocabulary {
 public:
  /// `tokens`: the bytes that each id adds to a text; "" for ids that no grammar allows, such as special tokens.
  /// `end_tokens`: ids that end an answer, allowed where a text is complete.
  Vocabulary(std::span<const std::string> tokens, std::span<const int32_t> end_tokens);

  /// A node of the trie. Nodes stand in the order in which a walk meets them: children behind their parent.
  struct Node {
    uint32_t end;         // the first node that is not below this one
    int32_t token;        // the first id of these bytes, or -1
    uint16_t depth;       // number of bytes
    uint8_t byte;         // the last of them
    uint8_t outside = 0;  // bit k: a token at or below this node is not of slice k
  };
  /// Tokens that any JSON string may contain: whole characters, at most `characters` of them, none to be escaped. Most
  /// tokens are such, so that a grammar at a string's character has little left to look at.
  struct Slice {
    uint32_t characters;
    std::vector<uint32_t> mask;  // [words()]
  };
  static constexpr size_t kSlices = 3;

  int32_t size() const { return static_cast<int32_t>(bytes_.size()); }
  /// Length of a mask: one bit per token, 32 to a word, the lowest first.
  size_t words() const { return (bytes_.size() + 31) / 32; }
  std::span<const Node> nodes() const { return nodes_; }
  /// From the shortest to the one without a limit.
  const std::array<Slice, kSlices>& slices() const { return slices_; }
  /// The next id of the same bytes, or -1.
  int32_t next_same(int32_t token) const { return same_[token]; }
  std::string_view bytes(int32_t token) const { return bytes_[token]; }
  size_t longest() const { return longest_; }
  std::span<const int32_t> end_tokens() const { return end_tokens_; }
  bool is_end_token(int32_t token) const;
  /// Ids of tokens with at least so many double quotes, 1 to 3.
  std::span<const int32_t> with_quotes(size_t count) const { return with_quotes_[count - 1]; }

  /// Sets the bits of a node's tokens.
  void set_tokens(const Node& node, std::span<uint32_t> mask) const {
    for (int32_t token = node.token; token >= 0; token = same_[token]) mask[token / 32] |= 1u << (token % 32);
  }

 private:
  void build_trie();
  void build_slices();

  std::vector<std::string> bytes_;  // by id
  std::vector<int32_t> same_;       // by id
  std::vector<Node> nodes_;         // without the root
  std::array<Slice, kSlices> slices_;
  std::vector<int32_t> end_tokens_;
  std::array<std::vector<int32_t>, 3> with_quotes_;
  size_t longest_ = 0;
};

}  // namespace cleave::grammar
