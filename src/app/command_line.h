#pragma once

namespace cleave::app {

/// The whole program: reads the command line, runs the command, prints errors. Gives the exit code: 0 done, 1 failed, 2
/// wrong usage, 130 ended by Ctrl-C.
int run(int argc, char** argv);

}  // namespace cleave::app
