/**
 * Numbers of Linux's interfaces that we use: the same on every 64-bit architecture but for those in `architecture`
 * (include/uapi of the kernel).
 */

/** What differs: struct epoll_event is packed on x86-64 only. */
export const architecture =
  process.arch === 'x64'
    ? { epoll_event_bytes: 12, epoll_data_offset: 4 }
    : { epoll_event_bytes: 16, epoll_data_offset: 8 };

export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0x80000;
export const SOCK_NONBLOCK = 0x800;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_ACCEPTCONN = 30;
export const SO_BINDTODEVICE = 25;
export const SO_KEEPALIVE = 9;
export const SO_RCVTIMEO = 20;
export const IPPROTO_IP = 0;
/** Netfilter's, at level IPPROTO_IP. */
export const SO_ORIGINAL_DST = 80;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const IP_FREEBIND = 15;
export const IPV6_FREEBIND = 78;
export const IP_TRANSPARENT = 19;
export const IPV6_TRANSPARENT = 75;
export const IPV6_V6ONLY = 26;
export const TCP_NODELAY = 1;
export const TCP_MAXSEG = 2;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_FASTOPEN = 23;
export const TCP_USER_TIMEOUT = 18;
export const IP_BIND_ADDRESS_NO_PORT = 24;

export const SHUT_WR = 1;
export const SHUT_RDWR = 2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;

export const MADV_DONTNEED = 4;

export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const FD_CLOEXEC = 1;
export const F_SETPIPE_SZ = 1031;
export const SPLICE_F_NONBLOCK = 2;
export const SPLICE_F_MORE = 4;
export const O_NONBLOCK = 0x800;
export const EFD_CLOEXEC = 0x80000;
export const EFD_NONBLOCK = 0x800;

export const EINTR = 4;
export const EBADF = 9;
export const EINVAL = 22;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EBUSY = 16;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const ETIME = 62;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const ENOTCONN = 107;
export const ECONNREFUSED = 111;
export const EALREADY = 114;
export const EINPROGRESS = 115;
export const ECANCELED = 125;
