#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace shipway::cli {
namespace {

bool g_interrupted = false;
int g_graceful = 0;

void on_signal(int) {  // only what a signal handler may do
  const bool again = __atomic_exchange_n(&g_interrupted, true, __ATOMIC_RELAXED);
  if (__atomic_load_n(&g_graceful, __ATOMIC_RELAXED) > 0 && !again) return;
  constexpr char kText[] = "\nshipway: interrupted\n";
  [[maybe_unused]] const ssize_t written = ::write(2, kText, sizeof(kText) - 1);
  ::_exit(kInterrupted);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

GracefulStop::GracefulStop() { __atomic_add_fetch(&g_graceful, 1, __ATOMIC_RELAXED); }
GracefulStop::~GracefulStop() { __atomic_sub_fetch(&g_graceful, 1, __ATOMIC_RELAXED); }

const bool* interrupted() { return &g_interrupted; }

}  // namespace shipway::cli
