#include "ckpt/random_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/float16.h"
#include "tensor/blocks.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr double kDeviation = 0.02;
constexpr size_t kPatternBytes = size_t{8} << 20;  // about: an odd number of units, so that layers differ

/// Where blocks of a type have their factors: of the elements, and of what is added to them or taken off.
struct Factors {
  size_t scale;
  std::optional<size_t> offset = std::nullopt;
  bool wide = false;  // f32 instead of f16
};

std::optional<Factors> factors_of(DType dtype) {
  switch (dtype) {
    case DType::Q4_1:
      return Factors{offsetof(BlockQ4_1, d), offsetof(BlockQ4_1, m)};
    case DType::Q5_1:
      return Factors{offsetof(BlockQ5_1, d), offsetof(BlockQ5_1, m)};
    case DType::Q2_K:
      return Factors{offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin)};
    case DType::Q3_K:
      return Factors{offsetof(BlockQ3_K, d)};
    case DType::Q4_K:
      return Factors{offsetof(BlockQ4_K, d), offsetof(BlockQ4_K, dmin)};
    case DType::Q5_K:
      return Factors{offsetof(BlockQ5_K, d), offsetof(BlockQ5_K, dmin)};
    case DType::Q6_K:
      return Factors{offsetof(BlockQ6_K, d)};
    case DType::TQ1_0:
      return Factors{offsetof(BlockTQ1_0, d)};
    case DType::TQ2_0:
      return Factors{offsetof(BlockTQ2_0, d)};
    case DType::MXFP4:
    case DType::NVFP4:
    case DType::NVFP4_G16:
      return std::nullopt;
    default:  // all others begin with them
      if (dtype >= DType::UINT2_G32 && dtype <= DType::UINT8_G128) return Factors{0, sizeof(float), true};
      return Factors{.scale = 0, .wide = dtype >= DType::INT2_G32};
  }
}

struct Moments {
  double mean, deviation;
};

// Of the numbers of some blocks.
Moments moments_of(DType dtype, std::span<const std::byte> bytes) {
  constexpr size_t kBlocks = 256;
  const DTypeInfo& type = info(dtype);
  const size_t blocks = std::min(kBlocks, bytes.size() / static_cast<size_t>(type.block_bytes));
  std::vector<float> numbers(blocks * static_cast<size_t>(type.block_elements));
  convert_to_f32(dtype, bytes.first(blocks * static_cast<size_t>(type.block_bytes)), numbers);
  double sum = 0, squares = 0;
  for (const float x : numbers) {
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  const auto count = static_cast<double>(numbers.size());
  return {sum / count, std::sqrt(squares / count - sum / count * (sum / count))};
}

// IQ1_M has the nibbles of its f16 apart.
void set_nibbles(BlockIQ1_M& block, float16 factor) {
  for (int i = 0; i < 4; ++i)
    block.scales[i] = static_cast<uint16_t>((block.scales[i] & 0xfff) | (factor.bits >> (4 * i) & 15) << 12);
}

void set_factor(DType dtype, std::vector<std::byte>& bytes, size_t field, double value) {
  const auto wide = static_cast<float>(value);
  const float16 factor = to_float16(wide);
  const bool is_wide = factors_of(dtype).value().wide;
  for (size_t block = 0; block < bytes.size(); block += static_cast<size_t>(info(dtype).block_bytes))
    if (dtype == DType::IQ1_M)
      set_nibbles(*reinterpret_cast<BlockIQ1_M*>(bytes.data() + block), factor);
    else if (is_wide)
      std::memcpy(bytes.data() + block + field, &wide, sizeof wide);
    else
      std::memcpy(bytes.data() + block + field, &factor, sizeof factor);
}

// FP4 numbers, which deviate by about 3, with scales of 2^-7 or 2^-8 that make them as large as others.
void set_fp4_scales(DType dtype, std::vector<std::byte>& bytes) {
  constexpr float kFactor = 0x1p-8f;
  for (size_t at = 0; at < bytes.size(); at += static_cast<size_t>(info(dtype).block_bytes)) {
    std::byte* block = bytes.data() + at;
    if (dtype == DType::MXFP4)
      block[offsetof(BlockMXFP4, e)] = std::byte{127 - 7};  // with a bias of 127
    else if (dtype == DType::NVFP4)
      std::memset(block + offsetof(BlockNVFP4, scales), 4, sizeof BlockNVFP4::scales);  // 2^-7 in E4M3
    else
      std::memcpy(block, &kFactor, sizeof kFactor), block[offsetof(BlockNVFP4_G16, scale)] = std::byte{0x40};  // 2
  }
}

// Makes all bit pairs of 3 into 1, so that pairs are around 1.
void center_pairs(std::vector<std::byte>& bytes) {
  for (std::byte& byte : bytes) byte &= ~((byte & byte >> 1 & std::byte{0x55}) << 1);
}

// Makes codes of E4M3 that stand for no number the largest that do.
void make_finite(std::vector<std::byte>& bytes) {
  for (size_t block = 0; block < bytes.size(); block += sizeof(BlockFP8))
    for (size_t i = offsetof(BlockFP8, codes); i < sizeof(BlockFP8); ++i)
      if (std::byte& code = bytes[block + i]; (code & std::byte{0x7f}) == std::byte{0x7f}) code &= std::byte{0xfe};
}

// Random bits are random small integers; factors make numbers of the wanted deviation of them, around zero.
void fill_blocks(DType dtype, std::vector<std::byte>& bytes, std::mt19937_64& random) {
  for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    const uint64_t bits = random();
    std::memcpy(bytes.data() + i, &bits, 8);
  }
  if (!factors_of(dtype)) return set_fp4_scales(dtype, bytes);
  if (dtype == DType::FP8_G128) make_finite(bytes);
  if (dtype == DType::TQ2_0 || dtype == DType::Q2_0) center_pairs(bytes);
  const Factors factors = factors_of(dtype).value();
  double offset = 0;
  set_factor(dtype, bytes, factors.scale, 1);
  if (factors.offset) {
    set_factor(dtype, bytes, *factors.offset, 0);
    const double mean = moments_of(dtype, bytes).mean;
    set_factor(dtype, bytes, factors.scale, 0);
    set_factor(dtype, bytes, *factors.offset, 1);
    offset = -mean / moments_of(dtype, bytes).mean;
    set_factor(dtype, bytes, factors.scale, 1);
    set_factor(dtype, bytes, *factors.offset, offset);
  }
  const double scale = kDeviation / moments_of(dtype, bytes).deviation;
  set_factor(dtype, bytes, factors.scale, scale);
  if (factors.offset) set_factor(dtype, bytes, *factors.offset, offset * scale);
}

