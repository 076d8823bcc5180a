#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "base/check.h"
#include "text/stages/pre_tokenizer.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// Han first, Common and Inherited next: the number of a script is its place here, counted from 1. Characters of none of
// them, and spaces, go with what is before them.
constexpr const char* kScripts =
    "Han,Common,Inherited,Latin,Greek,Cyrillic,Armenian,Hebrew,Arabic,Syriac,Thaana,Devanagari,Bengali,Gurmukhi,"
    "Gujarati,Oriya,Tamil,Telugu,Kannada,Malayalam,Sinhala,Thai,Lao,Tibetan,Myanmar,Georgian,Hangul,Ethiopic,Cherokee,"
    "Canadian_Aboriginal,Ogham,Runic,Khmer,Mongolian,Hiragana,Katakana,Bopomofo,Yi,Old_Italic,Gothic,Deseret,Tagalog,"
    "Hanunoo,Buhid,Tagbanwa,Limbu,Tai_Le,Linear_B,Ugaritic,Shavian,Osmanya,Cypriot,Braille,Buginese,Coptic,New_Tai_Lue,"
    "Glagolitic,Tifinagh,Syloti_Nagri,Old_Persian,Kharoshthi,Balinese,Cuneiform,Phoenician,Phags_Pa,Nko,Sundanese,"
    "Lepcha,Ol_Chiki,Vai,Saurashtra,Kayah_Li,Rejang,Lycian,Carian,Lydian,Cham,Tai_Tham,Tai_Viet,Avestan,"
    "Egyptian_Hieroglyphs,Samaritan,Lisu,Bamum,Javanese,Meetei_Mayek,Imperial_Aramaic,Old_South_Arabian,"
    "Inscriptional_Parthian,Inscriptional_Pahlavi,Old_Turkic,Kaithi,Batak,Brahmi,Mandaic,Chakma,Meroitic_Cursive,"
    "Meroitic_Hieroglyphs,Miao,Sharada,Sora_Sompeng,Takri,Caucasian_Albanian,Bassa_Vah,Duployan,Elbasan,Grantha,"
    "Pahawh_Hmong,Khojki,Linear_A,Mahajani,Manichaean,Mende_Kikakui,Modi,Mro,Old_North_Arabian,Nabataean,Palmyrene,"
    "Pau_Cin_Hau,Old_Permic,Psalter_Pahlavi,Siddham,Khudawadi,Tirhuta,Warang_Citi,Ahom,Anatolian_Hieroglyphs,Hatran,"
    "Multani,Old_Hungarian,SignWriting";
constexpr int kAny = 0;
constexpr int kHan = 1;
constexpr size_t kRemembered = 0x3000;  // code points whose script is looked up once

class UnicodeScripts final : public PreTokenizer {
 public:
  UnicodeScripts() {
    const std::string pattern = make_pattern();
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_ANCHORED,
                              &error, &offset, nullptr));
    CHECK(code_ != nullptr);
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
    for (char32_t code = 0; code < kRemembered; ++code) remembered_[code] = static_cast<uint8_t>(look_up(code));
  }

  void apply(Pieces& pieces) const override {
    pieces.split([&](std::string_view piece, std::vector<Range>& parts) {
      int last = kAny;
      size_t begin = piece.size();
      for (size_t i = 0; i < piece.size();) {
        const unicode::Utf8Char c = unicode::valid_utf8_at(piece, i);
        const int script = c.code < kRemembered ? remembered_[c.code] : look_up(c.code);
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
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };

  // One alternative for each script, with its number as a mark.
  static std::string make_pattern() {
    std::string pattern;
    std::string_view names = kScripts;
    for (int number = kHan; !names.empty(); ++number) {
      const size_t end = std::min(names.find(','), names.size());
      pattern.append(pattern.empty() ? "" : "|").append("\\p{sc:").append(names.substr(0, end)).append("}(*:");
      pattern.append(std::to_string(number)).append(")");
      names.remove_prefix(std::min(end + 1, names.size()));
    }
    return pattern;
  }

  int look_up(char32_t code) const {
    if (code == U' ') return kAny;
    if (code == U'\u30FC') return kHan;
    std::string character;
    unicode::append_utf8(character, code);
    const std::unique_ptr<pcre2_match_data, Free> match(pcre2_match_data_create(1, nullptr));
    CHECK(match != nullptr);
    if (pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(character.data()), character.size(), 0, 0, match.get(),
                    nullptr) < 0)
      return kAny;
    const int number = std::stoi(reinterpret_cast<const char*>(pcre2_get_mark(match.get())));
    return number == kHiragana || number == kKatakana ? kHan : number;
  }

  static constexpr int kHiragana = 35;
  static constexpr int kKatakana = 36;
  std::unique_ptr<pcre2_code, Free> code_;
  std::array<uint8_t, kRemembered> remembered_{};  // [code point]
};

}  // namespace

std::unique_ptr<PreTokenizer> make_unicode_scripts() {
  return std::make_unique<UnicodeScripts>();
}

}  // namespace cleave::text
