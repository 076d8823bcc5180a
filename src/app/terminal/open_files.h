#pragma once

namespace cleave::app {

/// Lets this process have as many open files as the system allows it: each connection needs one.
void allow_many_files();

}  // namespace cleave::app
