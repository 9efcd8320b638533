#!/bin/sh
# Compiles the sources in folder $1 to $1/dist, with the compiler that is installed there.
set -eu

cd "$1"
node node_modules/typescript/bin/tsc -p tsconfig.build.json
