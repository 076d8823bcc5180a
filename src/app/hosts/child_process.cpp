#include "app/hosts/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"

namespace cleave::app {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
};

Pipe make_pipe() {
  int ends[2] = {};
  if (pipe2(ends, O_CLOEXEC) != 0) fail(ErrorKind::Io, "cannot make a pipe: {}", std::strerror(errno));
  return {ends[0], ends[1]};
}

// The new process becomes the program. Where that fails, it reports the error number and ends.
[[noreturn]] void become(char* const* arguments, int errors, int report, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  std::signal(SIGPIPE, SIG_DFL);  // which this program ignores, and others rely on
  if (getppid() == parent && dup2(errors, STDERR_FILENO) >= 0) execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(report, &error, sizeof(error));
  _exit(1);
}

// What the new process has reported; 0 where it has become the program, which closes the pipe.
int reported_error(int report) {
  int error = 0;
  ssize_t size = 0;
  while ((size = read(report, &error, sizeof(error))) < 0 && errno == EINTR) {
  }
  return size == sizeof(error) ? error : 0;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const Pipe errors = make_pipe(), report = make_pipe();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments.data(), errors.write_end, report.write_end, parent);
  const int fork_error = errno;
  close(errors.write_end);
  close(report.write_end);
  errors_ = errors.read_end;
  const int error = pid_ < 0 ? fork_error : reported_error(report.read_end);
  close(report.read_end);
  if (error == 0) return;
  close(errors_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  fail(error == ENOENT ? ErrorKind::NotFound : ErrorKind::Io, "cannot start {}: {}", command[0], std::strerror(error));
}

ChildProcess::~ChildProcess() {
  close(errors_);
  if (pid_ < 0) return;
  terminate();
  wait();
}

std::optional<std::string> ChildProcess::read_errors(std::chrono::milliseconds limit) {
  pollfd entry = {.fd = errors_, .events = POLLIN, .revents = 0};
  if (poll(&entry, 1, static_cast<int>(limit.count())) <= 0) return "";
  char bytes[4096];
  const ssize_t size = read(errors_, bytes, sizeof(bytes));
  if (size < 0 && errno == EINTR) return "";
  if (size <= 0) return std::nullopt;
  return std::string(bytes, static_cast<size_t>(size));
}

void ChildProcess::terminate() {
  kill(pid_, SIGTERM);
}

int ChildProcess::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace cleave::app
