// A few threads that work on one job together: awake within a job, asleep between jobs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "simd.h"

namespace duet {

// Waits by spinning for some microseconds, then gives its time slice to others, since a core may be shared.
class Spinner {
  public:
    void wait() {
        if (++spins_ < 4000)
            simd::pause();
        else
            std::this_thread::yield();
    }
    bool patient() const { return spins_ < 4200; }

  private:
    int spins_ = 0;
};

class ThreadPool {
  public:
    explicit ThreadPool(int threads) : threads_(threads) {
        for (int i = 1; i < threads; i++) workers_.emplace_back([this, i] { work(i); });
    }

    ~ThreadPool() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
            jobs_++;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    int threads() const { return threads_; }

    // Runs job(thread) on every thread, the caller's included, and returns when all are done.
    void run(const std::function<void(int)>& job) {
        job_ = &job;
        {
            std::lock_guard<std::mutex> lock(mutex_);
            jobs_++;
        }
        wake_.notify_all();
        job(0);
        barrier();
    }

    // Every thread of the job waits here for the others.
    void barrier() {
        const uint32_t phase = phase_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads_ - 1) {
            arrived_.store(0, std::memory_order_relaxed);
            phase_.store(phase + 1, std::memory_order_release);
            return;
        }
        Spinner spinner;
        while (phase_.load(std::memory_order_acquire) == phase) spinner.wait();
    }

  private:
    void work(int thread) {
        uint64_t seen = 0;
        while (true) {
            Spinner spinner;
            while (jobs_.load(std::memory_order_acquire) == seen && spinner.patient()) spinner.wait();
            if (jobs_.load(std::memory_order_acquire) == seen) {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, [&] { return jobs_.load() != seen; });
            }
            seen++;
            if (stopping_) return;
            (*job_)(thread);
            barrier();
        }
    }

    const int threads_;
    std::vector<std::thread> workers_;
    const std::function<void(int)>* job_ = nullptr;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<bool> stopping_{false};
    std::atomic<uint64_t> jobs_{0};
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<uint32_t> phase_{0};
};

}  // namespace duet
