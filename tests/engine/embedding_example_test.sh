#!/bin/sh
# The library as its users get it: installed, found by pkg-config, linked by the example, which then
# does what it says on a data directory of its own.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
DESTDIR="$dir/root" meson install -C "$build" --no-rebuild --quiet >"$dir/install.log" 2>&1 ||
  { cat "$dir/install.log"; exit 1; }
pc=$(find "$dir/root" -name updraft.pc)
export PKG_CONFIG_PATH="$(dirname "$pc")" PKG_CONFIG_SYSROOT_DIR="$dir/root"
# The sysroot is put before our own paths only: the others are the system's.
flags=$(pkg-config --cflags --libs updraft | sed "s#$dir/root/usr/include/#/usr/include/#g;s#-I$dir/root/usr/include #-I/usr/include #g")
${CXX:-c++} -O1 -o "$dir/example" "$here/embedding_example.cc" $flags
"$dir/example" "$dir/data" 2>"$dir/log" >"$dir/out" || { cat "$dir/log"; exit 1; }
cat "$dir/out"
printf 'push 2.0 to kitchen\nQUEUED 1\nSUCCEEDED 1\n' | diff - "$dir/out"
