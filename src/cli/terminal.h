// What the command prints: results on stdout, everything else on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shipway::cli {

/// To stdout, with a line end.
void print_line(std::string_view text);
/// "shipway: text" to stderr, in one piece.
void print_error(std::string_view text);
/// To stderr unless quiet.
void print_note(std::string_view text, bool quiet);

/// A bar on stderr when it is a terminal, a line per tenth otherwise; nothing when quiet or when
/// all is done within a second.
class Progress {
 public:
  Progress(std::string what, int64_t total, bool quiet);
  ~Progress();
  void advance(int64_t done);

 private:
  std::string what_;
  int64_t total_;
  bool quiet_, terminal_;
  int64_t shown_ = -1;
  int64_t start_ns_;
};

/// A table with aligned columns; numbers to the right.
std::string table(const std::vector<std::string>& header,
                  const std::vector<std::vector<std::string>>& rows);
/// "1.234" with `digits` after the point; "12.3 MB".
std::string fixed(double value, int digits);
std::string human_bytes(double bytes);

}  // namespace shipway::cli
