// Attention of a few consecutive rows of one sequence, all query heads of one key/value head at once, over the
// blocks of a paged cache. Softmax is computed segment by segment (arXiv 2205.14135).
//
// Segments lie at fixed positions and are put together in their order, so that a row's result has the same bits
// whichever rows are computed beside it and however the work is dealt out.
#pragma once

#include "linear.h"

namespace duet {

constexpr int BLOCK = 16;        // positions in a block of the cache
constexpr int SINKS = 4;         // positions that a windowed sequence always sees
constexpr int SEGMENT_BLOCKS = 8;
constexpr int PREFETCH_BLOCKS = 2;
constexpr int MAX_QUERIES = 32;  // rows x query heads that are handled together
constexpr float LOWEST = -1e30f;

// Consecutive rows of one sequence, from `row` on.
struct RowTile {
    int row, rows, sequence;
};

// The blocks that some row of a tile sees: all from `first` to `last`, and block 0 for the sinks.
struct VisibleBlocks {
    int first, last;
    bool sinks_apart;

    VisibleBlocks(int position, int last_position, int window) {
        const int oldest = window ? std::max(0, position - (window - SINKS) + 1) : 0;
        first = oldest / BLOCK;
        last = last_position / BLOCK;
        sinks_apart = first > 0;
    }
    // The segments with visible blocks, in their order.
    int segments() const { return last / SEGMENT_BLOCKS - first_segment() + 1 + sink_segment_apart(); }
    int segment(int index) const { return sink_segment_apart() ? (index ? first_segment() + index - 1 : 0) : first_segment() + index; }
    // The visible blocks of a segment into `blocks`; returns how many there are.
    int blocks_of(int segment, int* blocks) const {
        int count = 0;
        if (sinks_apart && segment == 0) blocks[count++] = 0;
        const int begin = segment * SEGMENT_BLOCKS;
        for (int block = std::max(first, begin); block <= std::min(last, begin + SEGMENT_BLOCKS - 1); block++)
            blocks[count++] = block;
        return count;
    }

