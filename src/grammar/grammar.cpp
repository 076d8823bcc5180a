#include "grammar/grammar.h"

#include <list>
#include <map>
#include <utility>

#include "base/error.h"
#include "grammar/gbnf.h"
#include "grammar/regex/emit.h"
#include "grammar/regex/regex_parser.h"
#include "grammar/schema/json_rules.h"
#include "grammar/schema/schema_compiler.h"

namespace cleave::grammar {
namespace {

Piece piece_of(Piece::Kind kind, std::vector<Piece> parts) {
  Piece made;
  made.kind = kind;
  made.parts = std::move(parts);
  return made;
}

Piece piece_of(Piece::Kind kind, std::string text) {
  Piece made;
  made.kind = kind;
  made.text = std::move(text);
  return made;
}

Expression read_regex(std::string_view expression, Budget& budget) {
  return whole_text(parse_regex(expression, "the grammar", budget), "the grammar");
}

// Adds pieces to one program. Schemas keep their documents for as long as it lives.
class PieceCompiler {
 public:
  explicit PieceCompiler(ProgramBuilder& builder) : builder_(builder), rules_(builder) {}

  void add(uint32_t from, const Piece& piece, uint32_t to) {
    const Budget::Level level(builder_.budget());
    switch (piece.kind) {
      case Piece::Kind::Literal:
        return builder_.literal(from, piece.text, to);
      case Piece::Kind::Schema:
      case Piece::Kind::Object:
        return add_json(from, piece, to);
      case Piece::Kind::Regex:
        return emit(builder_, from, read_regex(piece.text, builder_.budget()), Encoding::Utf8, Repetition::Called, to);
      case Piece::Kind::Free:
        return add_free(from, piece.text, to);
      case Piece::Kind::Sequence:
        return add_sequence(from, piece.parts, to);
      case Piece::Kind::Choice:
        for (const Piece& part : piece.parts) builder_.call(from, rule_of(part), 1, 1, to);
        return;
      case Piece::Kind::Repeat:
        return builder_.call(from, rule_of(piece.parts.at(0)), piece.min, piece.max, to);
      case Piece::Kind::Gbnf:
        return builder_.call(from, add_gbnf(builder_, piece.text), 1, 1, to);
      case Piece::Kind::Scan:
        return add_scan(from, piece, to);
    }
  }

 private:
  uint32_t rule_of(const Piece& piece) {
    const uint32_t rule = builder_.add_rule("a part");
    add(builder_.start(rule), piece, builder_.end(rule));
    return rule;
  }

  void add_json(uint32_t from, const Piece& piece, uint32_t to) {
    const bool outer = builder_.set_json(true);
    const uint32_t rule = piece.kind == Piece::Kind::Object ? rules_.object() : schema_rule(piece.schema);
    builder_.set_json(outer);
    builder_.call(from, rule, 1, 1, to);
  }

  uint32_t schema_rule(const OrderedJson& schema) {
    SchemaCompiler& compiler = schemas_.emplace_back(schema, rules_);
    return compiler.compile(schema);
  }

  void add_sequence(uint32_t from, const std::vector<Piece>& parts, uint32_t to) {
    for (const Piece& part : parts) {
      const uint32_t next = builder_.add_node();
      add(from, part, next);
      from = next;
    }
    builder_.empty(from, to);
  }

  // An automaton that knows how much of the mark the text ends in (Knuth, Morris and Pratt).
  void add_free(uint32_t from, const std::string& mark, uint32_t to) {
    std::vector<uint32_t> nodes(mark.size() + 1);
    for (uint32_t& node : nodes) node = builder_.add_node();
    builder_.empty(from, nodes[0]);
    builder_.empty(nodes[mark.size()], to);
    if (mark.empty()) return builder_.bytes(nodes[0], 0, 255, nodes[0]);
    std::vector<std::vector<uint32_t>> next(mark.size(), std::vector<uint32_t>(256, 0));
    for (size_t length = 0, fallback = 0; length < mark.size(); ++length) {
      if (length > 0) next[length] = next[fallback];
      const auto own = static_cast<uint8_t>(mark[length]);
      const uint32_t shorter = next[length][own];
      next[length][own] = static_cast<uint32_t>(length + 1);
      if (length > 0) fallback = shorter;
      for (int first = 0; first < 256;) {
        int last = first;
        while (last < 255 && next[length][last + 1] == next[length][first]) ++last;
        builder_.bytes(nodes[length], static_cast<uint8_t>(first), static_cast<uint8_t>(last),
                       nodes[next[length][first]]);
        first = last + 1;
      }
    }
  }

