#!/bin/sh
# testhosts_disk.sh LOWER LAYERS ROOT SIZE NAME: holds a test host's disk, network and name, until standard input ends.
#
# Runs in network, mount and host name namespaces of its own; what it mounts nobody else sees, and it goes with them.
# LAYERS holds what the host changes: a directory, or with a SIZE a file system in memory that can be full.
set -eu
lower=$1 layers=$2 root=$3 size=$4 name=$5

hostname "$name"
ip link set lo up
options=lowerdir=$lower,redirect_dir=on
if [ -n "$size" ]; then
    mount -t tmpfs -o "size=$size,mode=755" tmpfs "$layers"
fi
mkdir "$layers/upper" "$layers/work"
# Nothing here outlives the test: no need to wait for the disk. Kernels before 5.10 always wait.
mount -t overlay -o "$options,upperdir=$layers/upper,workdir=$layers/work,volatile" overlay "$root" 2>/dev/null ||
    mount -t overlay -o "$options,upperdir=$layers/upper,workdir=$layers/work" overlay "$root"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
echo ready
read -r _ || true
