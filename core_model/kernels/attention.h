// Attention of a few consecutive rows of one sequence, all query heads of one key/value head at once, over the
// blocks of a paged cache. Softmax is computed segment by segment (arXiv 2205.14135).
//
// Segments lie at fixed positions and are put together in their order, so that a row's result has the same bits
// whichever rows are computed beside it and however the work is dealt out.
#pragma once

#include "cache_blocks.h"

namespace duet {

constexpr int SINKS = 4;         // positions that a windowed sequence always sees
constexpr int SEGMENT_BLOCKS = 8;
constexpr int PREFETCH_BLOCKS = 2;
constexpr int MAX_QUERIES = 32;  // rows x query heads that are handled together
constexpr float LOWEST = -1e30f;

// Consecutive rows of one sequence, from `row` on; one row alone where it attends sparsely.
struct RowTile {
    int row, rows, sequence;
    bool sparse = false;
};

// The blocks that some row of a tile sees: all from `first` to `last`, and block 0 for the sinks; or those of a list.
struct VisibleBlocks {
    int first, last;
    bool sinks_apart;
    const int32_t* list = nullptr;

    explicit VisibleBlocks(const std::vector<int32_t>& blocks)
        : first(0), last(static_cast<int>(blocks.size()) - 1), sinks_apart(false), list(blocks.data()) {}

    VisibleBlocks(int position, int last_position, int window) {
        const int oldest = window ? std::max(0, position - (window - SINKS) + 1) : 0;
        first = oldest / BLOCK;
        last = last_position / BLOCK;
        sinks_apart = first > 0;
    }
    // The segments with visible blocks, in their order.
    int segments() const { return (last + SEGMENT_BLOCKS) / SEGMENT_BLOCKS - first_segment() + sink_segment_apart(); }
    int segment(int index) const { return sink_segment_apart() ? (index ? first_segment() + index - 1 : 0) : first_segment() + index; }
    // The visible blocks of a segment into `blocks`, and PREFETCH_BLOCKS that come after them; returns how many without these.
    int blocks_of(int segment, int* blocks) const {
        int count = 0;
        if (sinks_apart && segment == 0) blocks[count++] = 0;
        int index = std::max(first, segment * SEGMENT_BLOCKS);
        for (; index <= std::min(last, (segment + 1) * SEGMENT_BLOCKS - 1); index++) blocks[count++] = block(index);
        for (int ahead = 0; ahead < PREFETCH_BLOCKS; ahead++) blocks[count + ahead] = block(std::min(index + ahead, last));
        return count;
    }

