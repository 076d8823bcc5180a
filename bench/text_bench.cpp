// Speed of encoding on one thread:
//   text_bench TOKENIZER TEXT_FILE
// prints MB/s over the text (repeated to about 10 MB), over 10 MB of one letter and over 10 MB of spaces: best of
// three.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/mapped_file.h"
#include "text/files/tokenizer_files.h"

namespace {

constexpr size_t kBytes = 10'000'000;

double best_seconds(const cleave::text::Tokenizer& tokenizer, const std::string& text) {
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    const auto start = std::chrono::steady_clock::now();
    tokenizer.encode(text, false);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void report(const char* what, const cleave::text::Tokenizer& tokenizer, const std::string& text) {
  const double seconds = best_seconds(tokenizer, text);
  fmt::print("{:24}{:9.2f} MB/s {:8.1f} ns/byte\n", what, text.size() / seconds / 1e6, seconds / text.size() * 1e9);
}

int run(const char* tokenizer_path, const char* text_path) {
  const auto tokenizer = cleave::text::load_tokenizer(tokenizer_path);
  const cleave::MappedFile file(text_path);
  const std::string text(file.text());
  std::string repeated;
  while (repeated.size() + text.size() <= kBytes) repeated += text;
  report("the text, once", *tokenizer, text);
  report("the text, 10 MB", *tokenizer, repeated);
  report("one letter, 10 MB", *tokenizer, std::string(kBytes, 'a'));
  report("spaces, 10 MB", *tokenizer, std::string(kBytes, ' '));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3) return run(argv[1], argv[2]);
    std::fputs("usage: text_bench TOKENIZER TEXT_FILE\n", stderr);
    return 2;
  } catch (const cleave::Error& error) {
    fmt::print(stderr, "text_bench: {}\n", error.what());
    return 1;
  }
}
