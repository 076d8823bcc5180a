#include "jinja/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "jinja/expression_parser.h"
#include "jinja/target_parser.h"
#include "jinja/token_stream.h"

namespace cleave::jinja {
namespace {

using Type = Token::Type;
using Names = std::initializer_list<std::string_view>;

[[noreturn]] void fail_unknown_tag(const TokenStream& stream, const std::string& name) {
  for (const char* known : {"include", "import", "from", "extends", "block", "do", "autoescape"})
    if (name == known) stream.fail(fmt::format("the tag '{}' is not supported in chat templates", name));
  stream.fail(fmt::format("Encountered unknown tag '{}'.", name));
}

// Parses "(a, b=1)" of a macro or a call.
void parse_parameters(TokenStream& stream, MacroDefinition& definition) {
  stream.expect_operator("(");
  while (!stream.is_operator(")")) {
    if (!definition.parameters.empty()) stream.expect_operator(",");
    definition.parameters.push_back(stream.expect_name());
    if (stream.skip_operator("="))
      definition.defaults.push_back(ExpressionParser(stream).expression());
    else if (!definition.defaults.empty())
      stream.fail("non-default argument follows default argument");
  }
  stream.expect_operator(")");
}

class Parser {
 public:
  Parser(std::string_view source, const std::string& what) : stream_(tokenize(source, what), what) {}

  Statements run() {
    Statements statements = body({});
    if (!stream_.is(Type::End)) stream_.fail(fmt::format("unexpected '{}'", stream_.current().value));
    return statements;
  }

 private:
  // Parses statements up to a block with one of the names, of which "{%" is taken and the name is the current token.
  Statements body(Names ends) {
    const TokenStream::Nesting nesting(stream_);
    Statements statements;
    for (;;) {
      const Place place = stream_.place();
      if (stream_.is(Type::Data)) {
        statements.push_back(make_data(place, stream_.next().value));
      } else if (stream_.is(Type::VariableBegin)) {
        stream_.next();
        ExpressionPointer value = parser().tuple();
        stream_.expect(Type::VariableEnd);
        statements.push_back(make_output(place, std::move(value)));
      } else if (stream_.is(Type::BlockBegin)) {
        stream_.next();
        if (!stream_.is(Type::Name)) stream_.fail("tag name expected");
        if (std::find(ends.begin(), ends.end(), stream_.current().value) != ends.end()) return statements;
        statements.push_back(statement());
      } else {
        if (ends.size() > 0)
          stream_.fail(fmt::format("unexpected end of template, expected '{}'", std::data(ends)[ends.size() - 1]));
        return statements;
      }
    }
  }

  // Parses a body up to the block `end`, and takes that block.
  Statements body_until(std::string_view end) {
    Statements statements = body({end});
    stream_.next();
    stream_.expect(Type::BlockEnd);
    return statements;
  }

  // A parser of its own for each statement, because it counts the parts of an expression.
  ExpressionParser parser() { return ExpressionParser(stream_); }

  StatementPointer statement() {
    const Token token = stream_.next();
    const Place place = token.place;
    const std::string& name = token.value;
    if (name == "if") return parse_if(place);
    if (name == "for") return parse_for(place);
    if (name == "set") return parse_set(place);
    if (name == "macro") return parse_macro(place);
    if (name == "call") return parse_call(place);
    if (name == "filter") return parse_filter(place);
    if (name == "with") return parse_with(place);
    if (name == "print") return parse_print(place);
    if (name == "generation") return parse_generation(place);
    if (name == "break") return parse_flow(place, Flow::Break);
    if (name == "continue") return parse_flow(place, Flow::Continue);
    fail_unknown_tag(stream_, name);
  }

  StatementPointer parse_if(Place place) {
    std::vector<std::pair<ExpressionPointer, Statements>> branches;
    for (;;) {
      ExpressionPointer condition = parser().tuple(false);
      stream_.expect(Type::BlockEnd);
      branches.emplace_back(std::move(condition), body({"elif", "else", "endif"}));
      const std::string end = stream_.next().value;
      if (end == "elif") continue;
      stream_.expect(Type::BlockEnd);
      return make_if(place, std::move(branches), end == "else" ? body_until("endif") : Statements());
    }
  }

