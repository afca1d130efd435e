// Plain loops over 16 lanes, which compilers turn into whatever vectors the machine has.
#pragma once

namespace simd {

constexpr const char* NAME = "portable";
constexpr int MAX_ROWS = 2;
constexpr int CODE_OFFSET = 128;

struct F {
    float v[16];
};
struct I {
    int32_t v[16];
};
struct Bytes {
    uint8_t v[64];
};

template <class Function>
inline F lanes(Function f) {
    F r;
    for (int i = 0; i < 16; i++) r.v[i] = f(i);
    return r;
}

inline F set1(float x) {
    return lanes([&](int) { return x; });
}
inline F zero() { return set1(0.0f); }
inline F load(const float* p) {
    return lanes([&](int i) { return p[i]; });
}
inline void store(float* p, F x) { std::memcpy(p, x.v, sizeof x.v); }
inline F add(F a, F b) {
    return lanes([&](int i) { return a.v[i] + b.v[i]; });
}
inline F sub(F a, F b) {
    return lanes([&](int i) { return a.v[i] - b.v[i]; });
}
inline F mul(F a, F b) {
    return lanes([&](int i) { return a.v[i] * b.v[i]; });
}
inline F div(F a, F b) {
    return lanes([&](int i) { return a.v[i] / b.v[i]; });
}
inline F fma(F a, F b, F c) {
    return lanes([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
}
inline F min(F a, F b) {
    return lanes([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline F max(F a, F b) {
    return lanes([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline F abs(F a) {
    return lanes([&](int i) { return std::fabs(a.v[i]); });
}
inline F round(F a) {
    return lanes([&](int i) { return std::nearbyint(a.v[i]); });
}
inline F scale_by_power(F a, F n) {
    return lanes([&](int i) {
        const uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(n.v[i]) + 127) << 23;
        float power;
        std::memcpy(&power, &bits, 4);
        return a.v[i] * power;
    });
}
inline float sum(F a) {
    float total = 0.0f;
    for (float x : a.v) total += x;
    return total;
}
inline float maximum(F a) {
    float best = a.v[0];
    for (float x : a.v) best = x > best ? x : best;
    return best;
}
inline uint32_t less(F a, F b) {
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++) bits |= static_cast<uint32_t>(a.v[i] < b.v[i]) << i;
    return bits;
}
inline F select(uint32_t bits, F a, F b) {
    return lanes([&](int i) { return bits >> i & 1 ? a.v[i] : b.v[i]; });
}

inline F load_bf16(const uint16_t* p) {
    return lanes([&](int i) {
        const uint32_t bits = static_cast<uint32_t>(p[i]) << 16;
        float x;
        std::memcpy(&x, &bits, 4);
        return x;
    });
}
// IEEE half precision: moving the exponent by multiplication also gets subnormals right.
inline F load_fp16(const uint16_t* p) {
    return lanes([&](int i) {
        const uint32_t bits = static_cast<uint32_t>(p[i] & 0x7fff) << 13 | static_cast<uint32_t>(p[i] & 0x8000) << 16;
        float x;
        std::memcpy(&x, &bits, 4);
        return x * 0x1p112f;
    });
}
inline F load_int8(const int8_t* p) {
    return lanes([&](int i) { return static_cast<float>(p[i]); });
}
inline F load_nibbles(const uint8_t* p) {
    return lanes([&](int i) { return static_cast<float>(i < 8 ? p[i] & 15 : p[i - 8] >> 4); });
}
inline F load_scale8(const uint8_t* p) {
    return lanes([&](int i) {
        const int32_t bits = (static_cast<int32_t>(p[i]) << 20) + SCALE8_BASE;
        float x;
        std::memcpy(&x, &bits, 4);
        return x;
    });
}
inline void store_int8(int8_t* p, F x) {
    for (int i = 0; i < 16; i++) p[i] = static_cast<int8_t>(std::lrint(x.v[i]));
}

inline Bytes load_bytes(const uint8_t* p) {
    Bytes r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
}
inline Bytes low_nibbles(Bytes x) {
    for (uint8_t& byte : x.v) byte &= 15;
    return x;
}
inline Bytes high_nibbles(Bytes x) {
    for (uint8_t& byte : x.v) byte >>= 4;
    return x;
}
inline I zero_int() { return I{}; }
inline F to_float(I x) {
    return lanes([&](int i) { return static_cast<float>(x.v[i]); });
}
inline I dot4(I acc, Bytes w, const int8_t* x) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 4; j++) acc.v[i] += w.v[4 * i + j] * x[j];
    return acc;
}
inline I dot8(I acc, Bytes w, const int8_t* x) { return dot4(acc, w, x); }

inline void prefetch(const void* p) { __builtin_prefetch(p); }
inline void pause() {}

}  // namespace simd
