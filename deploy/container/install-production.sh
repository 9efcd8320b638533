#!/bin/sh
# Installs into folder $2 what a server in production needs, in the versions of the lock file in folder $1: the
# dependencies, and the drivers of the stores named in $3 (alloydb, bigtable, spanner; separated by spaces).
set -eu

mkdir -p "$2"
node "$1/deploy/container/production-manifest.js" "$1/package.json" "$3" >"$2/package.json"
cp "$1/package-lock.json" "$2"
cd "$2"
# No scripts: nothing has to be compiled, and nobody's code runs while the image is made.
npm ci --omit=dev --ignore-scripts --no-audit --no-fund
rm package-lock.json node_modules/.package-lock.json
