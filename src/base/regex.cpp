#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include <pcre2.h>

#include "base/check.h"
#include "base/untrusted_text.h"

namespace cleave {
namespace {

// Backtracking steps of one match; a path has some 60 bytes, and sensible expressions take a few hundred steps.
constexpr uint32_t kMaxSteps = 100'000;
constexpr uint32_t kMaxHeapKib = 1024;

template <auto Free>
struct Release {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

std::string error_text(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Release<pcre2_code_free>> pcre;
  std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>> match;
  std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>> limits;
  std::string expression, where;
};

Regex::Regex(const std::string& expression, Extent extent, const std::string& where)
    : code_(new Code{nullptr, nullptr, nullptr, expression, where}) {
  // An expression may not switch to UTF-8 by itself: paths are bytes.
  const uint32_t options = PCRE2_ANCHORED | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                           (extent == Extent::Whole ? PCRE2_ENDANCHORED : 0);
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->pcre.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(), options, &error,
                                  &offset, nullptr));
  if (!code_->pcre)
    fail(ErrorKind::InvalidArgument, "{}: the regular expression {} is not valid: {} at column {}", where,
         in_quotes(expression, '\''), error_text(error), offset + 1);
  code_->match.reset(pcre2_match_data_create(1, nullptr));
  code_->limits.reset(pcre2_match_context_create(nullptr));
  CHECK(code_->match != nullptr && code_->limits != nullptr);
  pcre2_set_match_limit(code_->limits.get(), kMaxSteps);
  pcre2_set_heap_limit(code_->limits.get(), kMaxHeapKib);
}

Regex::Regex(Regex&&) noexcept = default;
Regex::~Regex() = default;

bool Regex::matches(std::string_view text) const {
  const int result = pcre2_match(code_->pcre.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                 code_->match.get(), code_->limits.get());
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result < 0)
    fail(ErrorKind::InvalidArgument, "{}: the regular expression {} cannot be tried on {}: {}; simplify it",
         code_->where, in_quotes(code_->expression, '\''), in_quotes(text, '\''), error_text(result));
  return true;
}

}  // namespace cleave