  private:
    int first_segment() const { return first / SEGMENT_BLOCKS; }
    bool sink_segment_apart() const { return first_segment() > 0; }
};

// scores[query * stride .. +16] = q . k for the 16 positions of a block; keys [head_dim, 16].
template <int Q>
inline void score_block(const float* const* queries, const uint16_t* keys, int head_dim, float* scores, int stride) {
    if constexpr (Q > 0) {
        const float* q[Q];
        F sums[Q];
        for (int i = 0; i < Q; i++) {
            q[i] = queries[i];
            sums[i] = simd::zero();
        }
        for (int d = 0; d < head_dim; d++) {
            const F k = simd::load_bf16(keys + d * BLOCK);
#pragma GCC unroll 8
            for (int i = 0; i < Q; i++) sums[i] = simd::fma(simd::set1(q[i][d]), k, sums[i]);
        }
        for (int i = 0; i < Q; i++) simd::store(scores + i * stride, sums[i]);
    }
}

constexpr int SCORE_QUERIES = simd::MAX_ROWS > 4 ? 8 : 4;

template <int Q>
inline void score_some(int count, const float* const* q, const uint16_t* k, int head_dim, float* scores, int stride) {
    if constexpr (Q > 0) {
        if (count == Q) return score_block<Q>(q, k, head_dim, scores, stride);
        score_some<Q - 1>(count, q, k, head_dim, scores, stride);
    }
}

inline void score_all(int count, const float* const* q, const uint16_t* k, int head_dim, float* scores, int stride) {
    const int passes = (count + SCORE_QUERIES - 1) / SCORE_QUERIES;
    for (int pass = 0, start = 0; pass < passes; pass++) {
        const int some = (count - start) / (passes - pass);
        score_some<SCORE_QUERIES>(some, q + start, k, head_dim, scores + start * stride, stride);
        start += some;
    }
}

// out[query, head_dim] += weights[query, positions] * values[positions, head_dim], 16 * V columns of it.
template <int Q, int V>
inline void weigh_block(const float* weights, int stride, const uint16_t* values, int positions, int head_dim,
                        float* out) {
    F sums[Q][V];
    for (int i = 0; i < Q; i++)
        for (int v = 0; v < V; v++) sums[i][v] = simd::load(out + i * head_dim + v * LANES);
    for (int p = 0; p < positions; p++) {
        F row[V];
        for (int v = 0; v < V; v++) row[v] = simd::load_bf16(values + p * head_dim + v * LANES);
#pragma GCC unroll 8
        for (int i = 0; i < Q; i++) {
            const F weight = simd::set1(weights[i * stride + p]);
#pragma GCC unroll 4
            for (int v = 0; v < V; v++) sums[i][v] = simd::fma(weight, row[v], sums[i][v]);
        }
    }
    for (int i = 0; i < Q; i++)
        for (int v = 0; v < V; v++) simd::store(out + i * head_dim + v * LANES, sums[i][v]);
}

constexpr int VALUE_COLUMNS = simd::MAX_ROWS > 4 ? 4 : 2;  // registers of values; head_dim is a multiple of 32
constexpr int VALUE_QUERIES = simd::MAX_ROWS > 4 ? 6 : 2;

template <int Q>
inline void weigh_some(int count, const float* weights, int stride, const uint16_t* values, int positions,
                       int head_dim, float* out) {
    if constexpr (Q > 0) {
        if (count != Q)
            return weigh_some<Q - 1>(count, weights, stride, values, positions, head_dim, out);
        int column = 0;
        for (; column + VALUE_COLUMNS * LANES <= head_dim; column += VALUE_COLUMNS * LANES)
            weigh_block<Q, VALUE_COLUMNS>(weights, stride, values + column, positions, head_dim, out + column);
        for (; column < head_dim; column += 2 * LANES)
            weigh_block<Q, 2>(weights, stride, values + column, positions, head_dim, out + column);
    }
}

inline void weigh_all(int count, const float* weights, int stride, const uint16_t* values, int positions,
                      int head_dim, float* out) {
    const int passes = (count + VALUE_QUERIES - 1) / VALUE_QUERIES;
    for (int pass = 0, start = 0; pass < passes; pass++) {
        const int some = (count - start) / (passes - pass);
        weigh_some<VALUE_QUERIES>(some, weights + start * stride, stride, values, positions, head_dim,
                                  out + start * head_dim);
        start += some;
    }
}

// The unnormalised result of a part of the context for one query.
struct Partial {
    float maximum = LOWEST, total = 0.0f;

