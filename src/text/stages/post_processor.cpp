#include "text/stages/post_processor.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/models/token_id.h"
#include "text/stages/added_tokens.h"

namespace cleave::text {
namespace {

class Template final : public PostProcessor {
 public:
  Template(std::vector<int32_t> before, std::vector<int32_t> behind)
      : before_(std::move(before)), behind_(std::move(behind)) {}
  std::vector<int32_t> apply(std::vector<int32_t> ids) const override {
    ids.insert(ids.begin(), before_.begin(), before_.end());
    ids.insert(ids.end(), behind_.begin(), behind_.end());
    return ids;
  }

 private:
  std::vector<int32_t> before_;
  std::vector<int32_t> behind_;
};

class PostProcessorSequence final : public PostProcessor {
 public:
  explicit PostProcessorSequence(std::vector<std::unique_ptr<PostProcessor>> steps) : steps_(std::move(steps)) {}
  std::vector<int32_t> apply(std::vector<int32_t> ids) const override {
    for (const auto& step : steps_) ids = step->apply(std::move(ids));
    return ids;
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

class Reader {
 public:
  Reader(const TokenModel& model, const AddedTokens& added) : model_(model), added_(added) {}

  std::unique_ptr<PostProcessor> read(const JsonField& field) const {
    const std::string& type = field.at("type").string();
    if (type == "TemplateProcessing") return read_template(field);
    if (type == "RobertaProcessing" || type == "BertProcessing")
      return make_template({special_pair(field.at("cls"))}, {special_pair(field.at("sep"))});
    if (type == "ByteLevel") return make_template({}, {});
    if (type == "Sequence") return read_sequence(field.at("processors"));
    fail(ErrorKind::Unsupported,
         "{}: a post-processor of type {} is not read; TemplateProcessing, RobertaProcessing, BertProcessing, "
         "ByteLevel and "
         "Sequence are",
         field.path(), in_quotes(type));
  }

 private:
  int32_t known_id(const JsonField& field) const {
    const int32_t id = read_token_id(field);
    if (added_.find(id) == nullptr && !model_.token(id))
      fail(ErrorKind::Corrupt, "{}: wanted the id of a token, saw {}, which the vocabulary does not have", field.path(),
           id);
    return id;
  }

  // ["</s>", 2]
  int32_t special_pair(const JsonField& field) const {
    if (field.array().size() != 2) field.wrong("a token and its id");
    return known_id(field.at(1));
  }

  std::unique_ptr<PostProcessor> read_template(const JsonField& field) const {
    std::vector<int32_t> before;
    std::vector<int32_t> behind;
    bool seen_text = false;
    const JsonField single = field.at("single");
    for (size_t i = 0; i < single.array().size(); ++i) {
      const JsonField piece = single.at(i);
      if (const auto special = piece.find("SpecialToken")) {
        append_special(special->at("id"), field, seen_text ? behind : before);
        continue;
      }
      const std::string& name = piece.at("Sequence").at("id").string();
      if (name != "A" || seen_text) piece.wrong("the text \"A\" once in the template of a single text");
      seen_text = true;
    }
    if (!seen_text) single.wrong("a template with the text \"A\"");
    return make_template(std::move(before), std::move(behind));
  }

  void append_special(const JsonField& name, const JsonField& field, std::vector<int32_t>& ids) const {
    const auto token = field.at("special_tokens").find(name.string().c_str());
    if (!token)
      fail(ErrorKind::Corrupt, "{}: {} is not among the template's special_tokens", name.path(),
           in_quotes(name.string()));
    const JsonField list = token->at("ids");
    for (size_t i = 0; i < list.array().size(); ++i) ids.push_back(known_id(list.at(i)));
  }

  std::unique_ptr<PostProcessor> read_sequence(const JsonField& list) const {
    std::vector<std::unique_ptr<PostProcessor>> steps;
    for (size_t i = 0; i < list.array().size(); ++i) steps.push_back(read(list.at(i)));
    return std::make_unique<PostProcessorSequence>(std::move(steps));
  }

  const TokenModel& model_;
  const AddedTokens& added_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_template(std::vector<int32_t> before, std::vector<int32_t> behind) {
  return std::make_unique<Template>(std::move(before), std::move(behind));
}

std::unique_ptr<PostProcessor> read_post_processor(const JsonField& field, const TokenModel& model,
                                                   const AddedTokens& added) {
  return Reader(model, added).read(field);
}

}  // namespace cleave::text
