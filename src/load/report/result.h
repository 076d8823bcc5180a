#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cleave::load {

/// How a request went. Times are seconds since the run began.
struct Result {
  double begin = 0, end = 0;         // begin: when it was to be sent, from which its times count
  double sent = 0;                   // later than that where this program was late
  std::optional<double> first = {};  // when the first text came
  std::vector<float> gaps = {};      // seconds between a piece of text and the one before
  int64_t prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0;
  bool counted = false;      // the server has counted its tokens; otherwise pieces of text count as one each
  std::string outcome = {};  // "" where it went well; otherwise what a table calls it: "503", "no connection", "cut"
  std::string problem = {};  // in a sentence
  int64_t turn = 1;

  bool good() const { return outcome.empty(); }
};

/// What happened to requests that were under way when the run ended.
inline constexpr const char* kUnderWay = "under way at the end";

}  // namespace cleave::load
