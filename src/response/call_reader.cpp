#include "response/call_reader.h"

#include "response/call_head.h"
#include "response/json_walker.h"
#include "response/literal.h"
#include "response/mark.h"
#include "response/tagged_call_reader.h"

namespace cleave::response {
namespace {

using Status = CallReader::Status;

/// Finds the parts of a call in a JSON object.
class ObjectParts : public JsonWalker::Listener {
 public:
  explicit ObjectParts(const CallKeys& keys) : keys_(keys) {}

  struct Part {
    size_t begin = std::string::npos;
    size_t end = std::string::npos;
    bool begun() const { return begin != std::string::npos; }
    bool ended() const { return end != std::string::npos; }
  };
  Part name;
  Part arguments;
  Part id;
  std::string key_name;  // where the name is itself a key

  void on_key(size_t depth, std::string_view key) override {
    if (depth == 1) key_ = unquoted(key);
    if (depth == 2) inner_key_ = unquoted(key);
  }
  void on_value_begin(size_t depth, size_t offset) override {
    if (Part* part = part_at(depth); part != nullptr && !part->begun()) part->begin = offset;
  }
  void on_value_end(size_t depth, size_t offset) override {
    if (Part* part = part_at(depth); part != nullptr && !part->ended()) part->end = offset;
  }

 private:
  static std::string unquoted(std::string_view key) {
    const std::optional<OrderedJson> value = parse_literal(key, {});
    return value && value->is_string() ? value->get<std::string>() : "";
  }

  // The part whose value stands at the place where the walker is.
  Part* part_at(size_t depth) {
    if (depth == 1 && !keys_.id.empty() && key_ == keys_.id) return &id;
    const bool nested = !keys_.function.empty() && depth == 2 && key_ == keys_.function;
    if (!nested && (depth != 1 || !keys_.function.empty())) return nullptr;
    const std::string& key = nested ? inner_key_ : key_;
    if (keys_.name.empty()) {
      if (!arguments.begun()) key_name = key;
      return key == key_name ? &arguments : nullptr;
    }
    if (key == keys_.name) return &name;
    // Models that were trained on several forms mix them up.
    return key == keys_.arguments || key == "arguments" || key == "parameters" ? &arguments : nullptr;
  }

  const CallKeys& keys_;
  std::string key_;
  std::string inner_key_;
};

/// Gives arguments to a sink while they arrive: an object of them as it stands; one in a string, and null, when they
/// are whole.
class ArgumentStream {
 public:
  explicit ArgumentStream(CallSink& sink) : sink_(sink) {}

  // The arguments' text from `begin` to `end`, of which `known` bytes of the text are there.
  bool give(const JsonWalker& walker, std::string_view text, const ObjectParts::Part& part) {
    const size_t known = part.ended() ? part.end : text.size();
    if (part.begin >= known) return true;
    if (text[part.begin] != '{') return !part.ended() || given_ > 0 || give_other(text, part);
    const size_t from = part.begin + given_;
    if (known > from) sink_.on_arguments(walker.escaped(text, from, known));
    given_ = known - part.begin;
    return true;
  }

 private:
  bool give_other(std::string_view text, const ObjectParts::Part& part) {
    const std::optional<OrderedJson> value = parse_literal(text.substr(part.begin, part.end - part.begin), {});
    given_ = part.end - part.begin;
    if (!value || (!value->is_null() && !value->is_string())) return false;
    const std::string inside = value->is_string() ? value->get<std::string>() : "{}";
    const std::optional<OrderedJson> object = parse_literal(inside, {});
    if (!object || !object->is_object()) return false;
    sink_.on_arguments(json_text(*object));
    return true;
  }

  CallSink& sink_;
  size_t given_ = 0;  // bytes of the arguments
};

/// A call that is a JSON object.
class ObjectCallReader : public CallReader {
 public:
  ObjectCallReader(const CallSyntax& syntax, CallSink& sink)
      : syntax_(syntax), sink_(sink), parts_(syntax.keys), walker_(&parts_), stream_(sink) {}

  Status read(std::string_view text, bool final) override {
    const bool is_json = walker_.walk(text);
    const std::string_view read = text.substr(0, walker_.position() - (is_json ? 0 : 1));
    if (!told_ && can_tell() && !tell(read)) return Status::Wrong;
    if (told_ && parts_.arguments.begun() && !stream_.give(walker_, read, parts_.arguments)) return Status::Wrong;
    if (!is_json) return Status::Wrong;
    if (!walker_.complete()) return Status::More;
    if (!told_) return Status::Wrong;
    if (!parts_.arguments.begun()) sink_.on_arguments("{}");
    return Status::Done;
  }
  size_t end() const override { return walker_.position(); }
  bool whole() const override { return told_ && parts_.arguments.ended(); }

 private:
  // Whether the name is known, and the id, too, where one is to be expected.
  bool can_tell() const {
    const bool named = syntax_.keys.name.empty() ? parts_.arguments.begun() : parts_.name.ended();
    const bool awaits_id = !syntax_.keys.id.empty() && syntax_.keys.id_is_last && !parts_.id.ended();
    return named && (!awaits_id || walker_.complete());
  }

  bool tell(std::string_view text) {
    const bool is_text = syntax_.keys.name.empty() || text[parts_.name.begin] == '"';
    const std::string name = syntax_.keys.name.empty() ? parts_.key_name : string_at(text, parts_.name);
    std::string id = parts_.id.ended() ? string_at(text, parts_.id) : "";
    told_ = is_text && !name.empty() && sink_.on_call(name, id);
    return told_;
  }

