#include "app/command_line.h"

int main(int argc, char** argv) {
  return cleave::app::run(argc, argv);
}
