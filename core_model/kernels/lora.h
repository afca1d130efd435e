// Low-rank additions y += B (A x), per row, in float32 (arXiv 2106.09685).
#pragma once

#include <map>
#include <vector>

#include "linear.h"

namespace duet {

enum Module { Q_PROJ, K_PROJ, V_PROJ, O_PROJ, GATE_PROJ, UP_PROJ, DOWN_PROJ, MODULES };

// One low-rank pair. A is [rank, inputs], B transposed [rank, outputs], inputs and outputs padded with zeros.
struct Pair {
    int rank = 0, inputs = 0, outputs = 0;
    const float* a = nullptr;
    const float* b = nullptr;
};

using Adapter = std::vector<Pair>;  // [layers * MODULES]

class Adapters {
  public:
    explicit Adapters(int layers) : layers_(layers) {}

    void set(int adapter, int layer, int module, const Pair& pair) {
        auto& pairs = adapters_[adapter];
        pairs.resize(static_cast<size_t>(layers_) * MODULES);
        pairs[static_cast<size_t>(layer) * MODULES + module] = pair;
        max_rank_ = std::max(max_rank_, pair.rank);
    }
    void remove(int adapter) { adapters_.erase(adapter); }
    const Adapter* find(int adapter) const {
        const auto found = adapters_.find(adapter);
        return found == adapters_.end() ? nullptr : &found->second;
    }
    int max_rank() const { return max_rank_; }

  private:
    int layers_, max_rank_ = 0;
    std::map<int, Adapter> adapters_;
};

constexpr int RANKS = 4;  // dot products that share one pass over x

// u[rank .. rank + 4] = A x.
inline void project_down(const Pair& pair, int rank, const float* x, float* u) {
    const int count = std::min(RANKS, pair.rank - rank);
    F sums[RANKS];
    for (F& sum : sums) sum = simd::zero();
    for (int k = 0; k < pair.inputs; k += LANES) {
        const F values = simd::load(x + k);
        for (int i = 0; i < count; i++)
            sums[i] = simd::fma(simd::load(pair.a + static_cast<size_t>(rank + i) * pair.inputs + k), values, sums[i]);
    }
    for (int i = 0; i < count; i++) u[rank + i] = simd::sum(sums[i]);
}

// y + B u for 16 outputs from `column` on.
inline F project_up(const Pair& pair, int column, const float* u, F y) {
    for (int j = 0; j < pair.rank; j++)
        y = simd::fma(simd::set1(u[j]), simd::load(pair.b + static_cast<size_t>(j) * pair.outputs + column), y);
    return y;
}

}  // namespace duet
