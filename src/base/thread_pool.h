// The process's one pool of worker threads.
#pragma once

#include <cstdint>
#include <memory>

namespace shipway {

/// Runs the parts of one piece of work on the calling thread and on workers. Parts are claimed as
/// threads come, so the caller starts at once and a worker that was asleep joins when it wakes; a
/// part computes the same bytes whoever claims it. Workers spin for some 50 us after the last work
/// (a wake-up costs more than most steps of a plan), then sleep. After fork() the child starts with
/// new workers.
class ThreadPool {
 public:
  /// `part` in [begin, end); `thread` in [0, threads) is the caller's number for its scratch
  /// memory.
  using Work = void (*)(void* context, int64_t begin, int64_t end, int thread);

  /// The pool of the process. Workers start with the first work that wants them.
  static ThreadPool& instance();

  /// Exclusive use for a run. While one holder is there, others get a Hold with one thread, so that
  /// two runs at once never put more threads to work than there are cores.
  class Hold {
   public:
    Hold(ThreadPool& pool, int threads);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    /// How many threads take part: 1 without the pool.
    int threads() const { return threads_; }
    /// Calls `work` for all of [0, parts), in chunks, and returns when all are done. With one
    /// thread: plain call.
    void run(int64_t parts, Work work, void* context);

   private:
    ThreadPool& pool_;
    int threads_ = 1;
    bool holding_ = false;
  };

  ~ThreadPool();

 private:
  ThreadPool();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shipway