template <class Number, class Convert>
void fill_numbers(std::vector<std::byte>& bytes, double mean, std::mt19937_64& random, Convert convert) {
  std::normal_distribution<float> normal(static_cast<float>(mean), static_cast<float>(kDeviation));
  for (size_t i = 0; i < bytes.size(); i += sizeof(Number)) {
    const Number number = convert(normal(random));
    std::memcpy(bytes.data() + i, &number, sizeof number);
  }
}

std::vector<std::byte> pattern_of(DType dtype, double mean, uint64_t seed) {
  const size_t unit = std::lcm(static_cast<size_t>(info(dtype).block_bytes), RepeatedBytes::kUnit);
  std::vector<std::byte> bytes((kPatternBytes / unit | 1) * unit);
  std::mt19937_64 random(seed + static_cast<uint64_t>(dtype));
  if (is_block(dtype))
    fill_blocks(dtype, bytes, random);
  else if (dtype == DType::BF16)
    fill_numbers<bfloat16>(bytes, mean, random, to_bfloat16);
  else if (dtype == DType::F16)
    fill_numbers<float16>(bytes, mean, random, to_float16);
  else
    fill_numbers<float>(bytes, mean, random, [](float x) { return x; });
  return bytes;
}

double mean_of(const RandomTensor& tensor) {
  return tensor.shape.size() == 1 && tensor.name.ends_with("weight") ? 1 : 0;
}

size_t bytes_of(const RandomTensor& tensor) {
  const DTypeInfo& type = info(tensor.dtype);
  const bool known =
      tensor.dtype == DType::F32 || tensor.dtype == DType::F16 || tensor.dtype == DType::BF16 || is_block(tensor.dtype);
  if (!known) fail(ErrorKind::Unsupported, "random weights of type {}", type.name);
  const int64_t elements = num_elements(tensor.shape);
  if (!tensor.shape.empty() && tensor.shape.back() % type.block_elements != 0)
    fail(ErrorKind::InvalidArgument, "random weights {}: rows of {} are no whole blocks of {}", tensor.name,
         tensor.shape.back(), type.name);
  return static_cast<size_t>(elements / type.block_elements * type.block_bytes);
}

}  // namespace

RandomWeights::RandomWeights(const std::vector<RandomTensor>& list, uint64_t seed) {
  std::map<std::pair<DType, double>, size_t> sizes;  // by type and mean
  for (const RandomTensor& tensor : list) sizes[{tensor.dtype, mean_of(tensor)}] += bytes_of(tensor);
  std::map<std::pair<DType, double>, std::span<const std::byte>> rest;
  for (const auto& [kind, size] : sizes) {
    memory_.emplace_back(pattern_of(kind.first, kind.second, seed), size);
    rest[kind] = memory_.back().bytes();
  }
  for (const RandomTensor& tensor : list) {
    std::span<const std::byte>& bytes = rest[{tensor.dtype, mean_of(tensor)}];
    const size_t size = bytes_of(tensor);
    tensors_[tensor.name] = {.view = {tensor.dtype, tensor.shape, bytes.first(size)}};
    bytes = bytes.subspan(size);
  }
}

void RandomWeights::release(const TensorView& view) const {
  for (const RepeatedBytes& memory : memory_) memory.release(view.bytes);
}

}  // namespace cleave::ckpt
