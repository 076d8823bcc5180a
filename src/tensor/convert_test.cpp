#include "tensor/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "tensor/blocks.h"

// Bit equality of every block type with recorded tensors is tested with the GGUF reader (ckpt/gguf_fixtures_test.cpp).
namespace cleave {
namespace {

template <class T>
std::vector<float> convert(DType dtype, const std::vector<T>& source) {
  std::vector<float> output(source.size() * sizeof(T) / static_cast<size_t>(info(dtype).block_bytes) *
                            static_cast<size_t>(info(dtype).block_elements));
  convert_to_f32(dtype, std::as_bytes(std::span(source)), output);
  return output;
}

TEST(Convert, ReadsEveryCodeOfF8E4M3) {
  for (int code = 0; code < 256; ++code) {
    const int exponent = code >> 3 & 15;
    const int mantissa = code & 7;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);  // bias 7, 3 mantissa bits
    const float value = convert(DType::F8_E4M3, std::vector<uint8_t>{static_cast<uint8_t>(code)})[0];
    if ((code & 127) == 127) {
      EXPECT_TRUE(std::isnan(value)) << code;
    } else {
      EXPECT_EQ(value, static_cast<float>(code < 128 ? magnitude : -magnitude)) << code;
      EXPECT_EQ(std::signbit(value), code >= 128) << code;
    }
  }
}

TEST(Convert, ReadsF8E5M2WithInfinities) {
  const auto values = convert(DType::F8_E5M2, std::vector<uint8_t>{0x3c, 0xbd, 0x01, 0x7b, 0x7c, 0xfc, 0x7e});
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -1.25f);
  EXPECT_EQ(values[2], 0x1p-16f);
  EXPECT_EQ(values[3], 57344.0f);
  EXPECT_EQ(values[4], INFINITY);
  EXPECT_EQ(values[5], -INFINITY);
  EXPECT_TRUE(std::isnan(values[6]));
}

TEST(Convert, ReadsPlainTypes) {
  EXPECT_EQ(convert(DType::F64, std::vector<double>{0.1, -2}), (std::vector<float>{0.1f, -2}));
  EXPECT_EQ(convert(DType::F32, std::vector<float>{0.1f, -2}), (std::vector<float>{0.1f, -2}));
  EXPECT_EQ(convert(DType::F16, std::vector<uint16_t>{0x3c00, 0xc100, 0x0001}),
            (std::vector<float>{1, -2.5f, 0x1p-24f}));
  EXPECT_EQ(convert(DType::BF16, std::vector<uint16_t>{0x3f80, 0xc020}), (std::vector<float>{1, -2.5f}));
}

TEST(Convert, NeedsNoAlignment) {
  std::vector<std::byte> bytes(1 + 2 * sizeof(float));
  const float values[2] = {1.5f, -7};
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  std::vector<float> output(2);
  convert_to_f32(DType::F32, std::span(bytes).subspan(1), output);
  EXPECT_EQ(output, (std::vector<float>{1.5f, -7}));
}

TEST(Convert, KeepsHalvesOfABlockApart) {
  BlockQ4_0 block{to_float16(2), {}};
  block.qs[3] = 0xf1;
  const std::vector<float> values = convert(DType::Q4_0, std::vector{block});
  EXPECT_EQ(values[3], 2 * (1 - 8));
  EXPECT_EQ(values[19], 2 * (15 - 8));
  EXPECT_EQ(values[0], 2 * (0 - 8));
}

