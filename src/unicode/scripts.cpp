#include "unicode/scripts.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <string>

#include "base/check.h"
#include "unicode/utf8.h"

namespace cleave::unicode {
namespace {

// The number of a script is its place here, counted from 1. A regular expression tries them in this order, so the most
// frequent ones come first.
constexpr std::string_view kNames =
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

// Calls visit(name, number) for each script.
template <class Visit>
void for_each_name(Visit&& visit) {
  std::string_view rest = kNames;
  for (int number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find(','), rest.size());
    visit(rest.substr(0, end), number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// One alternative for each script, with its number as a mark.
std::string make_pattern() {
  std::string pattern;
  for_each_name([&](std::string_view name, int number) {
    pattern.append(pattern.empty() ? "" : "|").append("\\p{sc:").append(name).append("}(*:");
    pattern.append(std::to_string(number)).append(")");
  });
  return pattern;
}

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Scripts::Matcher {
  std::unique_ptr<pcre2_code, Free> code;

  Matcher() {
    const std::string pattern = make_pattern();
    int error = 0;
    PCRE2_SIZE offset = 0;
    code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_ANCHORED,
                             &error, &offset, nullptr));
    CHECK(code != nullptr);
    pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  }

  int match(char32_t point) const {
    std::string character;
    append_utf8(character, point);
    const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
    CHECK(data != nullptr);
    if (pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(character.data()), character.size(), 0, 0, data.get(),
                    nullptr) < 0)
      return 0;
    return std::stoi(reinterpret_cast<const char*>(pcre2_get_mark(data.get())));
  }
};

Scripts::Scripts() : matcher_(std::make_unique<const Matcher>()) {
  for (char32_t code = 0; code < kRemembered; ++code) remembered_[code] = static_cast<uint8_t>(matcher_->match(code));
}
Scripts::Scripts(Scripts&&) noexcept = default;
Scripts::~Scripts() = default;

int Scripts::of(char32_t code) const {
  return code < kRemembered ? remembered_[code] : matcher_->match(code);
}

int Scripts::number(std::string_view name) {
  int found = 0;
  for_each_name([&](std::string_view known, int number) { found = known == name ? number : found; });
  CHECK_GT(found, 0);
  return found;
}

}  // namespace cleave::unicode
