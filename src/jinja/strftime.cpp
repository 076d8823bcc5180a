#include "jinja/strftime.h"

#include <ctime>

#include "base/error.h"

namespace cleave::jinja {

std::string format_time(const std::string& format, int64_t seconds) {
  constexpr size_t kMaxFormat = 4096;
  if (format.size() > kMaxFormat)
    fail(ErrorKind::InvalidArgument, "ValueError: a time format of {} bytes", format.size());
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  localtime_r(&time, &parts);
  std::string text;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      text.push_back(format[i]);
      continue;
    }
    // One directive at a time, so that an empty result can be told from one that does not fit.
    std::string directive = "%";
    if (format[i + 1] == '-' && i + 2 < format.size()) directive.push_back(format[++i]);
    directive.push_back(format[++i]);
    if (directive == "%f") {
      text += "000000";
      continue;
    }
    char buffer[256];
    text.append(buffer, std::strftime(buffer, sizeof buffer, directive.c_str(), &parts));
  }
  return text;
}

}  // namespace cleave::jinja
