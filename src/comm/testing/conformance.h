#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <exception>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "base/error.h"
#include "comm/arguments.h"
#include "comm/communicator.h"

/// What every implementation of Communicator must do, for tests. Values are rank * K + i, so that a chunk in the wrong
/// place shows, and small enough that their sums are exact in any order.
namespace cleave::comm::conformance {

inline float value_of(int rank, int64_t i) {
  return static_cast<float>(rank * 1009 + i % 1000);
}

inline float sum_of(int ranks, int64_t i) {
  float sum = 0;
  for (int rank = 0; rank < ranks; ++rank) sum += value_of(rank, i);
  return sum;
}

inline std::vector<float> values_of(int rank, int64_t count, int64_t first = 0) {
  std::vector<float> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = value_of(rank, first + i);
  return values;
}

/// Element counts: none, one, odd ones, and ones on both sides of a switch-over at `one_shot_bytes`.
inline std::vector<int64_t> counts_around(int64_t one_shot_bytes) {
  const int64_t last = one_shot_bytes / kFloatBytes;
  return {0, 1, 2, 3, 17, last - 1, last, last + 1, last + 16, 5 * last + 3};
}

/// Block sizes of all ranks, multiples of `unit` up to about `most`: even, uneven with empty ones, all empty, all with
/// one rank.
inline std::vector<std::vector<int64_t>> block_patterns(int ranks, int64_t most, int64_t unit) {
  std::vector<std::vector<int64_t>> patterns(5, std::vector<int64_t>(static_cast<size_t>(ranks)));
  for (int rank = 0; rank < ranks; ++rank) {
    const auto r = static_cast<size_t>(rank);
    patterns[0][r] = most * unit;
    patterns[1][r] = (rank * 7919 + 1) % (most + 1) * unit;
    patterns[2][r] = rank % 2 == 0 ? 0 : (most - rank) * unit;
    patterns[4][r] = rank == ranks - 1 ? most * unit : 0;
  }
  return patterns;
}

inline void check_all_reduce(Communicator& communicator, int64_t count) {
  std::vector<float> data = values_of(communicator.rank(), count);
  communicator.all_reduce(data.data(), count, DType::F32);
  for (int64_t i = 0; i < count; ++i)
    ASSERT_EQ(data[static_cast<size_t>(i)], sum_of(communicator.size(), i)) << "element " << i << " of " << count;
}

inline void check_reduce_scatter(Communicator& communicator, const std::vector<int64_t>& counts, bool in_place) {
  const int rank = communicator.rank();
  std::vector<float> send = values_of(rank, total_of(counts, communicator.size()));
  std::vector<float> elsewhere(static_cast<size_t>(counts[static_cast<size_t>(rank)]) + 1, -1);
  const int64_t first = offset_of(counts, rank);
  float* receive = in_place ? send.data() + first : elsewhere.data();
  communicator.reduce_scatter(send.data(), receive, counts, DType::F32);
  for (int64_t i = 0; i < counts[static_cast<size_t>(rank)]; ++i)
    ASSERT_EQ(receive[i], sum_of(communicator.size(), first + i)) << "element " << i << ", in place " << in_place;
  if (!in_place) {
    EXPECT_EQ(elsewhere.back(), -1) << "written past the end";
  }
}

/// Every block as gathered, or nothing gathered where `receives` is false.
inline void expect_gathered(const std::vector<std::byte>& gathered, const std::vector<int64_t>& bytes, bool receives) {
  size_t at = 0;
  for (size_t rank = 0; rank < bytes.size(); ++rank) {
    for (int64_t i = 0; i < bytes[rank]; ++i, ++at) {
      const auto wanted = static_cast<std::byte>(receives ? (rank * 31 + static_cast<size_t>(i) + 1) % 251 : 255);
      ASSERT_EQ(gathered[at], wanted) << "byte " << i << " of rank " << rank;
    }
  }
}

inline std::vector<std::byte> block_of(int rank, int64_t bytes) {
  std::vector<std::byte> block(static_cast<size_t>(bytes));
  for (size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<std::byte>((static_cast<size_t>(rank) * 31 + i + 1) % 251);
  return block;
}

inline void check_all_gather(Communicator& communicator, const std::vector<int64_t>& bytes, bool in_place) {
  const int rank = communicator.rank();
  std::vector<std::byte> receive(static_cast<size_t>(total_of(bytes, communicator.size())), std::byte{255});
  const std::vector<std::byte> block = block_of(rank, bytes[static_cast<size_t>(rank)]);
  std::byte* place = receive.data() + offset_of(bytes, rank);
  if (in_place && !block.empty()) std::memcpy(place, block.data(), block.size());
  communicator.all_gather(in_place ? place : block.data(), receive.data(), bytes);
  expect_gathered(receive, bytes, true);
}

inline void check_gather(Communicator& communicator, const std::vector<int64_t>& bytes, int root) {
  const int rank = communicator.rank();
  std::vector<std::byte> receive(static_cast<size_t>(total_of(bytes, communicator.size())), std::byte{255});
  const std::vector<std::byte> block = block_of(rank, bytes[static_cast<size_t>(rank)]);
  communicator.gather(block.data(), rank == root ? receive.data() : nullptr, bytes, root);
  expect_gathered(receive, bytes, rank == root);
}

inline void check_broadcast(Communicator& communicator, int64_t bytes, int root) {
  std::vector<std::byte> data = block_of(communicator.rank(), bytes);
  communicator.broadcast(data.data(), bytes, root);
  EXPECT_EQ(data, block_of(root, bytes)) << bytes << " bytes from root " << root;
}

/// Every rank sends to every other, in an order in which each send meets its receive.
inline void check_point_to_point(Communicator& communicator, int64_t bytes) {
  const int rank = communicator.rank();
  for (int from = 0; from < communicator.size(); ++from) {
    for (int to = 0; to < communicator.size(); ++to) {
      if (from == to) continue;
      if (rank == from) communicator.send(block_of(from * 8 + to, bytes).data(), bytes, to);
      if (rank != to) continue;
      std::vector<std::byte> data(static_cast<size_t>(bytes));
      communicator.receive(data.data(), bytes, from);
      EXPECT_EQ(data, block_of(from * 8 + to, bytes)) << bytes << " bytes from " << from << " to " << to;
    }
  }
}

/// Sums whose rounding depends on their order must have the same bits on every rank, and again when repeated.
inline void check_same_bits(Communicator& communicator, int64_t count) {
  std::mt19937 generator(static_cast<uint32_t>(communicator.rank() + 1));
  std::uniform_real_distribution<float> mantissa(-1, 1);
  std::uniform_int_distribution<int> exponent(-12, 12);
  std::vector<float> data(static_cast<size_t>(count));
  for (float& x : data) x = std::ldexp(mantissa(generator), exponent(generator));
  std::vector<float> first;
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::vector<float> sum = data;
    communicator.all_reduce(sum.data(), count, DType::F32);
    if (repeat == 0) first = sum;
    ASSERT_EQ(std::memcmp(sum.data(), first.data(), sum.size() * sizeof(float)), 0) << "repeat " << repeat;
  }
  std::vector<float> other = first;
  communicator.broadcast(other.data(), count * kFloatBytes, 0);
  EXPECT_EQ(std::memcmp(other.data(), first.data(), first.size() * sizeof(float)), 0) << count << " elements";
}

/// The whole suite on one rank; every rank of the group calls it with the same arguments.
inline void check_everything(Communicator& communicator, int64_t one_shot_bytes) {
  const int ranks = communicator.size();
  for (int repeat = 0; repeat < 3; ++repeat) {
    for (const int64_t count : counts_around(one_shot_bytes)) {
      check_all_reduce(communicator, count);
      check_point_to_point(communicator, count);
      for (int root = 0; root < ranks; ++root) check_broadcast(communicator, count * 4 + root % 2, root);
    }
    for (const int64_t most : {int64_t{9}, 2 * one_shot_bytes / kFloatBytes + 5}) {
      for (const auto& counts : block_patterns(ranks, most, 1))
        for (const bool in_place : {false, true}) check_reduce_scatter(communicator, counts, in_place);
      for (const auto& bytes : block_patterns(ranks, most, 3)) {
        for (const bool in_place : {false, true}) check_all_gather(communicator, bytes, in_place);
        for (int root = 0; root < ranks; ++root) check_gather(communicator, bytes, root);
      }
    }
    communicator.barrier();
  }
  for (const int64_t count : {33, 10007}) check_same_bits(communicator, count);
}

/// Rank 0 sends numbers without waiting for anybody, while others are slow to take them: none may be overtaken.
inline void check_running_ahead(Communicator& communicator, int numbers) {
  for (int number = 0; number < numbers; ++number) {
    int received = communicator.rank() == 0 ? number : -1;
    if (communicator.rank() != 0 && number % 8 == communicator.rank()) std::this_thread::yield();
    communicator.broadcast(&received, sizeof(received), 0);
    ASSERT_EQ(received, number);
  }
}

/// Small calls many times over, of kinds that let some ranks run ahead of others.
inline void check_many_calls(Communicator& communicator, int calls) {
  for (int call = 0; call < calls; ++call) {
    check_all_reduce(communicator, call % 50);
    check_broadcast(communicator, call % 7, call % communicator.size());
    check_gather(communicator, std::vector<int64_t>(static_cast<size_t>(communicator.size()), 5),
                 (call + 1) % communicator.size());
    if (call % 5 == 0) communicator.barrier();
    check_running_ahead(communicator, 20);
  }
}

/// Colors of all ranks for split(): all alike; odd and even, not from 0 on; the first rank alone, the others together;
/// every rank alone; some that take no part; nobody at all.
inline std::vector<std::vector<int>> color_patterns(int ranks) {
  std::vector<std::vector<int>> patterns(6, std::vector<int>(static_cast<size_t>(ranks)));
  for (int rank = 0; rank < ranks; ++rank) {
    const auto r = static_cast<size_t>(rank);
    patterns[0][r] = 5;
    patterns[1][r] = 1000 - 7 * (rank % 2);
    patterns[2][r] = rank == 0 ? 3 : 1;
    patterns[3][r] = ranks - rank;
    patterns[4][r] = rank % 3 == 1 ? -1 : 0;
    patterns[5][r] = -1 - rank;
  }
  return patterns;
}

/// A part of a group that has these ranks of it: collectives give what these ranks have put in, and nobody else.
inline void check_part(Communicator& part, const std::vector<int>& members, int own_rank, int64_t count) {
  ASSERT_EQ(part.size(), static_cast<int>(members.size()));
  ASSERT_EQ(members[static_cast<size_t>(part.rank())], own_rank) << "ranks keep their order";
  std::vector<float> data = values_of(own_rank, count);
  part.all_reduce(data.data(), count, DType::F32);
  for (int64_t i = 0; i < count; ++i) {
    float wanted = 0;
    for (const int member : members) wanted += value_of(member, i);
    ASSERT_EQ(data[static_cast<size_t>(i)], wanted) << "element " << i << " of " << count;
  }
  for (int root = 0; root < part.size(); ++root) {
    std::vector<std::byte> block = block_of(own_rank, count);
    part.broadcast(block.data(), count, root);
    ASSERT_EQ(block, block_of(members[static_cast<size_t>(root)], count)) << "root " << root;
  }
}

/// Divides the group in many ways. Parts work while the whole group, and parts of theirs, work as well.
inline void check_split(Communicator& communicator, int64_t one_shot_bytes) {
  const int rank = communicator.rank();
  const int64_t large = 2 * one_shot_bytes / kFloatBytes + 3;
  for (const std::vector<int>& colors : color_patterns(communicator.size())) {
    const int color = colors[static_cast<size_t>(rank)];
    const std::unique_ptr<Communicator> part = communicator.split(color);
    ASSERT_EQ(part == nullptr, color < 0);
    check_all_reduce(communicator, 5);
    if (part == nullptr) continue;
    std::vector<int> members;
    for (int other = 0; other < communicator.size(); ++other)
      if (colors[static_cast<size_t>(other)] == color) members.push_back(other);
    for (const int64_t count : {int64_t{1}, int64_t{17}, large}) check_part(*part, members, rank, count);
    check_many_calls(*part, 10);
    const std::unique_ptr<Communicator> half = part->split(part->rank() % 2);
    std::vector<int> half_members;
    for (size_t place = static_cast<size_t>(part->rank() % 2); place < members.size(); place += 2)
      half_members.push_back(members[place]);
    check_part(*half, half_members, rank, 9);
    check_part(*part, members, rank, 9);
    check_part(*half, half_members, rank, large);
  }
  check_all_reduce(communicator, 7);
}

/// Runs `body` for every rank in a thread of its own and gives what each threw, "" where it threw nothing. The
/// communicators are destroyed by their threads.
inline std::vector<std::string> run_ranks(std::vector<std::unique_ptr<Communicator>> ranks,
                                          const std::function<void(Communicator&)>& body) {
  std::vector<std::string> errors(ranks.size());
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    threads.emplace_back([&, rank] {
      const std::unique_ptr<Communicator> communicator = std::move(ranks[rank]);
      try {
        body(*communicator);
      } catch (const Error& error) {
        errors[rank] = error.what();
        communicator->abort(error.what());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}

inline void expect_no_errors(const std::vector<std::string>& errors) {
  EXPECT_EQ(errors, std::vector<std::string>(errors.size()));
}

}  // namespace cleave::comm::conformance
