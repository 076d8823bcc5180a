#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grammar/grammar.h"
#include "grammar/matching/matcher.h"

namespace cleave::fuzz {

/// Limits that keep one input short.
inline grammar::Limits short_limits() {
  grammar::Limits limits;
  limits.nodes = 20'000;
  limits.alternatives = 300;
  limits.time = std::chrono::milliseconds(300);
  return limits;
}

/// The part of an input before its first zero byte, and the part behind it.
inline std::pair<std::string_view, std::string_view> two_parts(std::span<const std::byte> bytes) {
  const std::string_view input(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t end = std::min(input.find('\0'), input.size());
  return {input.substr(0, end), input.substr(std::min(end + 1, input.size()))};
}

/// Lets an answer follow a text as far as the grammar allows. On the way, what the mask says of a token must be what
/// trying it says. Returns how many bytes were taken, and whether the text may end there.
inline std::pair<size_t, bool> walk(std::shared_ptr<const grammar::Program> program, std::string_view text) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* token :
       {"\"", "\":", "{\"", "\",\"", "ab", "aaaa", "the", "\"}", "]}", "12", "\xc3\xa9", "tr", "\\\""})
    tokens.emplace_back(token);
  tokens.emplace_back();
  const std::vector<int32_t> end_tokens{static_cast<int32_t>(tokens.size() - 1)};
  const auto vocabulary = std::make_shared<const grammar::Vocabulary>(tokens, end_tokens);
  const auto shared = std::make_shared<grammar::TokenGrammar>(std::move(program), vocabulary);
  grammar::Matcher matcher(shared);
  size_t taken = 0;
  for (; taken < text.size() && taken < 200; ++taken) {
    const auto token = static_cast<uint8_t>(text[taken]);
    if (taken < 20) {
      std::vector<uint32_t> mask(vocabulary->words(), UINT32_MAX);
      matcher.mask(mask);
      grammar::Matcher other(shared);
      if (!other.accept_bytes(text.substr(0, taken))) std::abort();
      for (const int32_t tried : {static_cast<int32_t>(token), static_cast<int32_t>(256 + taken % 13)}) {
        const bool allowed = (mask[tried / 32] >> (tried % 32) & 1) != 0;
        if (other.accept(tried) != allowed) std::abort();
        if (allowed) break;
      }
    }
    if (!matcher.accept(token)) break;
  }
  return {taken, matcher.complete()};
}

}  // namespace cleave::fuzz
