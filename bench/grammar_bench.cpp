// Time of masks on one thread:
//   grammar_bench TOKENIZER FILE...
// Each file is a case of JSONSchemaBench's maskbench: {"schema": ..., "tests": [{"data": ..., "valid": true}]}. Every
// valid document is tokenised and followed token by token. Prints percentiles of masks and of compiling.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/ordered_json.h"
#include "grammar/grammar.h"
#include "grammar/matching/matcher.h"
#include "text/files/tokenizer_files.h"

namespace {

using cleave::grammar::Matcher;
using cleave::grammar::TokenGrammar;
using cleave::grammar::Vocabulary;

struct Times {
  std::vector<double> masks, compiling;  // microseconds
  size_t refused_schemas = 0, refused_documents = 0;
};

double microseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

std::shared_ptr<const Vocabulary> vocabulary_of(const cleave::text::Tokenizer& tokenizer) {
  std::vector<std::string> tokens;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id)
    tokens.push_back(tokenizer.is_special(id) ? "" : tokenizer.token_bytes(id));
  return std::make_shared<const Vocabulary>(tokens, std::vector<int32_t>());
}

// A complete document allows no token but an end token, of which there is none, so the last mask is left out.
void follow(const std::shared_ptr<TokenGrammar>& grammar, const std::vector<int32_t>& ids, Times& times) {
  Matcher matcher(grammar);
  std::vector<uint32_t> mask(grammar->vocabulary().words());
  for (const int32_t id : ids) {
    std::fill(mask.begin(), mask.end(), UINT32_MAX);
    const auto start = std::chrono::steady_clock::now();
    matcher.mask(mask);
    times.masks.push_back(microseconds_since(start));
    if (matcher.accept(id)) continue;
    ++times.refused_documents;
    return;
  }
}

void measure(const char* path, const cleave::text::Tokenizer& tokenizer,
             const std::shared_ptr<const Vocabulary>& vocabulary, Times& times) {
  const cleave::MappedFile file(path);
  const cleave::OrderedJson test = cleave::parse_ordered_json(file.text(), path);
  std::shared_ptr<TokenGrammar> grammar;
  const auto start = std::chrono::steady_clock::now();
  try {
    grammar = std::make_shared<TokenGrammar>(cleave::grammar::compile_json_schema(test.at("schema")), vocabulary);
  } catch (const cleave::Error&) {
    ++times.refused_schemas;
    return;
  }
  times.compiling.push_back(microseconds_since(start));
  for (const cleave::OrderedJson& document : test.at("tests"))
    if (document.at("valid").get<bool>()) follow(grammar, tokenizer.encode(document.at("data").dump(), false), times);
}

void report(const char* what, std::vector<double> times) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
  };
  fmt::print("{:10} {:8} times, us: p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max {:.1f}\n", what, times.size(),
             at(0.5), at(0.9), at(0.99), at(0.999), times.back());
}

int run(int argc, char** argv) {
  const auto tokenizer = cleave::text::load_tokenizer(argv[1]);
  const auto vocabulary = vocabulary_of(*tokenizer);
  Times times;
  for (int i = 2; i < argc; ++i) measure(argv[i], *tokenizer, vocabulary, times);
  fmt::print("{} tokens; {} schemas and {} documents refused\n", vocabulary->size(), times.refused_schemas,
             times.refused_documents);
  report("masks", times.masks);
  report("compiling", times.compiling);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 2) return run(argc, argv);
    std::fputs("usage: grammar_bench TOKENIZER FILE...\n", stderr);
    return 2;
  } catch (const cleave::Error& error) {
    fmt::print(stderr, "grammar_bench: {}\n", error.what());
    return 1;
  }
}
