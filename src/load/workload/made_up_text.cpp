#include "load/workload/made_up_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "load/workload/random.h"

namespace cleave::load {
namespace {

constexpr uint64_t kStream = 1;  // of random numbers

constexpr std::array<std::string_view, 128> kWords = {
    "the",    "of",    "and",     "to",    "in",      "is",    "that",  "for",   "it",    "as",     "was",    "with",
    "be",     "by",    "on",      "not",   "he",      "his",   "but",   "at",    "are",   "this",   "have",   "from",
    "which",  "one",   "you",     "were",  "all",     "her",   "she",   "there", "would", "their",  "we",     "him",
    "been",   "has",   "when",    "who",   "will",    "no",    "more",  "if",    "out",   "so",     "up",     "said",
    "what",   "its",   "about",   "than",  "into",    "them",  "can",   "only",  "other", "time",   "new",    "some",
    "could",  "these", "two",     "may",   "first",   "then",  "do",    "any",   "like",  "my",     "now",    "over",
    "such",   "our",   "man",     "me",    "even",    "most",  "made",  "after", "also",  "well",   "did",    "many",
    "before", "must",  "years",   "back",  "through", "much",  "where", "your",  "way",   "down",   "should", "because",
    "long",   "each",  "just",    "state", "people",  "those", "too",   "mr",    "how",   "little", "good",   "world",
    "make",   "very",  "year",    "still", "see",     "own",   "work",  "men",   "day",   "get",    "here",   "old",
    "life",   "both",  "between", "being", "under",   "three", "never", "know"};

}  // namespace

std::string MadeUpText::of_tokens(int64_t tokens, uint64_t index) const {
  return of_words(std::llround(static_cast<double>(tokens) / tokens_per_word_), index);
}

std::string MadeUpText::of_words(int64_t words, uint64_t index) const {
  Random random(seed_, kStream, index);
  std::string text;
  for (int64_t i = 0; i < std::max<int64_t>(words, 1); ++i) {
    if (i > 0) text += ' ';
    text += kWords[random.next() % kWords.size()];
  }
  return text;
}

}  // namespace cleave::load