  StatementPointer parse_for(Place place) {
    ForParts parts;
    parts.target = parse_target(stream_, false);
    stream_.expect_name("in");
    parts.items = parser().tuple(false);
    if (stream_.skip_name("if")) parts.condition = parser().expression();
    parts.recursive = stream_.skip_name("recursive");
    stream_.expect(Type::BlockEnd);
    ++loops_;
    parts.body = body({"else", "endfor"});
    --loops_;
    const bool has_else = stream_.next().value == "else";
    stream_.expect(Type::BlockEnd);
    if (has_else) parts.otherwise = body_until("endfor");
    return make_for(place, std::move(parts));
  }

  StatementPointer parse_set(Place place) {
    TargetPointer target = parse_target(stream_, true);
    if (stream_.skip_operator("=")) {
      ExpressionPointer value = parser().tuple();
      stream_.expect(Type::BlockEnd);
      return make_set(place, std::move(target), std::move(value));
    }
    BlockFilters filters;
    if (stream_.skip_operator("|")) filters = parser().filters();
    stream_.expect(Type::BlockEnd);
    return make_set_block(place, std::move(target), std::move(filters), body_until("endset"));
  }

  void parse_macro_body(MacroDefinition& definition, std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    const size_t begin = stream_.position();
    definition.body = body_until(end);
    definition.uses_varargs = stream_.has_read("varargs", begin);
    definition.uses_kwargs = stream_.has_read("kwargs", begin);
    loops_ = loops;
  }

  StatementPointer parse_macro(Place place) {
    MacroDefinition definition;
    definition.name = stream_.expect_name();
    parse_parameters(stream_, definition);
    stream_.expect(Type::BlockEnd);
    parse_macro_body(definition, "endmacro");
    return make_macro(place, std::move(definition));
  }

  StatementPointer parse_call(Place place) {
    MacroDefinition caller;
    caller.name = "caller";
    if (stream_.is_operator("(")) parse_parameters(stream_, caller);
    ExpressionPointer function = make_name(stream_.place(), stream_.expect_name());
    while (stream_.skip_operator(".")) function = make_attribute(place, std::move(function), stream_.expect_name());
    ArgumentList arguments = parser().call_arguments();
    stream_.expect(Type::BlockEnd);
    parse_macro_body(caller, "endcall");
    return make_call_block(place, std::move(function), std::move(arguments), std::move(caller));
  }

  StatementPointer parse_filter(Place place) {
    BlockFilters filters = parser().filters();
    stream_.expect(Type::BlockEnd);
    return make_filter_block(place, std::move(filters), body_until("endfilter"));
  }

  StatementPointer parse_with(Place place) {
    std::vector<std::pair<TargetPointer, ExpressionPointer>> values;
    while (!stream_.is(Type::BlockEnd)) {
      if (!values.empty()) stream_.expect_operator(",");
      TargetPointer target = make_name_target(stream_.expect_name());
      stream_.expect_operator("=");
      values.emplace_back(std::move(target), parser().expression());
    }
    stream_.expect(Type::BlockEnd);
    return make_with(place, std::move(values), body_until("endwith"));
  }

  StatementPointer parse_print(Place place) {
    ExpressionPointer value = parser().tuple();
    stream_.expect(Type::BlockEnd);
    return make_output(place, std::move(value));
  }

  // {% generation %} marks the text of the assistant for training and changes nothing.
  StatementPointer parse_generation(Place place) {
    stream_.expect(Type::BlockEnd);
    return make_block(place, body_until("endgeneration"));
  }

  StatementPointer parse_flow(Place place, Flow flow) {
    if (loops_ == 0) stream_.fail(fmt::format("'{}' outside loop", flow == Flow::Break ? "break" : "continue"));
    stream_.expect(Type::BlockEnd);
    return make_flow(place, flow);
  }

  TokenStream stream_;
  int loops_ = 0;  // number of loops around the current statement
};

}  // namespace

Statements parse(std::string_view source, const std::string& what) {
  return Parser(source, what).run();
}

}  // namespace cleave::jinja
