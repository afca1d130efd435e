// How blocks of the cache hold keys and values: bfloat16, or 8 bits with values of 8 or 4. The block that a sequence
// is still filling is exact and lies apart ("tail"); it is rounded when its last position is written. The same in
// plain torch: kv_cache.py.
#pragma once

#include <vector>

#include "linear.h"
#include "model.h"

namespace duet {

constexpr int BLOCK = 16;  // positions in a block of the cache

// Keys [head_dim, 16] and values [16, head_dim] of one block and head, as the products read them.
struct Bf16Keys {
    const uint16_t* keys;
    F load(int d) const { return simd::load_bf16(keys + d * BLOCK); }
};
struct Int8Keys {
    const int8_t* codes;
    const float* scales;
    F load(int d) const { return simd::mul(simd::load_int8(codes + d * BLOCK), simd::set1(scales[d])); }
};
struct Bf16Values {
    const uint16_t* values;
    int head_dim;
    F load(int position, int column) const { return simd::load_bf16(values + position * head_dim + column); }
};
struct Int8Values {
    const int8_t* codes;
    int head_dim;
    F load(int position, int column) const { return simd::load_int8(codes + position * head_dim + column); }
};
struct Int4Values {
    const uint8_t* codes;
    int head_dim;
    F load(int position, int column) const { return simd::load_nibbles(codes + (position * head_dim + column) / 2); }
};

constexpr int MAX_HEAD_DIM = 256;

// One key/value head of one layer, through the block table of one sequence. `block` counts the sequence's blocks.
class CacheHead {
  public:
    // `open`: the block that the sequence is still filling, or -1.
    CacheHead(const Cache& cache, const Model& model, int layer, int head, const int32_t* table, int seat, int open)
        : cache_(cache), head_dim_(model.head_dim), heads_(model.kv_heads), table_(table), seat_(seat),
          open_(cache.form == CACHE_BF16 ? -1 : open),
          first_(static_cast<size_t>(layer) * cache.blocks * heads_ + head),
          first_tail_(static_cast<size_t>(layer) * 2 * cache.seats * heads_ + head) {}

    int head_dim() const { return head_dim_; }

    template <class Use>
    void with_keys(int block, const Use& use) const {
        const size_t size = static_cast<size_t>(head_dim_) * BLOCK;
        if (cache_.form == CACHE_BF16) return use(Bf16Keys{static_cast<const uint16_t*>(cache_.keys) + place(block) * size});
        if (block == open_) return use(Bf16Keys{cache_.tail_keys + tail(block) * size});
        alignas(64) float scales[MAX_HEAD_DIM];
        for (int d = 0; d < head_dim_; d += LANES)
            simd::store(scales + d, simd::load_scale8(cache_.key_scales + place(block) * head_dim_ + d));
        use(Int8Keys{static_cast<const int8_t*>(cache_.keys) + place(block) * size, scales});
    }

    // Calls use(values) for values whose weights [count, stride] were multiplied by their scales. What 4-bit values
    // lack, their minimum, is added to out [count, head_dim] here.
    template <class Use>
    void with_values(int block, int count, float* weights, int stride, float* out, const Use& use) const {
        const size_t size = static_cast<size_t>(head_dim_) * BLOCK;
        if (cache_.form == CACHE_BF16)
            return use(Bf16Values{static_cast<const uint16_t*>(cache_.values) + place(block) * size, head_dim_});
        if (block == open_) return use(Bf16Values{cache_.tail_values + tail(block) * size, head_dim_});
        const bool four = cache_.form == CACHE_INT4;
        const uint16_t* numbers = cache_.value_scales + place(block) * (four ? 2 : 1) * BLOCK;
        const F scales = simd::load_bf16(numbers);
        for (int i = 0; i < count; i++) {
            float* own = weights + static_cast<size_t>(i) * stride;
            const F weight = simd::load(own);
            simd::store(own, simd::mul(weight, scales));
            if (!four) continue;
            const F lowest = simd::set1(simd::sum(simd::mul(weight, simd::load_bf16(numbers + BLOCK))));
            float* row = out + static_cast<size_t>(i) * head_dim_;
            for (int d = 0; d < head_dim_; d += LANES) simd::store(row + d, simd::add(simd::load(row + d), lowest));
        }
        if (four) return use(Int4Values{static_cast<const uint8_t*>(cache_.values) + place(block) * size / 2, head_dim_});
        use(Int8Values{static_cast<const int8_t*>(cache_.values) + place(block) * size, head_dim_});
    }

    // Blocks lie scattered, which hardware prefetchers cannot foresee.
    void prefetch_keys(int block) const { prefetch(cache_.keys, block, cache_.form == CACHE_BF16 ? 2 * 16 : 16); }
    void prefetch_values(int block) const {
        prefetch(cache_.values, block, cache_.form == CACHE_BF16 ? 2 * 16 : cache_.form == CACHE_INT8 ? 16 : 8);
    }