    // Adds the next part, whose values are `part_out`, to this one, whose values are `out`.
    void add(const Partial& part, const float* part_out, float* out, int head_dim) {
        const float largest = std::max(maximum, part.maximum);
        const float own = std::exp(maximum - largest), theirs = std::exp(part.maximum - largest);
        *this = {largest, total * own + part.total * theirs};
        const F own_weight = simd::set1(own), their_weight = simd::set1(theirs);
        for (int d = 0; d < head_dim; d += LANES) {
            const F kept = simd::mul(simd::load(out + d), own_weight);
            simd::store(out + d, simd::fma(simd::load(part_out + d), their_weight, kept));
        }
    }
};

// Where one key/value head of one layer lies in the cache.
struct CacheHead {
    const uint16_t* keys;    // block 0
    const uint16_t* values;  // block 0
    size_t stride;           // numbers from one block to the next
};

struct AttentionItem {
    RowTile tile;
    const int32_t* positions;  // [rows]
    const int32_t* table;      // blocks of the sequence
    int window;
    int heads, head_dim;        // query heads that share the key/value head
    const float* queries;       // [rows, ...] the first of the heads; scaled, rotated by the true position
    const float* sink_queries;  // the same, rotated by the position sinks are seen from; null without windows
    size_t query_stride, sink_query_stride;  // floats from one row to the next
};

// Attends to one segment: out [rows * heads, head_dim], partials [rows * heads].
inline void attend(const AttentionItem& item, const CacheHead& cache, const VisibleBlocks& visible, int segment,
                   float* out, Partial* partials) {
    constexpr int STRIDE = SEGMENT_BLOCKS * BLOCK;
    const int count = item.tile.rows * item.heads, head_dim = item.head_dim;
    const int last_position = item.positions[item.tile.rows - 1];
    const int reach = item.window ? item.window - SINKS : 0;
    const float* queries[MAX_QUERIES];
    const float* sink_queries[MAX_QUERIES];
    for (int i = 0; i < count; i++) {
        const size_t row = i / item.heads, head = static_cast<size_t>(i % item.heads) * head_dim;
        queries[i] = item.queries + row * item.query_stride + head;
        sink_queries[i] = item.sink_queries ? item.sink_queries + row * item.sink_query_stride + head : nullptr;
    }
    std::fill(out, out + static_cast<size_t>(count) * head_dim, 0.0f);
    alignas(64) float scores[MAX_QUERIES * STRIDE];
    alignas(64) float sink_scores[MAX_QUERIES * BLOCK];
    int blocks[SEGMENT_BLOCKS];
    const int block_count = visible.blocks_of(segment, blocks);
    for (int b = 0; b < block_count; b++) {
        const int block = blocks[b], start = block * BLOCK;
        const uint16_t* keys = cache.keys + item.table[block] * cache.stride;
        // Blocks lie scattered, which hardware prefetchers cannot foresee.
        const uint16_t* values = cache.values + item.table[block] * cache.stride;
        const int ahead = std::min(std::max(block, visible.first) + PREFETCH_BLOCKS, visible.last);
        const uint16_t* next_keys = cache.keys + item.table[ahead] * cache.stride;
        for (int line = 0; line < head_dim * BLOCK; line += 64 / sizeof(uint16_t)) {
            simd::prefetch(values + line);
            simd::prefetch(next_keys + line);
        }
        score_all(count, queries, keys, head_dim, scores + b * BLOCK, STRIDE);
        if (block == 0 && item.window && last_position >= item.window) {
            score_all(count, sink_queries, keys, head_dim, sink_scores, BLOCK);
            for (int i = 0; i < count; i++) {
                float* own = scores + i * STRIDE + b * BLOCK;
                simd::store(own, simd::select((1u << SINKS) - 1, simd::load(sink_scores + i * BLOCK), simd::load(own)));
            }
        }
        const bool whole = start + BLOCK - 1 <= item.positions[0] &&
                           (!item.window || start > last_position - reach);
        for (int i = 0; !whole && i < count; i++) {
            const int position = item.positions[i / item.heads];
            uint32_t lanes = 0;
            for (int p = start; p < start + BLOCK && p <= position; p++)
                if (!item.window || p < SINKS || position - p < reach) lanes |= 1u << (p - start);
            float* own = scores + i * STRIDE + b * BLOCK;
            simd::store(own, simd::select(lanes, simd::load(own), simd::set1(-INFINITY)));
        }
    }
    for (int i = 0; i < count; i++) {
        float* own = scores + i * STRIDE;
        F largest = simd::set1(LOWEST);
        for (int b = 0; b < block_count; b++) largest = simd::max(largest, simd::load(own + b * BLOCK));
        const float maximum = simd::maximum(largest);
        F total = simd::zero();
        for (int b = 0; b < block_count; b++) {
            const F weight = simd::exp(simd::sub(simd::load(own + b * BLOCK), simd::set1(maximum)));
            simd::store(own + b * BLOCK, weight);
            total = simd::add(total, weight);
        }
        partials[i] = {maximum, simd::sum(total)};
    }
    for (int b = 0; b < block_count; b++) {
        // What lies behind the last written position is arbitrary memory, perhaps NaN.
        const int positions = std::min(BLOCK, last_position + 1 - blocks[b] * BLOCK);
        weigh_all(count, scores + b * BLOCK, STRIDE, cache.values + item.table[blocks[b]] * cache.stride, positions,
                  head_dim, out);
    }
}

}  // namespace duet
