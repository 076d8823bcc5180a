#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "load/workload/job.h"
#include "load/workload/made_up_text.h"

namespace cleave::load {

/// Where requests come from: the fields of the first one, the second one, and so on without an end. Immutable.
class Prompts {
 public:
  virtual ~Prompts() = default;
  virtual Job job(uint64_t index) const = 0;
};

/// Prompts and lengths that are made up.
std::unique_ptr<Prompts> made_up_prompts(Api api, const MadeUpText& text, uint64_t seed, Range prompt_tokens,
                                         Range answer_tokens);

/// One line of JSON: {"prompt": ...} or {"messages": [...]}, where "max_tokens" and whatever else a request may have
/// can stand beside them. A prompt that is text becomes a message of the user where the API wants a conversation.
/// Throws Error(InvalidArgument) for a line that is none of it.
Job job_of_line(const Json& line, Api api);

/// Those lines, again and again. `answer_tokens`: of lines that do not say. REQUIRES: there is one at least.
std::unique_ptr<Prompts> listed_prompts(std::vector<Job> jobs, uint64_t seed, Range answer_tokens);

}  // namespace cleave::load
