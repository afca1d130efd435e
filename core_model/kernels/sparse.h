// Which blocks of a long past a query attends to: bounds of the keys in a tree of spans of 16, 256, 4,096 … positions,
// read from the longest spans down. The same in plain torch: sparse_attention.py.
#pragma once

#include <algorithm>

#include "attention.h"

namespace duet {

constexpr int FAN_OUT = 16;  // children of a span: one vector scores them together
constexpr int FAN_BITS = 4;

// The tree of one key/value head of one layer: bf16 [groups, head_dim, 2 (minimum, maximum), FAN_OUT]. Level 0 are
// blocks; a group holds the children of one span of the next level.
class SpanTree {
  public:
    SpanTree(uint16_t* bounds, int capacity, int head_dim) : bounds_(bounds), capacity_(capacity), head_dim_(head_dim) {}

    static size_t groups(int capacity) {
        size_t total = 0;
        for (int nodes = capacity; total == 0 || nodes > 1;) {
            nodes = (nodes + FAN_OUT - 1) / FAN_OUT;
            total += nodes;
        }
        return total;
    }

    uint16_t* group(int level, int index) const {
        size_t start = 0;
        int nodes = capacity_;
        for (int l = 0; l < level; l++) start += nodes = (nodes + FAN_OUT - 1) / FAN_OUT;
        return bounds_ + (start + index) * head_dim_ * 2 * FAN_OUT;
    }

    // Takes in a block that is full; blocks come in their order.
    void add(int block, const CacheHead& cache) {
        cache.with_keys(block, [&](const auto& keys) {
            for (int d = 0; d < head_dim_; d++) {
                const F key = keys.load(d);
                const float low = simd::from_bf16(simd::to_bf16(simd::minimum(key)));
                const float high = simd::from_bf16(simd::to_bf16(simd::maximum(key)));
                int node = block;
                bool first = true;
                for (int level = 0, nodes = capacity_; level == 0 || nodes > 1; level++) {
                    uint16_t* bounds = group(level, node / FAN_OUT) + d * 2 * FAN_OUT + node % FAN_OUT;
                    bounds[0] = simd::to_bf16(first ? low : std::min(low, simd::from_bf16(bounds[0])));
                    bounds[FAN_OUT] = simd::to_bf16(first ? high : std::max(high, simd::from_bf16(bounds[FAN_OUT])));
                    first = first && node % FAN_OUT == 0;
                    node /= FAN_OUT;
                    nodes = (nodes + FAN_OUT - 1) / FAN_OUT;
                }
            }
        });
    }

  private:
    uint16_t* bounds_;
    const int capacity_, head_dim_;
};

// Bounds of 16 spans in some channels, as keys that queries are multiplied with.
struct BoundKeys {
    const uint16_t* bounds;
    const int32_t* offsets;
    F load(int d) const { return simd::load_bf16(bounds + offsets[d]); }
};

// Chooses blocks among [1, limit) for the query heads of one row that share a key/value head.
class BlockChoice {
  public:
    // q [heads]: the query heads; log_totals [heads]: the log of what each attends to already.
    BlockChoice(const SpanTree& tree, const float* const* q, int heads, int head_dim, const float* log_totals, int limit,
                const SparseBudget& budget)
        : tree_(tree), q_(q), heads_(heads), limit_(limit), budget_(budget) {
        while (limit > FAN_OUT << FAN_BITS * top_) top_++;
        choose_channels(head_dim, log_totals);
    }

    // The chosen blocks, ascending.
    void choose(std::vector<int32_t>& chosen) {
        std::vector<int32_t> groups{0};
        std::vector<Candidate> candidates;
        for (int level = top_;; level--) {
            const int complete = limit_ >> FAN_BITS * level;
            candidates.clear();
            for (const int32_t group : groups) score(level, group, complete, candidates);
            keep_best(candidates, level ? budget_.beam : budget_.chosen);
            groups.clear();
            for (const Candidate& candidate : candidates) groups.push_back(candidate.node);
            if (level == 0) break;
            // The span that the local window cuts is always opened.
            if (limit_ > complete << FAN_BITS * level) groups.push_back(complete);
        }
        std::sort(groups.begin(), groups.end());
        chosen.assign(groups.begin(), groups.end());
    }

