#include "app/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/error.h"

namespace cleave::app {
namespace {

constexpr double kMaxInt32 = std::numeric_limits<int32_t>::max();

// A number between two bounds; NaN is none. `wanted` completes the message.
CLI::Validator between(double low, double high, const std::string& wanted) {
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        double value = 0;
        const bool good = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
        return good ? "" : fmt::format("saw \"{}\", wanted {}", text, wanted);
      },
      "");
}

// Of random numbers. CLI11 takes "-1" for the largest number there is.
std::string wrong_seed(const std::string& text) {
  uint64_t seed = 0;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, seed);
  if (error == std::errc() && last == end) return "";
  return fmt::format("saw \"{}\", wanted a whole number from 0 to {}", text, std::numeric_limits<uint64_t>::max());
}

constexpr double kTiny = std::numeric_limits<double>::min();
constexpr double kHuge = std::numeric_limits<double>::max();

}  // namespace

void add_model_path(CLI::App& command, ModelFlags& flags) {
  command.add_option("MODEL", flags.model.path, "a directory with config.json and *.safetensors, or a .gguf file")
      ->required();
  command
      .add_option("--model-def", flags.model.definitions, "model definition to add: a .lua file or a folder of them")
      ->allow_extra_args(false)
      ->type_name("PATH");
  command.add_flag("--verbose", flags.model.list_unused,
                   "say which keys are left to the class, and which tensors the model does not use");
}

void add_compute_flags(CLI::App& command, ModelFlags& flags) {
  add_precision_flags(command, flags);
  command.add_flag("--map-packed,!--copy-packed", flags.model.map_packed,
                   "use the packed weights of cleave shard where the file is mapped: ready at once "
                   "(default: copy them into memory unless they are there already, as in /dev/shm)");
  add_split_flags(command, flags.split);
}

void add_precision_flags(CLI::App& command, ModelFlags& flags) {
  command
      .add_option("--threads", flags.threads, "threads to compute with (default: every CPU that the process may use)")
      ->check(between(1, 4096, "1 to 4096"))
      ->type_name("N");
  add_number_flags(command, flags);
}

void add_storage_flags(CLI::App& command, ModelFlags& flags) {
  CLI::Option* exact =
      command.add_flag("--exact", flags.numbers.exact, "compute in f32 throughout: slow, for comparisons");
  command
      .add_option_function<std::string>(
          "--weights",
          [&flags, exact](const std::string& value) {
            using kernels::WeightFormat;
            flags.numbers.weights = value == "int8"   ? WeightFormat::Int8
                                    : value == "int4" ? WeightFormat::Int4
                                                      : WeightFormat::AsStored;
            if (flags.numbers.weights != WeightFormat::AsStored && exact->count() > 0)
              throw CLI::ValidationError("--weights",
                                         "--exact computes with the weights as stored; leave one of the two out");
          },
          "stored (default), or int8 or int4: quantise 16-bit and 32-bit weights while loading")
      ->check(CLI::IsMember({"stored", "int8", "int4"}))
      ->type_name("stored|int8|int4");
  command
      .add_option_function<std::string>(
          "--kv",
          [&flags, exact](const std::string& value) {
            flags.numbers.int8_kv = value == "int8";
            if (exact->count() > 0)
              throw CLI::ValidationError("--kv", "--exact keeps keys and values in f32; leave one of the two out");
          },
          "f16 (default), or int8: keep keys and values in half the memory")
      ->check(CLI::IsMember({"f16", "int8"}))
      ->type_name("f16|int8");
}

void add_number_flags(CLI::App& command, ModelFlags& flags) {
  add_storage_flags(command, flags);
  command.add_option("--isa", "instruction set of products with matrices (default: the best one here)")
      ->transform(CLI::IsMember(isas_by_name()))
      ->each([&flags](const std::string& value) { flags.numbers.isa = isas_by_name().at(value); })
      ->type_name("NAME");
}

