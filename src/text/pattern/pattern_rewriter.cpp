#include "text/pattern/pattern_rewriter.h"

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::text {

void PatternRewriter::copy(size_t count) {
  out.append(in, at, count);
  at += count;
}

void PatternRewriter::replace(size_t count, std::string_view text) {
  out.append(text);
  at += count;
}

void PatternRewriter::unsupported(const char* feature) const {
  fail(ErrorKind::Unsupported, "{}: the pattern {} uses {} at byte {}, which is not supported", what, in_quotes(in),
       feature, at);
}

}  // namespace cleave::text
