#!/bin/bash
# A systemd of its own, as process 1 of namespaces of its own, over a copy of this machine's files that
# keeps what is written in memory: $1 is an empty folder, $2 one that is seen as /x.
set -e
root=$1/root
mkdir -p "$root" "$1/mem"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/mem"
mkdir "$1/mem/up" "$1/mem/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/mem/up,workdir=$1/mem/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while read -r name major minor; do mknod -m 666 "$root/dev/$name" c "$major" "$minor"; done <<<"null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0"
mkdir "$root/dev/shm" "$root/dev/pts"
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
: >"$root/etc/machine-id"
mkdir -p "$root/x" "$root/old"
mount --bind "$2" "$root/x"
cd "$root"
pivot_root . old
umount -l /old
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target --log-target=journal-or-kmsg
