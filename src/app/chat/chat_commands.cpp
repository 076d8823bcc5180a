#include "app/chat/chat_commands.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/files.h"

namespace cleave::app {
namespace {

/// What a command has to do with.
struct Call {
  Conversation& conversation;
  std::string argument;  // what follows the command's name, without the space between
  int64_t context;       // tokens that the conversation may have
};

void no_argument(const Call& call, const char* command) {
  if (!call.argument.empty())
    fail(ErrorKind::InvalidArgument, "{} takes nothing behind it, saw \"{}\"", command, call.argument);
}

LineResult help(const Call& call);

LineResult reset(const Call& call) {
  no_argument(call, "/reset");
  call.conversation.reset();
  return LineResult::Nothing;
}

LineResult set_system(const Call& call) {
  call.conversation.set_system(call.argument.empty() ? std::nullopt : std::optional(call.argument));
  return LineResult::Nothing;
}

LineResult regenerate(const Call& call) {
  no_argument(call, "/regenerate");
  call.conversation.ask_again();
  return LineResult::Answer;
}

LineResult save(const Call& call) {
  if (call.argument.empty()) fail(ErrorKind::InvalidArgument, "/save wants the name of a file behind it");
  write_file(call.argument, call.conversation.json());
  note(fmt::format("cleave: saved in {}", call.argument));
  return LineResult::Nothing;
}

LineResult show_statistics(const Call& call) {
  no_argument(call, "/stats");
  note(fmt::format("cleave: {}; {} of {} tokens of the context", call.conversation.statistics().text(),
                   call.conversation.length(), call.context));
  return LineResult::Nothing;
}

LineResult end(const Call& call) {
  no_argument(call, "/exit");
  return LineResult::End;
}

struct Command {
  const char* name;
  LineResult (*function)(const Call&);
  const char* what;
};

constexpr std::array<Command, 7> kCommands = {{
    {"/help", help, "list the commands"},
    {"/system", set_system, "TEXT: set the system message (nothing: the model's own)"},
    {"/regenerate", regenerate, "answer the last message again"},
    {"/reset", reset, "begin a new conversation"},
    {"/save", save, "FILE: write the conversation as JSON"},
    {"/stats", show_statistics, "tokens and speed so far"},
    {"/exit", end, "end (or Ctrl-D)"},
}};

LineResult help(const Call& call) {
  no_argument(call, "/help");
  for (const Command& command : kCommands) note(fmt::format("  {:<12} {}", command.name, command.what));
  note("  //           begins a message with a slash");
  return LineResult::Nothing;
}

}  // namespace

LineResult carry_out(Conversation& conversation, const std::string& line, int64_t context) {
  if (!line.starts_with('/') || line.starts_with("//")) {
    conversation.ask(line.starts_with('/') ? line.substr(1) : line);
    return LineResult::Answer;
  }
  const size_t space = std::min(line.find(' '), line.size());
  const std::string name = line.substr(0, space);
  const size_t begin = std::min(line.find_first_not_of(' ', space), line.size());
  for (const Command& command : kCommands)
    if (name == command.name) return command.function({conversation, line.substr(begin), context});
  fail(ErrorKind::InvalidArgument, "{} is no command; /help lists them, and a second slash sends the line to the model",
       name);
}

}  // namespace cleave::app
