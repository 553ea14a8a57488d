"""Which system calls an app may make: the default filter and the sets that it is made of. Pure.

Two programs are stacked, and the kernel takes the stricter answer: an allow-list whose unknown calls fail with ENOSYS
(so that libraries fall back, as glibc does from clone3 to clone) and whose known but dangerous ones fail with EPERM;
and a list of arguments that are denied to calls that are otherwise allowed. Calls of a foreign ABI (i386, x32) kill
the process. rkt's own list of 2016 killed statx, clone3 and whatever came later.
"""

from __future__ import annotations

from errno import EAFNOSUPPORT, ENOSYS, EPERM, EPROTONOSUPPORT

from rkt.linux.seccomp import ALLOW, KILL_PROCESS, Compare, Filter, Rule, errno_action

#: changes with every change of the sets below: it is part of the name under which programs are cached
REVISION = 1

_ALLOWED = """
accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown chroot clock_getres clock_gettime
clock_nanosleep clone close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr
flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_waitv futimesat getcpu getcwd
getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority
getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid
gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy
io_getevents io_pgetevents ioprio_get ioprio_set io_setup io_submit kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat
madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect
mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync
munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open
pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64
process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg
remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity
sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
semtimedop sendfile sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid
setresgid setresuid setreuid setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid
setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socket socketpair splice stat statfs statx
symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink
unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev
"""

#: calls that are newer than some libseccomp in the field, by their amd64 numbers
ALLOWED_BY_NUMBER = {
    "cachestat": 451,
    "fchmodat2": 452,
    "futex_wake": 454,
    "futex_wait": 455,
    "futex_requeue": 456,
    "mseal": 462,
}

#: calls that programs know and probe: EPERM says "not allowed" where ENOSYS would say "old kernel"
_DENIED = """
acct add_key adjtimex bpf clock_adjtime clock_settime create_module delete_module fanotify_init fanotify_mark
finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module io_uring_enter io_uring_register
io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages modify_ldt mount
mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open personality pidfd_getfd
pivot_root process_madvise process_vm_readv process_vm_writev ptrace query_module quotactl quotactl_fd reboot
request_key set_mempolicy set_mempolicy_home_node setdomainname sethostname setns settimeofday swapoff swapon _sysctl
sysfs syslog umount2 unshare uselib userfaultfd ustat vhangup
"""

#: what an app that keeps CAP_SYS_ADMIN gets back: the capability, not the filter, is then the boundary
_FOR_SYS_ADMIN = """
bpf fanotify_init fanotify_mark fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount2 unshare
"""

#: personality(2) values that only choose a compatible layout: PER_LINUX, PER_LINUX32, UNAME26 with each, and "ask"
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
#: clone(2) flags that make a namespace: mount, cgroup, uts, ipc, user, pid, net
_NAMESPACE_FLAGS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_NETFILTER = 12


ALLOWED = tuple(_ALLOWED.split())
DENIED = tuple(_DENIED.split())
FOR_SYS_ADMIN = tuple(_FOR_SYS_ADMIN.split())


def default_name(*, sys_admin: bool) -> str:
    """The cache name of :func:`plan_default_filters`."""
    return f"default-{REVISION}{'-sys-admin' if sys_admin else ''}"


def plan_default_filters(*, sys_admin: bool) -> tuple[Filter, ...]:
    """The two programs of an app without a seccomp isolator; ``sys_admin`` if it keeps CAP_SYS_ADMIN."""
    extra = frozenset(FOR_SYS_ADMIN) if sys_admin else frozenset()
    rules = [Rule(name, ALLOW) for name in ALLOWED]
    rules += [Rule(number, ALLOW) for number in ALLOWED_BY_NUMBER.values()]
    rules += [Rule(name, ALLOW) for name in sorted(extra)]
    rules += [Rule("personality", ALLOW, Compare(0, value)) for value in _PERSONALITIES]
    rules += [Rule(name, errno_action(EPERM)) for name in DENIED if name not in extra and name != "personality"]
    calls = Filter(default=errno_action(ENOSYS), foreign=KILL_PROCESS, rules=tuple(rules))
    return (calls, _plan_argument_filter(namespaces=sys_admin))


def _plan_argument_filter(*, namespaces: bool) -> Filter:
    deny = errno_action(EPERM)
    rules = [Rule("ioctl", deny, Compare(1, request)) for request in (_TIOCSTI, _TIOCLINUX)]
    if not namespaces:
        rules += [Rule("clone", deny, Compare(0, flag, mask=flag)) for flag in _NAMESPACE_FLAGS]
    no_family = errno_action(EAFNOSUPPORT)
    families = [family for family in range(17) if family not in (_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK)]
    rules += [Rule("socket", no_family, Compare(0, family)) for family in families]
    rules.append(Rule("socket", no_family, Compare(0, 17, at_least=True)))
    netfilter = (Compare(0, _AF_NETLINK), Compare(2, _NETLINK_NETFILTER))
    rules.append(Rule("socket", errno_action(EPROTONOSUPPORT), *netfilter))
    return Filter(default=ALLOW, foreign=ALLOW, rules=tuple(rules))
