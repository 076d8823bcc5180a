#include "grammar/schema/formats.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::grammar {
namespace {

// RFC 3339. Years from 1 on, with the days that each month has. A leap second is left out, because which minutes had
// one is no matter of syntax.
std::string date() {
  const std::string year = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])";
  const std::string by_4 = "(?:0[48]|[2468][048]|[13579][26])";
  const std::string leap_year =
      fmt::format("(?:[0-9]{{2}}{}|(?:0[48]|[2468][048]|[13579][26])00)", by_4);  // 0000 is not among them
  return fmt::format(
      "(?:{0}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|"
      "02-(?:0[1-9]|1[0-9]|2[0-8]))|{1}-02-29)",
      year, leap_year);
}

std::string time() {
  return "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
}

// ISO 8601 as RFC 3339's appendix A has it.
std::string duration() {
  const std::string seconds = "[0-9]+S", minutes = "[0-9]+M(?:" + seconds + ")?";
  const std::string hours = "[0-9]+H(?:" + minutes + ")?";
  const std::string time = fmt::format("T(?:{}|{}|{})", hours, minutes, seconds);
  const std::string days = "[0-9]+D", months = "[0-9]+M(?:" + days + ")?", years = "[0-9]+Y(?:" + months + ")?";
  return fmt::format("P(?:(?:{}|{}|{})(?:{})?|{}|[0-9]+W)", days, months, years, time, time);
}

// RFC 1123. At most 253 characters: up to 4 labels of 62, or 12 of 20. No two hyphens in a row, because of those that
// begin labels with another alphabet.
std::string hostname() {
  const std::string letter = "[A-Za-z0-9]";
  const auto label = [&](int rest) { return fmt::format("{0}(?:-?{0}){{0,{1}}}", letter, rest); };
  return fmt::format("(?:{0}(?:\\.{0}){{0,3}}|{1}(?:\\.{1}){{0,11}})", label(30), label(9));
}

std::string email() {
  const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}";
  return fmt::format("{0}(?:\\.{0}){{0,2}}@{1}", atom, hostname());
}

std::string ipv4() {
  return "(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
}

// RFC 4291: eight groups, of which "::" stands for one or more.
std::string ipv6() {
  const std::string group = "[0-9A-Fa-f]{1,4}";
  const std::string last_two = fmt::format("(?:{0}:{0}|{1})", group, ipv4());
  std::string all = fmt::format("(?:(?:{}:){{6}}{}", group, last_two);
  for (int behind = 5; behind >= 0; --behind) {
    const int before = 5 - behind;
    const std::string first = before == 0 ? std::string() : fmt::format("(?:{0}(?::{0}){{0,{1}}})?", group, before - 1);
    all += fmt::format("|{}::(?:{}:){{{}}}{}", first, group, behind, last_two);
  }
  const auto up_to = [&](int count) { return fmt::format("(?:{0}(?::{0}){{0,{1}}})?", group, count - 1); };
  all += fmt::format("|{}::{}|{}::)", up_to(6), group, up_to(7));
  return all;
}

// RFC 3986: what stands behind the scheme, in the characters that it allows.
std::string uri_characters(std::string_view more) {
  return fmt::format("(?:[A-Za-z0-9._~!$&'()*+,;=:@{}-]|%[0-9A-Fa-f]{{2}})", more);
}

std::string uri_tail() {
  return fmt::format("(?:/{0}*)*(?:\\?{1}*)?(?:#{1}*)?", uri_characters(""), uri_characters("/?"));
}

std::string uri() {
  const std::string authority = fmt::format("//(?:{}(?::[0-9]{{1,5}})?)?", hostname());
  return fmt::format("[A-Za-z][A-Za-z0-9+.-]*:(?:{}{}|{}+{})", authority, uri_tail(), uri_characters(""), uri_tail());
}

std::string uri_reference() {
  const std::string segment = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})";
  return fmt::format("(?:{}|/?{}+{})", uri(), segment, uri_tail());
}

std::string json_pointer() {
  return "(?:/(?:[^/~\\u0000-\\u001f]|~[01])*)*";
}

}  // namespace

std::string format_pattern(std::string_view format) {
  if (format == "date") return date();
  if (format == "time") return time();
  if (format == "date-time") return date() + "T" + time();
  if (format == "duration") return duration();
  if (format == "hostname" || format == "idn-hostname") return hostname();
  if (format == "email" || format == "idn-email") return email();
  if (format == "ipv4" || format == "ip-address") return ipv4();
  if (format == "ipv6") return ipv6();
  if (format == "uuid") return "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
  if (format == "uri" || format == "iri") return uri();
  if (format == "uri-reference" || format == "iri-reference" || format == "uri-template") return uri_reference();
  if (format == "json-pointer") return json_pointer();
  if (format == "relative-json-pointer") return "(?:0|[1-9][0-9]*)(?:#|" + json_pointer() + ")";
  fail(ErrorKind::Unsupported, "the format {} is not supported", in_quotes(format));
}

}  // namespace cleave::grammar
