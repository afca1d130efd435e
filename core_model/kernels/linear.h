// Quantised matrix products: int8 activations x packed 4- or 8-bit weights, both in groups of 64.
//
// Weights (see core_model/quantization.py, `pack`): tiles of 16 output channels; a tile holds its groups one
// after another, a group its 16 quads, a quad 16 channels x 4 consecutive inputs, so that one instruction
// multiplies 16 channels by the same 4 activations. Scales (and minimums, 4 bit) are fp16 per channel and group.
#pragma once

#include <algorithm>
#include <vector>

#include "simd.h"

namespace duet {

using simd::F;

constexpr int GROUP = 64;
constexpr int LANES = simd::LANES;

// A packed weight [outputs, inputs]; mirrored by core_model/kernels/library.py.
struct Weight {
    const uint8_t* codes;
    const uint16_t* scales;
    const float* bias;  // [tiles * 16] or null
    int32_t bits;       // 4 or 8
    int32_t tiles;      // outputs / 16, padded
    int32_t groups;     // inputs / 64, padded
};

// int8 rows in groups of 64. Rows lie in blocks of at most simd::MAX_ROWS; a block holds, group by group,
// 64 codes of each of its rows, so that the kernel walks it with one pointer.
class Activations {
  public:
    Activations(int max_rows, int max_groups)
        : codes_(static_cast<size_t>(max_rows) * max_groups * GROUP + GROUP),
          scales_(static_cast<size_t>(max_rows) * max_groups * 2) {}

    void shape(int rows, int groups) {
        groups_ = groups;
        blocks_ = (rows + simd::MAX_ROWS - 1) / simd::MAX_ROWS;
        short_rows_ = rows / blocks_;
        longer_ = rows % blocks_;
    }

    int blocks() const { return blocks_; }
    int block_start(int block) const { return block * short_rows_ + std::min(block, longer_); }
    int block_rows(int block) const { return short_rows_ + (block < longer_); }
    const int8_t* block_codes(int block) const { return &codes_[offset(block) * GROUP]; }
    const float* block_scales(int block) const { return &scales_[offset(block) * 2]; }

    // Quantises 64 values of one row: scale = max |x| / 127. Beside the scale lies scale * sum of the codes,
    // which multiplies the weights' minimum.
    void quantize(int row, int group, const float* x) {
        const int block = block_of(row);
        const int rows = block_rows(block);
        const size_t place = offset(block) + static_cast<size_t>(group) * rows + (row - block_start(block));
        const F a = simd::load(x), b = simd::load(x + 16), c = simd::load(x + 32), d = simd::load(x + 48);
        const float largest = simd::maximum(
            simd::max(simd::max(simd::abs(a), simd::abs(b)), simd::max(simd::abs(c), simd::abs(d))));
        const float scale = largest / 127.0f;
        const F inverse = simd::set1(largest > 1e-30f ? 127.0f / largest : 0.0f);
        F total = simd::zero();
        int part = 0;
        for (const F& values : {a, b, c, d}) {
            const F code = simd::round(simd::mul(values, inverse));
            simd::store_int8(&codes_[place * GROUP + 16 * part++], code);
            total = simd::add(total, code);
        }
        const size_t line = (offset(block) + static_cast<size_t>(group) * rows) * 2;
        scales_[line + (row - block_start(block))] = scale;
        scales_[line + rows + (row - block_start(block))] = scale * simd::sum(total);
    }

    void quantize_row(int row, const float* x) {
        for (int group = 0; group < groups_; group++) quantize(row, group, x + group * GROUP);
    }

  private:
    size_t offset(int block) const { return static_cast<size_t>(block_start(block)) * groups_; }
    int block_of(int row) const {
        const int edge = longer_ * (short_rows_ + 1);
        return row < edge ? row / (short_rows_ + 1) : longer_ + (row - edge) / short_rows_;
    }

