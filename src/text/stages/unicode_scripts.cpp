#include <memory>

#include "text/stages/pre_tokenizer.h"
#include "unicode/scripts.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// Splits where the script changes, as the tokenizers library does: kana and the prolonged sound mark count as Han;
// spaces and characters of no script go with what is before them.
class UnicodeScripts final : public PreTokenizer {
 public:
  void apply(Pieces& pieces) const override {
    pieces.split([&](std::string_view piece, std::vector<Range>& parts) {
      int last = kAny;
      size_t begin = piece.size();
      for (size_t i = 0; i < piece.size();) {
        const unicode::Utf8Char c = unicode::valid_utf8_at(piece, i);
        const int script = script_of(c.code);
        if (script != kAny && script != last) {
          if (begin < i) parts.push_back({begin, i});
          begin = i;
        }
        if (script != kAny) last = script;
        i += c.size;
      }
      parts.push_back({begin, piece.size()});
    });
  }

 private:
  static constexpr int kAny = 0;

  int script_of(char32_t code) const {
    if (code == U' ') return kAny;
    if (code == U'\u30FC') return han_;
    const int script = scripts_.of(code);
    return script == hiragana_ || script == katakana_ ? han_ : script;
  }

  const unicode::Scripts scripts_;
  const int han_ = unicode::Scripts::number("Han");
  const int hiragana_ = unicode::Scripts::number("Hiragana");
  const int katakana_ = unicode::Scripts::number("Katakana");
};

}  // namespace

std::unique_ptr<PreTokenizer> make_unicode_scripts() {
  return std::make_unique<UnicodeScripts>();
}

}  // namespace cleave::text