  static std::string string_at(std::string_view text, const ObjectParts::Part& part) {
    const std::optional<OrderedJson> value = parse_literal(text.substr(part.begin, part.end - part.begin), {});
    if (value && value->is_string()) return value->get<std::string>();
    return value && value->is_number_integer() ? value->dump() : "";
  }

  const CallSyntax& syntax_;
  CallSink& sink_;
  ObjectParts parts_;
  JsonWalker walker_;
  ArgumentStream stream_;
  bool told_ = false;
};

/// A call that is an object in another notation than JSON's: it is given when it is whole.
class LiteralObjectReader : public CallReader {
 public:
  LiteralObjectReader(const CallSyntax& syntax, CallSink& sink)
      : syntax_(syntax), sink_(sink), scanner_(syntax.style) {}

  Status read(std::string_view text, bool final) override {
    if (!scanner_.scan(text))
      return left_trimmed(text).empty() || left_trimmed(text)[0] == '{' ? Status::More : Status::Wrong;
    const std::optional<OrderedJson> object = parse_literal(text.substr(0, scanner_.end()), syntax_.style);
    if (!object || !object->is_object()) return Status::Wrong;
    const CallKeys& keys = syntax_.keys;
    const OrderedJson inner = keys.function.empty() ? *object : object->value(keys.function, OrderedJson());
    if (!inner.is_object() || inner.empty()) return Status::Wrong;
    const bool keyed = keys.name.empty();
    const OrderedJson name = keyed ? OrderedJson(inner.begin().key()) : inner.value(keys.name, OrderedJson());
    const OrderedJson arguments = keyed ? inner.front() : inner.value(keys.arguments, OrderedJson::object());
    const OrderedJson id = keys.id.empty() ? OrderedJson() : object->value(keys.id, OrderedJson());
    if (!name.is_string() || !arguments.is_object()) return Status::Wrong;
    if (!sink_.on_call(name.get<std::string>(), id.is_string() ? id.get<std::string>() : "")) return Status::Wrong;
    sink_.on_arguments(json_text(arguments));
    return Status::Done;
  }
  size_t end() const override { return scanner_.end(); }
  bool whole() const override { return false; }

 private:
  const CallSyntax& syntax_;
  CallSink& sink_;
  LiteralScanner scanner_;
};

/// An object of arguments behind a name, in JSON or in another notation.
class ArgumentsReader : public CallReader {
 public:
  ArgumentsReader(LiteralStyle style, CallSink& sink) : style_(style), sink_(sink), scanner_(std::move(style)) {}

  Status read(std::string_view text, bool final) override {
    const std::string_view begin = left_trimmed(text);
    if (begin.empty()) return Status::More;
    if (begin[0] != '{') return Status::Wrong;
    return style_.is_json() ? read_json(text, text.size() - begin.size()) : read_literal(text);
  }
  size_t end() const override { return style_.is_json() ? walker_.position() : scanner_.end(); }
  bool whole() const override { return walker_.complete(); }

 private:
  Status read_json(std::string_view text, size_t begin) {
    const bool is_json = walker_.walk(text);
    const size_t from = std::max(begin, given_);
    const size_t known = walker_.position() - (is_json ? 0 : 1);
    if (known > from) sink_.on_arguments(walker_.escaped(text, from, known));
    given_ = known;
    if (!is_json) return Status::Wrong;
    return walker_.complete() ? Status::Done : Status::More;
  }

  Status read_literal(std::string_view text) {
    if (!scanner_.scan(text)) return Status::More;
    const std::optional<OrderedJson> value = parse_literal(text.substr(0, scanner_.end()), style_);
    if (!value || !value->is_object()) return Status::Wrong;
    sink_.on_arguments(json_text(*value));
    return Status::Done;
  }

  LiteralStyle style_;
  CallSink& sink_;
  JsonWalker walker_;
  LiteralScanner scanner_;
  size_t given_ = 0;
};

/// A name between marks, then an object of arguments.
class NamedCallReader : public CallReader {
 public:
  NamedCallReader(const CallSyntax& syntax, CallSink& sink)
      : head_(syntax), sink_(sink), arguments_(syntax.style, sink) {}

  Status read(std::string_view text, bool final) override {
    if (!told_) {
      const Fit fit = head_.read(text, final);
      if (fit != Fit::Yes) return fit == Fit::No ? Status::Wrong : Status::More;
      // Wait for the arguments' bracket, so that prose behind a name does not become a call.
      const std::string_view rest = left_trimmed(text.substr(head_.end()));
      if (rest.empty()) return final ? Status::Wrong : Status::More;
      if (rest[0] != '{' || !sink_.on_call(head_.name(), head_.id())) return Status::Wrong;
      told_ = true;
    }
    return arguments_.read(text.substr(head_.end()), final);
  }
  size_t end() const override { return head_.end() + arguments_.end(); }
  bool whole() const override { return told_ && arguments_.whole(); }

 private:
  CallHead head_;
  CallSink& sink_;
  ArgumentsReader arguments_;
  bool told_ = false;
};

}  // namespace

std::unique_ptr<CallReader> make_call_reader(const CallSyntax& syntax, const ToolSchemas& tools, CallSink& sink) {
  if (syntax.kind == CallKind::Tagged) return std::make_unique<TaggedCallReader>(syntax, tools, sink);
  if (syntax.kind == CallKind::Named) return std::make_unique<NamedCallReader>(syntax, sink);
  if (syntax.style.is_json()) return std::make_unique<ObjectCallReader>(syntax, sink);
  return std::make_unique<LiteralObjectReader>(syntax, sink);
}

std::unique_ptr<CallReader> make_arguments_reader(CallSink& sink) {
  return std::make_unique<ArgumentsReader>(LiteralStyle(), sink);
}

}  // namespace cleave::response
