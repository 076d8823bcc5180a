#include "base/error.h"

namespace cleave {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidArgument:
      return "invalid argument";
    case ErrorKind::NotFound:
      return "not found";
    case ErrorKind::Corrupt:
      return "corrupt";
    case ErrorKind::Unsupported:
      return "unsupported";
    case ErrorKind::Io:
      return "input/output";
    case ErrorKind::Comm:
      return "communication";
    case ErrorKind::Internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace cleave
