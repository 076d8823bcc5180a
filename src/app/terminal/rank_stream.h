#pragma once

#include <string>
#include <string_view>

/// Between the program that --hosts runs and the ranks that it has started through mpirun. Standard error of all ranks,
/// of mpirun, ssh and libraries arrives in one stream; ranks wrap what they write, so that it can be told apart.
namespace cleave::app {

/// The variable that tells a rank who has started it, and which of that program's streams are terminals: a rank sees
/// only what mpirun gives it. Its value is made of the words below, with commas.
inline constexpr const char* kStreamsVariable = "CLEAVE_STREAMS";
inline constexpr std::string_view kInputIsTerminal = "input";
inline constexpr std::string_view kOutputIsTerminal = "output";
inline constexpr std::string_view kErrorsFollowOutput = "joined";  // both go to one place that is no terminal

/// A text as a rank writes it.
std::string wrapped(std::string_view text);
/// Instead of a text: the rank's program has begun.
std::string wrapped_begin();
/// Instead of a text: the rank's program ends, of its own will.
std::string wrapped_end();

/// Takes such a stream apart.
class RankStream {
 public:
  /// Takes what has arrived, cut anywhere; gives what a person is to see of it: texts of ranks, but of all lines
  /// "cleave: error: ..." only the first, since others only say what follows from it.
  std::string take(std::string_view bytes);

  int num_begun() const { return num_begun_; }
  bool any_has_ended() const { return any_has_ended_; }
  bool has_error() const { return has_error_; }
  /// What somebody else than ranks has said, in one line, up to a few thousand characters of it.
  std::string other_words() const;

 private:
  std::string text_of(std::string piece);

  bool inside_ = false;
  std::string piece_;  // of a rank, as far as it has arrived
  std::string other_;
  int num_begun_ = 0;
  bool any_has_ended_ = false, has_error_ = false;
};

}  // namespace cleave::app
