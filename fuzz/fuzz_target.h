#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <span>

#include "base/error.h"

namespace cleave::fuzz {

/// Calls parse with the bytes. An Error that blames the input is what a reader should answer; any other exception, and
/// an Error that blames Cleave itself, is a finding.
template <class F>
int expect_value_or_error(const uint8_t* data, size_t size, F parse) {
  try {
    parse(std::as_bytes(std::span(data, size)));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Internal) std::abort();
  }
  return 0;
}

}  // namespace cleave::fuzz