void add_sampling_flags(CLI::App& command, inference::SamplingOptions& options) {
  command.add_option("--temperature", options.temperature, "0: the most probable token; higher: more surprising ones")
      ->check(between(0, kHuge, "0 or more"))
      ->type_name("X");
  command.add_option("--top-k", options.top_k, "choose among the K most probable tokens (0: all)")
      ->check(between(0, kMaxInt32, "0 (all tokens) or more"))
      ->type_name("K");
  command
      .add_option("--top-p", options.top_p, "choose among the fewest tokens with this probability together (1: all)")
      ->check(between(kTiny, 1, "more than 0 and at most 1"))
      ->type_name("P");
  command
      .add_option("--min-p", options.min_p, "leave out tokens below this fraction of the largest probability (0: none)")
      ->check(between(0, 1, "0 to 1"))
      ->type_name("P");
  command
      .add_option("--repeat-penalty", options.repeat_penalty, "make tokens that occurred before less probable (1: no)")
      ->check(between(kTiny, kHuge, "a number above 0 (1 changes nothing)"))
      ->type_name("X");
  command.add_option("--no-repeat-ngram", options.no_repeat_ngram, "let no sequence of N tokens occur twice (0: may)")
      ->check(between(0, kMaxInt32, "0 (all may) or more"))
      ->type_name("N");
  command.add_option("--min-tokens", options.min_new_tokens, "let the model not end an answer before N tokens")
      ->check(between(0, kMaxInt32, "0 or more"))
      ->type_name("N");
  command
      .add_option_function<std::vector<int32_t>>(
          "--suppress-tokens", [&options](const std::vector<int32_t>& ids) { options.suppress = ids; },
          "never choose these tokens")
      ->delimiter(',')
      ->check(between(0, kMaxInt32, "ids of tokens"))
      ->type_name("ID,...");
  command.add_option("--seed", options.seed, "the same seed gives the same text (default: random)")
      ->check(wrong_seed)
      ->type_name("N");
}

void add_answer_flags(CLI::App& command, AnswerFlags& flags) {
  command
      .add_option("--max-tokens", flags.max_tokens, "end an answer after N tokens (default: when the model ends it)")
      ->check(between(1, kMaxInt32, "1 or more"))
      ->type_name("N");
  command.add_option("--context", flags.context, "tokens that prompt and answer may have together")
      ->check(between(1, kMaxInt32, "1 or more"))
      ->type_name("N");
  command.add_option("--stop", flags.stops, "end an answer before this text; can be given several times")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  command.add_option("--system", flags.system, "system message of a chat (\"\": none, not even the model's own)")
      ->type_name("TEXT");
}

void add_random_flags(CLI::App& command, ModelFlags& flags) {
  std::map<std::string, DType> types;
  for (size_t i = 0; i < kDTypes.size(); ++i) {
    const auto type = static_cast<DType>(i);
    if (is_block(type) || type == DType::F32 || type == DType::F16 || type == DType::BF16)
      types[CLI::detail::to_lower(std::string(to_string(type)))] = type;
  }
  CLI::Option* random =
      command
          .add_option_function<std::string>(
              "--random-weights",
              [&flags, types](const std::string& value) {
                flags.model.random_weights.emplace().matrices = types.at(value);
              },
              "make weights up, matrices of this type: MODEL is a config.json, or a directory with one")
          ->transform(CLI::IsMember(types, CLI::ignore_case))
          ->type_name("bf16|f32|q8_0|q4_0|q4_k|...");
  command
      .add_option_function<uint64_t>(
          "--seed",
          [&flags](uint64_t seed) {  // called behind --random-weights, in the order of declaration
            if (flags.model.random_weights) flags.model.random_weights->seed = seed;
          },
          "of --random-weights (default: 1)")
      ->check(wrong_seed)
      ->needs(random)
      ->type_name("N");
}

std::map<std::string, kernels::Isa> isas_by_name() {
  std::map<std::string, kernels::Isa> isas;
  for (const kernels::Isa isa : kernels::available_isas()) {
    std::string name(to_string(isa));
    std::ranges::replace(name, ' ', '-');
    isas[name] = isa;
  }
  return isas;
}

}  // namespace cleave::app
