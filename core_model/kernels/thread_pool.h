// A few threads that work on one job together: awake within a job, asleep between jobs.
//
// On a busy machine a thread may be kept off its core for milliseconds while the others wait for it at the next
// barrier. So nobody spins for long, and as many threads take part as the machine has cores to give: fewer when much
// of their time went into waiting, one more every now and then to see whether that has changed.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "simd.h"

namespace duet {

using Clock = std::chrono::steady_clock;

constexpr auto SPIN = std::chrono::microseconds(40);  // about what it costs to fall asleep and be woken
constexpr double MOST_WAITING = 0.3;                  // part of the threads' time; about 0.1 on quiet cores
constexpr double MEMORY = 0.9;                        // how much of the waiting is remembered from job to job
constexpr int JOBS_UNTIL_RETRY = 64;

class ThreadPool {
  public:
    explicit ThreadPool(int threads) : active_(threads), waited_(threads) {
        for (int i = 1; i < threads; i++) workers_.emplace_back([this, i] { work(i); });
    }

    ~ThreadPool() {
        stopping_ = true;
        announce(threads());
        for (auto& worker : workers_) worker.join();
    }

    int threads() const { return static_cast<int>(waited_.size()); }

    // Runs job(thread) on the threads that take part, the caller's included, and returns when all are done.
    void run(const std::function<void(int)>& job) {
        job_ = &job;
        const auto start = Clock::now();
        if (active_ > 1) announce(active_);
        job(0);
        barrier(0);
        if (threads() > 1) adapt(seconds_since(start));
    }

    // Every thread of the job waits here for the others.
    void barrier(int thread) {
        // Both before arriving: the last to arrive may end the job, and the next have another number of threads.
        const uint32_t phase = phase_.load(std::memory_order_relaxed);
        const int others = active_ - 1;
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) == others) {
            arrived_.store(0, std::memory_order_relaxed);
            phase_.store(phase + 1, std::memory_order_release);
            if (others) phase_.notify_all();
            return;
        }
        const auto start = Clock::now();
        wait_while(phase_, phase);
        waited_[thread].seconds.fetch_add(seconds_since(start), std::memory_order_relaxed);
    }

  private:
    static constexpr int PART_BITS = 12;  // of a job's word: how many threads take part

    struct alignas(64) Waited {
        std::atomic<double> seconds{0};  // its thread may still be leaving the last barrier when it is read
    };

    static double seconds_since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }

    // Spins for a while, then sleeps until `word` is no longer `value`.
    static void wait_while(const std::atomic<uint32_t>& word, uint32_t value) {
        const auto end = Clock::now() + SPIN;
        do {
            for (int i = 0; i < 32; i++) {
                if (word.load(std::memory_order_acquire) != value) return;
                simd::pause();
            }
        } while (Clock::now() < end);
        word.wait(value, std::memory_order_acquire);
    }

    // One word says that there is a job and who takes part, so that a worker never sees one without the other.
    void announce(int active) {
        const uint32_t number = (job_word_.load(std::memory_order_relaxed) >> PART_BITS) + 1;
        job_word_.store(number << PART_BITS | static_cast<uint32_t>(active), std::memory_order_release);
        job_word_.notify_all();
    }

    void work(int thread) {
        uint32_t seen = 0;
        while (true) {
            wait_while(job_word_, seen);
            seen = job_word_.load(std::memory_order_acquire);
            if (stopping_) return;
            if (thread >= static_cast<int>(seen & ((1u << PART_BITS) - 1))) continue;
            (*job_)(thread);
            barrier(thread);
        }
    }

    void adapt(double seconds) {
        double waited = 0;
        for (Waited& own : waited_) waited += own.seconds.exchange(0, std::memory_order_relaxed);
        waiting_ = MEMORY * waiting_ + waited;
        working_ = MEMORY * working_ + seconds * active_;
        const bool too_many = active_ > 1 && waiting_ > MOST_WAITING * working_;
        if (!too_many && (active_ == threads() || ++jobs_with_fewer_ < JOBS_UNTIL_RETRY)) return;
        active_ += too_many ? -1 : 1;
        jobs_with_fewer_ = 0;
        waiting_ = working_ = 0;
    }

    int active_;  // changes between jobs only
    std::vector<Waited> waited_;
    std::vector<std::thread> workers_;
    const std::function<void(int)>* job_ = nullptr;
    std::atomic<bool> stopping_{false};
    double waiting_ = 0, working_ = 0;
    int jobs_with_fewer_ = 0;
    std::atomic<uint32_t> job_word_{0};
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<uint32_t> phase_{0};
};

}  // namespace duet
