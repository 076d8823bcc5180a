#pragma once

#include <cleave/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The library's front door: open a model, plan its split over ranks, load it, generate and score. docs/library.md
/// teaches it. Nothing here prints, reads the environment, handles signals or ends the process. Every function may
/// throw cleave::Error; std::bad_alloc where memory runs out. An object is used by one thread at a time unless it says
/// more.
namespace cleave {

/// How much a line of the log matters: a fact that was asked for, how something was understood, or probably a mistake.
enum class LogLevel : uint8_t { Info, Note, Warning };
/// Receives lines for the user, without a line end, on the calling thread.
using Log = std::function<void(LogLevel level, std::string_view line)>;
/// Receives the bytes of weights loaded so far, and of all. Called by threads of the library, one at a time.
using Progress = std::function<void(int64_t done, int64_t total)>;

/// Which model, and how precisely it computes.
struct ModelOptions {
  std::string path;                      // a directory, a .gguf file, or a config.json without weights
  std::vector<std::string> definitions;  // model definitions to add: .lua files or folders of them (docs/models.md)
  bool exact = false;                    // f32 throughout: slow, for comparisons
  enum class Weights : uint8_t { AsStored, Int8, Int4 } weights = Weights::AsStored;  // quantised while loading
  bool int8_cache = false;  // keys and values in 8 bits instead of 16
  Log log;
};

/// What the user wants of the split; docs/configuration.md has the notations.
struct SplitOptions {
  std::vector<double> rank_weights;                   // shares of the ranks, such as {2, 1, 1}; empty: equal
  bool least_memory = false;                          // split all that can be, not just what makes a token faster
  std::vector<std::string> keep, all_reduce, column;  // patterns of modules
  std::vector<std::string> configs;                   // JSON files: Cleave's, DeepSpeed's or Transformers' form
  std::vector<std::pair<std::string, std::string>>
      environment;       // DS_* variables and their values, as the caller has them
  std::string hardware;  // file of rates (`cleave bench --hardware`); empty: defaults
  bool strict = false;   // an override that matches nothing is an error
};

/// How a model is split: text for people, and the same as JSON with predictions.
struct Plan {
  int ranks = 1;
  uint64_t hash = 0;  // equal plans have equal hashes
  std::string text, json;
};

/// One turn of a conversation.
struct Message {
  std::string role;  // "system", "user", "assistant", or what else the model's template knows
  std::string content;
};

/// An opened model: headers, graph and tokenizer, but no weights in memory. Const members may be called by several
/// threads at a time. Moved-from objects can only be destroyed or assigned to.
class Model {
 public:
  /// Throws Error: NotFound, Corrupt, Unsupported (an architecture without a definition), InvalidArgument.
  explicit Model(const ModelOptions& options);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const std::string& architecture() const;  // "LlamaForCausalLM"
  int64_t vocab_size() const;               // number of logits of a token
  /// Tokens that the model was made for; nothing where its configuration does not say.
  std::optional<int64_t> max_positions() const;

  /// The split over `ranks` ranks. Needs no weights.
  Plan plan(int ranks, const SplitOptions& options = {}) const;

  /// Ids of a text. `special`: with the tokens that the tokenizer puts around a text. Throws Error(NotFound) for a
  /// model without a tokenizer.
  std::vector<int32_t> tokenize(std::string_view text, bool special = true) const;
  /// Text of ids, special tokens included.
  std::string detokenize(std::span<const int32_t> ids) const;
  /// Whether the model comes with a chat template.
  bool has_chat_format() const;
  /// A conversation as the model's chat template writes it, up to where the answer begins; tokenize it without special
  /// tokens. `now`: seconds since 1970, for templates that write the date. Throws Error(Unsupported) without a
  /// template.
  std::string render(const std::vector<Message>& messages, int64_t now) const;

 private:
  friend class Group;
  friend class Session;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Which ranks this process has.
struct GroupOptions {
  int ranks = 1;     // of this process; each has threads, weights and a cache of its own
  int threads = 0;   // shared by the ranks; 0: one for each CPU that the process may use
  bool pin = false;  // bind every thread to a CPU; always done where there are several NUMA nodes
  bool mpi = false;  // with the ranks of the other processes that mpirun has started; once in a process's life
};

/// The ranks that models are split over. Rank 0 leads: sessions are made in its process, one after another or several
/// at a time, which take steps by turns; other processes follow(). Moved-from objects can only be destroyed.
class Group {
 public:
  /// Throws Error(Comm) where processes cannot reach one another; Unsupported for mpi in a library built without it,
  /// InvalidArgument for mpi a second time; Io where the system starts no more threads.
  explicit Group(const GroupOptions& options);
  Group(Group&&) noexcept;
  ~Group();