  private:
    int block(int index) const { return list ? list[index] : index; }
    int first_segment() const { return first / SEGMENT_BLOCKS; }
    bool sink_segment_apart() const { return first_segment() > 0; }
};

// scores[query * stride .. +16] = q . k for the 16 positions of a block.
template <int Q, class Keys>
inline void score_block(const float* const* queries, const Keys& keys, int head_dim, float* scores, int stride) {
    if constexpr (Q > 0) {
        const float* q[Q];
        F sums[Q];
        for (int i = 0; i < Q; i++) {
            q[i] = queries[i];
            sums[i] = simd::zero();
        }
        for (int d = 0; d < head_dim; d++) {
            const F k = keys.load(d);
#pragma GCC unroll 8
            for (int i = 0; i < Q; i++) sums[i] = simd::fma(simd::set1(q[i][d]), k, sums[i]);
        }
        for (int i = 0; i < Q; i++) simd::store(scores + i * stride, sums[i]);
    }
}

constexpr int SCORE_QUERIES = simd::MAX_ROWS > 4 ? 8 : 4;

template <int Q, class Keys>
inline void score_some(int count, const float* const* q, const Keys& k, int head_dim, float* scores, int stride) {
    if constexpr (Q > 0) {
        if (count == Q) return score_block<Q>(q, k, head_dim, scores, stride);
        score_some<Q - 1>(count, q, k, head_dim, scores, stride);
    }
}

template <class Keys>
inline void score_all(int count, const float* const* q, const Keys& k, int head_dim, float* scores, int stride) {
    const int passes = (count + SCORE_QUERIES - 1) / SCORE_QUERIES;
    for (int pass = 0, start = 0; pass < passes; pass++) {
        const int some = (count - start) / (passes - pass);
        score_some<SCORE_QUERIES>(some, q + start, k, head_dim, scores + start * stride, stride);
        start += some;
    }
}

// out[query, head_dim] += weights[query, positions] * values[positions, head_dim], 16 * V columns of it.
template <int Q, int V, class Values>
inline void weigh_block(const float* weights, int stride, const Values& values, int column, int positions,
                        int head_dim, float* out) {
    F sums[Q][V];
    for (int i = 0; i < Q; i++)
        for (int v = 0; v < V; v++) sums[i][v] = simd::load(out + i * head_dim + v * LANES);
    for (int p = 0; p < positions; p++) {
        F row[V];
        for (int v = 0; v < V; v++) row[v] = values.load(p, column + v * LANES);
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

template <int Q, class Values>
inline void weigh_some(int count, const float* weights, int stride, const Values& values, int positions,
                       int head_dim, float* out) {
    if constexpr (Q > 0) {
        if (count != Q)
            return weigh_some<Q - 1>(count, weights, stride, values, positions, head_dim, out);
        int column = 0;
        for (; column + VALUE_COLUMNS * LANES <= head_dim; column += VALUE_COLUMNS * LANES)
            weigh_block<Q, VALUE_COLUMNS>(weights, stride, values, column, positions, head_dim, out + column);
        for (; column < head_dim; column += 2 * LANES)
            weigh_block<Q, 2>(weights, stride, values, column, positions, head_dim, out + column);
    }
}

template <class Values>
inline void weigh_all(int count, const float* weights, int stride, const Values& values, int positions,
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

struct AttentionItem {
    RowTile tile;
    const int32_t* positions;  // [rows]
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
    const bool sinks_moved = item.window && last_position >= item.window;
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
    int blocks[SEGMENT_BLOCKS + PREFETCH_BLOCKS];
    const int block_count = visible.blocks_of(segment, blocks);
    for (int b = 0; b < block_count; b++) {
        const int block = blocks[b], start = block * BLOCK;
        cache.prefetch_values(block);
        cache.prefetch_keys(blocks[b + PREFETCH_BLOCKS]);
        cache.with_keys(block, [&](const auto& keys) {
            score_all(count, queries, keys, head_dim, scores + b * BLOCK, STRIDE);
            if (sinks_moved && block == 0) score_all(count, sink_queries, keys, head_dim, sink_scores, BLOCK);
        });
        if (sinks_moved && block == 0) {
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
        float* weights = scores + b * BLOCK;
        cache.with_values(blocks[b], count, weights, STRIDE, out, [&](const auto& values) {
            weigh_all(count, weights, STRIDE, values, positions, head_dim, out);
        });
    }
}

inline void begin(int count, int head_dim, float* out, Partial* partials) {
    std::fill_n(partials, count, Partial{});
    std::fill_n(out, static_cast<size_t>(count) * head_dim, 0.0f);
}

// Adds all segments, in their order, to what `out` and `partials` hold already.
inline void attend_in_order(const AttentionItem& item, const CacheHead& cache, const VisibleBlocks& visible, float* out,
                            Partial* partials) {
    const int count = item.tile.rows * item.heads;
    std::vector<float> next(static_cast<size_t>(count) * item.head_dim);
    Partial parts[MAX_QUERIES];
    for (int index = 0; index < visible.segments(); index++) {
        attend(item, cache, visible, visible.segment(index), next.data(), parts);
        for (int i = 0; i < count; i++) {
            const size_t row = static_cast<size_t>(i) * item.head_dim;
            partials[i].add(parts[i], &next[row], out + row, item.head_dim);
        }
    }
}

}  // namespace duet