  private:
    struct Candidate {
        float score;
        int32_t node;
        bool operator<(const Candidate& other) const {
            return score != other.score ? score > other.score : node < other.node;
        }
    };

    static void keep_best(std::vector<Candidate>& candidates, int count) {
        if (static_cast<int>(candidates.size()) <= count) return;
        std::nth_element(candidates.begin(), candidates.begin() + count, candidates.end());
        candidates.resize(count);
    }

    // The channels in which the scores of blocks differ most; the rest counts as it is in the middle of the oldest span.
    void choose_channels(int head_dim, const float* log_totals) {
        const uint16_t* oldest = tree_.group(top_, 0);
        std::vector<Candidate> weights(head_dim);
        std::vector<float> middles(head_dim);
        for (int d = 0; d < head_dim; d++) {
            const float low = simd::from_bf16(oldest[d * 2 * FAN_OUT]);
            const float high = simd::from_bf16(oldest[d * 2 * FAN_OUT + FAN_OUT]);
            float largest = 0.0f;
            for (int h = 0; h < heads_; h++) largest = std::max(largest, std::fabs(q_[h][d]));
            middles[d] = (low + high) / 2;
            weights[d] = {largest * (high - low), d};
        }
        keep_best(weights, budget_.channels);
        std::sort(weights.begin(), weights.end(), [](const Candidate& a, const Candidate& b) { return a.node < b.node; });
        for (const Candidate& weight : weights) {
            offsets_.push_back(weight.node * 2 * FAN_OUT);
            offsets_.push_back(weight.node * 2 * FAN_OUT + FAN_OUT);
        }
        factors_.resize(heads_ * offsets_.size());
        for (int h = 0; h < heads_; h++) {
            float* factors = &factors_[h * offsets_.size()];
            factors_of_[h] = factors;
            float rest = -log_totals[h];
            for (int d = 0; d < head_dim; d++) rest += q_[h][d] * middles[d];
            for (const Candidate& weight : weights) {
                const float q = q_[h][weight.node], spread = q > 0 ? budget_.spread : -budget_.spread;
                rest -= q * middles[weight.node];
                *factors++ = q * (1 - spread) / 2;
                *factors++ = q * (1 + spread) / 2;
            }
            rests_[h] = rest;
        }
    }

    // The largest share, as a logarithm, that a head may give to a key of each of 16 spans.
    void score(int level, int group, int complete, std::vector<Candidate>& candidates) const {
        alignas(64) float worths[MAX_QUERIES * FAN_OUT], scores[FAN_OUT];
        score_all(heads_, factors_of_, BoundKeys{tree_.group(level, group), offsets_.data()},
                  static_cast<int>(offsets_.size()), worths, FAN_OUT);
        F best = simd::set1(-INFINITY);
        for (int h = 0; h < heads_; h++)
            best = simd::max(best, simd::add(simd::load(worths + h * FAN_OUT), simd::set1(rests_[h])));
        simd::store(scores, best);
        const int first = group * FAN_OUT;
        // Block 0 holds the sinks, which are attended to anyway.
        for (int i = level == 0 && group == 0 ? 1 : 0; i < FAN_OUT && first + i < complete; i++)
            candidates.push_back({scores[i], first + i});
    }

    const SpanTree& tree_;
    const float* const* q_;
    const int heads_, limit_;
    const SparseBudget& budget_;
    int top_ = 0;
    std::vector<int32_t> offsets_;      // of the bounds that are read of each group
    std::vector<float> factors_;        // [heads, offsets]
    const float* factors_of_[MAX_QUERIES];
    float rests_[MAX_QUERIES];          // what a head's worths have in common
};

}  // namespace duet
