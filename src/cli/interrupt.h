// Ctrl-C: ends the command with one sentence, and no half-written file.
#pragma once

namespace shipway::cli {

/// Exit code of a command that Ctrl-C (or a TERM signal) ended: 128 + SIGINT, as shells expect.
inline constexpr int kInterrupted = 130;

/// From here on, Ctrl-C prints "shipway: interrupted" and ends the process with kInterrupted; while
/// a GracefulStop lives, it only sets `interrupted()`, and a second one ends the process.
void catch_interrupts();

/// Where work can be ended in an orderly way (a run asks between its steps), or files are written.
class GracefulStop {
 public:
  GracefulStop();
  ~GracefulStop();
  GracefulStop(const GracefulStop&) = delete;
  GracefulStop& operator=(const GracefulStop&) = delete;
};

/// Becomes true at a Ctrl-C; for RunOptions::cancelled.
const bool* interrupted();

}  // namespace shipway::cli
