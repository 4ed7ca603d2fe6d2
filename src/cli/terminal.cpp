#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace shipway::cli {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.,-+e %") == std::string_view::npos;
}

}  // namespace

void print_line(std::string_view text) { fmt::print("{}\n", text); }
void print_error(std::string_view text) { fmt::print(stderr, "shipway: {}\n", text); }
void print_note(std::string_view text, bool quiet) {
  if (!quiet) fmt::print(stderr, "{}\n", text);
}

Progress::Progress(std::string what, int64_t total, bool quiet)
    : what_(std::move(what)),
      total_(std::max<int64_t>(total, 1)),
      quiet_(quiet),
      terminal_(isatty(2) != 0),
      start_ns_(now_ns()) {}

void Progress::advance(int64_t done) {
  constexpr int64_t kSilentNs = 1'000'000'000;
  if (quiet_ || now_ns() - start_ns_ < kSilentNs) return;
  const int64_t step = done * (terminal_ ? 100 : 10) / total_;
  if (step == shown_) return;
  shown_ = step;
  if (!terminal_) {
    fmt::print(stderr, "{}: {} %\n", what_, step * 10);
    return;
  }
  constexpr size_t kWidth = 40;
  const auto filled = static_cast<size_t>(done * static_cast<int64_t>(kWidth) / total_);
  fmt::print(stderr, "\r{} [{}{}] {:3} %", what_, std::string(filled, '#'),
             std::string(kWidth - filled, ' '), step);
  std::fflush(stderr);
}

Progress::~Progress() {
  if (terminal_ && shown_ >= 0) fmt::print(stderr, "\n");
}

std::string table(const std::vector<std::string>& header,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> width;
  for (const std::string& cell : header) width.push_back(cell.size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text;
  const auto add = [&](const std::vector<std::string>& row, bool is_header) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool right = !is_header && is_number(row[i]);
      line += (i ? "  " : "") + (right ? fmt::format("{:>{}}", row[i], width[i])
                                       : fmt::format("{:<{}}", row[i], width[i]));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(header, true);
  for (const auto& row : rows) add(row, false);
  if (!text.empty()) text.pop_back();
  return text;
}

std::string fixed(double value, int digits) { return fmt::format("{:.{}f}", value, digits); }

std::string human_bytes(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units[unit]);
}

}  // namespace shipway::cli
