#!/usr/bin/env bash
# Installs a build into an empty folder, moves the folder, and builds examples/cpp against it in both ways that users
# have: find_package and pkg-config. Both programs must run and say the same.
#
#   tests/install_test.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
source=$(realpath "$(dirname "$0")/..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/prefix"  # nothing in the package may remember where it was installed
libdir=$(dirname "$(find "$work/prefix" -name libshipway.so)")

cmake -S "$source/examples/cpp" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" > "$work/configure.log"
cmake --build "$work/cmake" > "$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
model=$source/models/srcnn/srcnn.onnx
small=$source/src/image/testdata/interlaced.png
by_cmake=$("$work/cmake/enlarge" "$model" "$small" "$work/by_cmake.png")

export PKG_CONFIG_PATH=$libdir/pkgconfig
# shellcheck disable=SC2046  # several flags are meant
c++ -std=c++20 -Wall -Wextra -Werror "$source/examples/cpp/enlarge.cpp" -o "$work/enlarge" $(pkg-config --cflags --libs shipway)
by_pkg_config=$(LD_LIBRARY_PATH=$libdir "$work/enlarge" "$model" "$small" "$work/by_pkg_config.png")

echo "find_package: $by_cmake"
echo "pkg-config $(pkg-config --modversion shipway): $by_pkg_config"
[ "$by_cmake" = "$by_pkg_config" ]
cmp "$work/by_cmake.png" "$work/by_pkg_config.png"
if [ -e "$build/bin/shipway" ]; then
  "$work/prefix/bin/shipway" --help > /dev/null
fi
