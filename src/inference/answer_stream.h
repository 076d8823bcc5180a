#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/choice.h"
#include "text/tokenizer/detokenizer.h"
#include "text/tokenizer/stop_matcher.h"

namespace cleave::inference {

/// What a token adds to an answer.
struct AnswerPart {
  std::string text;                                 // whole characters that cannot become a stop text any more
  std::optional<engine::FinishReason> finish = {};  // in the last part of an answer
  engine::Usage usage = {};                         // of the answer so far
};

/// The text of one answer, as its tokens come: detokenizer, stop texts, and why it ended. Not thread-safe.
class AnswerStream {
 public:
  /// The tokenizer must outlive it.
  AnswerStream(const text::Tokenizer& tokenizer, std::vector<std::string> stops)
      : detokenizer_(tokenizer), matcher_(std::move(stops)) {}

  /// REQUIRES: no part before had a finish reason. Where a stop text is complete, that is why the answer ends, and the
  /// engine is to be told (Engine::stop()): it knows tokens alone.
  AnswerPart push(const engine::NewToken& token);
  /// What was held back, where the answer ends without a token to say so. REQUIRES: as push().
  AnswerPart cancel();

 private:
  text::Detokenizer detokenizer_;
  text::StopMatcher matcher_;
  engine::Usage usage_;
};

/// The streams of all answers under way, by sequence. Belongs to the thread of the engine.
class AnswerStreams {
 public:
  /// The tokenizer must outlive it.
  explicit AnswerStreams(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// REQUIRES: the sequence has no stream.
  void begin(engine::SequenceId sequence, std::vector<std::string> stops);
  /// The part that a token adds to its own answer; the stream is gone behind the last one. Nothing for a sequence
  /// without a stream: the engine may have chosen a token more before it learned that the answer has ended.
  std::optional<AnswerPart> push(const engine::NewToken& token);
  bool empty() const { return streams_.empty(); }

 private:
  const text::Tokenizer& tokenizer_;
  std::map<engine::SequenceId, AnswerStream> streams_;
};

}  // namespace cleave::inference
