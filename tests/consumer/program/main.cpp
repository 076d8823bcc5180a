// Generates text over two ranks with the installed library: the program of docs/library.md.
#include <cleave/cleave.h>

#include <ctime>
#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: consumer MODEL QUESTION\n", 2;
  const cleave::Model model({.path = argv[1]});
  cleave::Group group({.ranks = 2});
  cleave::Session session(model, group);
  cleave::Request request;
  request.prompt = model.tokenize(model.render({{"user", argv[2]}}, std::time(nullptr)), false);
  request.max_tokens = 32;
  session.generate(request, [](std::string_view text) {
    std::cout << text << std::flush;
    return true;
  });
  std::cout << "\n";
  return 0;
} catch (const cleave::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
