#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace shipway {
namespace {

struct Counts {
  std::vector<std::atomic<int>> times;
  explicit Counts(size_t parts) : times(parts) {}
  static void add(void* context, int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i)
      static_cast<Counts*>(context)->times[static_cast<size_t>(i)]++;
  }
  bool all_once() const {
    for (const auto& n : times)
      if (n != 1) return false;
    return true;
  }
};

TEST(ThreadPool, RunsEveryPartOnceForManyShortJobs) {
  ThreadPool::Hold hold(ThreadPool::instance(), 4);
  for (int round = 0; round < 2000; ++round) {
    Counts counts(static_cast<size_t>(round % 67));
    hold.run(round % 67, Counts::add, &counts);
    ASSERT_TRUE(counts.all_once()) << round;
  }
}

TEST(ThreadPool, GivesOneThreadToASecondHolder) {
  ThreadPool::Hold first(ThreadPool::instance(), 2);
  ThreadPool::Hold second(ThreadPool::instance(), 2);
  EXPECT_EQ(first.threads(), 2);
  EXPECT_EQ(second.threads(), 1);
  Counts counts(5);
  second.run(5, Counts::add, &counts);
  EXPECT_TRUE(counts.all_once());
}

TEST(ThreadPool, WakesWorkersThatSleep) {
  for (int round = 0; round < 3; ++round) {
    {
      ThreadPool::Hold hold(ThreadPool::instance(), 3);
      Counts counts(100);
      hold.run(100, Counts::add, &counts);
      EXPECT_TRUE(counts.all_once());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(ThreadPool, WorksInAForkedChild) {
  {
    ThreadPool::Hold hold(ThreadPool::instance(), 2);
    Counts counts(10);
    hold.run(10, Counts::add, &counts);
  }
  const pid_t child = fork();
  if (child == 0) {
    ThreadPool::Hold hold(ThreadPool::instance(), 2);
    Counts counts(1000);
    hold.run(1000, Counts::add, &counts);
    _exit(hold.threads() == 2 && counts.all_once() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace shipway
