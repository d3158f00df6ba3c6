// What relay and raw peer need of Linux and Swift's Glibc module lacks: waiting to the nanosecond, when the kernel took a
// datagram, and many datagrams a call. Header only: no C file is compiled.
#ifndef BENCHMARK_SOCKETS_H
#define BENCHMARK_SOCKETS_H

#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

/// `struct mmsghdr` of recvmmsg(2).
struct bench_mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};

int bench_recvmmsg(int fd, struct bench_mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
    __asm__("recvmmsg");
int bench_sendmmsg(int fd, struct bench_mmsghdr *messages, unsigned int count, int flags) __asm__("sendmmsg");

/// Gives freed memory back to the system (malloc_trim(3)).
int bench_trim(size_t pad) __asm__("malloc_trim");

int bench_ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const void *mask)
    __asm__("ppoll");

/// Timers of the calling thread are otherwise up to 50 us late by intention (prctl(2), PR_SET_TIMERSLACK).
static inline void bench_set_timer_slack(unsigned long nanoseconds) { prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0); }

/// The calling process ends with the thread that has started it (prctl(2), PR_SET_PDEATHSIG).
static inline void bench_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0); }

static const int BENCH_SOCK_DGRAM = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int BENCH_SO_RCVBUFFORCE = 33;

/// Asks for what `bench_receive` tells besides the bytes.
static inline int bench_enable_stamps(int fd) {
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) return -1;
  return setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

struct bench_stamp {
  struct sockaddr_in from;
  /// When the kernel took the datagram: CLOCK_REALTIME in nanoseconds, 0 where it does not say.
  int64_t realtime;
  /// Datagrams that this socket has dropped so far for want of room.
  uint32_t overruns;
};

/// recvmsg(2) without waiting. Returns the size of the datagram, or -1.
static inline ssize_t bench_receive(int fd, void *buffer, size_t capacity, struct bench_stamp *stamp) {
  union {
    char bytes[128];
    struct cmsghdr align;
  } control;
  struct iovec vector = {buffer, capacity};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  memset(stamp, 0, sizeof *stamp);
  message.msg_name = &stamp->from;
  message.msg_namelen = sizeof stamp->from;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
  if (size < 0) return size;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SO_TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(c), sizeof time);
      stamp->realtime = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    } else if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(uint32_t))) {
      memcpy(&stamp->overruns, CMSG_DATA(c), sizeof(uint32_t));
    }
  }
  return size;
}

static const int BENCH_UDP_SEGMENT = 103;
static const int BENCH_UDP_GRO = 104;

/// Asks for runs of datagrams (UDP_GRO) in `bench_receive_run`.
static inline int bench_enable_runs(int fd) {
  int on = 1;
  return setsockopt(fd, IPPROTO_UDP, BENCH_UDP_GRO, &on, sizeof on);
}

/// Sends `size` bytes as datagrams of `segment` bytes (UDP_SEGMENT), the last one what is left.
static inline ssize_t bench_send_run(int fd, const struct sockaddr_in *to, const void *bytes, size_t size,
                                     uint16_t segment) {
  union {
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
  } control;
  struct iovec vector = {(void *)bytes, size};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  memset(&control, 0, sizeof control);
  message.msg_name = (void *)to;
  message.msg_namelen = sizeof *to;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = BENCH_UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment);
  memcpy(CMSG_DATA(header), &segment, sizeof segment);
  return sendmsg(fd, &message, 0);
}

/// recvmsg(2) of a run of datagrams of `segment` bytes each but the last, without waiting. Returns its size, or -1.
static inline ssize_t bench_receive_run(int fd, struct sockaddr_in *from, void *buffer, size_t capacity, int *segment) {
  union {
    char bytes[64];
    struct cmsghdr align;
  } control;
  struct iovec vector = {buffer, capacity};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_name = from;
  message.msg_namelen = sizeof *from;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
  *segment = (int)size;
  if (size < 0) return size;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == BENCH_UDP_GRO && c->cmsg_len >= CMSG_LEN(sizeof(int))) {
      memcpy(segment, CMSG_DATA(c), sizeof *segment);
    }
  }
  return size;
}

/// A datagram of a flood: its bytes, and the address of this machine (network byte order) that it is to come from.
struct bench_forged {
  const void *bytes;
  uint32_t size;
  uint32_t source;
};

/// Sends up to 64 datagrams to one address, each from its own (IP_PKTINFO), in one call. Returns how many have left, or
/// -1.
static inline int bench_send_forged(int fd, const struct sockaddr_in *to, const struct bench_forged *datagrams,
                                    unsigned int count) {
  enum { most = 64 };
  static const size_t space = CMSG_SPACE(sizeof(struct in_pktinfo));
  struct bench_mmsghdr messages[most];
  struct iovec vectors[most];
  union {
    char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct cmsghdr align;
  } controls[most];
  if (count > most) count = most;
  memset(messages, 0, sizeof messages[0] * count);
  memset(controls, 0, sizeof controls[0] * count);
  for (unsigned int i = 0; i < count; i++) {
    struct msghdr *message = &messages[i].msg_hdr;
    vectors[i].iov_base = (void *)datagrams[i].bytes;
    vectors[i].iov_len = datagrams[i].size;
    message->msg_name = (void *)to;
    message->msg_namelen = sizeof *to;
    message->msg_iov = &vectors[i];
    message->msg_iovlen = 1;
    message->msg_control = &controls[i];
    message->msg_controllen = space;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info;
    memset(&info, 0, sizeof info);
    info.ipi_spec_dst.s_addr = datagrams[i].source;
    memcpy(CMSG_DATA(header), &info, sizeof info);
  }
  return bench_sendmmsg(fd, messages, count, 0);
}

#endif
