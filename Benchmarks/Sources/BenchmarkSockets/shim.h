// What the relay needs of Linux and Swift's Glibc module lacks: waiting to the nanosecond, and when the kernel took a
// datagram. Header only: no C file is compiled.
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
#include <time.h>

int bench_ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const void *mask)
    __asm__("ppoll");

/// Timers of the calling thread are otherwise up to 50 us late by intention (prctl(2), PR_SET_TIMERSLACK).
static inline void bench_set_timer_slack(unsigned long nanoseconds) { prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0); }

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

#endif