    std::vector<int8_t> codes_;
    std::vector<float> scales_;
    int groups_ = 0, blocks_ = 0, short_rows_ = 1, longer_ = 0;
};

// How far ahead of the arithmetic the weights are asked for: hardware prefetchers stop at page ends.
constexpr int PREFETCH_BYTES = 4096;

// One tile x R rows -> result [R, 16].
template <int BITS, int R>
void multiply_tile(const uint8_t* codes, const uint16_t* scales, int groups, const int8_t* x, const float* x_scales,
                   float* result) {
    constexpr int GROUP_BYTES = GROUP * LANES * BITS / 8;
    F out[R];
    for (int r = 0; r < R; r++) out[r] = simd::zero();
    for (int group = 0; group < groups; group++) {
        for (int line = 0; line < GROUP_BYTES; line += 64) simd::prefetch(codes + line + PREFETCH_BYTES);
        simd::I sums[R];
        for (int r = 0; r < R; r++) sums[r] = simd::zero_int();
        if constexpr (BITS == 4) {
#pragma GCC unroll 8
            for (int pair = 0; pair < 8; pair++) {
                const simd::Bytes both = simd::load_bytes(codes + 64 * pair);
                const simd::Bytes low = simd::low_nibbles(both), high = simd::high_nibbles(both);
#pragma GCC unroll 16
                for (int r = 0; r < R; r++) {
                    sums[r] = simd::dot4(sums[r], low, x + r * GROUP + 8 * pair);
                    sums[r] = simd::dot4(sums[r], high, x + r * GROUP + 8 * pair + 4);
                }
            }
        } else {
#pragma GCC unroll 16
            for (int quad = 0; quad < 16; quad++) {
                const simd::Bytes w = simd::load_bytes(codes + 64 * quad);
#pragma GCC unroll 16
                for (int r = 0; r < R; r++) sums[r] = simd::dot8(sums[r], w, x + r * GROUP + 4 * quad);
            }
        }
        const F scale = simd::load_fp16(scales);
        F minimum = simd::zero();
        if constexpr (BITS == 4) minimum = simd::load_fp16(scales + LANES);
        if constexpr (BITS == 8 && simd::CODE_OFFSET != 0)
            minimum = simd::mul(scale, simd::set1(static_cast<float>(-simd::CODE_OFFSET)));
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
            out[r] = simd::fma(simd::mul(scale, simd::set1(x_scales[r])), simd::to_float(sums[r]), out[r]);
            if constexpr (BITS == 4 || simd::CODE_OFFSET != 0)
                out[r] = simd::fma(minimum, simd::set1(x_scales[R + r]), out[r]);
        }
        codes += GROUP_BYTES;
        scales += BITS == 4 ? 2 * LANES : LANES;
        x += R * GROUP;
        x_scales += 2 * R;
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) simd::store(result + r * LANES, out[r]);
}

template <int BITS, int R = simd::MAX_ROWS>
inline void multiply_rows(int rows, const uint8_t* codes, const uint16_t* scales, int groups, const int8_t* x,
                          const float* x_scales, float* result) {
    if constexpr (R > 0) {
        if (rows == R) return multiply_tile<BITS, R>(codes, scales, groups, x, x_scales, result);
        multiply_rows<BITS, R - 1>(rows, codes, scales, groups, x, x_scales, result);
    }
}

// One tile of `weight` x one block of rows: emit(row, F) with the 16 outputs, bias included.
template <class Emit>
inline void multiply_block(const Weight& weight, int tile, const Activations& x, int block, const Emit& emit) {
    const size_t group = static_cast<size_t>(tile) * weight.groups;
    const uint8_t* codes = weight.codes + group * GROUP * LANES * weight.bits / 8;
    const uint16_t* scales = weight.scales + group * LANES * (weight.bits == 4 ? 2 : 1);
    const int rows = x.block_rows(block), start = x.block_start(block);
    const auto multiply = weight.bits == 4 ? multiply_rows<4> : multiply_rows<8>;
    alignas(64) float result[simd::MAX_ROWS * LANES];
    multiply(rows, codes, scales, weight.groups, x.block_codes(block), x.block_scales(block), result);
    const F bias = weight.bias ? simd::load(weight.bias + tile * LANES) : simd::zero();
    for (int r = 0; r < rows; r++) emit(start + r, simd::add(simd::load(result + r * LANES), bias));
}

}  // namespace duet
