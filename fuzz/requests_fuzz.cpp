#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/chat.h"
#include "server/api/completions.h"
#include "server/api/embeddings.h"
#include "server/api/failure.h"
#include "server/api/field.h"
#include "server/api/messages.h"
#include "server/api/responses.h"
#include "server/api/string_member.h"

namespace {

using cleave::OrderedJson;
using cleave::server::api::AnswerPart;
using cleave::server::api::Context;
using cleave::server::api::Finish;
using cleave::server::api::Piece;
using cleave::server::api::Refusal;
using cleave::server::api::Translation;
using cleave::server::api::Writer;

Translation translate(char api, const OrderedJson& body) {
  const Context context{"model", 1};
  switch (api) {
    case 'p':
      return cleave::server::api::read_completions(body, context);
    case 'm':
      return cleave::server::api::read_messages(body, context);
    case 'r':
      return cleave::server::api::read_responses(body, context);
    default:
      return cleave::server::api::read_chat(body, context);
  }
}

// Every event is one line of data.
void check_events(std::string_view events) {
  while (!events.empty()) {
    const size_t end = events.find("\n\n");
    if (end == std::string_view::npos) std::abort();
    events.remove_prefix(end + 2);
  }
}

void write_an_answer(Writer& writer) {
  AnswerPart part;
  part.append({Piece::Kind::Reasoning, "hm"});
  part.append({Piece::Kind::Text, "a\n\nb\xff"});
  part.append({Piece::Kind::Call, "{\"input\":", 0, "id", "name"});
  check_events(writer.begin({}));
  check_events(writer.part(0, part));
  part.finish = Finish::Stop;
  check_events(writer.part(0, part));
  const std::vector<AnswerPart> answers = {part};
  check_events(writer.end(answers));
  cleave::server::api::dump(writer.whole(answers));
}

// The text of a custom tool is the same however its call is cut.
void read_input(std::string_view arguments) {
  cleave::server::api::StringMember whole("input"), cut("input");
  std::string text;
  for (const char byte : arguments) text += cut.feed({&byte, 1});
  if (whole.feed(arguments) != text || whole.begun() != cut.begun()) std::abort();
}

void use(char api, const OrderedJson& body) {
  if (api == 'e')
    cleave::server::api::read_embeddings(body);
  else
    write_an_answer(*translate(api, body).writer);
}

}  // namespace

// The first byte says which API the rest is a request of: c (chat), p (completions), m (messages), r (responses), e
// (embeddings).
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  read_input(body);
  try {
    use(static_cast<char>(data[0]), cleave::server::api::parse_body(body));
  } catch (const Refusal& refusal) {
    if (refusal.failure().status < 400 || refusal.failure().status >= 500) std::abort();
  }
  return 0;
}
