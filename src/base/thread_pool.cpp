#include "base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace shipway {
namespace {

constexpr int kMaxThreads = 256;
constexpr int kSpins = 2000;  // about 50 us of pause instructions
constexpr int64_t kChunksPerThread =
    8;  // enough to even out unequal parts, few enough to claim cheaply

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

struct ThreadPool::State {
  // What is being done. `claim` holds the number of the job in its upper half and the next chunk in
  // its lower half: a worker that comes late finds another number and leaves the other fields
  // alone. They change only between jobs, and a job ends only when every claimed chunk is done.
  std::atomic<uint64_t> claim{0};
  Work work = nullptr;
  void* context = nullptr;
  int64_t parts = 0, chunk = 1;
  std::atomic<uint32_t> chunks{0};
  std::atomic<uint32_t> done{0};
  std::atomic<int> thread_limit{1};  // workers of a higher number look on

  std::mutex mutex;  // guards sleeping and starting
  std::condition_variable wake;
  std::atomic<int> sleeping{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  std::atomic<bool> held{false};
  std::atomic<bool> busy{false};  // a Hold with several threads is open: workers keep spinning

  void start(int count) {
    std::lock_guard lock(mutex);
    while (static_cast<int>(workers.size()) < count) {
      const int number = static_cast<int>(workers.size()) + 1;
      workers.emplace_back([this, number] { serve(number); });
    }
  }

  /// Claims and does chunks of job `job` until none is left.
  void help(uint32_t job, int thread) {
    while (true) {
      uint64_t current = claim.load(std::memory_order_acquire);
      const auto index = static_cast<uint32_t>(current);
      if (static_cast<uint32_t>(current >> 32) != job ||
          index >= chunks.load(std::memory_order_relaxed))
        return;
      if (!claim.compare_exchange_weak(current, current + 1, std::memory_order_acq_rel)) continue;
      const int64_t begin = index * chunk;
      work(context, begin, std::min(parts, begin + chunk), thread);
      done.fetch_add(1, std::memory_order_release);
    }
  }

  void serve(int number) {
    uint32_t seen = 0;
    while (true) {
      int spins = 0;
      uint32_t job = seen;
      while ((job = static_cast<uint32_t>(claim.load(std::memory_order_acquire) >> 32)) == seen) {
        if (stop.load(std::memory_order_relaxed)) return;
        if (++spins < kSpins || busy.load(std::memory_order_relaxed)) {
          relax();
          continue;
        }
        std::unique_lock lock(mutex);
        sleeping.fetch_add(1);
        wake.wait(lock,
                  [&] { return stop.load() || static_cast<uint32_t>(claim.load() >> 32) != seen; });
        sleeping.fetch_sub(1);
        spins = 0;
      }
      seen = job;
      if (number < thread_limit.load(std::memory_order_relaxed)) help(job, number);
    }
  }

  void shut_down() {
    {
      std::lock_guard lock(mutex);
      stop.store(true);
    }
    wake.notify_all();
    for (std::thread& worker : workers) worker.join();
    workers.clear();
  }
};

ThreadPool::ThreadPool() : state_(std::make_unique<State>()) {}

ThreadPool::~ThreadPool() { state_->shut_down(); }

ThreadPool& ThreadPool::instance() {
  static ThreadPool pool;
  // In a forked child the workers do not exist and locks may be held by threads that are gone:
  // begin anew, and leave the old state alone.
  static const int registered = pthread_atfork(nullptr, nullptr, [] {
    static_cast<void>(pool.state_.release());
    pool.state_ = std::make_unique<State>();
  });
  static_cast<void>(registered);
  return pool;
}

ThreadPool::Hold::Hold(ThreadPool& pool, int threads) : pool_(pool) {
  threads = std::clamp(threads, 1, kMaxThreads);
  if (threads == 1) return;
  bool free = false;
  if (!pool_.state_->held.compare_exchange_strong(free, true, std::memory_order_acq_rel)) return;
  holding_ = true;
  threads_ = threads;
}

ThreadPool::Hold::~Hold() {
  if (!holding_) return;
  pool_.state_->busy.store(false, std::memory_order_relaxed);
  pool_.state_->held.store(false, std::memory_order_release);
}

void ThreadPool::Hold::run(int64_t parts, Work work, void* context) {
  if (parts <= 0) return;
  if (!holding_ || parts == 1) return work(context, 0, parts, 0);
  State& state = *pool_.state_;
  if (static_cast<int>(state.workers.size()) < threads_ - 1) state.start(threads_ - 1);
  state.busy.store(true, std::memory_order_relaxed);
  state.work = work;
  state.context = context;
  state.parts = parts;
  state.chunk = std::max<int64_t>(1, parts / (kChunksPerThread * threads_));
  state.chunks.store(static_cast<uint32_t>((parts + state.chunk - 1) / state.chunk),
                     std::memory_order_relaxed);
  state.done.store(0, std::memory_order_relaxed);
  state.thread_limit.store(threads_, std::memory_order_relaxed);
  const uint32_t job = static_cast<uint32_t>(state.claim.load(std::memory_order_relaxed) >> 32) + 1;
  state.claim.store(uint64_t{job} << 32, std::memory_order_seq_cst);
  if (state.sleeping.load(std::memory_order_seq_cst) > 0) {
    std::lock_guard lock(state.mutex);
    state.wake.notify_all();
  }
  state.help(job, 0);
  while (state.done.load(std::memory_order_acquire) < state.chunks.load(std::memory_order_relaxed))
    relax();
  // Closed: a worker still looking at this job finds nothing to claim while the next job's fields
  // are written.
  state.claim.store(uint64_t{job} << 32 | 0xffffffffu, std::memory_order_release);
}

}  // namespace shipway
