#include "app/commands.h"

namespace cleave::app {

void add_template(CLI::App&, Action&) {}

}  // namespace cleave::app