  // An automaton whose nodes are the beginnings of marks: each is the longest one that the text ends in (Aho and
  // Corasick).
  void add_scan(uint32_t from, const Piece& piece, uint32_t to) {
    std::map<std::string, uint32_t> nodes;
    for (const std::string& mark : piece.marks) {
      if (mark.empty()) fail(ErrorKind::InvalidArgument, "a mark is empty");
      for (size_t length = 0; length < mark.size(); ++length) nodes.emplace(mark.substr(0, length), 0);
    }
    for (auto& entry : nodes) entry.second = builder_.add_node();
    std::vector<uint32_t> behind;  // the marks
    for (const Piece& part : piece.parts) add(behind.emplace_back(builder_.add_node()), part, to);
    builder_.empty(from, nodes.at(""));
    for (const auto& entry : nodes) {
      if (piece.may_end) builder_.empty(entry.second, to);
      const auto next = [&](int byte) {
        return node_behind(entry.first + static_cast<char>(byte), piece, nodes, behind);
      };
      for (int first = 0; first < 256;) {
        const uint32_t target = next(first);
        int last = first;
        while (last < 255 && next(last + 1) == target) ++last;
        builder_.bytes(entry.second, static_cast<uint8_t>(first), static_cast<uint8_t>(last), target);
        first = last + 1;
      }
    }
  }

  // Where a text leads to that ends as `text` does.
  static uint32_t node_behind(std::string_view text, const Piece& piece, const std::map<std::string, uint32_t>& nodes,
                              const std::vector<uint32_t>& behind) {
    size_t found = piece.marks.size();
    for (size_t i = 0; i < piece.marks.size(); ++i)
      if (text.ends_with(piece.marks[i]) &&
          (found == piece.marks.size() || piece.marks[i].size() > piece.marks[found].size()))
        found = i;
    if (found < piece.marks.size()) return behind[found];
    while (!nodes.contains(std::string(text))) text.remove_prefix(1);
    return nodes.at(std::string(text));
  }

  ProgramBuilder& builder_;
  JsonRules rules_;
  std::list<SchemaCompiler> schemas_;
};

size_t bytes_of(const Piece& piece) {
  size_t bytes = piece.text.size() + (piece.kind == Piece::Kind::Schema ? piece.schema.dump().size() : 0);
  for (const std::string& mark : piece.marks) bytes += mark.size();
  for (const Piece& part : piece.parts) bytes += bytes_of(part);
  return bytes;
}

}  // namespace

Piece Piece::literal(std::string text) {
  return piece_of(Kind::Literal, std::move(text));
}
Piece Piece::json_object() {
  return piece_of(Kind::Object, std::vector<Piece>());
}
Piece Piece::regex(std::string expression) {
  return piece_of(Kind::Regex, std::move(expression));
}
Piece Piece::free(std::string mark) {
  return piece_of(Kind::Free, std::move(mark));
}
Piece Piece::sequence(std::vector<Piece> parts) {
  return piece_of(Kind::Sequence, std::move(parts));
}
Piece Piece::choice(std::vector<Piece> parts) {
  return piece_of(Kind::Choice, std::move(parts));
}

Piece Piece::gbnf(std::string grammar) {
  return piece_of(Kind::Gbnf, std::move(grammar));
}

Piece Piece::scan(std::vector<std::pair<std::string, Piece>> marks, bool may_end) {
  Piece made = piece_of(Kind::Scan, std::vector<Piece>());
  made.may_end = may_end;
  for (auto& [mark, part] : marks) {
    made.marks.push_back(std::move(mark));
    made.parts.push_back(std::move(part));
  }
  return made;
}

Piece Piece::json(OrderedJson schema) {
  Piece made;
  made.kind = Kind::Schema;
  made.schema = std::move(schema);
  return made;
}

Piece Piece::repeat(Piece part, uint32_t min, uint32_t max) {
  Piece made = piece_of(Kind::Repeat, std::vector<Piece>{std::move(part)});
  made.min = min;
  made.max = max;
  return made;
}

std::shared_ptr<const Program> compile_piece(const Piece& piece, const Limits& limits) {
  Budget budget(limits);
  budget.text(bytes_of(piece));
  ProgramBuilder builder(budget);
  const uint32_t rule = builder.add_rule("the answer");
  PieceCompiler(builder).add(builder.start(rule), piece, builder.end(rule));
  return std::make_shared<const Program>(builder.finish(rule));
}

std::shared_ptr<const Program> compile_json_schema(const OrderedJson& schema, const Limits& limits) {
  return compile_piece(Piece::json(schema), limits);
}

std::shared_ptr<const Program> compile_json_object() {
  return compile_piece(Piece::json_object());
}

std::shared_ptr<const Program> compile_regex(std::string_view expression, const Limits& limits) {
  return compile_piece(Piece::regex(std::string(expression)), limits);
}

std::shared_ptr<const Program> compile_choice(const std::vector<std::string>& texts, const Limits& limits) {
  if (texts.empty()) fail(ErrorKind::InvalidArgument, "a choice needs one text at least");
  std::vector<Piece> parts;
  for (const std::string& text : texts) parts.push_back(Piece::literal(text));
  return compile_piece(Piece::choice(std::move(parts)), limits);
}

std::shared_ptr<const Program> compile_gbnf(std::string_view grammar, const Limits& limits) {
  return compile_piece(Piece::gbnf(std::string(grammar)), limits);
}

}  // namespace cleave::grammar