    // Writes new positions [from, from + count) of a block, whose keys and values lie in `rows` of `stride` floats;
    // `last` is the last block that the sequence has in this pass. Not for bfloat16, which is written row by row.
    void write(int block, int from, int count, int last, const float* keys, const float* values, size_t stride) const {
        const size_t size = static_cast<size_t>(head_dim_) * BLOCK;
        alignas(64) uint16_t exact_keys[MAX_HEAD_DIM * BLOCK], exact_values[MAX_HEAD_DIM * BLOCK];
        uint16_t* tail_keys = cache_.tail_keys + tail(block) * size;
        uint16_t* tail_values = cache_.tail_values + tail(block) * size;
        if (from > 0) {
            std::copy_n(tail_keys, size, exact_keys);
            std::copy_n(tail_values, size, exact_values);
        } else {
            std::fill_n(exact_keys, size, 0);
            std::fill_n(exact_values, size, 0);
        }
        for (int p = 0; p < count; p++)
            for (int d = 0; d < head_dim_; d++) {
                exact_keys[d * BLOCK + from + p] = simd::to_bf16(keys[p * stride + d]);
                exact_values[(from + p) * head_dim_ + d] = simd::to_bf16(values[p * stride + d]);
            }
        // Two tails a sequence: a block can be reopened when its last tokens are taken back.
        if (block >= last - 1) {
            std::copy_n(exact_keys, size, tail_keys);
            std::copy_n(exact_values, size, tail_values);
        }
        if (from + count < BLOCK) return;
        round_keys(block, exact_keys);
        if (cache_.form == CACHE_INT8) round_values8(block, exact_values);
        else round_values4(block, exact_values);
    }

  private:
    size_t place(int block) const { return first_ + static_cast<size_t>(table_[block]) * heads_; }
    size_t tail(int block) const { return first_tail_ + static_cast<size_t>(2 * seat_ + block % 2) * heads_; }

    void prefetch(const void* blocks, int block, int bytes_a_channel) const {
        const size_t bytes = static_cast<size_t>(head_dim_) * bytes_a_channel;
        const char* begin = static_cast<const char*>(blocks) + place(block) * bytes;
        for (size_t line = 0; line < bytes; line += 64) simd::prefetch(begin + line);
    }

    void round_keys(int block, const uint16_t* exact) const {
        int8_t* codes = static_cast<int8_t*>(cache_.keys) + place(block) * head_dim_ * BLOCK;
        uint8_t* scales = cache_.key_scales + place(block) * head_dim_;
        for (int d = 0; d < head_dim_; d++) {
            const F key = simd::load_bf16(exact + d * BLOCK);
            scales[d] = simd::to_scale8(simd::maximum(simd::abs(key)) / 127.0f);
            simd::store_int8(codes + d * BLOCK, simd::div(key, simd::set1(simd::from_scale8(scales[d]))));
        }
    }

    void round_values8(int block, const uint16_t* exact) const {
        int8_t* codes = static_cast<int8_t*>(cache_.values) + place(block) * head_dim_ * BLOCK;
        uint16_t* scales = cache_.value_scales + place(block) * BLOCK;
        const F limit = simd::set1(127.0f), negative = simd::set1(-127.0f);
        for (int p = 0; p < BLOCK; p++) {
            F largest = simd::zero();
            for (int d = 0; d < head_dim_; d += LANES)
                largest = simd::max(largest, simd::abs(simd::load_bf16(exact + p * head_dim_ + d)));
            scales[p] = simd::to_bf16(std::max(simd::maximum(largest) / 127.0f, 1e-20f));
            const F scale = simd::set1(simd::from_bf16(scales[p]));
            for (int d = 0; d < head_dim_; d += LANES) {
                const F code = simd::div(simd::load_bf16(exact + p * head_dim_ + d), scale);
                simd::store_int8(codes + p * head_dim_ + d, simd::max(negative, simd::min(limit, code)));
            }
        }
    }

    void round_values4(int block, const uint16_t* exact) const {
        uint8_t* codes = static_cast<uint8_t*>(cache_.values) + place(block) * head_dim_ * BLOCK / 2;
        uint16_t* scales = cache_.value_scales + place(block) * 2 * BLOCK;
        for (int p = 0; p < BLOCK; p++) {
            const uint16_t* row = exact + p * head_dim_;
            F low = simd::load_bf16(row), high = low;
            for (int d = LANES; d < head_dim_; d += LANES) {
                low = simd::min(low, simd::load_bf16(row + d));
                high = simd::max(high, simd::load_bf16(row + d));
            }
            scales[BLOCK + p] = simd::to_bf16(simd::minimum(low));
            const float lowest = simd::from_bf16(scales[BLOCK + p]);
            scales[p] = simd::to_bf16(std::max((simd::maximum(high) - lowest) / 15.0f, 1e-20f));
            const F scale = simd::set1(simd::from_bf16(scales[p]));
            for (int d = 0; d < head_dim_; d += LANES) {
                const F code = simd::div(simd::sub(simd::load_bf16(row + d), simd::set1(lowest)), scale);
                int8_t wide[LANES];
                simd::store_int8(wide, simd::max(simd::zero(), simd::min(simd::set1(15.0f), code)));
                for (int i = 0; i < LANES / 2; i++)
                    codes[(p * head_dim_ + d) / 2 + i] = static_cast<uint8_t>(wide[i] | wide[i + LANES / 2] << 4);
            }
        }
    }

    const Cache& cache_;
    const int head_dim_, heads_;
    const int32_t* table_;
    const int seat_, open_;
    const size_t first_, first_tail_;  // in blocks and heads
};

}  // namespace duet