TEST(Convert, UnpacksSixBitScales) {
  uint8_t packed[12] = {};
  packed[1] = 0b11'000101;  // scale 1 = 5, upper bits of scale 5
  packed[5] = 0b10'000110;  // min 1 = 6, upper bits of min 5
  packed[9] = 0b0011'1001;  // low nibbles: scale 5 = 9, min 5 = 3
  const ScalesK4 scales = unpack_scales_k4(packed);
  EXPECT_EQ(scales.scale[1], 5);
  EXPECT_EQ(scales.min[1], 6);
  EXPECT_EQ(scales.scale[5], 0b11'1001);
  EXPECT_EQ(scales.min[5], 0b10'0011);

  uint8_t packed3[12] = {};
  packed3[2] = 0b1010'0111;     // scale 2 low = 7, scale 10 low = 10
  packed3[10] = 0b01'10'00'11;  // upper pairs of scales 2, 6, 10, 14
  const std::array<int8_t, 16> scales3 = unpack_scales_q3_k(packed3);
  EXPECT_EQ(scales3[2], 0b11'0111 - 32);
  EXPECT_EQ(scales3[6], -32);
  EXPECT_EQ(scales3[10], 0b10'1010 - 32);
  EXPECT_EQ(scales3[14], 0b01'0000 - 32);
}

TEST(Convert, ReadsSmallestAndLargestMxfp4Scales) {
  EXPECT_EQ(mxfp4_scale(0), std::ldexp(1.0f, -128));
  EXPECT_EQ(mxfp4_scale(1), std::ldexp(1.0f, -127));
  EXPECT_EQ(mxfp4_scale(2), std::ldexp(1.0f, -126));
  EXPECT_EQ(mxfp4_scale(128), 1.0f);
  EXPECT_EQ(mxfp4_scale(255), std::ldexp(1.0f, 127));
}

TEST(Convert, ReadsF8E8M0) {
  const auto values = convert(DType::F8_E8M0, std::vector<uint8_t>{0, 1, 127, 130, 254, 255});
  EXPECT_EQ(values[0], 0x1p-127f);
  EXPECT_EQ(values[1], 0x1p-126f);
  EXPECT_EQ(values[2], 1);
  EXPECT_EQ(values[3], 8);
  EXPECT_EQ(values[4], 0x1p127f);
  EXPECT_TRUE(std::isnan(values[5]));
}

// A group of levels 0, 1, 2 ... (modulo 2^kBits), as a stream of bits.
template <class Block, int kBits, int kGroup>
Block counting_levels() {
  Block block{};
  for (int i = 0; i < kGroup * kBits; ++i)
    if ((i / kBits >> (i % kBits) & 1) != 0)
      block.levels[i / 8] = static_cast<uint8_t>(block.levels[i / 8] | 1 << i % 8);
  return block;
}

template <int kBits, int kGroup>
void expect_counting(DType with_scale, DType with_minimum) {
  auto signed_block = counting_levels<BlockInt<kBits, kGroup>, kBits, kGroup>();
  signed_block.scale = 0.25f;
  auto block = counting_levels<BlockUint<kBits, kGroup>, kBits, kGroup>();
  block.scale = 0.25f;
  block.minimum = -7;
  const auto integers = convert(with_scale, std::vector{signed_block});
  const auto affine = convert(with_minimum, std::vector{block});
  ASSERT_EQ(integers.size(), size_t{kGroup});
  for (int i = 0; i < kGroup; ++i) {
    const auto level = static_cast<float>(i % (1 << kBits));
    EXPECT_EQ(integers[static_cast<size_t>(i)], 0.25f * (level - static_cast<float>(1 << (kBits - 1)))) << kBits;
    EXPECT_EQ(affine[static_cast<size_t>(i)], 0.25f * level - 7) << kBits;
  }
}

TEST(Convert, ReadsGroupsOfIntegers) {
  expect_counting<2, 32>(DType::INT2_G32, DType::UINT2_G32);
  expect_counting<2, 128>(DType::INT2_G128, DType::UINT2_G128);
  expect_counting<3, 32>(DType::INT3_G32, DType::UINT3_G32);
  expect_counting<3, 64>(DType::INT3_G64, DType::UINT3_G64);
  expect_counting<4, 64>(DType::INT4_G64, DType::UINT4_G64);
  expect_counting<4, 128>(DType::INT4_G128, DType::UINT4_G128);
  expect_counting<8, 64>(DType::INT8_G64, DType::UINT8_G64);
  expect_counting<8, 128>(DType::INT8_G128, DType::UINT8_G128);
}

TEST(Convert, ReadsFloatsOfFourBits) {
  BlockFloat4 block{2, {}};
  block.qs[1] = 0x2f;
  const auto quantiles = convert(DType::NF4_G64, std::vector{block});
  EXPECT_EQ(quantiles[0], -2);
  EXPECT_EQ(quantiles[2], 2 * kNf4Values[2]);
  EXPECT_EQ(quantiles[3], 2);
  const auto floats = convert(DType::FP4_G64, std::vector{block});
  EXPECT_EQ(floats[2], 2 * kBnbFp4Values[2]);
  EXPECT_EQ(floats[3], -0.5f);
  BlockNVFP4_G16 scaled{10, 0x40, {}};  // a scale of 2
  scaled.qs[3] = 0x92;
  const auto nvfp4 = convert(DType::NVFP4_G16, std::vector{scaled});
  EXPECT_EQ(nvfp4[3], 20);
  EXPECT_EQ(nvfp4[11], -10);
}

TEST(Convert, ReadsEveryScaleOfNvfp4) {
  for (int code = 0; code < 127; ++code)
    EXPECT_EQ(2 * nvfp4_scale(static_cast<uint8_t>(code)),
              convert(DType::F8_E4M3, std::vector<uint8_t>{static_cast<uint8_t>(code)})[0]);
  EXPECT_EQ(nvfp4_scale(127), 0);
}

TEST(Convert, RefusesIntegers) {
  std::vector<float> output(1);
  const std::vector<int32_t> source(1);
  try {
    convert_to_f32(DType::I32, std::as_bytes(std::span(source)), output);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_NE(std::string(error.what()).find("I32"), std::string::npos);
  }
}

TEST(Convert, ChecksThatSourceAndOutputAgree) {
  std::vector<float> output(32);
  const std::vector<std::byte> source(17);
  EXPECT_THROW(convert_to_f32(DType::Q4_0, source, output), Error);
}

}  // namespace
}  // namespace cleave
