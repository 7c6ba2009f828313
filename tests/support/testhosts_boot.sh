#!/bin/bash
# testhosts_boot.sh ROOT ADDRESS PACKAGES WHEELS DIST: starts a test host and is its first process.
#
# Runs in the namespaces of testhosts_disk.sh, with processes, mounts and shared memory of its own. It goes on until
# standard input ends, and all that runs on the host ends with it.
set -eu
root=$1 address=$2 packages=$3 wheels=$4 dist=$5

find "$root/run" -mindepth 1 -delete
mkdir -m 1777 "$root/run/lock"
mkdir -m 755 "$root/run/sshd"
ip address replace "$address/24" dev eth0
ip link set eth0 up

mount --make-rprivate /
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
for device in full null random tty urandom zero; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts"
mkdir -m 1777 "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0 1 2; do
    ln -s "/proc/self/fd/$number" "$root/dev/$(echo stdin stdout stderr | cut -d ' ' -f $((number + 1)))"
done
for pair in "$packages:srv/packages" "$wheels:srv/wheels" "$dist:srv/dist"; do
    mount --bind "${pair%%:*}" "$root/${pair#*:}"
    mount -o remount,bind,ro "$root/${pair#*:}"
done

cd "$root"
pivot_root . mnt
# What follows is the host's own shell: it reaps what others leave, and starts what is to run from the start.
# shellcheck disable=SC2016 # the inner shell expands it
exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
    TERM=dumb /bin/bash -c '
        cd /
        umount -l /mnt
        for service in /etc/rc2.d/S*; do
            [ "${service#*S??}" = ssh ] || "$service" start < /dev/null >> /run/boot.log 2>&1 || true
        done
        /usr/sbin/sshd -E /run/sshd.log < /dev/null
        while read -r _; do :; done
    ' init
