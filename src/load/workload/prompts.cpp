#include "load/workload/prompts.h"

#include <utility>

#include "base/error.h"
#include "load/workload/random.h"

namespace cleave::load {
namespace {

constexpr uint64_t kPromptStream = 2, kAnswerStream = 3;  // of random numbers

int64_t length(uint64_t seed, uint64_t stream, uint64_t index, Range range) {
  return Random(seed, stream, index).between(range.least, range.most);
}

Json conversation(std::string text) {
  return Json::array({{{"role", "user"}, {"content", std::move(text)}}});
}

class MadeUpPrompts final : public Prompts {
 public:
  MadeUpPrompts(Api api, const MadeUpText& text, uint64_t seed, Range prompts, Range answers)
      : api_(api), text_(text), seed_(seed), prompts_(prompts), answers_(answers) {}

  Job job(uint64_t index) const override {
    std::string text = text_.of_tokens(length(seed_, kPromptStream, index, prompts_), index);
    Job job;
    if (api_ == Api::Chat)
      job.fields["messages"] = conversation(std::move(text));
    else
      job.fields["prompt"] = std::move(text);
    job.fields["max_tokens"] = length(seed_, kAnswerStream, index, answers_);
    return job;
  }

 private:
  Api api_;
  MadeUpText text_;
  uint64_t seed_;
  Range prompts_, answers_;
};

class ListedPrompts final : public Prompts {
 public:
  ListedPrompts(std::vector<Job> jobs, uint64_t seed, Range answers)
      : jobs_(std::move(jobs)), seed_(seed), answers_(answers) {}

  Job job(uint64_t index) const override {
    Job job = jobs_[index % jobs_.size()];
    if (!job.fields.contains("max_tokens")) job.fields["max_tokens"] = length(seed_, kAnswerStream, index, answers_);
    return job;
  }

 private:
  std::vector<Job> jobs_;
  uint64_t seed_;
  Range answers_;
};

}  // namespace

std::unique_ptr<Prompts> made_up_prompts(Api api, const MadeUpText& text, uint64_t seed, Range prompt_tokens,
                                         Range answer_tokens) {
  return std::make_unique<MadeUpPrompts>(api, text, seed, prompt_tokens, answer_tokens);
}

Job job_of_line(const Json& line, Api api) {
  const bool has_messages = line.is_object() && line.contains("messages"),
             has_prompt = line.is_object() && line.contains("prompt");
  if (has_messages == has_prompt)
    fail(ErrorKind::InvalidArgument, "wanted an object with \"prompt\" or \"messages\", and not both");
  Job job{.fields = line};
  if (has_messages && !line["messages"].is_array()) fail(ErrorKind::InvalidArgument, "\"messages\" is no array");
  if (has_messages && api == Api::Completions)
    fail(ErrorKind::InvalidArgument, "\"messages\" need --api chat, completions take a \"prompt\"");
  if (has_prompt && api == Api::Chat) {
    if (!line["prompt"].is_string())
      fail(ErrorKind::InvalidArgument, "a \"prompt\" that is no string needs --api completions");
    job.fields["messages"] = conversation(line["prompt"]);
    job.fields.erase("prompt");
  }
  return job;
}

std::unique_ptr<Prompts> listed_prompts(std::vector<Job> jobs, uint64_t seed, Range answer_tokens) {
  return std::make_unique<ListedPrompts>(std::move(jobs), seed, answer_tokens);
}

}  // namespace cleave::load
