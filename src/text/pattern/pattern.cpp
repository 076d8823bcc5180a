#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pattern/pattern.h"

#include <pcre2.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/untrusted_text.h"
#include "text/pattern/pattern_syntax.h"

namespace cleave::text {
namespace {

// Longer than any pattern of a published tokenizer (the longest have some 3 KB).
constexpr size_t kMaxPatternBytes = 1 << 16;
// Limit of the backtracking steps of one match. A sensible pattern of a few alternatives passes over the rest of the
// text a few times.
constexpr uint64_t kStepsPerMatch = 1'000'000;
constexpr uint64_t kStepsPerByte = 32;
// Limit of a match's working memory on the heap, in KiB: a constant, and one KiB for each byte of the text. A group
// that repeats for each character takes a fraction of that.
constexpr uint64_t kHeapPerMatch = 16 * 1024;

// Limits for the length of a text after replacements, which no tokenizer comes near: a factor of its length before, and
// bytes on top.
constexpr size_t kMaxGrowth = 16;
constexpr size_t kFreeGrowth = 1 << 20;

template <auto Free>
struct Release {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using CodePointer = std::unique_ptr<pcre2_code, Release<pcre2_code_free>>;
using CompileContext = std::unique_ptr<pcre2_compile_context, Release<pcre2_compile_context_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>>;

std::string error_text(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

uint32_t to_limit(uint64_t count) {
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

CodePointer compile(const std::string& expression, uint32_t options, const std::string& what) {
  if (expression.size() > kMaxPatternBytes)
    fail(ErrorKind::Unsupported, "{}: a pattern of {} bytes is longer than {}", what, expression.size(),
         kMaxPatternBytes);
  const CompileContext context(pcre2_compile_context_create(nullptr));
  CHECK(context != nullptr);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  CodePointer code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                 options | PCRE2_UTF, &error, &offset, context.get()));
  if (!code)
    fail(ErrorKind::Unsupported, "{}: the pattern {} cannot be compiled: {} at byte {}", what, in_quotes(expression),
         error_text(error), offset);
  // If the system forbids machine code made at run time, the interpreter does the same, slower.
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  return code;
}

}  // namespace

struct Pattern::Code {
  CodePointer pcre;
  std::string what;
};

Pattern::Pattern(std::unique_ptr<const Code> code) : code_(std::move(code)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Pattern Pattern::regex(const std::string& expression, const std::string& what) {
  // Ruby's ^ and $ always mean the ends of lines.
  const uint32_t options = PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  return Pattern(
      std::make_unique<const Code>(Code{compile(pcre_from_oniguruma(expression, what), options, what), what}));
}

Pattern Pattern::literal(const std::string& text, const std::string& what) {
  return Pattern(std::make_unique<const Code>(Code{compile(text, PCRE2_LITERAL, what), what}));
}

std::string Pattern::replace_all(std::string_view text, std::string_view content) const {
  std::vector<Range> matches;
  Finder(*this).find_all(text, matches);
  if (matches.size() * content.size() > kMaxGrowth * text.size() + kFreeGrowth)
    fail(ErrorKind::InvalidArgument, "{}: replacing {} matches would turn a text of {} bytes into one of {}",
         code_->what, matches.size(), text.size(), matches.size() * content.size());
  std::string replaced;
  replaced.reserve(text.size() + matches.size() * content.size());
  size_t done = 0;
  for (const Range& match : matches) {
    replaced.append(text.substr(done, match.begin - done)).append(content);
    done = match.end;
  }
  return replaced.append(text.substr(done));
}

struct Pattern::Finder::State {
  const Code& code;
  MatchContext context;
  MatchData match;

  // Finds the first match at or behind `from`; false if there is none.
  bool find(std::string_view text, size_t from, Range& found) {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const auto run = [&](uint32_t options) {
      return pcre2_match(code.pcre.get(), subject, text.size(), from, options | PCRE2_NO_UTF_CHECK, match.get(),
                         context.get());
    };
    int result = run(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);  // the interpreter works on the heap
    if (result == PCRE2_ERROR_NOMATCH) return false;
    if (result < 0)
      fail(ErrorKind::InvalidArgument, "{}: the pattern cannot split a text of {} bytes: {}; shorten the text",
           code.what, text.size(), error_text(result));
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match.get());
    found = {bounds[0], bounds[1]};
    // \K in a look-ahead may put the beginning behind the end.
    if (found.begin < from || found.end < found.begin)
      fail(ErrorKind::Unsupported, "{}: the pattern gives a match that ends before it begins", code.what);
    return true;
  }
};

Pattern::Finder::Finder(const Pattern& pattern)
    : state_(new State{*pattern.code_, MatchContext(pcre2_match_context_create(nullptr)),
                       MatchData(pcre2_match_data_create(1, nullptr))}) {
  CHECK(state_->context != nullptr && state_->match != nullptr);
}
Pattern::Finder::Finder(Finder&&) noexcept = default;
Pattern::Finder::~Finder() = default;

void Pattern::Finder::find_all(std::string_view text, std::vector<Range>& matches) {
  matches.clear();
  pcre2_match_context* limits = state_->context.get();
  pcre2_set_match_limit(limits, to_limit(kStepsPerMatch + kStepsPerByte * text.size()));
  pcre2_set_heap_limit(limits, to_limit(kHeapPerMatch + text.size()));
  size_t from = 0;
  Range found{};
  while (from <= text.size() && state_->find(text, from, found)) {
    const bool empty_behind_match = found.begin == found.end && !matches.empty() && matches.back().end == found.end;
    if (!empty_behind_match) {
      matches.push_back(found);
      from = found.end;
      continue;
    }
    // Next character; one step beyond the end ends the loop.
    do ++from;
    while (from < text.size() && (static_cast<uint8_t>(text[from]) & 0xC0) == 0x80);
  }
}

}  // namespace cleave::text