  int ranks() const;  // of all processes
  bool leads() const;
  /// Waits for the other processes at the end of a run without errors. Without it they are told that this one gives up.
  /// Throws Error(InvalidArgument) where a session of this group is left.
  void finish();
  /// Computes what the leader wants of this process until the leader's group ends. `model` gives the path where its
  /// files may be; without them the leader sends the weights. REQUIRES: !leads().
  void follow(const ModelOptions& model);

 private:
  friend class Session;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How tokens are chosen. What is not given is up to the model's generation_config.json, and greedy without one. What
/// that file sets and the library does not do is named once in the log, when a session is made.
struct Sampling {
  std::optional<double> temperature, top_p, min_p, repeat_penalty;
  std::optional<int64_t> top_k;
  std::optional<uint64_t> seed;
  std::optional<int64_t> no_repeat_ngram;        // no sequence of that many tokens occurs twice; 0: all may
  std::optional<int64_t> min_new_tokens;         // the model does not end the answer before
  std::optional<std::vector<int32_t>> suppress;  // tokens that are never chosen
};

/// What is to be generated.
struct Request {
  std::vector<int32_t> prompt;  // at least one token
  Sampling sampling;
  std::optional<int64_t> max_tokens;  // nothing: as the model's max_new_tokens says, or until it or the context ends
  std::vector<std::string> stop;      // the answer ends before any of these texts
};

using RequestId = int64_t;

/// Why an answer ended: the model, a stop text, max_tokens, a full context, or cancel().
enum class Finish : uint8_t { Model, StopText, Length, Context, Cancelled };

/// A part of an answer. Views are valid during the call that gives them.
struct Piece {
  RequestId request = 0;
  std::span<const int32_t> tokens;  // that were generated; none where only held-back text comes out
  std::string_view text;            // whole characters that cannot become a stop text any more; may be empty
  std::optional<Finish> finish;     // of the last piece
};

/// A whole answer.
struct Answer {
  std::vector<int32_t> tokens;
  std::string text;
  Finish finish = Finish::Model;
  int64_t prompt_tokens = 0;
};

/// What a session has room for.
struct SessionOptions {
  SplitOptions split;
  int64_t context = 4096;  // tokens of the longest sequence, prompt and answer; fewer where the model has no more
  int64_t sequences = 16;  // that answer in the same steps; further ones wait
  int64_t cache = 0;       // tokens that the key-value cache holds, over all sequences; 0: context
  Progress progress;
};

/// A model loaded over the ranks of a group. The model and the group must outlive it. add() and cancel() may be called
/// by any thread at any time. All else makes ranks compute, which they do for one call at a time, whatever session of
/// the group it is of: one that comes from another thread meanwhile, or from within a callback, throws
/// Error(InvalidArgument). What a callback throws reaches the caller.
class Session {
 public:
  /// Plans the split, reads and packs the weights, all ranks at once. Throws Error: InvalidArgument unless
  /// group.leads(); Io where the machines' memory cannot hold the weights, Comm where a rank fails; NotFound for a
  /// model without a tokenizer. An error while weights are read or memory is reserved, or one that options.progress
  /// throws, ends the group.
  Session(const Model& model, Group& group, const SessionOptions& options = {});
  ~Session();

  /// Queues a request. Throws Error(InvalidArgument) for an empty prompt, ids outside the vocabulary, parameters out of
  /// range, or a prompt that leaves no room for an answer.
  RequestId add(const Request& request);
  /// Ends an answer at the next step; its last piece says Finish::Cancelled. Does nothing for one that has ended.
  void cancel(RequestId id);
  /// Advances all requests by a token (prompts by up to 512) and hands out what came of it. False where no request is
  /// left. After an Error the session can only be destroyed.
  bool step(const std::function<void(const Piece&)>& deliver);

  /// add() and step() until the answer is complete. `on_text` gets its text as it is made; false cancels. Pieces of
  /// other requests under way are lost.
  Answer generate(const Request& request, const std::function<bool(std::string_view)>& on_text = {});

  /// Natural logarithms of the probabilities of tokens[1..n) after those before them, [n - 1]. REQUIRES: no request is
  /// under way.
  std::vector<double> score(std::span<const int32_t> tokens);

  /// Bytes that the weights take in memory, by rank.
  std::vector<int64_t> weight_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "0.1.0".
const char* version();

}  // namespace cleave
