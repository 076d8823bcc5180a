#pragma once

#include "base/error.h"

/// Assertions about our own code. They stay on in release builds and throw Error(Internal) with both values and the
/// place, so that a bug ends one run with a message instead of corrupting it.
#define CLEAVE_CHECK_OP(a, op, b)                                                                                   \
  do {                                                                                                              \
    const auto& check_a = (a);                                                                                      \
    const auto& check_b = (b);                                                                                      \
    if (!(check_a op check_b))                                                                                      \
      ::cleave::fail(::cleave::ErrorKind::Internal, "{}:{}: CHECK({} {} {}) saw {} and {}", __FILE__, __LINE__, #a, \
                     #op, #b, check_a, check_b);                                                                    \
  } while (false)

#define CHECK_EQ(a, b) CLEAVE_CHECK_OP(a, ==, b)
#define CHECK_NE(a, b) CLEAVE_CHECK_OP(a, !=, b)
#define CHECK_LT(a, b) CLEAVE_CHECK_OP(a, <, b)
#define CHECK_LE(a, b) CLEAVE_CHECK_OP(a, <=, b)
#define CHECK_GT(a, b) CLEAVE_CHECK_OP(a, >, b)
#define CHECK_GE(a, b) CLEAVE_CHECK_OP(a, >=, b)
#define CHECK(condition)                                                                                        \
  do {                                                                                                          \
    if (!(condition))                                                                                           \
      ::cleave::fail(::cleave::ErrorKind::Internal, "{}:{}: CHECK({}) failed", __FILE__, __LINE__, #condition); \
  } while (false)
