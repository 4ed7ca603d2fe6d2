#!/usr/bin/env bash
# Installs a build into an empty folder, moves the folder, and builds examples/cpp against it in both ways that users
# have: find_package and pkg-config. Both programs must run and say the same. examples/c is built by a C compiler.
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

cmake -G Ninja -S "$source/examples/cpp" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" > "$work/configure.log"
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

# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/examples/c/custom_operator.c" -o "$work/custom_operator" \
  $(pkg-config --cflags --libs shipway)
by_c=$(LD_LIBRARY_PATH=$libdir "$work/custom_operator" "$source/examples/c/weighted_pool.onnx")
echo "C: $by_c"
# By hand: y = -(x[2i] + 2 x[2i + 1] + x[2i + 2]) / 4 of 1 2 3 4 5 and 6 7 8 9 10.
case $by_c in "y = -2 -4 -7 -9, 2 windows"*"called WeightedPool 1 time") ;; *) exit 1 ;; esac
if [ -e "$build/bin/shipway" ]; then
  "$work/prefix/bin/shipway" --help > /dev/null
fi
